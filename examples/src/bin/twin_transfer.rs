//! Copies the labels of a project to its twin: a second project on the same data.
//!
//! ```sh
//! cargo run -p encord-examples --bin twin_transfer -- --project-hash H --twin-hash T
//! ```
//!
//! Classes are matched by feature hash. Data units that the twin does not have are left alone; what does not fit the
//! twin's ontology stays behind and is logged. A run that was interrupted can be repeated: what is in the twin already
//! is not copied again.

#![allow(clippy::print_stderr, reason = "printing is what a command line tool does")]

use std::process::ExitCode;

use anyhow::{Context, Result};
use encord_agents::prelude::*;
use encord_agents::twin::extract::{Twin, TwinOf};
use encord_agents::twin::{Mapping, transfer};
use encord_examples::{exit_code, first_agent_stage, first_pathway, project_from_arguments};

/// Marks the twin project; with several twins there would be several markers.
struct Copy;

async fn copy(stage: Stage, task: AgentTask, row: LabelRow, twin: Option<Twin<Copy>>) -> Result<Outcome> {
    let Some(mut twin) = twin else {
        eprintln!("{}: not in the twin project", task.data_title);
        return Ok(Outcome::stay());
    };
    let report = transfer(&row, &mut twin.row, &Mapping::new())?;
    eprintln!(
        "{}: copied {} objects and {} classifications, {} already there",
        task.data_title, report.objects, report.classifications, report.already_there
    );
    for left in &report.left_behind {
        eprintln!("{}: left behind: {left}", task.data_title);
    }
    Ok(first_pathway(&stage)?.with_beside(twin.save()))
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<ExitCode> {
    let (mut rest, mut twin) = (Vec::new(), None);
    let mut arguments = std::env::args();
    while let Some(argument) = arguments.next() {
        if argument == "--twin-hash" {
            twin = arguments.next();
        } else {
            rest.push(argument);
        }
    }
    let project = project_from_arguments().await?;
    let twin = twin.context("name the twin project with --twin-hash")?;
    let twin = TwinOf::<Copy>::new(twin.parse()?);
    let stage = first_agent_stage(&project)?.uuid;
    let runner = Runner::new().with_state(twin).with_project(project);
    Ok(runner.stage(stage, copy).run_cli_with(rest).await)
}
