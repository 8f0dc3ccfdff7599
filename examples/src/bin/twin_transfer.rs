//! Copies the labels of a project to its twin: a second project on the same data.
//!
//! ```sh
//! cargo run -p encord-examples --bin twin_transfer -- --project-hash H --twin-hash T
//! ```
//!
//! Classes are matched by title. Data units that the twin does not have are left alone; what does not fit the
//! twin's ontology stays behind and is logged.

use std::process::ExitCode;

use anyhow::{Context, Result};
use encord_agents::prelude::*;
use encord_agents::twin::extract::{MaybeTwin, TwinOf};
use encord_agents::twin::{Mapping, TwinProject, transfer};
use encord_examples::{exit_code, first_agent_stage, first_pathway, project_from_arguments};

/// Marks the twin project; with several twins there would be several markers.
struct Copy;

async fn copy(stage: Stage, row: LabelRow, twin: MaybeTwin<Copy>) -> Result<Outcome> {
    let Some(mut twin) = twin.0 else { return Ok(Outcome::stay()) };
    transfer(&row, &mut twin.row, &Mapping::new())?;
    twin.project.save(&[&twin.row], false).await?;
    first_pathway(&stage)
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
    let twin = TwinProject::open(project.client(), twin.parse()?).await?.beside(project.hash())?;
    let stage = first_agent_stage(&project)?.uuid;
    let runner = Runner::new().with_state(TwinOf::<Copy>::new(twin)).with_project(project);
    Ok(runner.stage(stage, copy).run_cli_with(rest).await)
}
