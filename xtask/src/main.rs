//! Development tasks of the workspace, one subcommand each. This file only dispatches.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what a command line tool does")]

mod bench;
mod brokers;
mod ci;
mod demo;
mod deps;
mod features;
mod fuzz;
mod guides;
mod peers;
mod process;
mod setup;
mod soak;
mod tests;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Development tasks of the workspace")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the workspace can use: system packages, the pinned Python packages.
    Setup(setup::Options),
    /// Start a sandbox with media made on the spot and run agents on all of it.
    Demo(demo::Options),
    /// Every check: formatting, lints, features, dependency rules, docs, peers, tests.
    Ci(ci::Options),
    /// Drive the sandbox with the real Python packages.
    Peers(peers::Options),
    /// Measure our programs and the reference side by side.
    Bench(bench::Options),
    /// Run the commands of the first guide as a newcomer would.
    Guides,
    /// Kill runners and workers on a failing platform, and prove that nothing was lost or doubled.
    Soak(soak::Options),
    /// Feed every parser with damaged and invented input.
    Fuzz(fuzz::Options),
    /// Check files, manifests and the dependency rules without compiling anything.
    Tidy,
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let workspace = Workspace::load()?;
    match task {
        Task::Setup(options) => setup::run(&workspace, &options),
        Task::Demo(options) => demo::run(&workspace, &options),
        Task::Ci(options) => ci::run(&workspace, &options),
        Task::Peers(options) => peers::run(&workspace, &options),
        Task::Bench(options) => bench::run(&workspace, &options),
        Task::Guides => guides::run(&workspace),
        Task::Soak(options) => soak::run(&workspace, &options),
        Task::Fuzz(options) => fuzz::run(&workspace, &options),
        Task::Tidy => {
            tidy::check(&workspace)?;
            deps::check(&workspace)
        }
    }
}
