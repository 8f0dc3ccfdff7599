//! A durable queue in one file, for any number of workers on one machine. No server.
//!
//! The engine is apalis with its SQLite storage: it keeps the jobs, hands each to one worker, notices dead
//! workers and gives their jobs to others. Around it are the pauses between attempts, the bounded number of
//! deliveries and the view of dead letters that the engine leaves to its users.

mod results;
mod session;
mod store;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use self::session::EmbeddedSession;
use self::store::Store;
use super::TaskSpec;
use super::engine::{Completion, DeadTask, Engine, QueueId, QueueStatus, Session};
use crate::error::Error;

/// How often a task is delivered before it is given up.
const MAX_DELIVERIES: u32 = 5;

/// How long completions are kept: a week.
const KEEP_COMPLETIONS: Duration = Duration::from_secs(7 * 24 * 3600);

/// A queue in a file. Open it in as many processes of one machine as you like; cloning is cheap.
///
/// ```no_run
/// use encord_runner::{AgentTask, Runner};
/// use encord_runner::queue::WorkOptions;
/// use encord_runner::queue::embedded::EmbeddedQueue;
///
/// async fn agent(task: AgentTask) -> &'static str { "complete" }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let queue = EmbeddedQueue::open("tasks.db").await?;
/// let runner = Runner::new()
///     .with_project_hash("566bf9d7-c55a-45f8-91a6-e55e9b9b1325".parse()?)
///     .stage("Agent 1", agent)
///     .into_queue()
///     .await?;
/// let enqueued = runner.enqueue(&queue, "Agent 1").await?;
/// println!("{} new, {} waiting already", enqueued.new, enqueued.known);
/// let options = WorkOptions { until_empty: true, concurrency: 4, ..WorkOptions::default() };
/// let report = runner.work(&queue, options).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct EmbeddedQueue {
    store: Store,
    path: PathBuf,
    name: String,
    max_deliveries: u32,
    keep_completions: Duration,
}

impl EmbeddedQueue {
    /// Opens the file, and makes it if it is not there.
    ///
    /// # Errors
    /// [`Error::Queue`] when the file cannot be opened or is not a queue.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref().to_owned();
        let name = path.display().to_string();
        Ok(EmbeddedQueue {
            store: Store::open(&path).await?,
            path,
            name,
            max_deliveries: MAX_DELIVERIES,
            keep_completions: KEEP_COMPLETIONS,
        })
    }

    /// Sets how often tasks enqueued from now on are delivered before they are given up. Within each delivery the
    /// runner's own retries apply. Default: 5; at least 1.
    #[must_use]
    pub fn with_max_deliveries(mut self, deliveries: u32) -> Self {
        self.max_deliveries = deliveries.max(1);
        self
    }

    /// Sets how long completions are kept for the producer. Workers forget older ones, so that the file stays as
    /// large as what is queued and what was done in this time. Default: 7 days.
    #[must_use]
    pub fn with_keep_completions(mut self, keep: Duration) -> Self {
        self.keep_completions = keep;
        self
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Engine for EmbeddedQueue {
    fn name(&self) -> &str {
        &self.name
    }

    fn push<'a>(
        &'a self,
        queue: QueueId,
        specs: &'a [TaskSpec],
        trace: &'a str,
    ) -> BoxFuture<'a, Result<u64, Error>> {
        async move { self.store.push(&queue.to_string(), specs, trace, self.max_deliveries).await }.boxed()
    }

    fn listen(&self, queue: QueueId, lease: Duration) -> BoxFuture<'_, Result<Box<dyn Session>, Error>> {
        async move {
            let session = EmbeddedSession::start(self.store.clone(), queue, lease, self.keep_completions);
            let session = session.await?;
            Ok(Box::new(session) as Box<dyn Session>)
        }
        .boxed()
    }

    fn status(&self, queue: QueueId) -> BoxFuture<'_, Result<QueueStatus, Error>> {
        async move { self.store.status(&queue.to_string()).await }.boxed()
    }

    fn dead(&self, queue: QueueId, limit: usize) -> BoxFuture<'_, Result<Vec<DeadTask>, Error>> {
        async move { self.store.dead(&queue.to_string(), limit).await }.boxed()
    }

    fn retry_dead<'a>(&'a self, queue: QueueId, key: Option<&'a str>) -> BoxFuture<'a, Result<u64, Error>> {
        async move { self.store.retry_dead(&queue.to_string(), key).await }.boxed()
    }

    fn drop_dead<'a>(&'a self, queue: QueueId, key: Option<&'a str>) -> BoxFuture<'a, Result<u64, Error>> {
        async move { self.store.drop_dead(&queue.to_string(), key).await }.boxed()
    }

    fn completions(
        &self,
        queue: QueueId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Completion>, Error>> {
        async move { self.store.completions(&queue.to_string(), after, limit).await }.boxed()
    }
}

impl fmt::Debug for EmbeddedQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedQueue").field("path", &self.path).finish_non_exhaustive()
    }
}
