//! Puts the tasks of a stage into a queue, for any number of `queue_worker`s to take.
//!
//! ```sh
//! cargo run -p encord-examples --bin queue_producer -- --project-hash H --queue tasks.db
//! ```
//!
//! Run it as often as you like: a task that is in the queue already is not put in twice.
#![allow(clippy::print_stdout, reason = "printing is what a command line tool does")]

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use encord_agents::prelude::*;
use encord_agents::runner::queue::embedded::EmbeddedQueue;
use encord_examples::{exit_code, first_agent_stage, project};

#[derive(Parser)]
struct Arguments {
    /// The project with the tasks.
    #[arg(long, env = "ENCORD_PROJECT_HASH")]
    project_hash: String,
    /// The file of the queue; made when it is not there.
    #[arg(long, value_name = "FILE")]
    queue: PathBuf,
    /// The stage, by title or uuid; the first agent stage if not given.
    #[arg(long)]
    stage: Option<String>,
}

/// A producer runs no agent, but a runner wants to know what its stages are for.
async fn left_to_the_workers() {}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> Result<ExitCode> {
    let project = project(&arguments.project_hash).await?;
    let stage = match arguments.stage {
        Some(stage) => stage,
        None => first_agent_stage(&project)?.uuid.to_string(),
    };
    let queue = EmbeddedQueue::open(arguments.queue).await?;
    let runner =
        Runner::new().with_project(project).stage(stage.as_str(), left_to_the_workers).into_queue().await?;
    let enqueued = runner.enqueue(&queue, stage.as_str()).await?;
    println!("{} tasks put into the queue, {} were there already", enqueued.new, enqueued.known);
    Ok(ExitCode::SUCCESS)
}
