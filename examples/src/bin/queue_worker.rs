//! Works on tasks that `queue_producer` put into a queue: saves each label row as it is and moves the task along
//! the first pathway. Start as many as you like, and kill them as you like: another takes over.
//!
//! ```sh
//! cargo run -p encord-examples --bin queue_worker -- --project-hash H --queue tasks.db --until-empty
//! ```
#![allow(clippy::print_stdout, reason = "printing is what a command line tool does")]

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use encord_agents::prelude::*;
use encord_agents::runner::queue::embedded::{EmbeddedQueue, WorkOptions};
use encord_examples::{agent_stages, exit_code, first_pathway, project};

#[derive(Parser)]
struct Arguments {
    /// The project with the tasks.
    #[arg(long, env = "ENCORD_PROJECT_HASH")]
    project_hash: String,
    /// The file of the queue; made when it is not there.
    #[arg(long, value_name = "FILE")]
    queue: PathBuf,
    /// End when nothing waits and nothing runs.
    #[arg(long)]
    until_empty: bool,
    /// How many tasks, or batches of tasks, are worked on at the same time.
    #[arg(long, default_value_t = 1)]
    concurrency: usize,
    /// How many tasks are fetched together.
    #[arg(long, default_value_t = 1)]
    batch: usize,
}

async fn save_and_move(stage: Stage, row: LabelRow) -> Result<Outcome> {
    Ok(first_pathway(&stage)?.with_label_row(row))
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> Result<ExitCode> {
    let project = project(&arguments.project_hash).await?;
    let queue = EmbeddedQueue::open(arguments.queue).await?;
    let mut runner = Runner::new().with_signals(true).with_project(project.clone());
    for stage in agent_stages(&project) {
        runner = runner.stage(stage.uuid, save_and_move);
    }
    let options = WorkOptions {
        concurrency: arguments.concurrency,
        batch: arguments.batch,
        until_empty: arguments.until_empty,
        ..WorkOptions::default()
    };
    let report = runner.into_queue().await?.work(&queue, options).await?;
    println!("{} done, {} failed, {} dead", report.done, report.failed, report.dead);
    Ok(if report.dead == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
