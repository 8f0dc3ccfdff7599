//! What counts against a task and what does not: outages of the platform, failures, deaths of workers, stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use encord_runner::queue::{Delivery, Engine, QueueRunner, TaskCompletion, TaskSpec, WorkOptions};
use encord_runner::{AgentTask, BoxError, LabelRow, Outcome, Runner};
use encord_sandbox::{FaultPlan, FaultRule};
use futures::TryStreamExt;

use crate::place::Place;
use crate::suite::{all_moved_once, until_empty};
use crate::support::{ACTIONS, SAVE, World, images};

on_each_engine! {
    an_outage_of_listings_counts_against_no_task
    an_outage_of_saves_counts_against_no_task
    an_outage_of_moves_counts_against_no_task
    a_crash_and_failures_are_counted_apart
    a_second_stop_begins_nothing_more
    what_is_in_a_queue_is_counted
    retries_leave_the_age_of_a_task_as_it_is
    a_late_answer_counts_and_a_later_gone_changes_nothing
    results_too_large_for_an_engine_are_cut
    nothing_comes_after_the_last_position
}

async fn an_outage_of_listings_counts_against_no_task(place: &Place) {
    outage(place, "GET */tasks").await;
}

async fn an_outage_of_saves_counts_against_no_task(place: &Place) {
    outage(place, SAVE).await;
}

async fn an_outage_of_moves_counts_against_no_task(place: &Place) {
    outage(place, ACTIONS).await;
}

/// More deliveries than are allowed end badly, then all is well again.
async fn outage(place: &Place, endpoint: &str) {
    let world = images(6).await;
    let queue = place.open_with(2).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let agent = move |row: LabelRow| {
        count.fetch_add(1, Ordering::SeqCst);
        async move { Outcome::to("complete").with_label_row(row) }
    };
    let runner = world.runner().configure(|options| options.num_retries = 0).stage("Agent 1", agent);
    let runner = runner.into_queue().await.unwrap();
    runner.enqueue(&*queue, "Agent 1").await.unwrap();
    world.sandbox.reset_counters();
    world.fault(FaultRule { endpoint: endpoint.to_owned(), status: Some(503), ..FaultRule::default() });
    let recovery = async {
        let refused = || world.sandbox.requests().total.statuses.get(&503).copied().unwrap_or_default();
        // Without listings no agent is called.
        while calls.load(Ordering::SeqCst) < 18 && (calls.load(Ordering::SeqCst) > 0 || refused() < 40) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        world.sandbox.set_faults(FaultPlan::default()).unwrap();
    };
    let batches = WorkOptions { batch: 3, ..until_empty() };
    let (report, ()) = tokio::join!(runner.work(&*queue, batches), recovery);
    let report = report.unwrap();
    assert_eq!((report.done, report.failed, report.dead), (6, 0, 0), "{report:?}");
    assert!(report.handed_back >= 6, "{report:?}");
    assert!(all_moved_once(&world));
    assert_eq!(queue.status(runner.queue_id("Agent 1").unwrap()).await.unwrap().dead, 0);
}

/// A runner whose agent never returns the first so many times.
fn hanging(world: &World, first: usize) -> (Runner, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let agent = move || {
        let hang = count.fetch_add(1, Ordering::SeqCst) < first;
        async move {
            if hang {
                std::future::pending::<()>().await;
            }
            "complete"
        }
    };
    (world.runner().stage("Agent 1", agent), calls)
}

