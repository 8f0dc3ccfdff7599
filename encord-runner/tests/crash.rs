//! A runner that is killed at random points and started again does what an undisturbed one does.
//!
//! The victim is this test program itself, started with the address of the sandbox in its environment. How often it
//! is killed can be set with `RUNNER_TEST_KILLS`.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use encord_runner::{AgentTask, Asset, BoxError, LabelRow, Outcome, Runner};
use encord_sandbox::Sandbox;
use rand::Rng;
use support::{World, client};

const URL: &str = "RUNNER_TEST_URL";
const KEY: &str = "RUNNER_TEST_KEY";
const PROJECT: &str = "RUNNER_TEST_PROJECT";

async fn agent(task: AgentTask, mut row: LabelRow, asset: Asset) -> Result<Outcome, BoxError> {
    let bytes = std::fs::metadata(asset.path())?.len();
    support::describe(&mut row, format!("{}, {bytes} bytes", task.data_title))?;
    tokio::time::sleep(Duration::from_millis(2)).await;
    Ok(Outcome::to("complete").with_label_row(row).with_priority(0.25))
}

/// Does nothing unless it was started by the tests below.
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

/// The files of the victim's tasks are kept in `temporary`.
fn start(world: &World, temporary: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "victim"])
        .env(URL, world.sandbox.url())
        .env(KEY, world.sandbox.private_key_openssh().unwrap())
        .env(PROJECT, world.project.hash().to_string())
        .env("TMPDIR", temporary)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

async fn finish(mut child: Child) {
    let ended = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
    assert!(ended.success(), "{ended}");
}

async fn images(count: u64) -> World {
    let builder = Sandbox::builder().project("p").ontology(support::weather());
    World::start(builder.stage_agent("Agent 1", ["complete", "again"]).images(count)).await
}

/// What a run leaves on the platform, by title of the data unit: where the task stands, how often it moved, its
/// priority, and what its labels say.
fn outcome(world: &World) -> BTreeMap<String, (String, u32, Option<f64>, Vec<String>)> {
    let state = world.state();
    let said = |title: &str| {
        let row = state.rows.iter().find(|row| row.data_title == title);
        let document = row.and_then(|row| row.document.as_ref()).map(ToString::to_string).unwrap_or_default();
        document.split('"').filter(|text| text.ends_with(" bytes")).map(str::to_owned).collect()
    };
    let entry = |task: &encord_sandbox::TaskState| {
        (task.stage.clone(), task.moved, task.priority, said(&task.data_title))
    };
    state.tasks.iter().map(|task| (task.data_title.clone(), entry(task))).collect()
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminated_runner_finishes_what_it_began() {
    let world = images(2000).await;
    let temporary = tempfile::tempdir().unwrap();
    let child = start(&world, temporary.path());
    while world.at("Complete") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    finish(child).await;
    let state = world.state();
    assert!(state.tasks_per_stage["Agent 1"] > 0, "it was stopped in the middle");
    assert!(state.tasks.iter().all(|task| task.moved <= 1));
    let saved = state.rows.iter().filter(|row| row.saves > 0).count();
    assert_eq!(saved, state.tasks_per_stage["Complete"], "what was saved was moved");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_runners_leave_nothing_half_done() {
    const TASKS: u64 = 300;
    let wanted: u32 = std::env::var("RUNNER_TEST_KILLS").map_or(20, |text| text.parse().unwrap());
    let temporary = tempfile::tempdir().unwrap();
    let undisturbed = images(TASKS).await;
    finish(start(&undisturbed, temporary.path())).await;
    let expected = outcome(&undisturbed);
    assert!(
        expected
            .values()
            .all(|(stage, moved, _, said)| stage == "Complete" && *moved == 1 && said.len() == 1)
    );
    let (mut kills, mut rounds, mut left_behind) = (0, 0, 0);
    while kills < wanted {
        let world = images(TASKS).await;
        while kills < wanted && world.at("Agent 1") > 40 {
            let mut child = start(&world, temporary.path());
            let pause = rand::rng().random_range(20..500);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
            left_behind += usize::from(std::fs::read_dir(temporary.path()).unwrap().next().is_some());
            assert_nothing_half_done(&world);
        }
        finish(start(&world, temporary.path())).await;
        assert!(outcome(&world) == expected, "the final state differs from that of an undisturbed run");
        rounds += 1;
    }
    let left: Vec<_> =
        std::fs::read_dir(temporary.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "files are left: {left:?}");
    println!(
        "killed {kills} times in {rounds} projects of {TASKS} tasks, {left_behind} times files were left"
    );
}

fn assert_nothing_half_done(world: &World) {
    let state = world.state();
    for task in &state.tasks {
        assert!(task.moved <= 1, "a task moved twice");
        if task.moved == 1 {
            let row = state.rows.iter().find(|row| row.data_hash == task.data_hash).unwrap();
            assert!(row.saves >= 1 && task.priority.is_some(), "a task moved without its labels");
        }
    }
}
