//! Stopping a run: first gently, then at once.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};

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

    pub(crate) fn is_stopping_now(&self) -> bool {
        *self.0.borrow() >= Urgency::Now
    }

    /// Completes when a stop of at least this urgency was asked for.
    pub(crate) async fn at_least(&self, urgency: Urgency) {
        let mut receiver = self.0.subscribe();
        // The sender lives in `self`, so waiting can't fail while this future is polled.
        let _ = receiver.wait_for(|current| *current >= urgency).await;
    }

    /// Waits for a future unless a graceful stop comes first.
    pub(crate) async fn unless_stopping<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.unless(Urgency::Graceful, future).await
    }

    /// Waits for a future unless a stop of at least this urgency comes first.
    pub(crate) async fn unless<T>(&self, urgency: Urgency, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.at_least(urgency) => None,
            value = future => Some(value),
        }
    }

    /// Raises the urgency with every SIGINT or SIGTERM: the first stops gently, the second at once.
    /// The listener ends when the returned guard is dropped.
    ///
    /// It has a thread of its own, because an agent that blocks its thread, as no async function should, must not
    /// keep signals from being heard.
    pub(crate) fn on_signals(&self) -> SignalGuard {
        let handle = self.clone();
        let (guard, dropped) = oneshot::channel::<()>();
        let (ready, listening) = std::sync::mpsc::channel();
        let listen = move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return tracing::warn!("cannot listen for signals: {error}"),
            };
            runtime.block_on(async move {
                let signals = Signals::listen();
                let _ = ready.send(());
                let Some(signals) = signals else { return };
                tokio::select! {
                    () = handle.obey(signals) => {}
                    _ = dropped => {}
                }
            });
        };
        match std::thread::Builder::new().name("encord-signals".to_owned()).spawn(listen) {
            // From here on no signal is lost; an error means that the thread has given up and said why.
            Ok(_) => drop(listening.recv()),
            Err(error) => tracing::warn!("cannot listen for signals: {error}"),
        }
        SignalGuard(guard)
    }

    async fn obey(self, mut signals: Signals) {
        signals.next().await;
        tracing::info!("stopping: running tasks are finished first, a second signal stops at once");
        self.stop();
        signals.next().await;
        tracing::warn!("stopping at once");
        self.stop_now();
    }

    /// Ends the process with this exit code when a hard stop was asked for and the program is still there after
    /// `grace`: something blocks that nobody can interrupt.
    #[cfg(feature = "cli")]
    pub(crate) fn exit_after_hard_stop(&self, grace: std::time::Duration, code: i32) {
        let mut urgency = self.0.subscribe();
        std::thread::spawn(move || {
            let hard =
                futures::executor::block_on(urgency.wait_for(|current| *current >= Urgency::Now)).is_ok();
            if hard {
                std::thread::sleep(grace);
                std::process::exit(code);
            }
        });
    }
}

/// Signals are listened for as long as this lives.
pub(crate) struct SignalGuard(#[allow(dead_code, reason = "its end is the message")] oneshot::Sender<()>);

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
