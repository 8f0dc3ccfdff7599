//! Producers and workers in one process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use encord_runner::queue::{self, TaskSpec, WorkOptions};
use encord_runner::{AgentTask, BoxError};
use futures::{StreamExt, TryStreamExt};
use serde_json::Value;

use crate::place::Place;
use crate::support::{World, images};

on_each_engine! {
    tasks_are_queued_once_and_done_once_by_several_workers
    a_task_that_always_fails_is_put_aside
    the_tasks_of_a_dead_worker_are_done_by_another
    a_task_longer_than_the_lease_runs_once
    a_stopped_worker_finishes_what_it_began
    completions_are_followed
    tasks_of_other_stages_are_gone
    long_errors_fit
    a_task_that_comes_back_is_queued_again
}

pub(crate) fn until_empty() -> WorkOptions {
    WorkOptions {
        concurrency: 2,
        until_empty: true,
        lease: Duration::from_secs(3),
        poll_every: Duration::from_millis(20),
        retry_pause: Duration::from_millis(1),
        ..WorkOptions::default()
    }
}

pub(crate) fn all_moved_once(world: &World) -> bool {
    world.state().tasks.iter().all(|task| task.moved == 1 && task.stage == "Complete")
}

async fn tasks_are_queued_once_and_done_once_by_several_workers(place: &Place) {
    let world = images(40).await;
    let queue = place.open().await;
    let runner = world.runner().stage("Agent 1", || async { "complete" }).into_queue().await.unwrap();
    let first = runner.enqueue(&*queue, "Agent 1").await.unwrap();
    let second = runner.enqueue(&*queue, "Agent 1").await.unwrap();
    assert_eq!(((first.new, first.known), (second.new, second.known)), ((40, 0), (0, 40)));
    let id = runner.queue_id("Agent 1").unwrap();
    let status = queue.status(id).await.unwrap();
    assert_eq!((status.waiting, status.oldest_seconds.is_some()), (40, true));
    // The second worker opens the queue anew, as another process would.
    let other = place.open().await;
    let batches = WorkOptions { batch: 4, ..until_empty() };
    let (a, b) = tokio::join!(runner.work(&*queue, until_empty()), runner.work(&*other, batches));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!((a.done + b.done, a.failed + b.failed, a.redelivered + b.redelivered), (40, 0, 0));
    assert!(all_moved_once(&world));
    let status = queue.status(id).await.unwrap();
    assert_eq!((status.waiting, status.running, status.done, status.dead), (0, 0, 40, 0));
    assert!(status.rate > 0.0 && status.oldest_seconds.is_none(), "{status:?}");
}

async fn a_task_that_always_fails_is_put_aside(place: &Place) {
    let world = images(4).await;
    let queue = place.open_with(2).await;
    let bad = world.state().tasks[1].uuid;
    let healed = Arc::new(AtomicUsize::new(0));
    let calls = Arc::clone(&healed);
    let agent = move |task: AgentTask| {
        let poison = task.uuid.uuid() == bad && calls.fetch_add(1, Ordering::SeqCst) < 2;
        async move { if poison { Err("poison") } else { Ok("complete") } }
    };
    let runner = world.runner().configure(|options| options.num_retries = 0).stage("Agent 1", agent);
    let runner = runner.into_queue().await.unwrap();
    runner.enqueue(&*queue, "Agent 1").await.unwrap();
    let report = runner.work(&*queue, until_empty()).await.unwrap();
    assert_eq!((report.done, report.failed, report.dead, report.redelivered), (3, 2, 1, 1));
    let id = runner.queue_id("Agent 1").unwrap();
    let dead = queue.dead(id, 10).await.unwrap();
    assert_eq!((dead.len(), dead[0].task.unwrap().uuid(), dead[0].deliveries), (1, bad, 2));
    assert!(dead[0].error.contains("poison"), "{dead:?}");
    assert_eq!(runner.enqueue(&*queue, "Agent 1").await.unwrap().new, 0, "a dead task is known");
    assert_eq!(queue.retry_dead(id, Some("another")).await.unwrap(), 0);
    assert_eq!(queue.retry_dead(id, Some(&dead[0].key)).await.unwrap(), 1);
    assert_eq!(runner.work(&*queue, until_empty()).await.unwrap().done, 1);
    assert!(all_moved_once(&world));
    assert_eq!(queue.drop_dead(id, None).await.unwrap(), 0);
}

