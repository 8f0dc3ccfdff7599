//! What `queue_producer` and `queue_worker` share: both are the same command line with another command to start with.

use std::process::ExitCode;

use anyhow::Result;
use encord_agents::prelude::*;

use crate::project::{agent_stages, exit_code, project_from_arguments};

/// What a queue's command line can be asked to do.
const COMMANDS: [&str; 6] = ["enqueue", "work", "status", "dead", "results", "help"];

/// Runs a queue's command line for the agent stages of the project that the arguments name. Without a command in the
/// arguments, `command` is meant.
pub async fn run_queue_program(
    command: &str,
    register: impl Fn(Runner<()>, &Stage) -> Runner<()>,
) -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().collect();
    if !arguments.get(1).is_some_and(|first| COMMANDS.contains(&first.as_str())) {
        arguments.insert(arguments.len().min(1), command.to_owned());
    }
    exit_code(run(arguments, register).await)
}

async fn run(
    arguments: Vec<String>,
    register: impl Fn(Runner<()>, &Stage) -> Runner<()>,
) -> Result<ExitCode> {
    let mut runner = Runner::new();
    let explains = |argument: &String| ["help", "--help", "-h"].contains(&argument.as_str());
    if !arguments.iter().any(explains) {
        let project = project_from_arguments().await?;
        for stage in agent_stages(&project) {
            runner = register(runner, stage);
        }
        runner = runner.with_project(project);
    }
    Ok(runner.run_queue_cli_with(arguments).await)
}
