//! Puts a document together: the facts come from the data, the labels from the
//! last save.

use serde_json::{Map, Value, json};

use super::{annotation_status, fresh, spaces};
use crate::blobs::Links;
use crate::refusal::{Answer, Refusal};
use crate::store::{Row, Store};

/// Top-level keys that the platform decides, whatever was saved.
pub(super) const OWNED: [&str; 14] = [
    "label_hash",
    "branch_name",
    "created_at",
    "last_edited_at",
    "dataset_hash",
    "dataset_title",
    "data_title",
    "data_hash",
    "data_type",
    "label_status",
    "annotation_task_status",
    "is_valid",
    "data_units",
    "spaces",
];

/// The document of a row as initialising labels returns it.
pub(crate) fn read(store: &Store, row: &Row, links: Option<&Links<'_>>) -> Answer<Value> {
    let unit = store
        .units
        .get(&row.key.data)
        .ok_or_else(|| Refusal::NotFound(format!("there is no data unit {}", row.key.data)))?;
    let item = store.backing(unit)?;
    let dataset = store.dataset(unit.dataset)?;
    let status = annotation_status(store, row.key.project, row.key.data);
    let fresh = json!({
        "label_hash": row.label_hash,
        "branch_name": &*row.key.branch,
        "created_at": row.created_at.long(),
        "last_edited_at": row.last_edited_at.long(),
        "dataset_hash": unit.dataset,
        "dataset_title": dataset.title,
        "data_title": item.name,
        "data_hash": unit.hash,
        "data_type": item.kind.data_type(),
        "data_units": fresh::data_units(store, unit, item, links)?,
        "object_answers": {},
        "classification_answers": {},
        "object_actions": {},
        "label_status": row.status.wire(),
        "annotation_task_status": status,
        "is_valid": row.errors.is_none(),
        "spaces": spaces(store, unit, item, links)?,
    });
    let Value::Object(mut document) = fresh else {
        return Err(Refusal::Internal("a fresh document is an object".into()));
    };
    if let Some(saved) = &row.document {
        let saved: Map<String, Value> = serde_json::from_str(saved)
            .map_err(|error| Refusal::Internal(format!("a stored label document is not JSON: {error}")))?;
        overlay(&mut document, saved);
    }
    Ok(Value::Object(document))
}

fn overlay(document: &mut Map<String, Value>, mut saved: Map<String, Value>) {
    for (key, by) in [("data_units", Some("data_sequence")), ("spaces", None)] {
        if let (Some(Value::Object(ours)), Some(Value::Object(theirs))) =
            (document.get_mut(key), saved.remove(key))
        {
            overlay_parts(ours, theirs, by);
        }
    }
    for (key, value) in saved {
        if !OWNED.contains(&key.as_str()) {
            document.insert(key, value);
        }
    }
}

/// Takes the labels, and whatever we know nothing about, of each saved data
/// unit or space. Parts are matched by their key, else by `by`: a document that
/// was written for other hashes is still understood by its sequence numbers.
fn overlay_parts(ours: &mut Map<String, Value>, theirs: Map<String, Value>, by: Option<&str>) {
    for (key, part) in theirs {
        let Value::Object(part) = part else { continue };
        let found = if ours.contains_key(&key) {
            Some(key.clone())
        } else {
            let number = |part: &Map<String, Value>| {
                by.and_then(|by| part.get(by)).map(|number| number.to_string().trim_matches('"').to_owned())
            };
            let wanted = number(&part);
            let same = |(_, ours): &(&String, &Value)| {
                wanted.is_some() && ours.as_object().and_then(number) == wanted
            };
            ours.iter().find(same).map(|(key, _)| key.clone())
        };
        match found.and_then(|key| ours.get_mut(&key)).and_then(Value::as_object_mut) {
            Some(target) => {
                for (key, value) in part {
                    if key == "labels" || !target.contains_key(&key) {
                        target.insert(key, value);
                    }
                }
            }
            // A data unit that is not ours cannot come back, but a space may have been added.
            None if by.is_none() => {
                ours.insert(key, Value::Object(part));
            }
            None => {}
        }
    }
}
