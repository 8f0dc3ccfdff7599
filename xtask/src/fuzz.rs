//! `cargo xtask fuzz`: every fuzz target of every crate for a while, and what it came to.
//!
//! Targets live in `CRATE/fuzz`, with small first inputs in `seeds/TARGET`; what libFuzzer finds on the way is kept in
//! `corpus/TARGET`, and inputs that break something in `artifacts/TARGET`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process::{self, succeeds};
use crate::setup;
use crate::workspace::Workspace;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long each target runs.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Only targets whose `crate/target` contains this, such as `labels/row` or `media`.
    #[arg(long, value_name = "NAME", default_value = "")]
    only: String,
}

/// A program to fuzz.
struct Target {
    folder: PathBuf,
    krate: String,
    name: String,
}

/// What one target came to.
struct Figures {
    executions: String,
    coverage: String,
    passed: bool,
}

/// Runs the targets one after the other; fails in the end if one found something.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if !succeeds(&mut nightly(&["--version"])) {
        bail!("fuzzing needs a nightly compiler: `rustup toolchain install nightly --profile minimal`");
    }
    if !succeeds(&mut nightly(&["fuzz", "--version"])) {
        process::run(&mut nightly(&["install", "--locked", "--quiet", "cargo-fuzz"]))?;
    }
    let chosen: Vec<Target> = targets(&workspace.root)?
        .into_iter()
        .filter(|target| format!("{}/{}", target.krate, target.name).contains(&options.only))
        .collect();
    if chosen.is_empty() {
        bail!("no fuzz target is called {:?}", options.only);
    }
    let (mut table, mut failed) = (Vec::new(), Vec::new());
    for target in &chosen {
        let name = format!("{}/{}", target.krate, target.name);
        if target.name == "video" && setup::unbuildable_features().contains(&"video-ffmpeg") {
            println!("{name}: left out, because the FFmpeg libraries are missing (`cargo xtask setup`)");
            continue;
        }
        let figures = fuzz(target, options.minutes)?;
        table.push(format!("| `{name}` | {} | {} |", figures.executions, figures.coverage));
        if !figures.passed {
            failed.push(name);
        }
    }
    println!("\n| target | executions | edges covered |\n|---|---|---|\n{}", table.join("\n"));
    if !failed.is_empty() {
        bail!("found something (the inputs are in `fuzz/artifacts`): {}", failed.join(", "));
    }
    Ok(())
}

/// The cargo of the compiler that knows the flags of sanitizers.
fn nightly(arguments: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo"]).args(arguments);
    command
}

/// All targets, by crate.
fn targets(root: &Path) -> Result<Vec<Target>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root)? {
        let folder = entry?.path();
        let Ok(programs) = fs::read_dir(folder.join("fuzz/fuzz_targets")) else { continue };
        let krate = folder.file_name().unwrap_or_default().to_string_lossy();
        let krate = krate.trim_start_matches("encord-").to_owned();
        for program in programs {
            let program = program?.path();
            let name = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            found.push(Target { folder: folder.clone(), krate: krate.clone(), name });
        }
    }
    found.sort_by(|a, b| (&a.krate, &a.name).cmp(&(&b.krate, &b.name)));
    Ok(found)
}

/// Runs one target, passing on what it prints.
fn fuzz(target: &Target, minutes: f64) -> Result<Figures> {
    println!("── {}/{}", target.krate, target.name);
    let (corpus, seeds) = (format!("fuzz/corpus/{}", target.name), format!("fuzz/seeds/{}", target.name));
    fs::create_dir_all(target.folder.join(&corpus))?;
    let mut command = nightly(&["fuzz", "run"]);
    if target.name == "video" {
        command.args(["--features", "video"]);
    }
    command.args([&target.name, &corpus, &seeds]);
    let seconds = (minutes * 60.0).ceil();
    command.args(["--", &format!("-max_total_time={seconds}"), "-print_final_stats=1"]);
    // An allocation that a claim in the input asked for is found by the limit; a hang by the time.
    command.args(["-rss_limit_mb=2048", "-timeout=30"]);
    // The wrapper does not know the flags of sanitizers.
    command.current_dir(&target.folder).env_remove("RUSTC_WRAPPER").stderr(Stdio::piped());
    let mut child = command.spawn().context("cannot start cargo fuzz")?;
    let lines = child.stderr.take().map(BufReader::new).context("the output is piped")?.split(b'\n');
    let mut figures = Figures { executions: "–".into(), coverage: "–".into(), passed: false };
    for line in lines {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        eprintln!("{line}");
        if let Some(count) = line.strip_prefix("stat::number_of_executed_units:") {
            figures.executions = count.trim().to_owned();
        }
        let mut words = line.split_whitespace();
        if words.by_ref().any(|word| word == "cov:")
            && let Some(edges) = words.next()
        {
            figures.coverage = edges.to_owned();
        }
    }
    figures.passed = child.wait()?.success();
    Ok(figures)
}
