//! The streams and subjects on the server, and the few operations on them that everything else is made of.
//!
//! Four streams: tasks (a work queue), completions, dead letters, and the history of tasks that were delivered more
//! than once. A subject names the queue and the task, so
//! that a stream holds each task at most once.

use std::fmt::Display;
use std::time::{Duration, SystemTime};

use async_nats::connection::State;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::context::{ContextBuilder, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{
    DiscardPolicy, LastRawMessageErrorKind, RetentionPolicy, StorageType, Stream,
};
use async_nats::jetstream::{Context, ErrorCode, stream};
use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use bytes::Bytes;
use futures::StreamExt;
use tracing::{debug, info, warn};

use super::NatsOptions;
use crate::error::Error;
use crate::queue::engine::QueueId;

/// How long one request to the server may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The pause between attempts to reach the server at the start, or to publish again.
pub(super) const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// How long the server keeps a consumer that reads a stream once, should its deletion get lost.
const READER_LIFE: Duration = Duration::from_secs(30);

/// One of the four streams.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Tasks,
    Done,
    Dead,
    History,
}

#[derive(Clone)]
pub(super) struct Broker {
    client: Client,
    pub(super) context: Context,
    prefix: String,
    name: String,
}

/// A message that was read from a stream.
pub(super) struct Stored {
    pub(super) sequence: u64,
    /// The last part of its subject: the task's uuid.
    pub(super) key: String,
    pub(super) payload: Bytes,
}

/// What became of a message that was to be stored once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Published {
    Stored,
    /// There is one with this subject already.
    Known,
}