async fn the_tasks_of_a_dead_worker_are_done_by_another(place: &Place) {
    let world = images(6).await;
    let queue = place.open().await;
    let stuck = Arc::new(AtomicUsize::new(0));
    let calls = Arc::clone(&stuck);
    let agent = move || {
        let hang = calls.fetch_add(1, Ordering::SeqCst) < 2;
        async move {
            if hang {
                std::future::pending::<()>().await;
            }
            "complete"
        }
    };
    let runner = world.runner().stage("Agent 1", agent).into_queue().await.unwrap();
    runner.enqueue(&*queue, "Agent 1").await.unwrap();
    let doomed = {
        let (runner, other) = (runner.clone(), place.open().await);
        tokio::spawn(async move { runner.work(&*other, until_empty()).await })
    };
    while stuck.load(Ordering::SeqCst) < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    doomed.abort();
    let report = runner.work(&*queue, until_empty()).await.unwrap();
    assert_eq!((report.done, report.failed, report.redelivered), (6, 0, 2));
    assert!(all_moved_once(&world));
}

async fn a_task_longer_than_the_lease_runs_once(place: &Place) {
    let world = images(1).await;
    let queue = place.open().await;
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    // The long form of this check has the proportions of a task of ten minutes.
    let seconds = if std::env::var_os("QUEUE_TEST_LONG").is_some() { 60 } else { 7 };
    let agent = move || {
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            "complete"
        }
    };
    let runner = world.runner().stage("Agent 1", agent).into_queue().await.unwrap();
    runner.enqueue(&*queue, "Agent 1").await.unwrap();
    let other = place.open().await;
    let (a, b) = tokio::join!(runner.work(&*queue, until_empty()), runner.work(&*other, until_empty()));
    assert_eq!((a.unwrap().done + b.unwrap().done, calls.load(Ordering::SeqCst)), (1, 1));
}

async fn a_stopped_worker_finishes_what_it_began(place: &Place) {
    let world = images(30).await;
    let queue = place.open().await;
    let agent = async || {
        tokio::time::sleep(Duration::from_millis(20)).await;
        "complete"
    };
    let first = world.runner().stage("Agent 1", agent);
    let stop = first.stop_handle();
    let first = first.into_queue().await.unwrap();
    first.enqueue(&*queue, "Agent 1").await.unwrap();
    let stopping = async {
        while world.at("Complete") == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        stop.stop();
    };
    let (report, ()) = tokio::join!(first.work(&*queue, until_empty()), stopping);
    let done = report.unwrap().done;
    assert!((1..30).contains(&done), "{done} done before the stop");
    let second = world.runner().stage("Agent 1", || async { "complete" }).into_queue().await.unwrap();
    let rest = second.work(&*queue, until_empty()).await.unwrap();
    assert_eq!((done + rest.done, rest.redelivered), (30, 0));
    assert!(all_moved_once(&world));
}

