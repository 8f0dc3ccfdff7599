//! Works on tasks that a Python producer has sent through Celery, as users of the Python packages have it:
//!
//! ```python
//! for task in stage.get_tasks():
//!     agent.delay(task.model_dump_json())
//! ```
//!
//! ```sh
//! cargo run -p encord-examples --features celery --bin celery_worker -- \
//!     --project-hash H --broker redis://127.0.0.1:6379/0 --task agent --tasks 100
//! ```
//!
//! Calls of other Celery tasks in the same queue are left to their own workers, and messages that are no calls are put
//! aside.
//!
//! Each label row is saved as it is, and its task moved along the first pathway. The completion goes back through
//! Celery's result backend, where Python's `TaskCompletionResult` reads it.
#![allow(clippy::print_stdout, reason = "printing is what a command line tool does")]

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use encord_agents::prelude::*;
use encord_examples::celery::Celery;
use encord_examples::{exit_code, first_agent_stage, first_pathway, project};

/// The pause after a call that is for other workers.
const FOREIGN_PAUSE: Duration = Duration::from_millis(100);

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
    /// The name of the Celery task that this worker stands in for.
    #[arg(long, default_value = "agent")]
    task: String,
    /// End after so many tasks.
    #[arg(long)]
    tasks: Option<usize>,
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
    let stage = match arguments.stage {
        Some(stage) => stage,
        None => first_agent_stage(&project)?.uuid.to_string(),
    };
    let runner =
        Runner::new().with_project(project).stage(stage.as_str(), save_and_move).into_queue().await?;
    let handler = runner.handler(stage.as_str())?;
    let mut celery = Celery::connect(&arguments.broker, &arguments.queue).await?;
    celery.recover().await?;
    let mut done = 0;
    while arguments.tasks.is_none_or(|tasks| done < tasks) {
        let Some(call) = celery.next().await? else { continue };
        if call.task != arguments.task {
            celery.put_back(&call).await?;
            // Where nobody else takes such calls, they would go round and round.
            tokio::time::sleep(FOREIGN_PAUSE).await;
            continue;
        }
        let completion = handler.handle(&call.argument).await;
        celery.answer(&call, completion.map_err(Into::into)).await?;
        done += 1;
    }
    println!("{done} tasks answered");
    Ok(ExitCode::SUCCESS)
}
