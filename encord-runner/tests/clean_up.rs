//! What extractors and agents defer: run after every attempt, however it ended, the last one first.
#![allow(clippy::unwrap_used)]

mod support;

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use encord_runner::{FromTask, Needs, RunReport, TaskContext};
use support::images;

type Log = Arc<Mutex<Vec<String>>>;

/// Opens something under a name and defers closing it. `close` says how that goes.
struct Opened<const NAME: char>;

impl<const NAME: char> FromTask<Log> for Opened<NAME> {
    const NEEDS: Needs = Needs::NOTHING;
    type Rejection = Infallible;

    async fn from_task(ctx: &TaskContext, log: &Log) -> Result<Self, Infallible> {
        let log = Arc::clone(log);
        log.lock().unwrap().push(format!("open {NAME}"));
        ctx.defer(async move {
            // Closing takes a while, so that it is seen to be waited for.
            tokio::time::sleep(Duration::from_millis(5)).await;
            log.lock().unwrap().push(format!("close {NAME}"));
            assert!(NAME != 'p', "closing panics");
            if NAME == 'h' {
                std::future::pending::<()>().await;
            }
        });
        Ok(Opened)
    }
}

/// Runs an agent on one task with two attempts and returns what happened, in order.
async fn run<F, Args>(agent: F) -> (RunReport, String)
where
    F: encord_runner::AgentFn<Args, Future: Send, Output: encord_runner::IntoOutcome>,
    Args: FromTask<Log> + 'static,
{
    let log = Log::default();
    let world = images(1).await;
    let runner = world.runner().configure(|options| {
        options.num_retries = 1;
        options.task_timeout = Some(Duration::from_millis(200));
    });
    let report = runner.with_state(Arc::clone(&log)).stage("Agent 1", agent).run().await.unwrap();
    let log = log.lock().unwrap().join(", ");
    (report, log)
}

const ONCE: &str = "open a, open b, close b, close a";

#[tokio::test]
async fn what_was_opened_is_closed_in_reverse_after_each_attempt() {
    type A = Opened<'a'>;
    type B = Opened<'b'>;
    let twice = format!("{ONCE}, {ONCE}");
    let (report, log) = run(|_: A, _: B| async { "complete" }).await;
    assert_eq!((report.counts().moved, log.as_str()), (1, ONCE));
    let (report, log) = run(|_: A, _: B| async { Err::<(), _>("no") }).await;
    assert_eq!((report.counts().failed, log.as_str()), (1, twice.as_str()));
    let (report, log) = run(|_: A, _: B| async {
        if true {
            panic!("at once")
        }
    })
    .await;
    assert_eq!((report.counts().failed, log.as_str()), (1, twice.as_str()));
    let (report, log) = run(|_: A, _: B| std::future::pending::<()>()).await;
    assert_eq!((report.counts().failed, log.as_str()), (1, twice.as_str()));
    // A retry that succeeds has opened everything again.
    let calls = AtomicUsize::new(0);
    let agent = move |_: A, _: B| {
        let first = calls.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if first { Err("first") } else { Ok("complete") } }
    };
    let (report, log) = run(agent).await;
    assert_eq!((report.counts().moved, log.as_str()), (1, twice.as_str()));
}

#[tokio::test]
async fn closing_that_panics_or_hangs_keeps_nothing_else_open() {
    let (report, log) = run(|_: Opened<'a'>, _: Opened<'p'>| async { "complete" }).await;
    assert_eq!((report.counts().moved, log.as_str()), (1, "open a, open p, close p, close a"));
    let (report, log) = run(|_: Opened<'a'>, _: Opened<'h'>| async { "complete" }).await;
    assert_eq!((report.counts().moved, log.as_str()), (1, "open a, open h, close h, close a"));
}
