//! Works on tasks that `queue_producer` put into a queue: saves each label row as it is and moves the task along
//! the first pathway. Start as many as you like, and kill them as you like: another takes over.
//!
//! ```sh
//! cargo run -p encord-examples --bin queue_worker -- --project-hash H --queue tasks.db --until-empty
//! ```

use std::process::ExitCode;

use anyhow::Result;
use encord_agents::prelude::*;
use encord_examples::{first_pathway, run_queue_program};

async fn save_and_move(stage: Stage, row: LabelRow) -> Result<Outcome> {
    Ok(first_pathway(&stage)?.with_label_row(row))
}

#[tokio::main]
async fn main() -> ExitCode {
    run_queue_program("work", |runner, stage| runner.stage(stage.uuid, save_and_move)).await
}
