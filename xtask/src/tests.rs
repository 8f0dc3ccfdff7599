//! Running the tests, with nextest where it is installed.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::process::{self, succeeds};
use crate::workspace::Workspace;

/// How often a test kills a runner, where there is time for it.
const LONG_KILLS: (&str, &str) = ("RUNNER_TEST_KILLS", "200");

/// All tests but the doc tests; the runner's own summary is the last thing printed.
pub(crate) fn run(workspace: &Workspace, all_features: bool, long: bool) -> Result<()> {
    if succeeds(&mut workspace.cargo(&["nextest", "--version"])) {
        let mut command = workspace.cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]);
        command.args(feature_arguments(all_features)).envs(long.then_some(LONG_KILLS));
        return process::run(&mut command);
    }
    let mut command =
        workspace.cargo(&["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"]);
    command.args(feature_arguments(all_features)).envs(long.then_some(LONG_KILLS));
    // Cargo prints one verdict per test program; the total has to be added up.
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start cargo test")?;
    let (mut passed, mut failed) = (0, 0);
    for line in BufReader::new(child.stdout.take().context("cargo test has no output")?).lines() {
        let line = line?;
        println!("{line}");
        if line.starts_with("test result:") {
            passed += number_before(&line, " passed");
            failed += number_before(&line, " failed");
        }
    }
    let status = child.wait()?;
    println!("\n{passed} passed, {failed} failed");
    if !status.success() {
        bail!("cargo test failed ({status})");
    }
    Ok(())
}

/// The examples in the documentation.
pub(crate) fn run_doc_tests(workspace: &Workspace, all_features: bool) -> Result<()> {
    let mut command = workspace.cargo(&["test", "--quiet", "--doc", "--workspace"]);
    process::run(command.args(feature_arguments(all_features)))
}

/// How to tell cargo to build with every feature, or with the default ones.
pub(crate) fn feature_arguments(all_features: bool) -> &'static [&'static str] {
    if all_features { &["--all-features"] } else { &[] }
}

/// The number in front of a word in `test result: ok. 12 passed; 0 failed; …`.
fn number_before(line: &str, word: &str) -> u64 {
    let before = line.split(word).next().unwrap_or_default();
    before.rsplit(' ').next().and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod checks {
    use super::number_before;

    #[test]
    fn verdicts_are_added_up() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!((number_before(line, " passed"), number_before(line, " failed")), (12, 3));
        assert_eq!(number_before("nothing here", " passed"), 0);
    }
}
