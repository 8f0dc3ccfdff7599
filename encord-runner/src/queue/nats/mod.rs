//! A durable queue on NATS JetStream, for workers on many machines.
//!
//! The server keeps the tasks in a work-queue stream in files, hands each to one worker, and gives it to another
//! when the worker neither answers nor renews its lease. Around it are the bounded number of deliveries with dead
//! letters, and the completions for the producer, in a stream each.
//!
//! A single server confirms a message before it is safe from a crash unless its configuration says
//! `jetstream { sync_interval: always }`; use that, or three servers and [`NatsOptions::replicas`].

mod broker;
mod session;

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use async_nats::jetstream::message::PublishMessage;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use tracing::warn;

use self::broker::{Broker, Kind, Published, Stored, consumer_name, is_key};
use self::session::NatsSession;
use super::TaskSpec;
use super::engine::{Completion, DeadTask, Engine, QueueId, QueueStatus, Session};
use crate::error::Error;

/// The header that carries the producer's trace, as everywhere.
const TRACE: &str = "traceparent";

/// How many messages are on their way to the server at a time.
const IN_FLIGHT: usize = 256;

/// How long a producer goes on when the server is out of reach.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many dead letters are moved together.
const PAGE: usize = 500;

/// How a [`NatsQueue`] is set up.
#[derive(Clone, Debug)]
pub struct NatsOptions {
    /// On how many servers of a cluster each message is kept. Only used when a stream is made. Default: 1.
    pub replicas: usize,
    /// What names of streams and subjects begin with. Default: `encord`.
    pub prefix: String,
    /// How often a task is delivered before it is given up; the same for all workers of a queue. Within each
    /// delivery the runner's own retries apply. Default: 5.
    pub max_deliveries: u32,
    /// How long completions are kept for the producer. Only used when a stream is made. Default: 7 days.
    pub keep_completions: Duration,
    /// How long to go on when no server answers at the start. Default: 10 s.
    pub connect_timeout: Duration,
    /// A file with the user's token and key, as `nsc` writes it.
    pub credentials_file: Option<PathBuf>,
}

impl Default for NatsOptions {
    fn default() -> Self {
        NatsOptions {
            replicas: 1,
            prefix: "encord".to_owned(),
            max_deliveries: 5,
            keep_completions: Duration::from_secs(7 * 24 * 3600),
            connect_timeout: Duration::from_secs(10),
            credentials_file: None,
        }
    }
}

/// A queue on a NATS server or cluster. Cloning is cheap.
///
/// ```no_run
/// use encord_runner::queue::WorkOptions;
/// use encord_runner::queue::nats::NatsQueue;
///
/// # async fn example(runner: encord_runner::queue::QueueRunner) -> Result<(), encord_runner::Error> {
/// let queue = NatsQueue::connect("nats://queue.example.org:4222").await?;
/// runner.enqueue(&queue, "Agent 1").await?;
/// // On any number of machines:
/// let report = runner.work(&queue, WorkOptions { concurrency: 4, ..WorkOptions::default() }).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct NatsQueue {
    broker: Broker,
    max_deliveries: u32,
}

/// What is kept of a dead task.
#[derive(Serialize, Deserialize)]
struct DeadLetter {
    deliveries: u32,
    error: String,
    trace: Option<String>,
    payload: String,
    /// The payload did not fit in whole.
    #[serde(default)]
    is_cut: bool,
}

impl NatsQueue {
    /// Connects to a server, or to several (separated by commas) of one cluster, and makes the streams that are not
    /// there. A user and password, or a token, can stand in front of the host.
    ///
    /// # Errors
    /// [`Error::Queue`] when no server answers in time, or the streams cannot be made.
    pub async fn connect(address: &str) -> Result<Self, Error> {
        NatsQueue::connect_with(address, &NatsOptions::default()).await
    }

