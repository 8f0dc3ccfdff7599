//! What the queue runner asks of whatever carries its tasks, so that the same producer, worker and command line
//! serve a file on one machine and a broker for many.
//!
//! The engines of this crate are [`embedded`](super::embedded) and [`nats`](super::nats). The traits can be
//! implemented for others too; where that is more than you want, feed a [`StageHandler`](super::StageHandler)
//! from your own consumer instead.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use encord_labels::id::{ProjectHash, StageUuid, TaskUuid};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::TaskSpec;
use crate::error::Error;

/// Which queue: there is one per project and stage, so that one engine can hold many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QueueId {
    /// The project.
    pub project: ProjectHash,
    /// The stage.
    pub stage: StageUuid,
}

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "encord:{}:{}", self.project, self.stage)
    }
}

/// Keeps tasks until they are done, however many processes come and go.
///
/// What an engine promises: a task that was pushed is delivered until it is acknowledged, to one worker at a time
/// as long as that worker lives, and what was confirmed survives the death of any process.
pub trait Engine: Send + Sync {
    /// The file or address, without secrets.
    fn name(&self) -> &str;

    /// Adds tasks that are not in the queue yet, neither waiting nor running nor dead, and says how many that were.
    /// `trace` travels with each of them.
    fn push<'a>(
        &'a self,
        queue: QueueId,
        specs: &'a [TaskSpec],
        trace: &'a str,
    ) -> BoxFuture<'a, Result<u64, Error>>;

    /// Registers a worker that counts as dead after `lease` without a sign of life.
    fn listen(&self, queue: QueueId, lease: Duration) -> BoxFuture<'_, Result<Box<dyn Session>, Error>>;

    /// How many tasks wait, run, are done, are dead.
    fn status(&self, queue: QueueId) -> BoxFuture<'_, Result<QueueStatus, Error>>;

    /// Tasks that were given up, oldest first, at most `limit`.
    fn dead(&self, queue: QueueId, limit: usize) -> BoxFuture<'_, Result<Vec<DeadTask>, Error>>;

    /// Puts dead tasks back into the queue with all their deliveries, all of them or the one with this
    /// [key](DeadTask::key). Returns how many.
    fn retry_dead<'a>(&'a self, queue: QueueId, key: Option<&'a str>) -> BoxFuture<'a, Result<u64, Error>>;

    /// Forgets dead tasks, all of them or the one with this [key](DeadTask::key). Returns how many.
    fn drop_dead<'a>(&'a self, queue: QueueId, key: Option<&'a str>) -> BoxFuture<'a, Result<u64, Error>>;

    /// Completions in the order they came, at most `limit`, after the one at position `after`; 0 is before all.
    fn completions(
        &self,
        queue: QueueId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Completion>, Error>>;
}

/// One worker at one queue, from its registration to its end.
pub trait Session: Send + Sync {
    /// The next deliveries, at most so many, without waiting for any. Each is this worker's until it is answered,
    /// dropped, or the worker dies.
    fn take(&self, most: usize) -> BoxFuture<'_, Result<Vec<Box<dyn Delivery>>, Error>>;

    /// Whether nothing waits and nothing runs, with this worker or any other.
    fn is_empty(&self) -> BoxFuture<'_, Result<bool, Error>>;
}

/// One task in the hands of a worker. Its lease is renewed as long as this value lives.
pub trait Delivery: Send + Sync {
    /// What was put into the queue.
    fn payload(&self) -> &[u8];

    /// How often it was delivered before.
    fn delivered_before(&self) -> u32;

    /// How those deliveries ended that were answered, and how often the task was run alone.
    fn history(&self) -> History;

    /// How many of the deliveries before this one ended without an answer: their worker died, or lost its lease.
    fn unanswered_before(&self) -> u32 {
        let History { failed, handed_back, .. } = self.history();
        self.delivered_before().saturating_sub(failed).saturating_sub(handed_back)
    }

    /// How often it is delivered before it is given up.
    fn max_deliveries(&self) -> u32;

    /// Notes, so that it survives this process, that the task is about to be run with nothing beside it: the next
    /// delivery's [`History::alone`] is one more, unless this one is answered.
    fn begin_alone(&self) -> BoxFuture<'_, Result<(), Error>>;

    /// What the producer sent along to link its trace.
    fn trace(&self) -> Option<&str>;

    /// Stores the completion and takes the task out of the queue.
    fn done<'a>(&'a self, completion: &'a super::TaskCompletion) -> BoxFuture<'a, Result<(), Error>>;

    /// Gives the task back after a failure, to be delivered again after a pause.
    fn retry_later<'a>(&'a self, error: &'a str, pause: Duration) -> BoxFuture<'a, Result<(), Error>>;

