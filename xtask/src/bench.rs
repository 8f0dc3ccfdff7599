//! `cargo xtask bench`: our programs and the reference, measured in turns.
//!
//! The measuring itself is Python, in `xtask/bench/`, because half of what is measured is.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::process;
use crate::setup;
use crate::workspace::Workspace;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Also write the figures as JSON to this file.
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
    /// Smaller inputs and fewer rounds: under three minutes.
    #[arg(long)]
    quick: bool,
    /// Write the figures, those of all runs so far, to `docs/benchmarks.md`.
    #[arg(long, conflicts_with = "quick")]
    document: bool,
    /// Only measurements whose name contains this.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
}

/// Builds with optimisation, then hands over to the Python that takes turns.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let python = setup::peers_python(workspace)?;
    let only = options.only.as_deref().unwrap_or_default();
    let build = ["build", "--quiet", "--release", "--package", "encord-benches"];
    let mut build = workspace.cargo(&build);
    if only.starts_with("labels") {
        build.args(["--no-default-features", "--bin", "bench_labels"]);
    } else {
        build.args(["--package", "encord-sandbox", "--bins"]);
        if !setup::unbuildable_features().contains(&"video-ffmpeg") {
            build.args(["--features", "encord-benches/video-ffmpeg"]);
        }
    }
    process::run(&mut build)?;
    let mut bench = Command::new(&python);
    bench.arg(workspace.root.join("xtask/bench/run.py")).current_dir(&workspace.root);
    bench.arg("--programs").arg(workspace.target.join("release"));
    bench.arg("--work").arg(workspace.root.join("target/bench"));
    if let Some(json) = &options.json {
        bench.arg("--json").arg(std::path::absolute(json)?);
    }
    if options.quick {
        bench.arg("--quick");
    }
    if options.document {
        let requirements = workspace.root.join("xtask/bench/requirements.txt");
        let mut install = Command::new(&python);
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        process::run(install.arg(requirements))?;
        bench.arg("--document").arg(workspace.root.join("docs"));
    }
    bench.args(["--only", only]);
    process::run(&mut bench)
}
