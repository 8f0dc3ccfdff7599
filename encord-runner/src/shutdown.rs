//! Stopping a run: first gently, then at once.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;

/// How urgently a run should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// Go on.
    None,
    /// Finish the running tasks, save and move what is done, report.
    Graceful,
    /// Drop the running tasks; save and move nothing more.
    Now,
}

/// Stops a running [`Runner`](crate::Runner) or queue worker from elsewhere in the program.
///
/// ```no_run
/// # async fn example() -> Result<(), encord_runner::Error> {
/// let runner = encord_runner::Runner::new();
/// let stop = runner.stop_handle();
/// tokio::spawn(async move {
///     tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
///     stop.stop();
/// });
/// let report = runner.run().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct StopHandle(Arc<watch::Sender<Urgency>>);

impl StopHandle {
    pub(crate) fn new() -> Self {
        StopHandle(Arc::new(watch::Sender::new(Urgency::None)))
    }

    /// Finishes the running tasks, saves and moves what is done, then ends the run with a report.
    pub fn stop(&self) {
        self.raise(Urgency::Graceful);
    }

    /// Drops the running tasks and ends the run. What was not confirmed by then is not done.
    pub fn stop_now(&self) {
        self.raise(Urgency::Now);
    }

    fn raise(&self, urgency: Urgency) {
        self.0.send_if_modified(|current| {
            let raised = urgency > *current;
            *current = urgency.max(*current);
            raised
        });
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.0.borrow() > Urgency::None
    }

    /// Completes when a stop of at least this urgency was asked for.
    pub(crate) async fn at_least(&self, urgency: Urgency) {
        let mut receiver = self.0.subscribe();
        // The sender lives in `self`, so waiting can't fail while this future is polled.
        let _ = receiver.wait_for(|current| *current >= urgency).await;
    }

    /// Waits for a future unless a graceful stop comes first.
    pub(crate) async fn unless_stopping<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.at_least(Urgency::Graceful) => None,
            value = future => Some(value),
        }
    }

    /// Raises the urgency with every SIGINT or SIGTERM: the first stops gently, the second at once.
    /// The listener ends when the returned guard is dropped.
    pub(crate) fn on_signals(&self) -> AbortOnDrop {
        let handle = self.clone();
        // Listening starts here, not in the task, so that no signal falls between.
        let signals = Signals::listen();
        AbortOnDrop(tokio::spawn(async move {
            let Some(mut signals) = signals else { return };
            signals.next().await;
            tracing::info!("stopping: running tasks are finished first, a second signal stops at once");
            handle.stop();
            signals.next().await;
            tracing::warn!("stopping at once");
            handle.stop_now();
        }))
    }
}

/// A spawned task that ends with its owner.
pub(crate) struct AbortOnDrop<T = ()>(pub(crate) tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen =
            |kind| signal(kind).map_err(|error| tracing::warn!("cannot listen for signals: {error}")).ok();
        Some(Signals {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Option<Self> {
        Some(Signals)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
