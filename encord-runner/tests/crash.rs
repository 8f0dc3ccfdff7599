//! A runner that is killed at random points and started again does what an undisturbed one does.
//!
//! The victim is this test program itself, started with the address of the sandbox in its environment.
#![allow(clippy::unwrap_used)]

mod support;

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use encord_runner::{LabelRow, Outcome, Runner};
use rand::Rng;
use support::{World, client, images};

const URL: &str = "RUNNER_TEST_URL";
const KEY: &str = "RUNNER_TEST_KEY";
const PROJECT: &str = "RUNNER_TEST_PROJECT";

async fn agent(row: LabelRow) -> Outcome {
    tokio::time::sleep(Duration::from_millis(2)).await;
    Outcome::to("complete").with_label_row(row)
}

/// Does nothing unless it was started by the test below.
#[tokio::test]
async fn victim() {
    let Ok(url) = std::env::var(URL) else { return };
    let client = client(&url, &std::env::var(KEY).unwrap());
    let runner = Runner::new()
        .with_client(client)
        .with_signals(true)
        .with_project_hash(std::env::var(PROJECT).unwrap().parse().unwrap())
        .configure(|options| {
            options.task_batch_size = 20;
            options.flush_tasks = Some(5);
        });
    assert!(runner.stage("Agent 1", agent).run().await.unwrap().is_success());
}

fn start(world: &World) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "victim"])
        .env(URL, world.sandbox.url())
        .env(KEY, world.sandbox.private_key_openssh().unwrap())
        .env(PROJECT, world.project.hash().to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminated_runner_finishes_what_it_began() {
    let world = images(2000).await;
    let mut child = start(&world);
    while world.at("Complete") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let ended = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
    assert!(ended.success(), "{ended}");
    let state = world.state();
    assert!(state.tasks_per_stage["Agent 1"] > 0, "it was stopped in the middle");
    assert!(state.tasks.iter().all(|task| task.moved <= 1));
    let saved = state.rows.iter().filter(|row| row.saves > 0).count();
    assert_eq!(saved, state.tasks_per_stage["Complete"], "what was saved was moved");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_runners_leave_nothing_half_done() {
    const TASKS: u64 = 400;
    let world = images(TASKS).await;
    let mut kills = 0;
    while kills < 20 && world.at("Agent 1") > 40 {
        let mut child = start(&world);
        let pause = rand::rng().random_range(20..250);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        let state = world.state();
        assert!(state.tasks.iter().all(|task| task.moved <= 1));
        for task in state.tasks.iter().filter(|task| task.moved == 1) {
            let row = state.rows.iter().find(|row| row.data_hash == task.data_hash).unwrap();
            assert!(row.saves >= 1, "a task moved without its labels");
        }
    }
    let mut last = start(&world);
    let done = tokio::task::spawn_blocking(move || last.wait().unwrap()).await.unwrap();
    assert!(done.success());
    let state = world.state();
    assert!(state.tasks.iter().all(|task| task.moved == 1 && task.stage == "Complete"));
    assert_eq!(state.rows.len() as u64, TASKS);
    println!("killed {kills} times");
}
