//! `cargo xtask soak`: runners and queue workers on a failing platform, killed at random, checked afterwards.
//!
//! The work is done by the program `soak` of the benches package.

use std::process::Command;

use anyhow::Result;

use crate::process;
use crate::workspace::Workspace;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long to go on.
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// Where the dice start; a failing round prints its own.
    #[arg(long)]
    seed: Option<u64>,
    /// The number of tasks of each round.
    #[arg(long, default_value_t = 800)]
    tasks: u64,
    /// The share of requests that go wrong.
    #[arg(long, default_value_t = 0.1)]
    faults: f64,
}

/// Builds the program, then runs it.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let build = ["build", "--quiet", "--package", "encord-benches", "--bin", "soak"];
    process::run(&mut workspace.cargo(&build))?;
    start(workspace, options)
}

/// Runs the program as it is, with rounds short enough for the checks.
pub(crate) fn check(workspace: &Workspace, minutes: f64) -> Result<()> {
    start(workspace, &Options { minutes, seed: None, tasks: 400, faults: 0.1 })
}

fn start(workspace: &Workspace, options: &Options) -> Result<()> {
    let mut soak = Command::new(workspace.target.join("debug/soak"));
    soak.args(["--minutes", &options.minutes.to_string(), "--tasks", &options.tasks.to_string()]);
    soak.args(["--faults", &options.faults.to_string()]);
    if let Some(seed) = options.seed {
        soak.args(["--seed", &seed.to_string()]);
    }
    process::run(&mut soak)
}
