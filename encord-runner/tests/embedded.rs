//! The queue in a file: nothing lost, nothing done twice, poisonous tasks put aside.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use encord_runner::AgentTask;
use encord_runner::queue::embedded::{EmbeddedQueue, WorkOptions};
use support::{World, images};
use tempfile::TempDir;

fn until_empty() -> WorkOptions {
    WorkOptions {
        until_empty: true,
        concurrency: 2,
        lease: Duration::from_secs(3),
        poll_every: Duration::from_millis(20),
        retry_pause: Duration::from_millis(10),
        ..WorkOptions::default()
    }
}

async fn queue() -> (TempDir, EmbeddedQueue) {
    let directory = tempfile::tempdir().unwrap();
    let queue = EmbeddedQueue::open(directory.path().join("queue.db")).await.unwrap();
    (directory, queue)
}

fn all_moved_once(world: &World) -> bool {
    world.state().tasks.iter().all(|task| task.moved == 1 && task.stage == "Complete")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_are_queued_once_and_done_once_by_several_workers() {
    let world = images(40).await;
    let (_directory, queue) = queue().await;
    let runner = world.runner().stage("Agent 1", || async { "complete" }).into_queue().await.unwrap();
    let first = runner.enqueue(&queue, "Agent 1").await.unwrap();
    let second = runner.enqueue(&queue, "Agent 1").await.unwrap();
    assert_eq!(((first.new, first.known), (second.new, second.known)), ((40, 0), (0, 40)));
    let (hash, stage) = (world.project.hash(), world.project.stages()[0].uuid);
    assert_eq!(queue.status(hash, stage).await.unwrap().waiting, 40);
    // The second worker opens the file anew, as another process would.
    let other = EmbeddedQueue::open(queue.path()).await.unwrap();
    let batches = WorkOptions { batch: 4, ..until_empty() };
    let (a, b) = tokio::join!(runner.work(&queue, until_empty()), runner.work(&other, batches));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!((a.done + b.done, a.failed + b.failed), (40, 0));
    assert!(all_moved_once(&world));
    let status = queue.status(hash, stage).await.unwrap();
    assert_eq!((status.waiting, status.running, status.done, status.dead), (0, 0, 40, 0));
    let completions = queue.completions(hash, stage, 10, 100).await.unwrap();
    assert_eq!(completions.len(), 30);
    let completion: serde_json::Value = serde_json::from_str(&completions[0]).unwrap();
    assert_eq!(completion["success"], true, "{completion}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_always_fails_is_put_aside() {
    let world = images(4).await;
    let (_directory, queue) = queue().await;
    let queue = queue.with_max_deliveries(2);
    let bad = world.state().tasks[1].uuid;
    let healed = Arc::new(AtomicUsize::new(0));
    let calls = Arc::clone(&healed);
    let agent = move |task: AgentTask| {
        let poison = task.uuid.uuid() == bad && calls.fetch_add(1, Ordering::SeqCst) < 2;
        async move { if poison { Err("poison") } else { Ok("complete") } }
    };
    let runner = world.runner().configure(|options| options.num_retries = 0).stage("Agent 1", agent);
    let runner = runner.into_queue().await.unwrap();
    runner.enqueue(&queue, "Agent 1").await.unwrap();
    let report = runner.work(&queue, until_empty()).await.unwrap();
    assert_eq!((report.done, report.failed, report.dead), (3, 2, 1));
    let (hash, stage) = (world.project.hash(), world.project.stages()[0].uuid);
    let dead = queue.dead(hash, stage, 10).await.unwrap();
    assert_eq!((dead.len(), dead[0].task.uuid(), dead[0].deliveries), (1, bad, 2));
    assert!(dead[0].error.contains("poison"), "{dead:?}");
    assert_eq!(runner.enqueue(&queue, "Agent 1").await.unwrap().new, 0, "a dead task is known");
    assert_eq!(queue.retry_dead(hash, stage, Some(dead[0].task)).await.unwrap(), 1);
    assert_eq!(runner.work(&queue, until_empty()).await.unwrap().done, 1);
    assert!(all_moved_once(&world));
    assert_eq!(queue.drop_dead(hash, stage, None).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tasks_of_a_dead_worker_are_done_by_another() {
    let world = images(6).await;
    let (_directory, queue) = queue().await;
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
    runner.enqueue(&queue, "Agent 1").await.unwrap();
    let doomed = {
        let (runner, queue) = (runner.clone(), queue.clone());
        tokio::spawn(async move { runner.work(&queue, until_empty()).await })
    };
    while stuck.load(Ordering::SeqCst) < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    doomed.abort();
    let report = runner.work(&queue, until_empty()).await.unwrap();
    assert_eq!((report.done, report.failed), (6, 0));
    assert!(all_moved_once(&world));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_longer_than_the_lease_runs_once() {
    let world = images(1).await;
    let (_directory, queue) = queue().await;
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let agent = move || {
        count.fetch_add(1, Ordering::SeqCst);
        async {
            tokio::time::sleep(Duration::from_secs(7)).await;
            "complete"
        }
    };
    let runner = world.runner().stage("Agent 1", agent).into_queue().await.unwrap();
    runner.enqueue(&queue, "Agent 1").await.unwrap();
    let (a, b) = tokio::join!(runner.work(&queue, until_empty()), runner.work(&queue, until_empty()));
    assert_eq!((a.unwrap().done + b.unwrap().done, calls.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn what_is_no_queue_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.txt");
    std::fs::write(&path, "this is not a database, however long one looks at it").unwrap();
    let error = EmbeddedQueue::open(&path).await.unwrap_err().to_string();
    assert!(error.contains("notes.txt"), "{error}");
    assert!(EmbeddedQueue::open(directory.path().join("no/such/folder/q.db")).await.is_err());
}