    /// As [`NatsQueue::connect`], with options.
    ///
    /// # Errors
    /// As [`NatsQueue::connect`], and when an option makes no sense.
    pub async fn connect_with(address: &str, options: &NatsOptions) -> Result<Self, Error> {
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
        if options.prefix.is_empty() || !options.prefix.chars().all(is_word) {
            let problem = format!("{:?} has other characters than letters, digits, - and _", options.prefix);
            return Err(Error::InvalidOption { option: "prefix", problem });
        }
        let broker = Broker::connect(address, options).await?;
        Ok(NatsQueue { broker, max_deliveries: options.max_deliveries.max(1) })
    }

    async fn push_one(
        &self,
        queue: QueueId,
        spec: &TaskSpec,
        trace: &str,
        any_dead: bool,
    ) -> Result<Published, Error> {
        let key = spec.task().to_string();
        if any_dead && self.broker.last(Kind::Dead, queue, &key).await?.is_some() {
            return Ok(Published::Known);
        }
        let subject = self.broker.subject(Kind::Tasks, queue, &key);
        let message = PublishMessage::build().payload(spec.to_string().into()).header(TRACE, trace);
        self.broker.publish_once(subject, message, PATIENCE).await
    }

    async fn push_all(&self, queue: QueueId, specs: &[TaskSpec], trace: &str) -> Result<u64, Error> {
        if specs.is_empty() {
            return Ok(0);
        }
        self.broker.repeatedly(PATIENCE, || self.broker.consumer(queue, None)).await?;
        // There are rarely dead tasks, and rarely many.
        let dead = self.broker.repeatedly(PATIENCE, || self.broker.count(Kind::Dead, queue, None)).await?;
        let any_dead = dead > 0;
        let mut publishing = Vec::with_capacity(specs.len());
        for spec in specs {
            publishing.push(self.push_one(queue, spec, trace, any_dead).boxed());
        }
        let published = futures::stream::iter(publishing).buffered(IN_FLIGHT);
        let counted = published
            .try_fold(0, |new, published| async move { Ok(new + u64::from(published == Published::Stored)) });
        counted.await
    }

    async fn measure(&self, queue: QueueId) -> Result<QueueStatus, Error> {
        self.broker.connected()?;
        let tasks = self.broker.stream(Kind::Tasks).await?;
        // Without a consumer nothing was ever put into this queue.
        let consumer = tasks.consumer_info(consumer_name(queue)).await.ok();
        let (waiting, running) =
            consumer.map_or((0, 0), |consumer| (consumer.num_pending, consumer.num_ack_pending as u64));
        let subject = self.broker.subject(Kind::Tasks, queue, "*");
        let oldest = tasks.get_first_raw_message_by_subject(&subject, 1).await.ok();
        let age = |since: SystemTime| SystemTime::now().duration_since(since).unwrap_or_default().as_secs();
        let minute = Duration::from_secs(60);
        let (done, recent, dead) = tokio::try_join!(
            self.broker.count(Kind::Done, queue, None),
            self.broker.count(Kind::Done, queue, Some(minute)),
            self.broker.count(Kind::Dead, queue, None),
        )?;
        Ok(QueueStatus {
            waiting,
            running,
            done,
            dead,
            oldest_seconds: oldest.map(|oldest| age(oldest.time.into())),
            rate: recent as f64 / minute.as_secs_f64(),
        })
    }

