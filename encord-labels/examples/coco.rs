//! COCO from and to label rows, one JSON line each.
//!
//! `coco export` answers each `{"ontology": {…}, "label_row": {…}, "metadata": {…}}` on stdin with a COCO file.
//! `coco import` takes lines that also have `"coco": {…}`, `"classes": {"category id": "feature hash"}` and
//! `"pictures": {"image id": ["data hash", frame]}`, and answers with the label document. Problems come back as
//! `{"error": "…"}`.

use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::sync::Arc;

use encord_labels::coco::{Dataset, ExportOptions, Placement, export, import};
use encord_labels::{Frame, LabelRow, LabelRowMetadata, Ontology};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> io::Result<()> {
    let importing = std::env::args().nth(1).as_deref() == Some("import");
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().split(b'\n') {
        let line = line?;
        let answer = convert(&line, importing).unwrap_or_else(|error| json!({"error": error.to_string()}));
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

fn convert(line: &[u8], importing: bool) -> Outcome<Value> {
    let mut case: Value = serde_json::from_slice(line)?;
    let ontology = Arc::new(Ontology::from_json(&case["ontology"])?);
    let mut row = LabelRow::new(LabelRowMetadata::from_json(case["metadata"].take())?, ontology.clone());
    row.initialise_from_value(case["label_row"].take())?;
    if !importing {
        return Ok(serde_json::to_value(export([&row], &ontology, &ExportOptions::default())?.dataset)?);
    }
    let dataset = Dataset::from_slice(&serde_json::to_vec(&case["coco"])?)?;
    let classes: HashMap<u64, String> = serde_json::from_value(case["classes"].take())?;
    let pictures: HashMap<u64, (String, Frame)> = serde_json::from_value(case["pictures"].take())?;
    let pictures = pictures.into_iter().map(|(id, (data_hash, frame))| (id, Placement { data_hash, frame }));
    let mut rows = [row];
    import(&dataset, &mut rows, &ontology, &classes, &pictures.collect(), None)?;
    let [row] = rows;
    Ok(row.to_document()?)
}
