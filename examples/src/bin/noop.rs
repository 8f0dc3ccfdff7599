//! Moves every task of every agent stage along the first pathway. With flags it also fetches what real agents
//! would, which shows what the fetching costs.
//!
//! ```sh
//! cargo run -p encord-examples --bin noop -- --project-hash H [--with-label-row] [--with-storage-item] [--save]
//! ```
//!
//! `--save` also saves each label row unchanged. All flags of the runner work too, see `--help`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use encord_agents::prelude::*;
use encord_examples::{agent_stages, exit_code, first_pathway, project_from_arguments};

/// The flags of this program; everything else is the runner's.
const FLAGS: [&str; 3] = ["--with-label-row", "--with-storage-item", "--save"];

/// Whether to save the label rows.
#[derive(Clone, Copy)]
struct Save(bool);

async fn plain(stage: Stage) -> Result<Outcome> {
    first_pathway(&stage)
}

async fn with_item(stage: Stage, _item: StorageItem) -> Result<Outcome> {
    first_pathway(&stage)
}

async fn with_row(stage: Stage, row: LabelRow, State(save): State<Save>) -> Result<Outcome> {
    let outcome = first_pathway(&stage)?;
    Ok(if save.0 { outcome.with_label_row(row) } else { outcome })
}

async fn with_both(stage: Stage, _item: StorageItem, row: LabelRow, save: State<Save>) -> Result<Outcome> {
    with_row(stage, row, save).await
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<ExitCode> {
    let (flags, rest): (Vec<_>, Vec<_>) =
        std::env::args().partition(|argument| FLAGS.contains(&argument.as_str()));
    let [row, item, save] = FLAGS.map(|flag| flags.iter().any(|given| given == flag));
    if save && !row {
        bail!("--save needs --with-label-row: there is nothing to save otherwise");
    }
    // `--help` needs no project.
    if rest.iter().any(|argument| ["-h", "--help"].contains(&argument.as_str())) {
        return Ok(Runner::new().run_cli_with(rest).await);
    }
    let project = project_from_arguments().await?;
    let mut runner = Runner::new().with_state(Save(save)).with_project(project.clone());
    for stage in agent_stages(&project) {
        runner = match (row, item) {
            (false, false) => runner.stage(stage.uuid, plain),
            (false, true) => runner.stage(stage.uuid, with_item),
            (true, false) => runner.stage(stage.uuid, with_row),
            (true, true) => runner.stage(stage.uuid, with_both),
        };
    }
    Ok(runner.run_cli_with(rest).await)
}
