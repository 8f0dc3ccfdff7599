//! Looks at a DICOM series through a bone window and sets the priority by the share of bright pixels.
//!
//! ```sh
//! cargo run -p encord-examples --bin dicom_window -- --project-hash H
//! ```
//!
//! A series consists of many files, so the agent's argument is an extractor of its own that downloads all of
//! them. Tasks of other types stay where they are.

use std::process::ExitCode;

use anyhow::Result;
use encord_agents::client::ItemType;
use encord_agents::media::Limits;
use encord_agents::media::dicom::{DicomSeries, Window};
use encord_agents::prelude::*;
use encord_agents::runner::Needs;
use encord_examples::{exit_code, first_agent_stage, first_pathway, project_from_arguments};

/// The slices of a series, ordered as they lie in the patient; none for other types.
struct Series(Option<DicomSeries>);

impl<S: Sync> FromTask<S> for Series {
    const NEEDS: Needs = Needs::STORAGE_ITEM;
    type Rejection = anyhow::Error;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self> {
        if ctx.storage_item()?.item_type != ItemType::DicomSeries {
            return Ok(Self(None));
        }
        let mut files = Vec::new();
        for item in ctx.child_items().await?.iter() {
            files.push(ctx.child_asset(item).await?);
        }
        let paths = files.iter().map(|file| file.path().to_owned());
        Ok(Self(Some(DicomSeries::open(paths, &Limits::default())?)))
    }
}

async fn by_bone(stage: Stage, series: Series) -> Result<Outcome> {
    let Some(series) = series.0 else { return Ok(Outcome::stay()) };
    let bone = Window { center: 400.0, width: 1000.0 };
    let slices = series.windowed(Some(bone))?;
    let bright = slices.iter().filter(|&&value| value > 100).count();
    Ok(first_pathway(&stage)?.with_priority(bright as f64 / slices.len().max(1) as f64))
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<ExitCode> {
    let project = project_from_arguments().await?;
    let stage = first_agent_stage(&project)?.uuid;
    Ok(Runner::new().with_project(project).stage(stage, by_bone).run_cli().await)
}
