//! Reads label rows from stdin and writes back what the model holds, one JSON line each.
//!
//! A line is `{"ontology": {…}, "label_row": {…}, "metadata": {…}}`; the answer is the label document, or
//! `{"error": "…"}`. With `--via-model` every object and classification is first taken out and made anew through
//! the public API, as an agent would make it. With `--strict` coordinates outside the image are errors.

mod rebuild;

use std::io::{self, BufRead, Write};
use std::sync::Arc;

use encord_labels::{Error, LabelRow, LabelRowMetadata, Ontology};
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let via_model = std::env::args().any(|argument| argument == "--via-model");
    let strict = std::env::args().any(|argument| argument == "--strict");
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().split(b'\n') {
        let line = line?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let mut result = read(&line);
        if let (Ok(row), true) = (&mut result, via_model) {
            result = rebuild::rebuild(row).and(result);
        }
        if let (Ok(row), true) = (&result, strict) {
            result = row.validate().and(result);
        }
        let answer = match result.and_then(|row| row.to_document()) {
            Ok(document) => document,
            Err(error) => json!({"error": error.to_string()}),
        };
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

fn read(line: &[u8]) -> Result<LabelRow, Error> {
    let mut case: Value = serde_json::from_slice(line)
        .map_err(|error| Error::Syntax { path: Default::default(), reason: error.to_string() })?;
    let mut take = |key: &'static str| match case.get_mut(key) {
        Some(value) => Ok(value.take()),
        None => Err(Error::MissingKey { path: Default::default(), key }),
    };
    let ontology = Ontology::from_json(&take("ontology")?)?;
    let metadata = LabelRowMetadata::from_json(take("metadata")?)?;
    let mut row = LabelRow::new(metadata, Arc::new(ontology));
    row.initialise_from_value(take("label_row")?)?;
    Ok(row)
}
