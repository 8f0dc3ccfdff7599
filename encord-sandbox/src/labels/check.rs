//! What a saved document must satisfy.

use std::collections::HashSet;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::read::OWNED;
use crate::refusal::{Answer, Refusal};
use crate::store::{Row, Store};

/// Checks a document that is to be saved on a row and returns the text to store.
/// `features` are the feature hashes to check against, when validation was asked for.
pub(crate) fn stored(
    store: &Store,
    row: &Row,
    document: &Value,
    features: Option<&HashSet<String>>,
) -> Answer<Box<str>> {
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
    if let Some(features) = features
        && let Some(unknown) = unknown_feature(document, features)
    {
        return Err(corrupted(format!("the ontology has no feature {unknown}")));
    }
    Ok(trimmed(document).to_string().into())
}

/// The document without what the platform decides anyway, which is most of a
/// document with few labels.
fn trimmed(document: &Value) -> Value {
    let kept = |owned: &'static [&str]| move |(key, _): &(&String, &Value)| !owned.contains(&key.as_str());
    let copy = |(key, value): (&String, &Value)| (key.clone(), value.clone());
    let top = document.as_object().into_iter().flatten();
    let mut trimmed: Map<String, Value> = top.filter(kept(&OWNED)).map(copy).collect();
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

fn unknown_feature(document: &Value, known: &HashSet<String>) -> Option<String> {
    let mut unknown = None;
    collect(document, &mut |hash| {
        if !known.contains(hash) {
            unknown = Some(hash.to_owned());
        }
        unknown.is_none()
    });
    unknown
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
