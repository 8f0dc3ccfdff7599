//! `cargo xtask peers`: the real Python packages drive the sandbox and exchange labels with our crates.
//!
//! The checks themselves are Python, in `xtask/peers/`; this module builds what they start.

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

/// Builds the sandbox and the exchange program, then hands over to the Python checks.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let python = setup::peers_python(workspace)?;
    process::run(&mut workspace.cargo(&["build", "--quiet", "--package", "encord-sandbox", "--bins"]))?;
    process::run(&mut workspace.cargo(&["build", "--quiet", "--package", "encord-examples", "--bins"]))?;
    let mut checks = Command::new(python);
    checks.arg(workspace.root.join("xtask/peers/run.py")).current_dir(&workspace.root);
    checks.arg("--programs").arg(workspace.target.join("debug"));
    checks.arg("--work").arg(workspace.root.join("target/peers"));
    if let Some(only) = &options.only {
        checks.args(["--only", only]);
    }
    process::run(&mut checks)
}
