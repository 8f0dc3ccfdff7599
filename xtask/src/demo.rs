//! `cargo xtask demo`: builds the demo with every feature this machine can build, and runs it.
//!
//! The demo itself is the program `demo` of the examples package, so that this one stays small.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process;
use crate::setup::{self, FFMPEG_LIBRARIES, FFMPEG_PROGRAM};
use crate::workspace::Workspace;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Also write what happened as JSON to this file.
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
    /// Install nothing; what cannot be built is left out and listed.
    #[arg(long)]
    no_install: bool,
}

/// Installs what is missing, unless told not to, then builds and runs the demo.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if !options.no_install
        && let Err(error) = setup::install_packages(&[&FFMPEG_PROGRAM, &FFMPEG_LIBRARIES])
    {
        println!("{error:#}\ngoing on without; what needs it is left out");
    }
    let mut command =
        workspace.cargo(&["run", "--package", "encord-examples", "--no-default-features", "--bin", "demo"]);
    if workspace.member("encord-examples")?.has_feature("video") && FFMPEG_LIBRARIES.is_present() {
        command.args(["--features", "video"]);
    }
    command.args(["--", "--out"]).arg(workspace.root.join("target/demo"));
    if let Some(json) = &options.json {
        command.arg("--json").arg(std::path::absolute(json)?);
    }
    process::run(&mut command)
}

/// Runs the demo as it is built, and counts.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let (out, json) = (workspace.root.join("target/demo"), workspace.root.join("target/demo.json"));
    let mut demo = Command::new(workspace.target.join("debug/demo"));
    process::run(demo.arg("--out").arg(out).arg("--json").arg(&json))?;
    let report: Value = serde_json::from_slice(&std::fs::read(&json)?)?;
    let count = |name: &str| report[name].as_u64().with_context(|| format!("the demo does not count {name}"));
    let (tasks, completed) = (count("tasks")?, count("completed")?);
    // By reason.
    let skipped = report["skipped"].as_object().context("the demo does not say what it skipped")?;
    let skipped: u64 = skipped.values().filter_map(Value::as_u64).sum();
    if tasks == 0 || completed + skipped != tasks {
        bail!("the demo completed {completed} and skipped {skipped} of {tasks} tasks");
    }
    Ok(())
}
