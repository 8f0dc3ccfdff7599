//! Finding the project an example should work on: the same flag and variables for all of them.
#![allow(clippy::print_stderr, reason = "printing is what a command line tool does")]

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use encord_agents::client::StageKind;
use encord_agents::prelude::*;

/// The project of `--project-hash H` (or `ENCORD_PROJECT_HASH`), with key and domain from the environment.
///
/// # Errors
/// When no project is named, or it cannot be fetched.
pub async fn project_from_arguments() -> Result<Project> {
    let arguments: Vec<_> = std::env::args().collect();
    let flag = arguments.iter().position(|argument| argument == "--project-hash");
    let named = match flag {
        Some(position) => arguments.get(position + 1).cloned(),
        None => {
            arguments.iter().find_map(|argument| argument.strip_prefix("--project-hash=").map(str::to_owned))
        }
    };
    let hash = named
        .or_else(|| std::env::var("ENCORD_PROJECT_HASH").ok())
        .context("name a project with --project-hash or ENCORD_PROJECT_HASH")?;
    project(&hash).await
}

/// The project with this hash, with key and domain from the environment.
///
/// # Errors
/// When the hash is none, there is no key, or the project cannot be fetched.
pub async fn project(hash: &str) -> Result<Project> {
    let hash = hash.parse().with_context(|| format!("the project hash {hash:?} is no UUID"))?;
    Ok(Client::from_env()?.project(hash).await?)
}

/// The exit code of a program that may fail to start: the reason on one line, and 2 as the runner's own.
pub fn exit_code(outcome: Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(2)
    })
}

/// The stages of a project that wait for an agent, in the order of the workflow.
pub fn agent_stages(project: &Project) -> impl Iterator<Item = &Stage> {
    project.stages().iter().filter(|stage| matches!(stage.kind, StageKind::Agent { .. }))
}

/// The first of the [`agent_stages`].
///
/// # Errors
/// When the project has none.
pub fn first_agent_stage(project: &Project) -> Result<&Stage> {
    let Some(stage) = agent_stages(project).next() else {
        bail!("the project {:?} has no agent stage", project.title());
    };
    Ok(stage)
}

/// The way out of a stage that is listed first.
///
/// # Errors
/// When the stage has none.
pub fn first_pathway(stage: &Stage) -> Result<Outcome> {
    let StageKind::Agent { pathways } = &stage.kind else { bail!("{:?} is not an agent stage", stage.title) };
    let pathway = pathways.first().with_context(|| format!("no pathway leads out of {:?}", stage.title))?;
    Ok(Outcome::to(pathway.uuid))
}
