//! What the workers do with a task, and so what must be found on the platform afterwards: both sides derive it from
//! the data hash alone.

use anyhow::{Result, bail, ensure};
use encord_agents::labels::row::Overlap;
use encord_agents::prelude::*;
use rand::Rng;
use serde_json::{Value, json};

/// The stage of the agents.
pub(crate) const STAGE: &str = "Agent";
/// Where a third party takes tasks; no pathway of the agents leads there.
pub(crate) const ELSEWHERE: &str = "Elsewhere";
/// The agents' pathways, each with the stage it leads to.
pub(crate) const PATHWAYS: [(&str, &str); 2] = [("check", "Check"), ("done", "Complete")];
/// The title of the classification that they answer.
const NOTE: &str = "Note";

/// What is to be done with a data unit.
#[derive(Debug, PartialEq)]
pub(crate) struct Expected {
    /// The pathway and the stage it leads to.
    pub(crate) way: (&'static str, &'static str),
    pub(crate) answer: String,
    pub(crate) priority: f64,
}

/// The one right outcome for a data unit.
pub(crate) fn expected(data_hash: &str) -> Expected {
    let number =
        data_hash.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    Expected {
        way: PATHWAYS[(number % 2) as usize],
        answer: format!("seen {data_hash}"),
        priority: f64::from(number % 100) / 100.0,
    }
}

/// The ontology of the project: one text.
pub(crate) fn ontology() -> Value {
    json!({"objects": [], "classifications": [{"id": "1", "featureNodeHash": "notehash", "attributes": [
        {"id": "1.1", "name": NOTE, "type": "text", "featureNodeHash": "notetext", "required": false,
         "dynamic": false}]}]})
}

/// Reads the picture, sometimes fails or panics, and returns what is expected.
pub(crate) async fn agent(task: AgentTask, asset: Asset, mut row: LabelRow) -> Result<Outcome> {
    let start = std::fs::read(asset.path())?;
    ensure!(start.starts_with(b"\x89PNG"), "the file is no picture");
    let dice = rand::rng().random_range(0..100);
    match dice {
        0..5 => bail!("a bad moment"),
        5 => panic!("a worse one"),
        _ => {}
    }
    tokio::time::sleep(std::time::Duration::from_millis(dice / 5)).await;
    let expected = expected(&task.data_hash.to_string());
    let mut note = row.new_classification(NOTE)?;
    note.answer(NOTE, expected.answer)?;
    note.set(0)?;
    // A row that was saved before a crash has the note already.
    row.add_classification(note, Overlap::Replace)?;
    Ok(Outcome::to(expected.way.0).with_label_row(row).with_priority(expected.priority))
}
