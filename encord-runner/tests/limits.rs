//! What a run fetches ahead of its agents, how much of it, and what it refuses.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use encord_client::{InitialiseArgs, ItemUpdate, LabelRowFilter};
use encord_runner::{
    AgentTask, Asset, Error, LabelRow, Outcome, RunOptions, Runner, StageOptions, State, blocking,
};
use encord_sandbox::Sandbox;
use serde_json::{Value, json};
use support::wire::Wire;
use support::{World, images};

/// The number of files the sandbox was asked for.
fn downloads(world: &World) -> u64 {
    let counts = world.sandbox.requests().endpoints;
    counts.iter().filter(|(name, _)| name.contains("blob")).map(|(_, endpoint)| endpoint.count).sum()
}

/// Lets an agent wait until the world is as expected; panics when it does not come to that.
async fn until(mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(20), "it did not come to that");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn files_above_the_limit_are_refused_and_not_tried_again() {
    // The size that the platform states is believed first; without it the transfer is cut.
    for states_size in [true, false] {
        let world = images(2).await;
        let wire = Wire::changing(move |request, answer| {
            if !states_size && request.path.contains("/storage/items") {
                set_everywhere(answer, "fileSize", &Value::Null);
            }
        });
        let runner = world.wired_runner(wire).await.configure(|options| options.max_asset_bytes = 10);
        let report = runner.stage("Agent 1", |_: Asset| async { "complete" }).run().await.unwrap();
        assert_eq!((report.counts().failed, report.counts().retries), (2, 0), "{report}");
        assert!(report.records[0].error().unwrap().contains("the limit is 10"), "{report}");
        assert_eq!(downloads(&world) == 0, states_size);
    }
}

