//! What goes wrong for one task stays with that task, and what was not confirmed is not reported as done.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use encord_client::Timeouts;
use encord_runner::{
    AgentTask, Asset, BoxError, LabelRow, OrTerminal, Outcome, Project, RunReport, State, Step, TaskOutcome,
    TaskRecord,
};
use encord_sandbox::{DropWhen, FaultPlan, FaultRule, Sandbox};
use support::{ACTIONS, SAVE, World, images, is_moved};

/// The record of the task whose title contains a text.
fn record<'a>(report: &'a RunReport, title: &str) -> &'a TaskRecord {
    report.records.iter().find(|record| record.data_title.contains(title)).expect("the task was worked on")
}

fn failed_at(record: &TaskRecord) -> Option<Step> {
    match record.outcome {
        TaskOutcome::Failed { step, .. } => Some(step),
        _ => None,
    }
}

/// Runs an agent on five tasks and checks that only the one it treats badly fails, with this message.
async fn only_one_fails<F, Fut>(expected: &str, attempts: u32, misbehave: F)
where
    F: Fn() -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Outcome, BoxError>> + Send + 'static,
{
    let world = images(5).await;
    let bad = world.state().tasks[2].uuid;
    let agent = move |task: AgentTask| {
        let misbehave = misbehave.clone();
        async move {
            if encord_labels::id::TaskUuid::from(bad) == task.uuid {
                misbehave().await
            } else {
                Ok(Outcome::to("complete"))
            }
        }
    };
    let runner = world.runner().configure(|options| {
        options.num_retries = 2;
        options.task_timeout = Some(Duration::from_millis(300));
    });
    let report = runner.stage("Agent 1", agent).run().await.unwrap();
    assert_eq!((report.counts().moved, report.counts().failed, report.exit_code()), (4, 1, 1), "{report}");
    let record = report.failures().next().unwrap();
    assert_eq!((record.task.uuid(), record.attempts, failed_at(record)), (bad, attempts, Some(Step::Agent)));
    assert!(record.error().unwrap().contains(expected), "{record:?}");
    assert_eq!((world.at("Complete"), world.at("Agent 1")), (4, 1));
}

#[tokio::test]
async fn errors_panics_and_timeouts_concern_one_task() {
    only_one_fails("it did not work", 3, || async { Err("it did not work".into()) }).await;
    only_one_fails("panicked: at the disco 1", 3, || async { panic!("at the disco {}", 1) }).await;
    only_one_fails("0.3 s (task_timeout)", 3, || async { std::future::pending().await }).await;
}

#[tokio::test]
async fn what_no_retry_can_cure_is_not_retried() {
    only_one_fails("no way", 1, || async { Err("no way").terminal()? }).await;
    only_one_fails("no pathway \"compelte\", did you mean \"complete\"?", 1, || async {
        Ok(Outcome::to("compelte"))
    })
    .await;
    only_one_fails("priority 1.5 is not between", 1, || async {
        Ok(Outcome::to("complete").with_priority(1.5))
    })
    .await;
    only_one_fails("priority NaN", 1, || async { Ok(Outcome::to("complete").with_priority(f64::NAN)) }).await;
}

#[tokio::test]
async fn every_attempt_starts_with_a_fresh_row() {
    let world = images(1).await;
    async fn agent(mut row: LabelRow, State(calls): State<Arc<AtomicUsize>>) -> Result<Outcome, String> {
        assert!(row.metadata().client_metadata().is_none(), "an attempt sees what an earlier one did");
        row.metadata_mut().set_client_metadata(serde_json::Map::new());
        match calls.fetch_add(1, Ordering::SeqCst) {
            0 => panic!("first"),
            1 => Err("second".to_owned()),
            _ => Ok(Outcome::to("complete").with_label_row(row)),
        }
    }
    let runner = world.runner().with_state(Arc::<AtomicUsize>::default());
    let report = runner.stage("Agent 1", agent).run().await.unwrap();
    assert_eq!((report.counts().moved, report.counts().retries), (1, 2), "{report}");
    assert_eq!(world.state().rows[0].saves, 1);
}

#[tokio::test]
async fn a_task_moved_by_somebody_else_is_rejected_alone() {
    let world = images(6).await;
    let other = world.state().tasks[4].uuid;
    // The first agent call plays the other party.
    let moved = Arc::new(AtomicBool::new(false));
    let agent = move |project: Project| {
        let first = !moved.swap(true, Ordering::SeqCst);
        async move {
            if first {
                let stage = &project.stages()[0];
                project.proceed(stage.uuid, &[(other.into(), stage.pathways()[1].uuid)]).await.unwrap();
            }
            "complete"
        }
    };
    let report = world.runner().stage("Agent 1", agent).run().await.unwrap();
    assert_eq!((report.counts().moved, report.counts().gone, report.exit_code()), (5, 1, 0), "{report}");
    let rejected = report.records.iter().find(|record| record.outcome == TaskOutcome::Rejected).unwrap();
    assert_eq!(rejected.task.uuid(), other);
    assert!(world.state().tasks.iter().all(|task| task.moved == 1));
    // One bundle, then each of its six moves alone, and the other party's.
    let counts = world.sandbox.requests().endpoints;
    let (_, actions) = counts.iter().find(|(name, _)| name.ends_with("/actions")).unwrap();
    assert_eq!(actions.count, 8);
}