async fn completions_are_followed(place: &Place) {
    let world = images(20).await;
    let queue = place.open().await;
    let runner = world.runner().stage("Agent 1", || async { "complete" }).into_queue().await.unwrap();
    runner.enqueue(&*queue, "Agent 1").await.unwrap();
    let id = runner.queue_id("Agent 1").unwrap();
    let reader = place.open().await;
    let followed = queue::follow(&*reader, id, 0, Duration::from_millis(10)).take(20).try_collect();
    let (followed, report) = tokio::join!(followed, runner.work(&*queue, until_empty()));
    let followed: Vec<queue::Completion> = followed.unwrap();
    assert_eq!(report.unwrap().done, 20);
    assert!(followed.is_sorted_by(|a, b| a.position < b.position));
    let tasks: std::collections::HashSet<String> = followed
        .iter()
        .map(|completion| {
            let value: Value = serde_json::from_str(&completion.json).unwrap();
            assert_eq!(value["success"], true, "{value}");
            value["task_uuid"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(tasks.len(), 20);
    let rest = queue.completions(id, followed[11].position, 5).await.unwrap();
    let positions: Vec<_> = rest.iter().map(|completion| completion.position).collect();
    assert_eq!(positions, followed[12..17].iter().map(|next| next.position).collect::<Vec<_>>());
}

async fn tasks_of_other_stages_are_gone(place: &Place) {
    let (world, elsewhere) = (images(1).await, images(2).await);
    let queue = place.open().await;
    let runner = world.runner().stage("Agent 1", || async { "complete" }).into_queue().await.unwrap();
    let other = elsewhere.runner().stage("Agent 1", || async {}).into_queue().await.unwrap();
    let strangers: Vec<TaskSpec> = other.specs("Agent 1").unwrap().try_collect().await.unwrap();
    let id = runner.queue_id("Agent 1").unwrap();
    assert_eq!(queue.push(id, &strangers, "").await.unwrap(), 2);
    runner.enqueue(&*queue, "Agent 1").await.unwrap();
    let report = runner.work(&*queue, until_empty()).await.unwrap();
    assert_eq!((report.done, report.failed), (3, 0));
    assert!(all_moved_once(&world));
    assert_eq!(elsewhere.at("Agent 1"), 2, "tasks of another project are left alone");
    let completions = queue.completions(id, 0, 10).await.unwrap();
    let done = completions.iter().filter(|completion| completion.json.contains(r#""success":true"#));
    assert_eq!(done.count(), 1, "{completions:?}");
}

async fn long_errors_fit(place: &Place) {
    let world = images(2).await;
    let queue = place.open_with(1).await;
    let agent = async || Err::<(), BoxError>("far too long ".repeat(400_000).into());
    let runner = world.runner().configure(|options| options.num_retries = 0).stage("Agent 1", agent);
    let runner = runner.into_queue().await.unwrap();
    runner.enqueue(&*queue, "Agent 1").await.unwrap();
    assert_eq!(runner.work(&*queue, until_empty()).await.unwrap().dead, 2);
    let id = runner.queue_id("Agent 1").unwrap();
    let dead = queue.dead(id, 10).await.unwrap();
    assert_eq!(dead.len(), 2);
    assert!(dead.iter().all(|dead| dead.error.len() > 1000 && dead.error.contains("far too long")));
    assert_eq!(queue.drop_dead(id, Some(&dead[0].key)).await.unwrap(), 1);
    assert_eq!(queue.drop_dead(id, None).await.unwrap(), 1);
    assert_eq!(queue.status(id).await.unwrap().dead, 0);
    assert_eq!(runner.enqueue(&*queue, "Agent 1").await.unwrap().new, 2, "a dropped task is not known");
}

async fn a_task_that_comes_back_is_queued_again(place: &Place) {
    let world = images(1).await;
    let queue = place.open().await;
    let runner = world.runner().stage("Agent 1", || async {}).into_queue().await.unwrap();
    for round in 1..=3 {
        assert_eq!(runner.enqueue(&*queue, "Agent 1").await.unwrap().new, 1, "round {round}");
        assert_eq!(runner.work(&*queue, until_empty()).await.unwrap().done, 1, "round {round}");
    }
}

#[tokio::test]
async fn what_is_no_queue_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.txt");
    std::fs::write(&path, "this is not a database, however long one looks at it").unwrap();
    let refused = async |address: &str| queue::open(address).await.map(|_| ()).unwrap_err().to_string();
    assert!(refused(&path.display().to_string()).await.contains("notes.txt"));
    assert!(!refused("no/such/folder/q.db").await.is_empty());
    let error = refused("amqp://ana:secret@host/").await;
    assert!(error.contains("no engine") && !error.contains("secret"), "{error}");
}
