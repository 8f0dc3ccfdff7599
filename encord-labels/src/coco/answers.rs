//! Answers as COCO exports hold them: one flat object per annotation, keyed by title.

use serde_json::{Map, Value};

use crate::ontology::{Attribute, AttributeKind};
use crate::range::Frame;
use crate::row::{AnswerEntry, AnswerValue, ObjectInstance};

/// The answers of an object on a frame. Attributes nested under options are left out, unanswered ones are null, and
/// checklists become one flag per option.
pub(super) fn flat_answers(object: &ObjectInstance, frame: Frame) -> Map<String, Value> {
    let mut flat = Map::new();
    let on_frame =
        object.dynamic.iter().filter(|entry| entry.frames.contains(frame)).map(|entry| &entry.answer);
    for attribute in object.class().attributes() {
        let of_attribute = |entry: &&AnswerEntry| entry.attribute.feature_hash() == attribute.feature_hash();
        let entries: Vec<&AnswerEntry> = if attribute.is_dynamic() {
            on_frame.clone().filter(of_attribute).collect()
        } else {
            object.answers.iter().filter(of_attribute).collect()
        };
        insert(&mut flat, attribute, &entries);
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
        for option in attribute.options() {
            flat.insert(option.label().to_owned(), is_chosen(option.feature_hash().as_str()).into());
        }
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
