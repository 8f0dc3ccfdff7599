//! `cargo xtask ci`: the one list of checks, the same on a desk and in continuous integration.
//!
//! The tests come last, so that the last lines printed are the test runner's own verdict.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::process::{self, succeeds};
use crate::workspace::Workspace;
use crate::{brokers, demo, deps, features, guides, peers, setup, soak, tests, tidy};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The inner loop only: formatting, house rules, lints and tests; no feature checks, docs or peers.
    #[arg(long)]
    fast: bool,
    /// Also what takes long: ten minutes of faults and kills, 200 kills of a runner, and the first guide in a crate of
    /// its own.
    #[arg(long, conflicts_with = "fast")]
    long: bool,
}

/// Runs every step, also after one has failed, and fails if any did.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let mut report = Report::default();
    let unbuildable = setup::unbuildable_features();
    if !unbuildable.is_empty() {
        println!(
            "left out, because their system libraries are missing (`cargo xtask setup`): {}",
            unbuildable.join(", ")
        );
    }
    if brokers::found_nats_server(workspace).is_none() {
        println!(
            "left out, because no NATS server is there (`cargo xtask setup`): tests of queues on a server"
        );
    }
    let everything = unbuildable.is_empty();
    if succeeds(&mut workspace.cargo(&["fmt", "--version"])) {
        report.step("formatting", || process::run(&mut workspace.cargo(&["fmt", "--all", "--check"])));
    } else {
        report.skip("formatting", "rustfmt is not installed (`rustup component add rustfmt`)");
    }
    report.step("house rules", || tidy::check(workspace));
    report.step("dependency rules", || deps::check(workspace));
    if succeeds(&mut workspace.cargo(&["deny", "--version"])) {
        report.step("licences and advisories", || process::run(&mut workspace.cargo(&["deny", "check"])));
    } else {
        report.skip("licences and advisories", "cargo-deny is not installed");
    }
    if succeeds(&mut workspace.cargo(&["clippy", "--version"])) {
        report.step("lints", || {
            let mut lints = workspace.cargo(&["clippy", "--quiet", "--workspace", "--all-targets"]);
            lints.args(tests::feature_arguments(everything));
            process::run(lints.args(["--", "--deny", "warnings"]))
        });
    } else {
        report.skip("lints", "clippy is not installed (`rustup component add clippy`)");
    }
    if !options.fast {
        report.step("each feature of each crate", || features::check(workspace));
        report.step("docs", || {
            let mut docs = workspace.cargo(&["doc", "--quiet", "--workspace", "--no-deps"]);
            docs.args(tests::feature_arguments(everything));
            process::run(docs.env("RUSTDOCFLAGS", "--deny warnings"))
        });
        report.step("doc tests", || tests::run_doc_tests(workspace, everything));
        report.step("peers", || {
            // The same choice of features as for the tests, so that nothing is compiled twice.
            let mut build = workspace.cargo(&["build", "--quiet", "--workspace", "--bins"]);
            process::run(build.args(tests::feature_arguments(everything)))?;
            peers::check(workspace, &peers::Options::default())
        });
        // After the peers, which have just built the programs.
        let minutes = if options.long { 10.0 } else { 1.0 };
        report.step("faults and kills", || soak::check(workspace, minutes));
        report.step("demo", || demo::check(workspace));
    }
    if options.long {
        report.step("first guide", || guides::run(workspace));
    }
    report.print();
    // Not a step: nothing may be printed after the runner's own summary.
    let tests = tests::run(workspace, everything, options.long);
    match (report.failed.is_empty(), tests) {
        (true, outcome) => outcome,
        (false, outcome) => {
            let mut failed = report.failed;
            failed.extend(outcome.err().map(|_| "tests"));
            bail!("failed: {}", failed.join(", "))
        }
    }
}

/// What happened so far.
#[derive(Default)]
struct Report {
    lines: Vec<String>,
    failed: Vec<&'static str>,
}

impl Report {
    fn step(&mut self, name: &'static str, step: impl FnOnce() -> Result<()>) {
        println!("\n── {name}");
        let start = Instant::now();
        let outcome = step();
        let took = seconds(start.elapsed());
        match outcome {
            Ok(()) => self.lines.push(format!("ok      {took:>6}  {name}")),
            Err(error) => {
                eprintln!("{name}: {error:#}");
                self.lines.push(format!("FAILED  {took:>6}  {name}"));
                self.failed.push(name);
            }
        }
    }

    fn skip(&mut self, name: &'static str, reason: &str) {
        println!("\n── {name}: left out, {reason}");
        self.lines.push(format!("left out        {name}: {reason}"));
    }

    fn print(&self) {
        println!("\n── before the tests\n{}\n", self.lines.join("\n"));
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.0} s", duration.as_secs_f64())
}
