//! `cargo xtask peers`: the real Python packages drive the sandbox and exchange labels with our crates.
//!
//! The checks themselves are Python, in `xtask/peers/`; this module builds what they start.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process;
use crate::setup;
use crate::workspace::Workspace;

#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Run only the checks whose name contains this.
    #[arg(long)]
    only: Option<String>,
}

/// Builds what the checks start, then runs them.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let build = ["build", "--quiet", "--bins", "--package", "encord-sandbox", "--package", "encord-examples"];
    process::run(&mut workspace.cargo(&build))?;
    check(workspace, options)
}

/// Runs the checks with the programs as they are: those that drive the sandbox, and the comparisons of whole
/// crates with the reference in folders of their own.
pub(crate) fn check(workspace: &Workspace, options: &Options) -> Result<()> {
    let python = setup::peers_python(workspace)?;
    let folder = workspace.root.join("xtask/peers");
    let script = |path: &Path| {
        let mut command = Command::new(&python);
        command.arg(path).current_dir(&workspace.root);
        command
    };
    let mut checks = script(&folder.join("run.py"));
    checks.arg("--programs").arg(workspace.target.join("debug"));
    checks.arg("--work").arg(workspace.root.join("target/peers"));
    if let Some(only) = &options.only {
        return process::run(checks.args(["--only", only]));
    }
    let labels = folder.join("labels/check.py");
    let outcomes = [
        process::run(&mut checks),
        process::run(&mut script(&labels)),
        process::run(script(&labels).arg("--via-model")),
        process::run(&mut script(&folder.join("labels/check_edits.py"))),
        process::run(&mut script(&folder.join("labels/check_coco.py"))),
        process::run(&mut script(&folder.join("media/check.py"))),
    ];
    outcomes.into_iter().collect()
}