impl Broker {
    pub(super) async fn connect(address: &str, options: &NatsOptions) -> Result<Self, Error> {
        let name = without_secrets(address);
        let problem = |problem: String| Error::Queue { queue: name.clone(), problem };
        let servers: Vec<ServerAddr> = address
            .split(',')
            .map(|server| server.trim().parse())
            .collect::<Result<_, std::io::Error>>()
            .map_err(|error| problem(error.to_string()))?;
        let client = loop_connect(&servers, options).await.map_err(|error| {
            problem(format!("{error}; is the server running, and does the address name its client port?"))
        })?;
        let context = ContextBuilder::new().timeout(REQUEST_TIMEOUT).build(client.clone());
        let broker = Broker { client, context, prefix: options.prefix.clone(), name };
        for kind in [Kind::Tasks, Kind::Done, Kind::Dead, Kind::History] {
            broker.make_stream(kind, options).await?;
        }
        Ok(broker)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn problem<E: Display>(&self, action: &'static str) -> impl Fn(E) -> Error + '_ {
        move |error| Error::Queue { queue: self.name.clone(), problem: format!("{action}: {error}") }
    }

    /// Asking while the connection is down would queue the question up, to be asked when nobody waits any more.
    pub(super) fn connected(&self) -> Result<(), Error> {
        match self.client.connection_state() {
            State::Connected => Ok(()),
            _ => Err(Error::Queue {
                queue: self.name.clone(),
                problem: "the connection is lost, it is being restored".to_owned(),
            }),
        }
    }

    /// Asks again when an answer got lost, as when the server is started anew in between.
    pub(super) async fn repeatedly<T, F>(&self, patience: Duration, ask: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let until = tokio::time::Instant::now() + patience;
        loop {
            match ask().await {
                Err(failure) if tokio::time::Instant::now() < until => debug!("asking again: {failure}"),
                answer => return answer,
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    fn stream_name(&self, kind: Kind) -> String {
        format!("{}_{}", self.prefix, kind.word()).to_uppercase()
    }

    /// The subject of one task in a queue, or of all of them with `*` as the key.
    pub(super) fn subject(&self, kind: Kind, queue: QueueId, key: &str) -> String {
        format!("{}.{}.{}.{}.{key}", self.prefix, kind.word(), queue.project, queue.stage)
    }

    /// Makes a stream that is not there. One that is keeps its settings, except that it must be what we need.
    async fn make_stream(&self, kind: Kind, options: &NatsOptions) -> Result<(), Error> {
        let mut config = stream::Config {
            name: self.stream_name(kind),
            subjects: vec![format!("{}.{}.>", self.prefix, kind.word())],
            storage: StorageType::File,
            num_replicas: options.replicas,
            ..stream::Config::default()
        };
        match kind {
            Kind::Tasks => {
                config.retention = RetentionPolicy::WorkQueue;
                config.discard = DiscardPolicy::New;
            }
            Kind::Done | Kind::History => {
                config.max_age = options.keep_completions;
                config.max_messages_per_subject = 1;
            }
            Kind::Dead => config.max_messages_per_subject = 1,
        }
        let wanted = (config.retention, config.storage);
        let make = || async {
            self.context.get_or_create_stream(config.clone()).await.map_err(self.problem("making a stream"))
        };
        let made = self.repeatedly(REQUEST_TIMEOUT * 2, make).await?;
        let found = &made.cached_info().config;
        if (found.retention, found.storage) != wanted {
            let problem = format!(
                "the stream {} is there with other settings ({:?}, {:?}); use another prefix",
                found.name, found.retention, found.storage
            );
            return Err(Error::Queue { queue: self.name.clone(), problem });
        }
        Ok(())
    }

    pub(super) async fn stream(&self, kind: Kind) -> Result<Stream<()>, Error> {
        let name = self.stream_name(kind);
        self.context.get_stream_no_info(name).await.map_err(self.problem("finding a stream"))
    }

    /// The consumer that all workers of a queue share. Without a lease, one that is there stays as it is.
    pub(super) async fn consumer(
        &self,
        queue: QueueId,
        lease: Option<Duration>,
    ) -> Result<PullConsumer, Error> {
        let config = pull::Config {
            durable_name: Some(consumer_name(queue)),
            ack_policy: AckPolicy::Explicit,
            ack_wait: lease.unwrap_or(Duration::from_secs(30)),
            // The workers count, so that a task which kills them ends among the dead ones instead of nowhere.
            max_deliver: -1,
            max_ack_pending: -1,
            filter_subject: self.subject(Kind::Tasks, queue, "*"),
            ..pull::Config::default()
        };
        let stream = self.stream(Kind::Tasks).await?;
        let consumer = match lease {
            Some(_) => stream.create_consumer(config).await,
            None => return self.known_consumer(&stream, queue, config).await,
        };
        consumer.map_err(self.problem("registering a worker"))
    }

    async fn known_consumer(
        &self,
        stream: &Stream<()>,
        queue: QueueId,
        config: pull::Config,
    ) -> Result<PullConsumer, Error> {
        let consumer = stream.get_or_create_consumer(&consumer_name(queue), config).await;
        consumer.map_err(self.problem("registering a producer"))
    }

    /// Stores a message unless there is one with its subject, however often that takes within the patience.
    pub(super) async fn publish_once(
        &self,
        subject: String,
        message: PublishMessage,
        patience: Duration,
    ) -> Result<Published, Error> {
        let message = message.expected_last_subject_sequence(0);
        let until = tokio::time::Instant::now() + patience;
        let mut uncertain = false;
        loop {
            let sent = self.context.send_publish(subject.clone(), message.clone()).await;
            let stored = match sent {
                Ok(acknowledgement) => acknowledgement.await.map(drop),
                Err(error) => Err(error),
            };
            let Err(error) = stored else { return Ok(Published::Stored) };
            match error.kind() {
                // After an answer that got lost, the one that is there is most likely this one.
                PublishErrorKind::WrongLastSequence if uncertain => return Ok(Published::Stored),
                PublishErrorKind::WrongLastSequence => return Ok(Published::Known),
                PublishErrorKind::MaxPayloadExceeded => {
                    let key = subject.rsplit('.').next().unwrap_or_default();
                    let problem = format!("task {key} is too large: {error}; raise the server's max_payload");
                    return Err(Error::Queue { queue: self.name.clone(), problem });
                }
                _ if tokio::time::Instant::now() >= until => return Err(self.problem("storing")(error)),
                _ => {
                    debug!("storing again: {error}");
                    uncertain = true;
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
        }
    }

    /// Stores a message in place of one with its subject.
    pub(super) async fn publish(&self, subject: String, payload: Vec<u8>) -> Result<(), Error> {
        self.connected()?;
        self.send(subject, payload).await.map_err(self.problem("storing"))
    }

    /// As [`Broker::publish`], but when the server refuses the message, the short form of it is stored.
    pub(super) async fn publish_or(
        &self,
        subject: String,
        payload: Vec<u8>,
        short: impl FnOnce() -> Vec<u8>,
    ) -> Result<(), Error> {
        self.connected()?;
        match self.send(subject.clone(), payload).await {
            Err(refused) if is_too_large(&refused) => {
                warn!("the server does not store a message whole: {refused}");
                self.publish(subject, short()).await
            }
            sent => sent.map_err(self.problem("storing")),
        }
    }

    async fn send(&self, subject: String, payload: Vec<u8>) -> Result<(), PublishError> {
        self.context.publish(subject, payload.into()).await?.await.map(drop)
    }

    /// The message with this subject, if there is one.
    pub(super) async fn last(&self, kind: Kind, queue: QueueId, key: &str) -> Result<Option<Bytes>, Error> {
        let subject = self.subject(kind, queue, key);
        match self.stream(kind).await?.get_last_raw_message_by_subject(&subject).await {
            Ok(message) => Ok(Some(message.payload)),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(self.problem("looking for a message")(error)),
        }
    }

    /// Deletes messages of a queue, the one of a task or all of them with `*`, and says how many.
    pub(super) async fn delete(&self, kind: Kind, queue: QueueId, key: &str) -> Result<u64, Error> {
        let subject = self.subject(kind, queue, key);
        let purged = self.stream(kind).await?.purge().filter(subject).await;
        Ok(purged.map_err(self.problem("deleting messages"))?.purged)
    }

    /// Messages of a queue in their order, at most `limit`, after the one with this sequence number.
    pub(super) async fn read(
        &self,
        kind: Kind,
        queue: QueueId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Stored>, Error> {
        let Some(start_sequence) = after.checked_add(1) else { return Ok(Vec::new()) };
        let policy = DeliverPolicy::ByStartSequence { start_sequence };
        let (consumer, waiting) = self.reader(kind, queue, policy).await?;
        let wanted = limit.min(usize::try_from(waiting).unwrap_or(usize::MAX));
        let mut found = Vec::new();
        if wanted > 0 {
            let fetched = consumer.fetch().max_messages(wanted).messages().await;
            let mut messages = fetched.map_err(self.problem("reading"))?.take(wanted);
            let reading = async {
                while let Some(message) = messages.next().await {
                    let message = message.map_err(self.problem("reading"))?;
                    let sequence = message.info().map_err(self.problem("reading"))?.stream_sequence;
                    let key = last_part(&message.subject).to_owned();
                    found.push(Stored { sequence, key, payload: message.payload.clone() });
                }
                Ok::<(), Error>(())
            };
            tokio::time::timeout(REQUEST_TIMEOUT, reading).await.map_err(self.problem("reading"))??;
        }
        self.forget(kind, &consumer).await;
        Ok(found)
    }

    /// How many messages of a queue there are, all of them or those of the last so many seconds.
    pub(super) async fn count(
        &self,
        kind: Kind,
        queue: QueueId,
        within: Option<Duration>,
    ) -> Result<u64, Error> {
        let policy = match within.and_then(|within| SystemTime::now().checked_sub(within)) {
            Some(start) => DeliverPolicy::ByStartTime { start_time: start.into() },
            None => DeliverPolicy::All,
        };
        let (consumer, waiting) = self.reader(kind, queue, policy).await?;
        self.forget(kind, &consumer).await;
        Ok(waiting)
    }

    /// A consumer of its own, and how many messages it would get.
    async fn reader(
        &self,
        kind: Kind,
        queue: QueueId,
        deliver_policy: DeliverPolicy,
    ) -> Result<(PullConsumer, u64), Error> {
        self.connected()?;
        let config = pull::Config {
            ack_policy: AckPolicy::None,
            deliver_policy,
            filter_subject: self.subject(kind, queue, "*"),
            inactive_threshold: READER_LIFE,
            ..pull::Config::default()
        };
        let made = self.stream(kind).await?.create_consumer(config).await;
        let consumer = made.map_err(self.problem("reading"))?;
        let waiting = consumer.cached_info().num_pending;
        Ok((consumer, waiting))
    }

    async fn forget(&self, kind: Kind, consumer: &PullConsumer) {
        let Ok(stream) = self.stream(kind).await else { return };
        if let Err(error) = stream.delete_consumer(&consumer.cached_info().name).await {
            debug!("a reader is left to its end: {error}");
        }
    }
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Tasks => "tasks",
            Kind::Done => "done",
            Kind::Dead => "dead",
            Kind::History => "history",
        }
    }
}

pub(super) fn consumer_name(queue: QueueId) -> String {
    format!("work-{}-{}", queue.project, queue.stage)
}

/// Whether a message is above the limit of the connection, or of its stream.
fn is_too_large(refused: &PublishError) -> bool {
    let by_stream = || {
        let source = std::error::Error::source(refused);
        source
            .and_then(|source| source.downcast_ref::<async_nats::jetstream::Error>())
            .is_some_and(|error| error.error_code() == ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM)
    };
    refused.kind() == PublishErrorKind::MaxPayloadExceeded || by_stream()
}

/// Whether this can name one task; otherwise it would name none, or many.
pub(super) fn is_key(key: &str) -> bool {
    !key.is_empty() && !key.contains(|letter: char| ".*>".contains(letter) || letter.is_whitespace())
}

/// The part of a subject that names the task.
pub(super) fn last_part(subject: &str) -> &str {
    subject.rsplit('.').next().unwrap_or_default()
}

/// The addresses without user names, passwords and tokens.
fn without_secrets(address: &str) -> String {
    let bare = |server: &str| match (server.split_once("://"), server.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        _ => server.to_owned(),
    };
    address.split(',').map(|server| bare(server.trim())).collect::<Vec<_>>().join(",")
}

/// Connects, again and again for as long as the options say. Once connected, the client reconnects by itself.
async fn loop_connect(servers: &[ServerAddr], options: &NatsOptions) -> Result<Client, String> {
    let until = tokio::time::Instant::now() + options.connect_timeout;
    loop {
        let mut connect = ConnectOptions::new()
            .name("encord-runner")
            .connection_timeout(REQUEST_TIMEOUT.min(options.connect_timeout))
            .request_timeout(Some(REQUEST_TIMEOUT))
            .event_callback(|event| async move {
                match event {
                    Event::Connected => info!("connected to the queue's server"),
                    other => warn!("the queue's server: {other}"),
                }
            });
        if let Some(file) = &options.credentials_file {
            let read = connect.credentials_file(file).await;
            connect = read.map_err(|error| format!("credentials file {}: {error}", file.display()))?;
        }
        match connect.connect(servers.to_vec()).await {
            Ok(client) => return Ok(client),
            Err(error) if tokio::time::Instant::now() + RETRY_PAUSE >= until => return Err(error.to_string()),
            Err(error) => debug!("connecting again: {error}"),
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn addresses_are_shown_without_secrets() {
        let check = |address: &str, shown: &str| assert_eq!(without_secrets(address), shown);
        check("nats://ana:p@ss@host:4222", "nats://host:4222");
        check("tls://token@a, nats://b:1", "tls://a,nats://b:1");
        check("user:secret@host", "host");
        check("host:4222", "host:4222");
    }
}