/// Replaces a field wherever it occurs.
fn set_everywhere(json: &mut Value, field: &str, value: &Value) {
    match json {
        Value::Object(fields) => {
            for (name, inner) in fields {
                if name == field { *inner = value.clone() } else { set_everywhere(inner, field, value) }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| set_everywhere(inner, field, value)),
        _ => {}
    }
}

/// Runs an agent whose first call waits until so many files were asked for, then a little longer. Returns how many
/// files were asked for by then.
async fn fetched_ahead(wire: Wire, expected: u64, limit: impl FnOnce(&mut RunOptions)) -> u64 {
    let world = Arc::new(images(12).await);
    let (watched, seen) = (Arc::clone(&world), Arc::new(AtomicUsize::new(0)));
    let most = Arc::clone(&seen);
    let agent = move |_: Asset| {
        let (world, most) = (Arc::clone(&watched), Arc::clone(&most));
        async move {
            if most.load(Ordering::SeqCst) == 0 {
                until(|| downloads(&world) >= expected).await;
                tokio::time::sleep(Duration::from_millis(50)).await;
                most.store(downloads(&world) as usize, Ordering::SeqCst);
            }
            "complete"
        }
    };
    let runner = world.wired_runner(wire).await.configure(limit);
    let report = runner.stage("Agent 1", agent).run().await.unwrap();
    assert_eq!(report.counts().moved, 12, "{report}");
    seen.load(Ordering::SeqCst) as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_downloaded_ahead_within_limits() {
    let plain = Wire::default;
    // The file of the running task, and those of the next.
    assert_eq!(fetched_ahead(plain(), 5, |options| options.prefetch_assets = 4).await, 5);
    assert_eq!(fetched_ahead(plain(), 1, |options| options.prefetch_assets = 0).await, 1);
    assert_eq!(fetched_ahead(plain(), 1, |options| options.prefetch_bytes = 1).await, 1);
    // Files of a thousand bytes each, as the platform says: two fit.
    let sized = || Wire::changing(|_, answer| set_everywhere(answer, "fileSize", &json!(1000)));
    assert_eq!(fetched_ahead(sized(), 3, |options| options.prefetch_bytes = 2999).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_unknown_size_count_with_what_they_took() {
    let unknown = || Wire::changing(|_, answer| set_everywhere(answer, "fileSize", &Value::Null));
    // The first takes all the room until it is there, and then what it takes is more than there is.
    assert_eq!(fetched_ahead(unknown(), 2, |options| options.prefetch_bytes = 1).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_batch_is_fetched_while_another_is_worked_on_and_no_more() {
    let world = images(40).await;
    let listings = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&listings);
    let runner = world.wired_runner(Wire::seeing(move |request| {
        if request.is_query("labelrowmetadata", "GET") {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    }));
    let (calls, seen) = (AtomicUsize::new(0), Arc::clone(&listings));
    let agent = move |_: LabelRow| {
        let (call, seen) = (calls.fetch_add(1, Ordering::SeqCst), Arc::clone(&seen));
        async move {
            if call == 0 {
                until(|| seen.load(Ordering::SeqCst) >= 2).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
                assert!(
                    seen.load(Ordering::SeqCst) <= 3,
                    "{} of 4 batches were fetched",
                    seen.load(Ordering::SeqCst)
                );
            }
            "complete"
        }
    };
    let runner = runner.await.configure(|options| {
        options.task_batch_size = 10;
        options.num_retries = 0;
    });
    let report = runner.stage("Agent 1", agent).run().await.unwrap();
    assert!(report.is_success(), "{report}");
    assert_eq!(listings.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn two_tasks_of_one_data_unit_both_have_their_row() {
    let world = images(2).await;
    let wire = Wire::changing(|request, answer| {
        if request.lists_tasks() {
            let tasks = answer["results"].as_array_mut().expect("a page of tasks");
            let mut twin = tasks[0].clone();
            twin["uuid"] = json!("00000000-0000-0000-0000-0000000000aa");
            tasks.push(twin);
        }
    });
    let agent = |task: AgentTask, row: LabelRow| async move {
        assert_eq!(row.metadata().data_hash(), task.data_hash.to_string());
    };
    let report = world.wired_runner(wire).await.stage("Agent 1", agent).run().await.unwrap();
    assert_eq!((report.counts().stayed, report.counts().failed), (3, 0), "{report}");
}

#[tokio::test]
async fn a_blocking_agent_is_not_tried_again_while_its_last_call_runs() {
    let world = images(1).await;
    fn agent(State(calls): State<Arc<AtomicUsize>>) {
        calls.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(400));
    }
    let calls = Arc::new(AtomicUsize::new(0));
    let runner = |backoff| {
        let runner = world.runner().configure(move |options| {
            options.task_timeout = Some(Duration::from_millis(50));
            options.retry_backoff = backoff;
            options.num_retries = 1;
        });
        runner.with_state(Arc::clone(&calls)).stage("Agent 1", blocking(agent))
    };
    let report = runner(Duration::from_millis(1)).run().await.unwrap();
    assert_eq!(report.records[0].attempts, 1, "{report}");
    assert!(report.records[0].error().unwrap().contains("task_timeout"), "{report}");
    // By the end of this pause the first call has ended.
    let report = runner(Duration::from_secs(2)).run().await.unwrap();
    assert_eq!(report.records[0].attempts, 2, "{report}");
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn each_stage_has_its_own_arguments_for_rows_and_labels() {
    let builder =
        Sandbox::builder().project("p").stage_agent("First", ["on"]).stage_agent("Second", ["on"]).images(1);
    let world = World::start(builder).await;
    let row = world.project.label_rows(&LabelRowFilter::new()).await.unwrap().remove(0);
    let metadata = json!({"camera": "north"}).as_object().unwrap().clone();
    let update = ItemUpdate::new().with_client_metadata(metadata);
    world.client.update_items([(row.metadata().backing_item_uuid().unwrap(), update)]).await.unwrap();
    let reviews = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reviews);
    let wire = Wire::seeing(move |request| {
        let body = String::from_utf8_lossy(&request.body).replace(' ', "");
        if request.is_query("labelrow", "PUT") || request.is_query("labelrow", "GET") {
            counted.fetch_add(usize::from(body.contains("\"include_reviews\":true")), Ordering::SeqCst);
        }
    });
    let mut args = InitialiseArgs::default();
    args.include_reviews = true;
    let rich = StageOptions::default()
        .with_label_rows(LabelRowFilter::new().with_client_metadata())
        .with_initialise(args);
    let sees = |expected: bool| {
        move |row: LabelRow| async move {
            assert_eq!(row.metadata().client_metadata().is_some(), expected);
            Outcome::to("on")
        }
    };
    let runner = world.wired_runner(wire).await.configure(|options| options.num_retries = 0);
    let report =
        runner.stage("First", sees(false)).stage_with("Second", rich, sees(true)).run().await.unwrap();
    assert_eq!((report.counts().moved, report.counts().failed), (2, 0), "{report}");
    assert_eq!(reviews.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_callback_before_a_run_is_called_once_and_can_end_it() {
    let world = images(4).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let hash = world.project.hash();
    let runner = world.runner().configure(|options| options.task_batch_size = 2).before_run(move |project| {
        assert_eq!(project.hash(), hash);
        async move {
            counted.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    });
    let seen = Arc::clone(&calls);
    let agent = move || {
        assert_eq!(seen.load(Ordering::SeqCst), 1);
        async { "complete" }
    };
    assert!(runner.stage("Agent 1", agent).run().await.unwrap().is_success());
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    let runner: Runner = world.runner().before_run(|_| async { Err("no licence".into()) });
    let error = runner.stage("Agent 1", || async {}).run().await.unwrap_err();
    assert!(matches!(error, Error::Callback(_)) && error.to_string().contains("no licence"), "{error}");
}
