//! Our side of the label measurements: bytes to a row, and a row to bytes; the floor is `serde_json` to and
//! from plain values.
//!
//! ```text
//! bench_labels parse|write|floor-parse|floor-write DOCUMENT ONTOLOGY
//! ```

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use encord_benches::{processor_time, report};
use encord_labels::{LabelRow, LabelRowMetadata, Ontology};
use serde_json::{Value, json};

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [action, document, ontology] = arguments.as_slice() else {
        bail!("expected an action, a document and an ontology");
    };
    let document = std::fs::read(document).with_context(|| format!("cannot read {document}"))?;
    let time = match action.as_str() {
        "parse" => parse(&document, ontology)?.0,
        "write" => write(&parse(&document, ontology)?.1)?,
        "floor-parse" => parse_plainly(&document)?.0,
        "floor-write" => write_plainly(&parse_plainly(&document)?.1)?,
        other => bail!("there is no action {other:?}"),
    };
    report(time);
    Ok(())
}

fn parse(document: &[u8], ontology: &str) -> Result<(Duration, LabelRow)> {
    let ontology = Arc::new(Ontology::from_slice(&std::fs::read(ontology)?)?);
    let metadata = LabelRowMetadata::from_json(metadata())?;
    let start = processor_time();
    let mut row = LabelRow::new(metadata, ontology);
    row.initialise_from_slice(document)?;
    Ok((processor_time() - start, row))
}

fn write(row: &LabelRow) -> Result<Duration> {
    let start = processor_time();
    let bytes = row.to_json()?;
    black_box(&bytes);
    Ok(processor_time() - start)
}

fn parse_plainly(document: &[u8]) -> Result<(Duration, Value)> {
    let start = processor_time();
    let value = serde_json::from_slice(document)?;
    Ok((processor_time() - start, value))
}

fn write_plainly(value: &Value) -> Result<Duration> {
    let start = processor_time();
    let bytes = serde_json::to_vec(value)?;
    black_box(&bytes);
    Ok(processor_time() - start)
}

/// What the listing says about the row of every measured document.
fn metadata() -> Value {
    json!({
        "label_hash": "lh", "branch_name": "main", "data_hash": "dh", "dataset_hash": "ds", "dataset_title": "dst",
        "data_title": "clip.mp4", "data_type": "VIDEO", "data_link": "", "label_status": "LABEL_IN_PROGRESS",
        "annotation_task_status": "QUEUED", "number_of_frames": 10_000, "height": 1080, "width": 1920,
        "frames_per_second": 25.0, "duration": 400.0, "spaces": {},
    })
}
