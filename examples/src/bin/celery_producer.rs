//! Sends the tasks of a stage through Celery to Python workers, whose agent takes the spec as its only argument:
//!
//! ```python
//! @app.task(name="agent")
//! @runner.stage("Agent 1")
//! def agent(task: AgentTask) -> str: ...
//! ```
//!
//! ```sh
//! cargo run -p encord-examples --features celery --bin celery_producer -- \
//!     --project-hash H --broker redis://127.0.0.1:6379/0 --task agent
//! ```
//!
//! Waits for the results and prints them, one line of JSON each.
#![allow(clippy::print_stdout, reason = "printing is what a command line tool does")]

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use encord_agents::prelude::*;
use encord_examples::celery::Celery;
use encord_examples::{exit_code, first_agent_stage, project};
use futures::TryStreamExt;

#[derive(Parser)]
struct Arguments {
    /// The project with the tasks.
    #[arg(long, env = "ENCORD_PROJECT_HASH")]
    project_hash: String,
    /// The stage, by title or uuid; the first agent stage if not given.
    #[arg(long)]
    stage: Option<String>,
    /// Celery's broker, which also keeps the results.
    #[arg(long, value_name = "URL")]
    broker: String,
    /// Celery's queue.
    #[arg(long, default_value = "celery")]
    queue: String,
    /// The name of the Python task.
    #[arg(long)]
    task: String,
}

/// A producer runs no agent, but a runner wants to know what its stages are for.
async fn left_to_python() {}

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
    let runner =
        Runner::new().with_project(project).stage(stage.as_str(), left_to_python).into_queue().await?;
    let mut celery = Celery::connect(&arguments.broker, &arguments.queue).await?;
    let mut specs = runner.specs(stage.as_str())?;
    let mut calls = Vec::new();
    while let Some(spec) = specs.try_next().await? {
        calls.push(celery.send(&arguments.task, &spec.to_string()).await?);
    }
    for call in calls {
        let completion = loop {
            match celery.result(&call).await? {
                Some(completion) => break completion,
                None => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
        println!("{completion}");
    }
    Ok(ExitCode::SUCCESS)
}
