//! The command line: options, exit codes, the report file.

#![allow(clippy::unwrap_used)]

mod support;

use std::process::{Command, ExitCode};

use encord_runner::{AgentTask, Runner};
use support::{World, client, images};

const URL: &str = "RUNNER_TEST_URL";
const KEY: &str = "RUNNER_TEST_KEY";

/// Runs with these flags an agent that fails on one of three tasks if told to.
async fn run(world: &World, fail: bool, flags: &[&str]) -> ExitCode {
    let bad = world.state().tasks[1].uuid;
    let agent = move |task: AgentTask| async move {
        if fail && task.uuid.uuid() == bad { Err("no") } else { Ok("complete") }
    };
    let line = ["program", "--quiet", "--num-retries", "0"].iter().chain(flags);
    world.runner().stage("Agent 1", agent).run_cli_with(line).await
}

fn is(code: ExitCode, expected: u8) -> bool {
    format!("{code:?}") == format!("{:?}", ExitCode::from(expected))
}

#[tokio::test]
async fn exit_codes_tell_how_it_went() {
    let world = images(3).await;
    assert!(is(run(&world, true, &["--max-tasks-per-stage", "2"]).await, 1));
    assert!(is(run(&world, false, &["--project-hash", &world.project.hash().to_string()]).await, 0));
    assert_eq!(world.at("Complete"), 3);
    let other = "566bf9d7-c55a-45f8-91a6-e55e9b9b1325";
    for flags in
        [&["--project-hash", other][..], &["--stage", "Nowhere"], &["--task-batch-size", "0"], &["--what"]]
    {
        assert!(is(run(&world, false, flags).await, 2), "{flags:?}");
    }
    assert!(is(run(&world, false, &["--help"]).await, 0));
}

#[tokio::test]
async fn the_report_file_has_a_line_per_task() {
    let world = images(3).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.jsonl");
    let code = run(&world, true, &["--stage", "Agent 1", "--report", path.to_str().unwrap()]).await;
    assert!(is(code, 1));
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 3);
}

#[tokio::test]
async fn a_callback_that_refuses_keeps_the_run_from_starting() {
    let world = images(1).await;
    let runner = world.runner().before_run(|_| async { Err("no licence".into()) });
    let code = runner.stage("Agent 1", || async { "complete" }).run_cli_with(["program", "--quiet"]).await;
    assert!(is(code, 2));
    assert_eq!(world.at("Agent 1"), 1);
}

#[tokio::test]
async fn a_report_file_grows_from_run_to_run() {
    let world = images(4).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.jsonl");
    for lines in [2, 4] {
        let flags = ["--max-tasks-per-stage", "2", "--report", path.to_str().unwrap()];
        assert!(is(run(&world, false, &flags).await, 0));
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), lines);
    }
}

/// A program of its own. Does nothing unless it was started by the test below.
#[tokio::test]
async fn program() {
    let Ok(url) = std::env::var(URL) else { return };
    let agent = |task: AgentTask| async move {
        if task.data_title.contains('1') { Err("odd") } else { Ok("complete") }
    };
    let runner = Runner::new().with_client(client(&url, &std::env::var(KEY).unwrap()));
    let code = runner.stage("Nowhere", agent).stage("Agent 1", agent).run_cli_with(["program"]).await;
    std::process::exit(if is(code, 1) { 1 } else { 9 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_come_from_the_environment_and_progress_goes_to_the_log() {
    let world = images(12).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.jsonl");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "program", "--nocapture"])
        .env(URL, world.sandbox.url())
        .env(KEY, world.sandbox.private_key_openssh().unwrap())
        .env("ENCORD_PROJECT_HASH", world.project.hash().to_string())
        .env("ENCORD_STAGE", "Agent 1")
        .env("ENCORD_MAX_TASKS_PER_STAGE", "11")
        .env("ENCORD_NUM_RETRIES", "2")
        .env("ENCORD_RETRY_BACKOFF", "0.001")
        .env("ENCORD_FAILURE_PATHWAY", "again")
        .env("ENCORD_REPORT", &path);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let (out, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{out} {log}");
    let records = std::fs::read_to_string(&path).unwrap();
    let records: Vec<serde_json::Value> =
        records.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len(), 11);
    let routed: Vec<_> = records.iter().filter(|record| record["outcome"] == "failure_routed").collect();
    assert!(!routed.is_empty() && routed.iter().all(|record| record["attempts"] == 3), "{records:?}");
    let expected = format!("{} failed", routed.len());
    let last = log.lines().find(|line| line.contains("end of the pass")).expect("a line at the end");
    assert!(last.contains("11 of 11 fetched tasks done") && last.contains(&expected), "{last}");
    assert!(last.contains("tasks/s") && last.contains("Agent 1"), "{last}");
    assert!(out.contains("stage") && out.contains("failed: "), "{out}");
}
