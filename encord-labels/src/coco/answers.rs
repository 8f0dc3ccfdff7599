//! Answers as COCO exports hold them: one flat object per annotation, keyed by title.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::ontology::{Attribute, AttributeKind};
use crate::range::Frame;
use crate::row::{AnswerEntry, AnswerValue, ObjectInstance};

/// The answers of an object on a frame. Attributes nested under options are left out, unanswered ones are null, and
/// checklists become one flag per option.
pub(super) fn flat_answers(object: &ObjectInstance, frame: Frame) -> Map<String, Value> {
    let on_frame =
        object.dynamic.iter().filter(|entry| entry.frames.contains(frame)).map(|entry| &entry.answer);
    let (fixed, moving): (Vec<_>, Vec<_>) =
        object.class().attributes().iter().partition(|attribute| !attribute.is_dynamic());
    let mut flat = flat_side(&fixed, &object.answers.iter().collect::<Vec<_>>());
    flat.extend(flat_side(&moving, &on_frame.collect::<Vec<_>>()));
    flat
}

/// Where titles clash, what was answered wins over what was not.
fn flat_side(attributes: &[&Arc<Attribute>], entries: &[&AnswerEntry]) -> Map<String, Value> {
    let mut flat = Map::new();
    let of = |attribute: &Attribute| -> Vec<&AnswerEntry> {
        entries
            .iter()
            .copied()
            .filter(|entry| entry.attribute.feature_hash() == attribute.feature_hash())
            .collect()
    };
    for entry in entries {
        if let Some(attribute) =
            attributes.iter().find(|a| a.feature_hash() == entry.attribute.feature_hash())
        {
            insert(&mut flat, attribute, &of(attribute));
        }
    }
    for attribute in attributes.iter().filter(|attribute| of(attribute).is_empty()) {
        let mut open = Map::new();
        insert(&mut open, attribute, &[]);
        for (key, value) in open {
            flat.entry(key).or_insert(value);
        }
    }
    flat
}

fn insert(flat: &mut Map<String, Value>, attribute: &Attribute, entries: &[&AnswerEntry]) {
    let is_chosen = |hash: &str| {
        entries.iter().any(|entry| match &entry.value {
            AnswerValue::Options(chosen) => chosen.iter().any(|option| option.feature_hash == *hash),
            _ => false,
        })
    };
    if attribute.kind() == AttributeKind::Checklist {
        let mut flags = Map::new();
        for option in attribute.options() {
            // Options of one label share a key; it is set if any of them is ticked.
            let flag = flags.entry(option.label()).or_insert(Value::Bool(false));
            *flag = Value::Bool(flag == &Value::Bool(true) || is_chosen(option.feature_hash().as_str()));
        }
        flat.extend(flags);
        return;
    }
    let answer = entries.last().map_or(Value::Null, |entry| match &entry.value {
        AnswerValue::Text(text) => Value::from(&**text),
        AnswerValue::Number(number) => Value::Number(number.clone()),
        AnswerValue::Options(_) => attribute
            .options()
            .iter()
            .find(|option| is_chosen(option.feature_hash().as_str()))
            .map_or(Value::Null, |option| Value::from(option.label())),
    });
    flat.insert(attribute.name().to_owned(), answer);
}
