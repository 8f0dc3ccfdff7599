//! What panics outside of an agent: it is reported, and nothing that was done is lost in silence.
#![allow(clippy::unwrap_used)]

mod support;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use encord_runner::{
    AgentTask, Beside, BoxError, FromTask, LabelRow, Needs, Observer, Outcome, Project, TaskContext,
    TaskRecord,
};
use support::images;
use support::wire::Wire;

#[tokio::test]
async fn times_beyond_the_end_of_time_are_no_times() {
    let world = images(3).await;
    let runner = world.runner().configure(|options| {
        options.flush_every = Duration::MAX;
        options.task_timeout = Some(Duration::MAX);
        options.retry_backoff = Duration::MAX;
        options.recheck_after = Duration::MAX;
        options.flush_tasks = Some(usize::MAX);
        options.task_batch_size = usize::MAX;
        options.prefetch_assets = usize::MAX;
        options.concurrency = usize::MAX;
    });
    let agent = |row: LabelRow| async { Outcome::to("complete").with_label_row(row) };
    let report = runner.stage("Agent 1", agent).run().await.unwrap();
    assert_eq!((report.counts().moved, report.counts().labels_saved), (3, 3), "{report}");
    assert_eq!(world.at("Complete"), 3);

    let runner = world.runner().configure(|options| options.refresh_every = Some(Duration::MAX));
    let stop = runner.stop_handle();
    let observer = OnEnd(move || stop.stop());
    assert!(runner.with_observer(observer).stage("Agent 1", || async {}).run().await.unwrap().stopped);
}

/// Does something when a pass is over.
struct OnEnd<F>(F);

impl<F: Fn() + Send + Sync> Observer for OnEnd<F> {
    fn stage_finished(&self, _stage: &encord_runner::Stage) {
        (self.0)();
    }
}

#[tokio::test]
async fn a_callback_of_an_outcome_that_panics_changes_nothing() {
    let world = images(3).await;
    let agent = |project: Project| async move {
        let beside = Beside::new(&project).with_after(|| panic!("after"));
        Outcome::to("complete").with_beside(beside)
    };
    let report = world.runner().stage("Agent 1", agent).run().await.unwrap();
    assert_eq!((report.counts().moved, report.exit_code()), (3, 0), "{report}");
}

#[tokio::test]
async fn tasks_whose_commit_panics_are_reported_and_the_rest_goes_on() {
    let world = images(4).await;
    let calls = AtomicUsize::new(0);
    let runner = world.wired_runner(Wire::seeing(move |request| {
        let first = request.path.contains("/actions") && calls.fetch_add(1, Ordering::SeqCst) == 0;
        assert!(!first, "torn wire");
    }));
    let runner = runner.await.configure(|options| options.flush_tasks = Some(2));
    let report = runner.stage("Agent 1", || async { "complete" }).run().await.unwrap();
    assert_eq!((report.counts().moved, report.counts().failed, report.exit_code()), (2, 2, 1), "{report}");
    for failure in report.failures() {
        assert!(failure.error().unwrap().contains("saving and moving panicked: torn wire"), "{failure:?}");
    }
    assert_eq!(world.at("Agent 1"), 2);
}

#[tokio::test]
async fn a_listing_that_panics_is_not_an_empty_stage() {
    let world = images(4).await;
    let runner = world.wired_runner(Wire::seeing(|request| assert!(!request.lists_tasks(), "torn wire")));
    let error = runner.await.stage("Agent 1", || async { "complete" }).run().await.unwrap_err().to_string();
    assert!(error.contains("listing and fetching tasks") && error.contains("torn wire"), "{error}");
}

/// An error that cannot even be shown.
#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no words")
    }
}

impl std::error::Error for Unspeakable {}

/// Leaves something with its task that panics when it is dropped.
struct Trap;

struct Sprung;

impl Drop for Sprung {
    fn drop(&mut self) {
        panic!("sprung");
    }
}

impl FromTask<()> for Trap {
    const NEEDS: Needs = Needs::NOTHING;
    type Rejection = BoxError;

    async fn from_task(ctx: &TaskContext, (): &()) -> Result<Self, BoxError> {
        ctx.share(Sprung);
        Ok(Trap)
    }
}

#[tokio::test]
async fn a_task_keeps_its_record_when_its_error_or_its_leftovers_panic() {
    let world = images(3).await;
    let bad = world.state().tasks[1].uuid;
    let agent = move |task: AgentTask, _trap: Trap| async move {
        if task.uuid.uuid() == bad { Err(Unspeakable) } else { Ok("complete") }
    };
    let report = world.runner().stage("Agent 1", agent).run().await.unwrap();
    assert_eq!((report.counts().moved, report.counts().failed), (2, 1), "{report}");
    let failure = report.failures().next().unwrap();
    assert!(failure.task.uuid() == bad && failure.error().unwrap().contains("no words"), "{failure:?}");
}

/// An observer that cannot take it.
struct Nervous(Arc<AtomicUsize>);

impl Observer for Nervous {
    fn task_finished(&self, _record: &TaskRecord) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("too much");
    }
}

#[tokio::test]
async fn an_observer_that_panics_is_called_again_and_changes_nothing() {
    let world = images(3).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let runner = world.runner().with_observer(Nervous(Arc::clone(&calls)));
    let report = runner.stage("Agent 1", || async { "complete" }).run().await.unwrap();
    assert_eq!((report.counts().moved, calls.load(Ordering::SeqCst)), (3, 3));
}
