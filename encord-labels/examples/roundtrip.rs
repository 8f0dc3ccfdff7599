//! Reads label rows from stdin and writes back what the model holds, one JSON line each.
//!
//! A line is `{"ontology": {…}, "label_row": {…}, "metadata": {…}}`; the answer is the label document, or
//! `{"error": "…"}`.

use std::io::{self, BufRead, Write};
use std::sync::Arc;

use encord_labels::{Error, LabelRow, LabelRowMetadata, Ontology};
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().split(b'\n') {
        let line = line?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let answer = match read(&line).and_then(|row| row.to_document()) {
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
    let ontology = Ontology::from_json(&case["ontology"])?;
    let metadata = LabelRowMetadata::from_json(case["metadata"].take())?;
    let mut row = LabelRow::new(metadata, Arc::new(ontology));
    row.initialise_from_value(case["label_row"].take())?;
    Ok(row)
}