async fn until_called(calls: &AtomicUsize, times: usize) {
    while calls.load(Ordering::SeqCst) < times {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// As a crash would, when so many agents were called.
async fn crash(runner: &QueueRunner, place: &Place, options: WorkOptions, calls: &AtomicUsize, times: usize) {
    let doomed = {
        let (runner, queue) = (runner.clone(), place.open().await);
        tokio::spawn(async move { runner.work(&*queue, options).await })
    };
    until_called(calls, times).await;
    doomed.abort();
}

async fn a_crash_and_failures_are_counted_apart(place: &Place) {
    let world = images(1).await;
    let queue = place.open_with(3).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let agent = move || {
        let call = count.fetch_add(1, Ordering::SeqCst);
        async move {
            match call {
                0 => std::future::pending().await,
                1 | 2 => Err::<&str, BoxError>("not yet".into()),
                _ => Ok("complete"),
            }
        }
    };
    let runner = world.runner().configure(|options| options.num_retries = 0).stage("Agent 1", agent);
    let runner = runner.into_queue().await.unwrap();
    runner.enqueue(&*queue, "Agent 1").await.unwrap();
    crash(&runner, place, until_empty(), &calls, 1).await;
    let report = runner.work(&*queue, until_empty()).await.unwrap();
    // Three deliveries ended badly, but neither three of them with a failure nor three without an answer.
    assert_eq!((report.done, report.failed, report.dead), (1, 2, 0), "{report:?}");
    assert!(all_moved_once(&world));
}

async fn a_second_stop_begins_nothing_more(place: &Place) {
    let world = images(3).await;
    let queue = place.open().await;
    let (runner, calls) = hanging(&world, 4);
    let stop = runner.stop_handle();
    let runner = runner.configure(|options| options.concurrency = 3).into_queue().await.unwrap();
    runner.enqueue(&*queue, "Agent 1").await.unwrap();
    crash(&runner, place, WorkOptions { batch: 3, ..until_empty() }, &calls, 3).await;
    let stopping = async {
        until_called(&calls, 4).await;
        stop.stop();
        tokio::time::sleep(Duration::from_millis(50)).await;
        stop.stop_now();
    };
    let batches = WorkOptions { batch: 3, ..until_empty() };
    let (report, ()) = tokio::join!(runner.work(&*queue, batches), stopping);
    assert_eq!(report.unwrap().done, 0);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(calls.load(Ordering::SeqCst), 4, "only the one that ran alone was begun");
    let rest = world.runner().stage("Agent 1", || async { "complete" }).into_queue().await.unwrap();
    let rest = rest.work(&*queue, until_empty()).await.unwrap();
    assert_eq!((rest.done, rest.dead), (3, 0));
    assert!(all_moved_once(&world));
}

/// A queue with these many tasks of a world's stage, and the runner that put them there.
async fn filled(world: &World, queue: &dyn Engine) -> QueueRunner {
    let runner = world.runner().stage("Agent 1", || async { "complete" }).into_queue().await.unwrap();
    runner.enqueue(queue, "Agent 1").await.unwrap();
    runner
}

fn task_of(delivery: &dyn Delivery) -> encord_labels::id::TaskUuid {
    let spec: TaskSpec = std::str::from_utf8(delivery.payload()).unwrap().parse().unwrap();
    spec.task()
}

async fn what_is_in_a_queue_is_counted(place: &Place) {
    let world = images(6).await;
    let queue = place.open().await;
    let id = filled(&world, &*queue).await.queue_id("Agent 1").unwrap();
    let session = queue.listen(id, Duration::from_secs(30)).await.unwrap();
    let taken = session.take(4).await.unwrap();
    assert_eq!(taken.len(), 4);
    let status = queue.status(id).await.unwrap();
    assert_eq!((status.waiting, status.running, status.done, status.dead), (2, 4, 0, 0));
    let completion = TaskCompletion::stayed(task_of(&*taken[0]), id.stage);
    taken[0].done(&completion).await.unwrap();
    taken[1].give_up("no").await.unwrap();
    taken[2].retry_later("not now", Duration::from_secs(60)).await.unwrap();
    let status = queue.status(id).await.unwrap();
    // A server counts what waits for another delivery as running.
    let (waiting, running) = if matches!(place, Place::File(_)) { (3, 1) } else { (2, 2) };
    assert_eq!((status.waiting, status.running, status.done, status.dead), (waiting, running, 1, 1));
    assert!(!session.is_empty().await.unwrap());
    assert_eq!(queue.dead(id, 9).await.unwrap()[0].error, "no");
}

async fn retries_leave_the_age_of_a_task_as_it_is(place: &Place) {
    let world = images(1).await;
    let queue = place.open().await;
    let id = filled(&world, &*queue).await.queue_id("Agent 1").unwrap();
    let session = queue.listen(id, Duration::from_secs(30)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let taken = session.take(1).await.unwrap();
    taken[0].retry_later("not now", Duration::from_secs(600)).await.unwrap();
    let oldest = queue.status(id).await.unwrap().oldest_seconds;
    assert!(oldest.is_some_and(|age| age >= 1), "{oldest:?}");
}

async fn a_late_answer_counts_and_a_later_gone_changes_nothing(place: &Place) {
    let world = images(1).await;
    let queue = place.open().await;
    let runner = filled(&world, &*queue).await;
    let id = runner.queue_id("Agent 1").unwrap();
    let session = queue.listen(id, Duration::from_secs(30)).await.unwrap();
    let taken = session.take(1).await.unwrap();
    let completion = TaskCompletion::stayed(task_of(&*taken[0]), id.stage);
    taken[0].done(&completion).await.unwrap();
    // The same task in the hands of one who finds it gone.
    let spec: TaskSpec = std::str::from_utf8(taken[0].payload()).unwrap().parse().unwrap();
    queue.push(id, std::slice::from_ref(&spec), "").await.unwrap();
    world
        .project
        .proceed(id.stage, &[(spec.task(), world.project.stages()[0].pathways()[0].uuid)])
        .await
        .unwrap();
    let report = runner.work(&*queue, until_empty()).await.unwrap();
    assert_eq!(report.done, 1);
    let kept = queue.completions(id, 0, 10).await.unwrap();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(kept[0].json, completion.to_json());
}

async fn results_too_large_for_an_engine_are_cut(place: &Place) {
    let world = images(2).await;
    let queue = place.open().await;
    let agent = async |_: AgentTask| Err::<(), BoxError>("far too long ".repeat(400_000).into());
    let runner = world.runner().configure(|options| {
        options.num_retries = 0;
        options.failure_pathway = Some("again".into());
    });
    let runner = runner.stage("Agent 1", agent).into_queue().await.unwrap();
    runner.enqueue(&*queue, "Agent 1").await.unwrap();
    let report = runner.work(&*queue, until_empty()).await.unwrap();
    assert_eq!((report.done, report.dead), (2, 0), "{report:?}");
    let kept = queue.completions(runner.queue_id("Agent 1").unwrap(), 0, 10).await.unwrap();
    assert_eq!(kept.len(), 2);
    for completion in kept {
        assert!(completion.json.len() < 100_000, "{} bytes", completion.json.len());
        assert!(completion.json.contains("far too long") && completion.json.contains(r#""success":false"#));
    }
}

async fn nothing_comes_after_the_last_position(place: &Place) {
    let world = images(1).await;
    let queue = place.open().await;
    let runner = filled(&world, &*queue).await;
    runner.work(&*queue, until_empty()).await.unwrap();
    let id = runner.queue_id("Agent 1").unwrap();
    assert_eq!(queue.completions(id, 0, 10).await.unwrap().len(), 1);
    assert!(queue.completions(id, u64::MAX, 10).await.unwrap().is_empty());
}

/// What is done leaves the engine's table, and completions leave theirs when they are old.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_does_not_grow_with_what_was_done() {
    use encord_runner::queue::embedded::EmbeddedQueue;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let world = images(300).await;
    let queue = EmbeddedQueue::open(&path).await.unwrap();
    let runner = world.runner().stage("Agent 1", || async {}).into_queue().await.unwrap();
    let id = runner.queue_id("Agent 1").unwrap();
    let quick = WorkOptions { batch: 50, ..until_empty() };
    let mut sizes = Vec::new();
    for round in 0..4 {
        assert_eq!(runner.enqueue(&queue, "Agent 1").await.unwrap().new, 300, "round {round}");
        assert_eq!(runner.work(&queue, quick.clone()).await.unwrap().done, 300, "round {round}");
        sizes.push(rows(&path, "Jobs").await);
    }
    assert_eq!(sizes, [0; 4], "jobs left behind");
    assert_eq!(queue.status(id).await.unwrap().done, 300, "one completion per task");
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let forgetful = queue.clone().with_keep_completions(Duration::ZERO);
    let _session = forgetful.listen(id, Duration::from_secs(30)).await.unwrap();
    while rows(&path, "EncordResults").await > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(queue.completions(id, 0, 10).await.unwrap().is_empty());
}

async fn rows(path: &std::path::Path, table: &str) -> i64 {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let count = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}")));
    let count = count.fetch_one(&pool).await.unwrap();
    pool.close().await;
    count
}

/// Tasks that were removed with their data are gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_was_deleted_is_gone() {
    let place = Place::file().unwrap();
    let world = images(3).await;
    let queue = place.open().await;
    let runner = filled(&world, &*queue).await;
    let specs: Vec<TaskSpec> = runner.specs("Agent 1").unwrap().try_collect().await.unwrap();
    let rows = world.project.label_rows(&encord_client::LabelRowFilter::new()).await.unwrap();
    let dataset = rows[0].metadata().dataset_hash().parse().unwrap();
    world.client.remove_data(dataset, &[specs[1].data_hash()]).await.unwrap();
    let report = runner.work(&*queue, WorkOptions { batch: 3, ..until_empty() }).await.unwrap();
    assert_eq!((report.done, report.failed), (3, 0), "{report:?}");
    assert_eq!(world.at("Complete"), 2);
    let gone = queue.completions(runner.queue_id("Agent 1").unwrap(), 0, 9).await.unwrap();
    let gone: Vec<_> = gone.iter().filter(|one| one.json.contains(r#""success":false"#)).collect();
    assert!(gone.len() == 1 && gone[0].json.contains(&specs[1].task().to_string()), "{gone:?}");
}
