//! Workers, producers and servers that are killed without warning, and workers that are asked to stop.
//!
//! The victims are this test program itself, started with the addresses of the sandbox and the queue in their
//! environment. Small by default; `QUEUE_TEST_TASKS` and `QUEUE_TEST_KILLS` set the size of a campaign.
//! `QUEUE_TEST_KILLS=20 QUEUE_TEST_TASKS=2000` is the one in `docs/queue.md`.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use encord_runner::queue::{OpenOptions, QueueRunner, WorkOptions, open_with};
use encord_runner::{AgentTask, LabelRow, Outcome, Runner};
use rand::Rng;

use crate::place::Place;
use crate::support::{World, client, images};

const URL: &str = "QUEUE_TEST_URL";
const KEY: &str = "QUEUE_TEST_KEY";
const PROJECT: &str = "QUEUE_TEST_PROJECT";
const QUEUE: &str = "QUEUE_TEST_QUEUE";
const ROLE: &str = "QUEUE_TEST_ROLE";
/// The title of the data unit whose task kills its worker.
const POISON: &str = "QUEUE_TEST_POISON";

/// Where workers write down which task they begin when.
const DIARY: &str = "QUEUE_TEST_DIARY";

/// The shortest that is allowed, so that the tests wait little for dead workers.
const LEASE: Duration = Duration::from_secs(3);

async fn agent(task: AgentTask, row: LabelRow) -> Outcome {
    if std::env::var(POISON).is_ok_and(|poison| poison == task.uuid.to_string()) {
        std::process::abort();
    }
    if let Ok(diary) = std::env::var(DIARY) {
        let line = format!("{} {} {}\n", std::process::id(), task.uuid, milliseconds());
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(diary).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    Outcome::to("complete").with_label_row(row)
}

/// Since 1970.
fn milliseconds() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()
}

/// Does nothing unless it was started by a test below.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn victim() {
    let Ok(url) = std::env::var(URL) else { return };
    let variable = |name| std::env::var(name).unwrap();
    let options = OpenOptions { max_deliveries: Some(3), ..OpenOptions::default() };
    let runner = Runner::new()
        .with_client(client(&url, &variable(KEY)))
        .with_signals(true)
        .with_project_hash(variable(PROJECT).parse().unwrap())
        .stage("Agent 1", agent)
        .into_queue()
        .await
        .unwrap();
    let queue = open_with(&variable(QUEUE), &options).await.unwrap();
    if variable(ROLE) == "producer" {
        runner.enqueue(&*queue, "Agent 1").await.unwrap();
        return;
    }
    let options =
        WorkOptions { concurrency: 2, batch: 5, until_empty: true, lease: LEASE, ..WorkOptions::default() };
    let report = runner.work(&*queue, options).await.unwrap();
    println!("{}", serde_json::to_string(&report).unwrap());
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn tasks() -> u64 {
    setting("QUEUE_TEST_TASKS", 150)
}

fn kills() -> u64 {
    setting("QUEUE_TEST_KILLS", 2)
}

/// How many tasks are to be done before a kill, so that the kills are spread over all of them.
fn mark(kill: u64) -> usize {
    let jitter = rand::rng().random_range(0.0..0.8);
    (tasks() as f64 * (kill as f64 + jitter) / (kills() + 1) as f64) as usize
}

fn start(world: &World, place: &Place, role: &str, setting: Option<(&str, String)>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "crash::victim", "--nocapture"])
        .env(URL, world.sandbox.url())
        .env(KEY, world.sandbox.private_key_openssh().unwrap())
        .env(PROJECT, world.project.hash().to_string())
        .env(QUEUE, place.address())
        .env(ROLE, role)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command.envs(setting);
    command.spawn().unwrap()
}

