//! Prints what the twin project has for each data unit of a project, as JSON lines.
//!
//! ```sh
//! cargo run -p encord-examples --bin list_twins -- --project-hash H --twin-hash T
//! ```
//!
//! Twins are looked up a thousand at a time, in a handful of requests.
#![allow(clippy::print_stdout, reason = "printing is what a command line tool does")]

use std::process::ExitCode;

use anyhow::{Context, Result};
use encord_agents::client::LabelRowFilter;
use encord_agents::labels::id::DataHash;
use encord_agents::twin::{TwinOptions, TwinProject, TwinTask};
use encord_examples::{exit_code, project_from_arguments};
use serde_json::json;

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<ExitCode> {
    let twin = std::env::args().skip_while(|argument| argument != "--twin-hash").nth(1);
    let twin = twin.context("name the twin project with --twin-hash")?.parse()?;
    let project = project_from_arguments().await?;
    let options = TwinOptions::new().with_cache(0, std::time::Duration::ZERO);
    let twins = TwinProject::open_with(project.client(), twin, options).await?.beside(project.hash())?;
    for rows in project.label_rows(&LabelRowFilter::new()).await?.chunks(1000) {
        let data = rows
            .iter()
            .map(|row| row.metadata().data_hash().parse())
            .collect::<Result<Vec<DataHash>, _>>()?;
        let found = twins.find(&data).await?;
        for (row, data) in rows.iter().zip(&data) {
            let twin = match found.get(data) {
                Some(Ok(twin)) => json!({
                    "label_hash": twin.row.metadata().label_hash(),
                    "objects": twin.row.objects()?.count(),
                    "stage": twin.row.metadata().workflow_stage().map(|(_, title)| title),
                    "task": twin.task.as_ref().map(TwinTask::uuid),
                }),
                Some(Err(error)) => json!({ "error": error.to_string() }),
                None => json!(null),
            };
            println!("{}", json!({"data_hash": data, "title": row.metadata().data_title(), "twin": twin}));
        }
    }
    Ok(ExitCode::SUCCESS)
}
