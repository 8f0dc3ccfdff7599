//! What a saved document must satisfy.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};
use uuid::Uuid;

use super::read::OWNED;
use crate::refusal::{Answer, Refusal};
use crate::store::{Row, Store};

/// A document that was checked: the text to store, and what is wrong with it.
pub(crate) struct Checked {
    pub(crate) text: Box<str>,
    /// `None` for a valid document.
    pub(crate) errors: Option<Box<[String]>>,
}

/// Checks a document that is to be saved on a row. What is not a document of this row
/// cannot be stored; labels that do not fit the ontology or the data can, unless they
/// are to be valid. `features` are the feature hashes of the ontology.
pub(crate) fn checked(
    store: &Store,
    row: &Row,
    document: &Value,
    features: &HashSet<String>,
    must_be_valid: bool,
) -> Answer<Checked> {
    let corrupted = |what: String| Refusal::CorruptedLabel(format!("label row {}: {what}", row.label_hash));
    let text = |key: &str| document.get(key).and_then(Value::as_str);
    if text("label_hash").and_then(|hash| hash.parse::<Uuid>().ok()) != Some(row.label_hash) {
        return Err(corrupted("label_hash of the document names another row".into()));
    }
    if text("data_hash").and_then(|hash| hash.parse::<Uuid>().ok()) != Some(row.key.data) {
        return Err(corrupted("data_hash of the document names another data unit".into()));
    }
    for key in ["data_units", "object_answers", "classification_answers"] {
        if !document.get(key).is_some_and(Value::is_object) {
            return Err(corrupted(format!("{key} is missing or not an object")));
        }
    }
    for hash in document["data_units"].as_object().into_iter().flat_map(|units| units.keys()) {
        if !belongs(store, row, hash) {
            return Err(corrupted(format!("data unit {hash} does not belong to the row")));
        }
    }
    let errors = errors(store, row, document, features);
    match errors.first() {
        Some(_) if must_be_valid => Err(corrupted(errors.join("; "))),
        _ => {
            let errors = (!errors.is_empty()).then(|| errors.into());
            Ok(Checked { text: trimmed(document).to_string().into(), errors })
        }
    }
}

/// Errors that are told of one document; one mistake often repeats on every frame.
const MOST_ERRORS: usize = 20;

/// What of the labels does not fit the ontology or the data.
fn errors(store: &Store, row: &Row, document: &Value, features: &HashSet<String>) -> Vec<String> {
    let mut unknown = BTreeSet::new();
    for part in ["data_units", "spaces", "object_answers", "classification_answers", "object_actions"] {
        collect(document.get(part).unwrap_or(&Value::Null), &mut |hash| {
            if !features.contains(hash) {
                unknown.insert(hash.to_owned());
            }
            unknown.len() < MOST_ERRORS
        });
    }
    let unknown = unknown.into_iter().map(|hash| format!("the ontology has no feature {hash}"));
    let item = store.units.get(&row.key.data).and_then(|unit| store.items.get(&unit.item));
    let frames = item.and_then(|item| item.facts.frames).filter(|frames| *frames > 0);
    let beyond = frames.into_iter().flat_map(|frames| {
        let units = document["data_units"].as_object().into_iter().flatten();
        let labelled = units.filter_map(|(_, unit)| unit.get("labels")?.as_object()).flatten();
        // Labels that are not by frame have the keys `objects` and `classifications`.
        let numbers = labelled.filter_map(|(key, _)| key.parse::<u64>().ok());
        let beyond = numbers.filter(move |frame| *frame >= frames);
        beyond.map(move |frame| format!("frame {frame} is behind the last of {frames} frames"))
    });
    unknown.chain(beyond).take(MOST_ERRORS).collect()
}

/// The document without what the platform decides anyway, which is most of a
/// document with few labels.
fn trimmed(document: &Value) -> Value {
    let kept = |owned: &'static [&str]| move |(key, _): &(&String, &Value)| !owned.contains(&key.as_str());
    let copy = |(key, value): (&String, &Value)| (key.clone(), value.clone());
    let top = document.as_object().into_iter().flatten();
    let mut trimmed: Map<String, Value> = top.filter(kept(&OWNED)).filter(kept(&ORDERS)).map(copy).collect();
    let units = document["data_units"].as_object().into_iter().flatten().map(|(hash, unit)| {
        let unit = unit.as_object().into_iter().flatten();
        (hash.clone(), Value::Object(unit.filter(kept(&UNIT_OWNED)).map(copy).collect()))
    });
    trimmed.insert("data_units".into(), Value::Object(units.collect()));
    if let Some(spaces) = document.get("spaces") {
        trimmed.insert("spaces".into(), spaces.clone());
    }
    Value::Object(trimmed)
}

/// What a document that is saved alone brings along without being part of it.
const ORDERS: [&str; 1] = ["validate_before_saving"];

/// Keys of data units that the platform always decides.
const UNIT_OWNED: [&str; 5] = ["data_hash", "data_title", "data_link", "data_type", "data_sequence"];

fn belongs(store: &Store, row: &Row, hash: &str) -> bool {
    let Ok(hash) = hash.parse::<Uuid>() else { return false };
    let item = store.units.get(&row.key.data).and_then(|unit| store.items.get(&unit.item));
    hash == row.key.data || item.is_some_and(|item| item.children.contains(&hash))
}

/// Every feature hash of an ontology.
pub(crate) fn feature_hashes(structure: &Value) -> HashSet<String> {
    let mut found = HashSet::new();
    collect(structure, &mut |hash| {
        found.insert(hash.to_owned());
        true
    });
    found
}

/// Calls `visit` with every feature hash in the value until it says stop.
fn collect(value: &Value, visit: &mut impl FnMut(&str) -> bool) -> bool {
    match value {
        Value::Object(map) => map.iter().all(|(key, value)| match (key.as_str(), value) {
            ("featureHash" | "featureNodeHash" | "feature_node_hash", Value::String(hash)) => visit(hash),
            _ => collect(value, visit),
        }),
        Value::Array(values) => values.iter().all(|value| collect(value, visit)),
        _ => true,
    }
}