    async fn retry(&self, queue: QueueId, key: Option<&str>) -> Result<u64, Error> {
        let stream = self.broker.stream(Kind::Dead).await?;
        let mut retried = 0;
        let mut after = 0;
        loop {
            let page = self.broker.read(Kind::Dead, queue, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(retried) };
            after = last.sequence;
            for stored in page.iter().filter(|stored| key.is_none_or(|key| key == stored.key)) {
                let letter = match stored.letter() {
                    Ok(letter) if letter.is_cut => {
                        warn!(
                            key = stored.key,
                            "cannot be retried, its message was too large to be kept whole"
                        );
                        continue;
                    }
                    Ok(letter) => letter,
                    Err(problem) => {
                        warn!(key = stored.key, "cannot be retried: {problem}");
                        continue;
                    }
                };
                let subject = self.broker.subject(Kind::Tasks, queue, &stored.key);
                let trace = letter.trace.unwrap_or_default();
                let message =
                    PublishMessage::build().payload(letter.payload.into()).header(TRACE, trace.as_str());
                self.broker.publish_once(subject, message, PATIENCE).await?;
                // Only now: a crash in between leaves a task that is waiting and dead, not one that is lost.
                let deleted = stream.delete_message(stored.sequence).await;
                deleted.map_err(self.broker.problem("deleting a dead letter"))?;
                retried += 1;
            }
        }
    }

    async fn list_dead(&self, queue: QueueId, limit: usize) -> Result<Vec<DeadTask>, Error> {
        let stored = self.broker.read(Kind::Dead, queue, 0, limit).await?;
        let read = |stored: Stored| {
            let (deliveries, error) = match stored.letter() {
                Ok(letter) => (letter.deliveries, letter.error),
                Err(problem) => (0, problem),
            };
            DeadTask { task: stored.key.parse().ok(), key: stored.key, deliveries, error }
        };
        Ok(stored.into_iter().map(read).collect())
    }

    async fn read_done(&self, queue: QueueId, after: u64, limit: usize) -> Result<Vec<Completion>, Error> {
        let stored = self.broker.read(Kind::Done, queue, after, limit).await?;
        let read = |stored: Stored| Completion {
            position: stored.sequence,
            json: String::from_utf8_lossy(&stored.payload).into_owned(),
        };
        Ok(stored.into_iter().map(read).collect())
    }
}

impl Engine for NatsQueue {
    fn name(&self) -> &str {
        self.broker.name()
    }

    fn push<'a>(
        &'a self,
        queue: QueueId,
        specs: &'a [TaskSpec],
        trace: &'a str,
    ) -> BoxFuture<'a, Result<u64, Error>> {
        self.push_all(queue, specs, trace).boxed()
    }

    fn listen(&self, queue: QueueId, lease: Duration) -> BoxFuture<'_, Result<Box<dyn Session>, Error>> {
        async move {
            let session = NatsSession::start(self.broker.clone(), queue, lease, self.max_deliveries).await?;
            Ok(Box::new(session) as Box<dyn Session>)
        }
        .boxed()
    }

    fn status(&self, queue: QueueId) -> BoxFuture<'_, Result<QueueStatus, Error>> {
        self.measure(queue).boxed()
    }

    fn dead(&self, queue: QueueId, limit: usize) -> BoxFuture<'_, Result<Vec<DeadTask>, Error>> {
        self.list_dead(queue, limit).boxed()
    }

    fn retry_dead<'a>(&'a self, queue: QueueId, key: Option<&'a str>) -> BoxFuture<'a, Result<u64, Error>> {
        self.retry(queue, key).boxed()
    }

    fn drop_dead<'a>(&'a self, queue: QueueId, key: Option<&'a str>) -> BoxFuture<'a, Result<u64, Error>> {
        async move {
            match key {
                Some(key) if !is_key(key) => Ok(0),
                key => self.broker.delete(Kind::Dead, queue, key.unwrap_or("*")).await,
            }
        }
        .boxed()
    }

    fn completions(
        &self,
        queue: QueueId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Completion>, Error>> {
        self.read_done(queue, after, limit).boxed()
    }
}

impl Stored {
    /// The message as a dead letter. Anybody can write to the subject, so it may be something else.
    fn letter(&self) -> Result<DeadLetter, String> {
        serde_json::from_slice(&self.payload)
            .map_err(|error| format!("not a dead letter of a worker: {error}"))
    }
}

impl fmt::Debug for NatsQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsQueue").field("server", &self.broker.name()).finish_non_exhaustive()
    }
}
