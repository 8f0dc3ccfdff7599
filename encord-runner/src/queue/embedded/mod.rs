//! A durable queue in one file, for any number of workers on one machine. No server.
//!
//! The engine is apalis with its SQLite storage: it keeps the jobs, hands each to one worker, notices dead
//! workers and gives their jobs to others. Around it are the pauses between attempts, the bounded number of
//! deliveries and the view of dead letters that the engine leaves to its users.

mod store;
mod work;

use std::fmt;
use std::path::{Path, PathBuf};

use encord_labels::id::{ProjectHash, StageUuid, TaskUuid};
use futures::TryStreamExt;
use serde::Serialize;
use tracing::info;

use self::store::Store;
pub use self::work::{WorkOptions, WorkReport};
use super::{QueueRunner, TaskSpec};
use crate::error::Error;
use crate::stage::{self, StageRef};

/// How many specs are written in one transaction.
const PUSH_SIZE: usize = 500;

/// How often a task is delivered before it is given up.
const MAX_DELIVERIES: u32 = 5;

/// A queue in a file. Open it in as many processes of one machine as you like; cloning is cheap.
///
/// ```no_run
/// use encord_runner::{AgentTask, Runner};
/// use encord_runner::queue::embedded::{EmbeddedQueue, WorkOptions};
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
    max_deliveries: u32,
}

impl EmbeddedQueue {
    /// Opens the file, and makes it if it is not there.
    ///
    /// # Errors
    /// [`Error::Queue`] when the file cannot be opened or is not a queue.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref().to_owned();
        Ok(EmbeddedQueue { store: Store::open(&path).await?, path, max_deliveries: MAX_DELIVERIES })
    }

    /// Sets how often tasks enqueued from now on are delivered before they are given up. Within each delivery the
    /// runner's own retries apply. Default: 5; at least 1.
    #[must_use]
    pub fn with_max_deliveries(mut self, deliveries: u32) -> Self {
        self.max_deliveries = deliveries.max(1);
        self
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many tasks of a stage wait, run, are done, are dead.
    ///
    /// # Errors
    /// [`Error::Queue`] when the file cannot be read.
    pub async fn status(&self, project: ProjectHash, stage: StageUuid) -> Result<QueueStatus, Error> {
        self.store.status(&queue_name(project, stage)).await
    }

    /// Tasks that were given up, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Queue`] when the file cannot be read.
    pub async fn dead(
        &self,
        project: ProjectHash,
        stage: StageUuid,
        limit: u32,
    ) -> Result<Vec<DeadTask>, Error> {
        self.store.dead(&queue_name(project, stage), limit).await
    }

    /// Puts dead tasks back into the queue with all their attempts, all of them or one. Returns how many.
    ///
    /// # Errors
    /// [`Error::Queue`] when the file cannot be written.
    pub async fn retry_dead(
        &self,
        project: ProjectHash,
        stage: StageUuid,
        task: Option<TaskUuid>,
    ) -> Result<u64, Error> {
        self.store.retry_dead(&queue_name(project, stage), task).await
    }

    /// Forgets dead tasks, all of them or one. Returns how many.
    ///
    /// # Errors
    /// [`Error::Queue`] when the file cannot be written.
    pub async fn drop_dead(
        &self,
        project: ProjectHash,
        stage: StageUuid,
        task: Option<TaskUuid>,
    ) -> Result<u64, Error> {
        self.store.drop_dead(&queue_name(project, stage), task).await
    }

    /// The completions of done tasks as JSON in the order they ended, at most `limit`, after the first `skip`.
    ///
    /// # Errors
    /// [`Error::Queue`] when the file cannot be read.
    pub async fn completions(
        &self,
        project: ProjectHash,
        stage: StageUuid,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<String>, Error> {
        self.store.completions(&queue_name(project, stage), skip, limit).await
    }
}

impl fmt::Debug for EmbeddedQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedQueue").field("path", &self.path).finish_non_exhaustive()
    }
}

/// How full a queue is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct QueueStatus {
    /// Waiting for a worker, those that wait for another attempt included.
    pub waiting: u64,
    /// Being worked on.
    pub running: u64,
    /// Done.
    pub done: u64,
    /// Given up.
    pub dead: u64,
    /// How long the oldest waiting task has been waiting, in seconds.
    pub oldest_seconds: Option<u64>,
    /// Tasks done per second over the last minute.
    pub rate: f64,
}

/// A task that was given up.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct DeadTask {
    /// The task.
    pub task: TaskUuid,
    /// How often it was delivered.
    pub deliveries: u32,
    /// What went wrong the last time.
    pub error: String,
}

/// How many tasks [`QueueRunner::enqueue`] listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Enqueued {
    /// Put into the queue.
    pub new: u64,
    /// In the queue already: waiting, running or dead.
    pub known: u64,
}

impl QueueRunner {
    /// Puts all tasks that are at a stage now into a queue, page by page. A task that is in the queue already,
    /// dead ones included, is not put in twice.
    ///
    /// # Errors
    /// When the stage does not exist, the tasks cannot be listed or the queue cannot be written. What was listed
    /// before is in the queue then; calling again goes on.
    pub async fn enqueue(
        &self,
        queue: &EmbeddedQueue,
        stage: impl Into<StageRef>,
    ) -> Result<Enqueued, Error> {
        let stage = stage::resolve(&self.project, &stage.into())?;
        let name = queue_name(self.project.hash(), stage.uuid);
        let mut enqueued = Enqueued::default();
        let mut chunks = std::pin::pin!(self.specs(stage.uuid)?.try_chunks(PUSH_SIZE));
        loop {
            let (specs, failure): (Vec<TaskSpec>, _) = match chunks.try_next().await {
                Ok(Some(specs)) => (specs, None),
                Ok(None) => break,
                Err(futures::stream::TryChunksError(specs, error)) => (specs, Some(error)),
            };
            let new = queue.store.push(&name, &specs, queue.max_deliveries).await?;
            enqueued.new += new;
            enqueued.known += specs.len() as u64 - new;
            if let Some(failure) = failure {
                return Err(failure);
            }
        }
        info!(stage = %stage.title, new = enqueued.new, known = enqueued.known, "enqueued");
        Ok(enqueued)
    }
}

/// One queue per project and stage, so that one file can hold many.
fn queue_name(project: ProjectHash, stage: StageUuid) -> String {
    format!("encord:{project}:{stage}")
}
