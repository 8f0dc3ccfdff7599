//! Any bytes as a label document: an error that leaves the row alone, or a row that keeps what it read.
//!
//! The input is the row's metadata on one line and the document below it. The ontology has a class of every shape;
//! `python3 xtask/peers/labels/fuzz_seeds.py` makes documents that use it.
#![no_main]

use std::sync::{Arc, LazyLock};

use encord_labels::{LabelRow, LabelRowMetadata, Ontology};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

static ONTOLOGY: LazyLock<Arc<Ontology>> = LazyLock::new(|| {
    let ontology = Ontology::from_slice(include_bytes!("../ontology.json"));
    Arc::new(ontology.expect("the ontology is well formed"))
});

fuzz_target!(|input: &[u8]| {
    let Some(end) = input.iter().position(|byte| *byte == b'\n') else { return };
    let (metadata, document) = (&input[..end], &input[end + 1..]);
    let Ok(metadata) = serde_json::from_slice(metadata) else { return };
    let Ok(metadata) = LabelRowMetadata::from_json(metadata) else { return };
    let mut row = LabelRow::new(metadata.clone(), ONTOLOGY.clone());
    if row.initialise_from_slice(document).is_err() {
        assert!(!row.is_initialised(), "a failed read leaves the row as it was");
        return;
    }
    let written = row.to_document().expect("what was read can be written");
    let mut again = LabelRow::new(metadata, ONTOLOGY.clone());
    again.initialise_from_value(written.clone()).expect("what was written can be read");
    let rewritten = again.to_document().expect("and written once more");
    assert_eq!(unordered(&rewritten), unordered(&written));
});

/// A document as text in which the order of keys and lists does not show: objects are listed in order of appearance,
/// which can differ once frames are sorted.
fn unordered(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut parts: Vec<String> = map.iter().map(|(key, value)| format!("{key:?}:{}", unordered(value))).collect();
            parts.sort();
            format!("{{{}}}", parts.join(","))
        }
        Value::Array(items) => {
            let mut parts: Vec<String> = items.iter().map(unordered).collect();
            parts.sort();
            format!("[{}]", parts.join(","))
        }
        other => other.to_string(),
    }
}