#[tokio::test]
async fn a_move_whose_answer_is_lost_is_looked_up() {
    for (when, actions) in [(DropWhen::After, 1), (DropWhen::Before, 2)] {
        let world = images(5).await;
        world.fault(FaultRule {
            endpoint: ACTIONS.into(),
            times: Some(1),
            drop: Some(when),
            ..FaultRule::default()
        });
        let report = world.runner().stage("Agent 1", || async { "complete" }).run().await.unwrap();
        assert_eq!((report.counts().moved, report.exit_code()), (5, 0), "{when:?}: {report}");
        assert!(world.state().tasks.iter().all(|task| task.moved == 1 && task.stage == "Complete"));
        let counts = world.sandbox.requests().endpoints;
        let (_, sent) = counts.iter().find(|(name, _)| name.ends_with("/actions")).unwrap();
        assert_eq!(sent.count, actions, "{when:?}");
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_saved_fails_alone_and_does_not_move() {
    let world = images(5).await;
    // The bundle and the first single save are refused.
    world.fault(FaultRule {
        endpoint: SAVE.into(),
        times: Some(2),
        code: Some("CORRUPTED_LABEL_ERROR".into()),
        ..FaultRule::default()
    });
    let agent = |row: LabelRow| async { Outcome::to("complete").with_label_row(row) };
    let report = world.runner().stage("Agent 1", agent).run().await.unwrap();
    assert_eq!((report.counts().moved, report.counts().failed), (4, 1), "{report}");
    let failure = report.failures().next().unwrap();
    assert_eq!(failed_at(failure), Some(Step::Save));
    let state = world.state();
    let task = state.tasks.iter().find(|task| task.uuid == failure.task.uuid()).unwrap();
    assert_eq!((task.stage.as_str(), task.moved), ("Agent 1", 0));
    let saves: Vec<_> = state.rows.iter().map(|row| row.saves).collect();
    assert_eq!(saves.iter().sum::<u32>(), 4, "{saves:?}");
}

#[tokio::test]
async fn a_failed_priority_keeps_the_task() {
    let world = images(3).await;
    world.fault(FaultRule {
        endpoint: "POST */priorities".into(),
        times: Some(2),
        status: Some(400),
        ..FaultRule::default()
    });
    let agent = || async { Outcome::to("complete").with_priority(1.0) };
    let report = world.runner().stage("Agent 1", agent).run().await.unwrap();
    assert_eq!((report.counts().moved, report.counts().failed), (2, 1), "{report}");
    assert_eq!(failed_at(report.failures().next().unwrap()), Some(Step::Priority));
    assert_eq!(world.at("Agent 1"), 1);
}

#[tokio::test]
async fn an_asset_that_is_gone_or_cut_off_concerns_one_task() {
    let world = images(4).await;
    // One download gets only 404, each of its attempts.
    let rule =
        |endpoint: &str| FaultRule { endpoint: endpoint.into(), status: Some(404), ..FaultRule::default() };
    let agent = |asset: Asset| async move {
        assert!(asset.path().exists());
        "complete"
    };
    world.sandbox.set_faults(FaultPlan { seed: 1, rules: vec![rule("GET /_blobs/*")] }).unwrap();
    let runner = world.runner().configure(|options| options.num_retries = 0);
    let report = runner.stage("Agent 1", agent).run().await.unwrap();
    assert_eq!(report.counts().failed, 4, "{report}");
    assert!(record(&report, "").error().unwrap().contains("parameter 1 (Asset)"), "{report}");
    world.sandbox.set_faults(FaultPlan::default()).unwrap();
    // A broken or expired transfer is repaired without the agent noticing.
    for rule in [
        FaultRule {
            endpoint: "GET /_blobs/*".into(),
            times: Some(2),
            truncate: true,
            ..FaultRule::default()
        },
        FaultRule { endpoint: "GET /_blobs/*".into(), times: Some(2), expired: true, ..FaultRule::default() },
    ] {
        world.fault(rule);
        let two = |options: &mut encord_runner::RunOptions| options.max_tasks_per_stage = Some(2);
        let report = world.runner().configure(two).stage("Agent 1", agent).run().await.unwrap();
        assert_eq!((report.counts().moved, report.counts().retries), (2, 0), "{report}");
    }
}

#[tokio::test]
async fn labels_that_cannot_be_fetched_are_fetched_alone() {
    let world = images(4).await;
    // The bundle is refused; then each row is fetched alone and the first of them refused again.
    world.fault(FaultRule {
        endpoint: "POST /public labelrow PUT".into(),
        times: Some(2),
        code: Some("CORRUPTED_LABEL_ERROR".into()),
        ..FaultRule::default()
    });
    let agent = |_row: LabelRow| async { "complete" };
    let report = world
        .runner()
        .configure(|options| options.num_retries = 0)
        .stage("Agent 1", agent)
        .run()
        .await
        .unwrap();
    assert_eq!((report.counts().moved, report.counts().failed), (3, 1), "{report}");
    assert!(report.failures().next().unwrap().error().unwrap().contains("fetching the labels"), "{report}");
}

#[tokio::test]
async fn a_bulk_request_survives_a_short_outage() {
    let world = images(3).await;
    // More failures than the client's own attempts.
    let endpoint = "POST /public labelrowmetadata GET".into();
    world.fault(FaultRule { endpoint, times: Some(5), status: Some(503), ..FaultRule::default() });
    let agent = |row: LabelRow| async { Outcome::to("complete").with_label_row(row) };
    let report = world.runner().stage("Agent 1", agent).run().await.unwrap();
    assert_eq!((report.counts().moved, report.counts().retries), (3, 0), "{report}");
}

#[tokio::test]
async fn a_platform_that_asks_for_patience_gets_it_within_reason() {
    for (asked, moved) in [(2, 3), (3600, 0)] {
        // The client gives up when it is asked for more than its budget, so the answer reaches the runner.
        let timeouts = Timeouts::default().with_budget(Duration::from_millis(1900));
        let builder = Sandbox::builder().project("p").stage_agent("Agent 1", ["complete"]).images(3);
        let world = World::start_with(builder, timeouts).await;
        let rule =
            FaultRule { times: Some(1), status: Some(429), retry_after: Some(asked), ..FaultRule::default() };
        world.fault(FaultRule { endpoint: "POST /public labelrow*".into(), ..rule });
        let started = Instant::now();
        let agent = |_row: LabelRow| async { "complete" };
        let report = world.runner().stage("Agent 1", agent).run().await.unwrap();
        assert_eq!(report.counts().moved, moved, "{report}");
        assert_eq!(world.at("Complete") as u64, moved);
        assert!(moved == 0 || started.elapsed() >= Duration::from_secs(asked), "it did not wait");
    }
}

#[tokio::test]
async fn a_listing_that_fails_ends_the_stage_and_keeps_what_was_done() {
    let world = images(3).await;
    world.fault(FaultRule { endpoint: "GET */tasks".into(), status: Some(403), ..FaultRule::default() });
    let runner = world.runner().stage("Agent 1", || async { "complete" });
    let error = runner.run().await.unwrap_err().to_string();
    assert!(error.starts_with("listing tasks: not authorised"), "{error}");
}

#[tokio::test]
async fn a_stop_flushes_and_a_hard_stop_does_not_wait() {
    let world = images(10).await;
    let runner = world.runner();
    let stop = runner.stop_handle();
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&count);
    let agent = move || {
        if seen.fetch_add(1, Ordering::SeqCst) == 2 {
            stop.stop();
        }
        async { "complete" }
    };
    let report = runner.stage("Agent 1", agent).run().await.unwrap();
    assert!(report.stopped && report.is_success());
    assert_eq!((count.load(Ordering::SeqCst), report.counts().moved, world.at("Complete")), (3, 3, 3));

    let runner = world.runner();
    let stop = runner.stop_handle();
    let agent = move || {
        stop.stop();
        stop.stop_now();
        std::future::pending::<()>()
    };
    let report = runner.stage("Agent 1", agent).run().await.unwrap();
    assert!(report.stopped);
    assert_eq!(report.counts().tasks(), 0);
}

#[tokio::test]
async fn done_tasks_are_flushed_while_a_slow_one_runs() {
    let world = images(3).await;
    let hash = world.project.hash();
    let runner = world.runner().configure(|options| options.flush_every = Duration::from_millis(50));
    let (first, sandbox) = (world.state().tasks[2].uuid, Arc::new(world.sandbox));
    let watched = Arc::clone(&sandbox);
    let agent = move |task: AgentTask| {
        let sandbox = Arc::clone(&watched);
        async move {
            while task.uuid.uuid() == first
                && sandbox.state(hash.into()).unwrap().tasks_per_stage.get("Complete") != Some(&2)
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            "complete"
        }
    };
    let report = runner.stage("Agent 1", agent).run().await.unwrap();
    assert!(report.records.iter().all(|record| is_moved(&record.outcome)), "{report}");
}
