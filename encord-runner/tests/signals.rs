//! SIGINT and SIGTERM to a program made with `run_cli`: the first finishes what runs, the second ends the process,
//! whatever still runs.
//!
//! The program is this test program itself, started with the address of the sandbox in its environment.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, ExitCode, Stdio};
use std::time::Duration;

use encord_runner::{AgentTask, Runner, blocking};
use support::{World, client, images};

const AGENT: &str = "RUNNER_TEST_AGENT";
const URL: &str = "RUNNER_TEST_URL";
const KEY: &str = "RUNNER_TEST_KEY";

/// Does nothing unless it was started by the tests below.
#[tokio::test]
async fn victim() {
    let Ok(agent) = std::env::var(AGENT) else { return };
    let client = client(&std::env::var(URL).unwrap(), &std::env::var(KEY).unwrap());
    let runner = Runner::new().with_client(client).configure(|options| options.num_retries = 0);
    let forever = Duration::from_secs(1_000_000);
    let runner = match agent.as_str() {
        "failing" => runner.stage("Agent 1", |task: AgentTask| async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if task.data_title.contains('1') { Err("odd") } else { Ok("complete") }
        }),
        "waiting" => runner.stage("Agent 1", std::future::pending::<()>),
        "computing" => runner.stage("Agent 1", blocking(move || std::thread::sleep(forever))),
        // What no async function should do.
        "blocking the runtime" => runner.stage("Agent 1", move || async move { std::thread::sleep(forever) }),
        other => panic!("no agent {other}"),
    };
    let code = runner.run_cli_with(["victim"]).await;
    std::process::exit(if format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS) { 0 } else { 9 });
}

fn start(world: &World, agent: &str) -> (Child, BufReader<ChildStderr>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "victim"])
        .env(AGENT, agent)
        .env(URL, world.sandbox.url())
        .env(KEY, world.sandbox.private_key_openssh().unwrap())
        .env("ENCORD_PROJECT_HASH", world.project.hash().to_string())
        .env("ENCORD_FLUSH_TASKS", "2")
        .env("RUST_LOG", "info")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap());
    (child, lines)
}

fn send(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Reads log lines up to the one with this text.
fn read_until(lines: &mut BufReader<ChildStderr>, text: &str) {
    let mut seen = String::new();
    while !seen.lines().last().unwrap_or_default().contains(text) {
        assert!(lines.read_line(&mut seen).unwrap() > 0, "ended without saying {text:?}: {seen}");
    }
}

/// The exit code of a program that ends by itself.
async fn code(mut child: Child, lines: BufReader<ChildStderr>) -> Option<i32> {
    tokio::task::spawn_blocking(move || {
        std::io::copy(&mut { lines }, &mut std::io::sink()).unwrap();
        child.wait().unwrap().code()
    })
    .await
    .unwrap()
}

/// Waits until an agent has begun, which only the progress of the sandbox shows.
async fn wait_for_work(world: &World) {
    while !world.sandbox.requests().endpoints.keys().any(|name| name.ends_with("/tasks")) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_signal_finishes_and_exits_with_0_although_tasks_failed() {
    for signal in ["-INT", "-TERM"] {
        let world = images(200).await;
        let (child, lines) = start(&world, "failing");
        while world.at("Complete") < 4 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        send(&child, signal);
        assert_eq!(code(child, lines).await, Some(0), "{signal}");
        let state = world.state();
        assert!(state.tasks_per_stage["Agent 1"] > 100, "{signal}: it was stopped in the middle");
        assert!(state.tasks.iter().all(|task| task.moved <= 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_the_process_whatever_runs() {
    for agent in ["waiting", "computing", "blocking the runtime"] {
        let world = images(2).await;
        let (child, mut lines) = start(&world, agent);
        wait_for_work(&world).await;
        send(&child, "-TERM");
        let lines = tokio::task::spawn_blocking(move || {
            read_until(&mut lines, "a second signal stops at once");
            lines
        })
        .await
        .unwrap();
        send(&child, "-TERM");
        assert_eq!(code(child, lines).await, Some(1), "{agent}");
        assert_eq!(world.at("Agent 1"), 2, "{agent}");
    }
}