async fn ended(child: Child) -> (bool, String) {
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

async fn queue_runner(world: &World) -> QueueRunner {
    world.runner().stage("Agent 1", agent).into_queue().await.unwrap()
}

async fn enqueue(world: &World, place: &Place) {
    let queue = place.open_with(3).await;
    queue_runner(world).await.enqueue(&*queue, "Agent 1").await.unwrap();
}

async fn until_done(world: &World, count: usize) {
    while world.at("Complete") < count {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Nothing is lost, no task was moved twice, every label row was saved.
fn assert_done_once(world: &World) {
    let state = world.state();
    let lost = state.tasks.iter().filter(|task| task.moved == 0).count();
    let twice = state.tasks.iter().filter(|task| task.moved > 1).count();
    assert_eq!((lost, twice), (0, 0), "lost, moved twice");
    assert!(state.rows.iter().all(|row| row.saves >= 1));
}

async fn a_killed_worker_loses_nothing(place: &Place) {
    let world = images(tasks()).await;
    enqueue(&world, place).await;
    let folder = tempfile::tempdir().unwrap();
    let diary = folder.path().join("diary");
    let setting = || Some((DIARY, diary.display().to_string()));
    let other = start(&world, place, "worker", setting());
    let mut killings = Vec::new();
    for kill in 0..kills() {
        let mut doomed = start(&world, place, "worker", setting());
        until_done(&world, mark(kill)).await;
        doomed.kill().unwrap();
        killings.push((doomed.id(), milliseconds()));
        doomed.wait().unwrap();
        println!("worker killed when {} of {} were done", world.at("Complete"), tasks());
    }
    let killed = Instant::now();
    let (success, output) = ended(other).await;
    assert!(success, "{output}");
    assert_done_once(&world);
    let report = output.lines().find(|line| line.contains("redelivered")).unwrap_or_default();
    println!("all done {:.1} s after the last kill; the survivor: {report}", killed.elapsed().as_secs_f64());
    print_redeliveries(&std::fs::read_to_string(&diary).unwrap(), &killings);
}

/// How long after the death of its worker a task that it had begun was begun by another.
fn print_redeliveries(diary: &str, killings: &[(u32, u128)]) {
    let begun: Vec<(u32, &str, u128)> = diary
        .lines()
        .map(|line| {
            let words: Vec<_> = line.split(' ').collect();
            (words[0].parse().unwrap(), words[1], words[2].parse().unwrap())
        })
        .collect();
    let mut pauses = Vec::new();
    for (worker, killed) in killings {
        let had = begun.iter().filter(|(by, ..)| by == worker).map(|(_, task, _)| *task);
        for task in had {
            let again = begun.iter().filter(|(by, found, at)| by != worker && *found == task && at > killed);
            pauses.extend(again.map(|(.., at)| at - killed).min());
        }
    }
    pauses.sort_unstable();
    if let (Some(median), Some(longest)) = (pauses.get(pauses.len() / 2), pauses.last()) {
        let [median, longest] = [median, longest].map(|pause| *pause as f64 / 1000.0);
        println!(
            "{} begun tasks came to another worker, after {median:.1} s in the median, {longest:.1} s at most (lease {LEASE:?})",
            pauses.len()
        );
    }
}

async fn a_killed_producer_loses_nothing(place: &Place) {
    let world = images(tasks()).await;
    let queue = place.open_with(3).await;
    let id = queue_runner(&world).await.queue_id("Agent 1").unwrap();
    for _ in 0..kills() {
        let mut doomed = start(&world, place, "producer", None);
        tokio::time::sleep(Duration::from_millis(rand::rng().random_range(20..600))).await;
        doomed.kill().unwrap();
        doomed.wait().unwrap();
        println!(
            "producer killed when {} of {} were queued",
            queue.status(id).await.unwrap().waiting,
            tasks()
        );
    }
    let (success, output) = ended(start(&world, place, "producer", None)).await;
    assert!(success, "{output}");
    assert_eq!(queue.status(id).await.unwrap().waiting, tasks(), "each task is queued once");
    let (success, output) = ended(start(&world, place, "worker", None)).await;
    assert!(success, "{output}");
    assert_done_once(&world);
}

async fn a_task_that_kills_its_worker_is_put_aside(place: &Place) {
    let world = images(20).await;
    enqueue(&world, place).await;
    let poison = world.state().tasks[7].uuid.to_string();
    let mut crashes = 0;
    while !ended(start(&world, place, "worker", Some((POISON, poison.clone())))).await.0 {
        crashes += 1;
        assert!(crashes <= 5, "the task is never given up");
    }
    let state = world.state();
    assert_eq!(state.tasks_per_stage["Complete"], 19, "the others went on");
    assert!(state.tasks.iter().all(|task| task.moved <= 1));
    let queue = place.open().await;
    let id = queue_runner(&world).await.queue_id("Agent 1").unwrap();
    let dead = queue.dead(id, 10).await.unwrap();
    assert_eq!((dead.len(), dead[0].key.as_str(), crashes), (1, poison.as_str(), 3));
    assert!(dead[0].error.contains("without an answer"), "{dead:?}");
}

#[cfg(unix)]
async fn a_terminated_worker_leaves_nothing_to_redeliver(place: &Place) {
    let world = images(tasks()).await;
    enqueue(&world, place).await;
    let child = start(&world, place, "worker", None);
    until_done(&world, 5).await;
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let (success, output) = ended(child).await;
    assert!(success, "{output}");
    assert!(world.at("Agent 1") > 0, "it was stopped in the middle");
    let queue = place.open_with(3).await;
    let options = WorkOptions { concurrency: 2, batch: 5, until_empty: true, ..WorkOptions::default() };
    let rest = queue_runner(&world).await.work(&*queue, options).await.unwrap();
    assert_eq!((rest.redelivered, rest.dead), (0, 0));
    assert_done_once(&world);
    assert!(world.state().rows.iter().all(|row| row.saves == 1), "nothing was done twice");
}

on_each_engine! {
    a_killed_worker_loses_nothing
    a_killed_producer_loses_nothing
    a_task_that_kills_its_worker_is_put_aside
    a_terminated_worker_leaves_nothing_to_redeliver
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_nothing() {
    let Some(mut place) = Place::server() else { return };
    let world = images(tasks()).await;
    // The server dies while tasks are put in, and again and again while they are worked on.
    let producer = start(&world, &place, "producer", None);
    tokio::time::sleep(Duration::from_millis(rand::rng().random_range(50..400))).await;
    restart(&mut place).await;
    let (success, output) = ended(producer).await;
    assert!(success, "{output}");
    let workers = [start(&world, &place, "worker", None), start(&world, &place, "worker", None)];
    for kill in 0..kills() {
        until_done(&world, mark(kill)).await;
        restart(&mut place).await;
        println!("server killed when {} of {} were done", world.at("Complete"), tasks());
    }
    let killed = Instant::now();
    for worker in workers {
        let (success, output) = ended(worker).await;
        assert!(success, "{output}");
        println!("{}", output.lines().find(|line| line.contains("redelivered")).unwrap_or_default());
    }
    assert_done_once(&world);
    println!("all done {:.1} s after the last kill", killed.elapsed().as_secs_f64());
}

async fn restart(place: &mut Place) {
    let Place::Server(server) = place else { unreachable!("it is a server") };
    server.kill();
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.start_again();
}