    /// Gives the task back for no fault of its own, to be delivered again after a pause.
    fn hand_back<'a>(&'a self, reason: &'a str, pause: Duration) -> BoxFuture<'a, Result<(), Error>>;

    /// Moves the task to the dead ones.
    fn give_up<'a>(&'a self, error: &'a str) -> BoxFuture<'a, Result<(), Error>>;
}

/// What is known of the earlier deliveries of a task, because engines count a failure and the death of a worker alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// Deliveries that ended with a failure.
    pub failed: u32,
    /// Deliveries that were handed back, because the platform was out of reach.
    pub handed_back: u32,
    /// Deliveries that ended without an answer although nothing ran beside the task.
    pub alone: u32,
}

/// How full a queue is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct QueueStatus {
    /// Waiting for a worker, those that wait for another delivery included where the engine can tell.
    pub waiting: u64,
    /// Being worked on.
    pub running: u64,
    /// Done, as far back as the engine keeps completions.
    pub done: u64,
    /// Given up.
    pub dead: u64,
    /// How long the oldest task that is not done has been in the queue, in seconds.
    pub oldest_seconds: Option<u64>,
    /// Tasks done per second over the last minute.
    pub rate: f64,
}

/// A task that was given up.
#[derive(Clone, Debug, Serialize)]
pub struct DeadTask {
    /// What to call it when it is retried or dropped: the task's uuid, unless something else was put into the queue.
    pub key: String,
    /// The task, if it is one.
    pub task: Option<TaskUuid>,
    /// How often it was delivered.
    pub deliveries: u32,
    /// What went wrong the last time.
    pub error: String,
}

/// The answer to one task, as it is kept for the producer.
#[derive(Clone, Debug, Serialize)]
pub struct Completion {
    /// Its place in the order; the next ones come after it.
    pub position: u64,
    /// The [completion](super::TaskCompletion) as JSON.
    pub json: String,
}

/// What [`open_with`] passes on to the engine.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// How often a task is delivered before it is given up. Default: 5.
    pub max_deliveries: Option<u32>,
    /// A file with the credentials of a server.
    pub credentials_file: Option<PathBuf>,
}

/// Opens the queue at an address: `nats://…` or `tls://…` with the feature `queue-nats`, anything else is a file
/// and needs the feature `queue-embedded`.
///
/// # Errors
/// [`Error::Queue`] when the queue cannot be opened or reached, or its engine was left out of this build.
pub async fn open(address: &str) -> Result<Box<dyn Engine>, Error> {
    open_with(address, &OpenOptions::default()).await
}

/// As [`open`], with options.
///
/// # Errors
/// As [`open`].
pub async fn open_with(address: &str, options: &OpenOptions) -> Result<Box<dyn Engine>, Error> {
    match address.split_once("://") {
        None => open_file(address, options).await,
        Some(("nats" | "tls", _)) => open_nats(address, options).await,
        Some((scheme, _)) => Err(Error::Queue {
            queue: format!("{scheme}://…"),
            problem: "no engine speaks this; use nats://HOST:PORT or the path of a file".to_owned(),
        }),
    }
}

#[cfg(feature = "queue-embedded")]
async fn open_file(path: &str, options: &OpenOptions) -> Result<Box<dyn Engine>, Error> {
    let queue = super::embedded::EmbeddedQueue::open(path).await?;
    Ok(Box::new(match options.max_deliveries {
        Some(deliveries) => queue.with_max_deliveries(deliveries),
        None => queue,
    }))
}

#[cfg(not(feature = "queue-embedded"))]
async fn open_file(_path: &str, _options: &OpenOptions) -> Result<Box<dyn Engine>, Error> {
    Err(left_out("a file", "queue-embedded"))
}

#[cfg(feature = "queue-nats")]
async fn open_nats(address: &str, options: &OpenOptions) -> Result<Box<dyn Engine>, Error> {
    let default = super::nats::NatsOptions::default();
    let settings = super::nats::NatsOptions {
        max_deliveries: options.max_deliveries.unwrap_or(default.max_deliveries),
        credentials_file: options.credentials_file.clone(),
        ..default
    };
    Ok(Box::new(super::nats::NatsQueue::connect_with(address, &settings).await?))
}

#[cfg(not(feature = "queue-nats"))]
async fn open_nats(_address: &str, _options: &OpenOptions) -> Result<Box<dyn Engine>, Error> {
    Err(left_out("nats://…", "queue-nats"))
}

#[cfg(not(all(feature = "queue-embedded", feature = "queue-nats")))]
fn left_out(queue: &str, feature: &str) -> Error {
    let problem = format!("its engine was left out; build with the feature {feature}");
    Error::Queue { queue: queue.to_owned(), problem }
}
