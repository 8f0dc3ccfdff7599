//! One worker at the server: it pulls what it can work on at once, and renews the lease of each task.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{AckKind, Message};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use tracing::warn;

use super::broker::{Broker, Kind, last_part};
use super::{DeadLetter, TRACE};
use crate::error::Error;
use crate::queue::TaskCompletion;
use crate::queue::completion::cut;
use crate::queue::engine::{Delivery, History, QueueId, Session};
use crate::report::TaskOutcome;
use crate::shutdown::AbortOnDrop;

/// How long the server may take to say what it has.
const TAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the server may take to confirm the end of a task.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// How much of a text is kept where all of it does not fit.
const SHORT: usize = 1 << 10;

pub(super) struct NatsSession {
    broker: Broker,
    queue: QueueId,
    lease: Duration,
    max_deliveries: u32,
    consumer: Mutex<PullConsumer>,
}

impl NatsSession {
    pub(super) async fn start(
        broker: Broker,
        queue: QueueId,
        lease: Duration,
        max_deliveries: u32,
    ) -> Result<Self, Error> {
        let consumer = Mutex::new(broker.consumer(queue, Some(lease)).await?);
        Ok(NatsSession { broker, queue, lease, max_deliveries, consumer })
    }

    fn consumer(&self) -> PullConsumer {
        self.consumer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn pull(&self, most: usize) -> Result<Vec<Message>, Error> {
        const ACTION: &str = "taking tasks";
        let consumer = self.consumer();
        let mut messages =
            consumer.fetch().max_messages(most).messages().await.map_err(self.broker.problem(ACTION))?;
        let mut taken = Vec::with_capacity(most);
        let pulled = tokio::time::timeout(TAKE_TIMEOUT, async {
            while taken.len() < most {
                match messages.next().await {
                    Some(Ok(message)) => taken.push(message),
                    Some(Err(error)) => return Err(error.to_string()),
                    None => break,
                }
            }
            Ok(())
        });
        match pulled.await.unwrap_or_else(|_| Err("the server did not answer in time".to_owned())) {
            // What was handed over before the failure is ours.
            Err(error) if taken.is_empty() => Err(self.broker.problem(ACTION)(error)),
            _ => Ok(taken),
        }
    }

    async fn take_some(&self, most: usize) -> Result<Vec<Box<dyn Delivery>>, Error> {
        self.broker.connected()?;
        let messages = match self.pull(most).await {
            Ok(messages) => messages,
            Err(failure) => {
                // The server may have lost the consumer; without one nothing would ever come.
                self.broker.connected()?;
                let restored = self.broker.consumer(self.queue, Some(self.lease)).await?;
                *self.consumer.lock().unwrap_or_else(PoisonError::into_inner) = restored;
                return Err(failure);
            }
        };
        let mut deliveries = Vec::with_capacity(messages.len());
        for message in messages {
            deliveries.push(self.deliver(message).await?);
        }
        Ok(deliveries)
    }

    async fn deliver(&self, message: Message) -> Result<Box<dyn Delivery>, Error> {
        let info = message.info().map_err(self.broker.problem("taking tasks"))?;
        let delivered = u32::try_from(info.delivered).unwrap_or(u32::MAX);
        let trace = message.headers.as_ref().and_then(|headers| headers.get(TRACE));
        let trace = trace.map(|trace| trace.as_str().to_owned());
        let key = last_part(&message.subject).to_owned();
        let history =
            if delivered > 1 { self.broker.history(self.queue, &key).await? } else { History::default() };
        let message = Arc::new(message);
        let renewed = AbortOnDrop(tokio::spawn(renew(Arc::clone(&message), self.lease)));
        Ok(Box::new(NatsDelivery {
            broker: self.broker.clone(),
            queue: self.queue,
            delivered_before: delivered.saturating_sub(1),
            max_deliveries: self.max_deliveries,
            trace,
            key,
            history,
            message,
            _renewed: renewed,
        }))
    }
}

impl Session for NatsSession {
    fn take(&self, most: usize) -> BoxFuture<'_, Result<Vec<Box<dyn Delivery>>, Error>> {
        self.take_some(most).boxed()
    }

    fn is_empty(&self) -> BoxFuture<'_, Result<bool, Error>> {
        async move {
            self.broker.connected()?;
            let info = self.consumer().get_info().await.map_err(self.broker.problem("asking for tasks"))?;
            Ok(info.num_pending == 0 && info.num_ack_pending == 0)
        }
        .boxed()
    }
}

struct NatsDelivery {
    broker: Broker,
    queue: QueueId,
    delivered_before: u32,
    max_deliveries: u32,
    trace: Option<String>,
    key: String,
    history: History,
    message: Arc<Message>,
    _renewed: AbortOnDrop,
}

impl NatsDelivery {
    /// Tells the server how the delivery ended, and waits until it has heard.
    ///
    /// A server that was killed may have forgotten that it delivered this task, and then says nothing. It delivers
    /// the task again anyhow, so there is no use in insisting.
    async fn end(&self, how: AckKind) -> Result<(), Error> {
        self.broker.connected()?;
        match tokio::time::timeout(END_TIMEOUT, self.message.double_ack_with(how)).await {
            Ok(answered) => answered.map_err(self.broker.problem("acknowledging")),
            Err(_) => {
                self.broker.connected()?;
                warn!(subject = %self.message.subject, "the server does not confirm the end of a task; it will come again");
                Ok(())
            }
        }
    }

    async fn remember(&self, history: History) -> Result<(), Error> {
        let subject = self.broker.subject(Kind::History, self.queue, &self.key);
        let json = serde_json::to_vec(&history).map_err(self.broker.problem("writing a history"))?;
        self.broker.publish(subject, json).await
    }

    /// What is over has no history.
    async fn forget(&self) -> Result<(), Error> {
        if self.delivered_before > 0 {
            self.broker.delete(Kind::History, self.queue, &self.key).await?;
        }
        Ok(())
    }

    /// Says in a message of its own how the delivery ended; then the task is given back.
    async fn give_back(&self, history: History, pause: Duration) -> Result<(), Error> {
        self.remember(history).await?;
        self.end(AckKind::Nak(Some(pause))).await
    }

    async fn store(&self, completion: &TaskCompletion) -> Result<(), Error> {
        let subject = self.broker.subject(Kind::Done, self.queue, &self.key);
        let json = completion.to_json();
        if completion.outcome == TaskOutcome::Gone {
            // A task that was done by a worker which died before it could say so to the queue comes again, and is
            // gone then. What that worker stored tells more.
            let message = PublishMessage::build().payload(json.into());
            return self.broker.publish_once(subject, message, Duration::ZERO).await.map(drop);
        }
        let short = || completion.with_error_cut(SHORT).to_json().into_bytes();
        self.broker.publish_or(subject, json.into_bytes(), short).await
    }

    /// What is kept of the task when it is dead; only the beginnings of its texts if `is_cut`.
    fn letter(&self, error: &str, is_cut: bool) -> Vec<u8> {
        let payload = String::from_utf8_lossy(&self.message.payload);
        let most = if is_cut { SHORT } else { usize::MAX };
        let letter = DeadLetter {
            deliveries: self.delivered_before + 1,
            error: cut(error, most).to_owned(),
            trace: self.trace.clone(),
            payload: cut(&payload, most).to_owned(),
            is_cut,
        };
        // Numbers and texts always have a JSON form.
        serde_json::to_vec(&letter).unwrap_or_default()
    }
}

impl Delivery for NatsDelivery {
    fn payload(&self) -> &[u8] {
        &self.message.payload
    }

    fn delivered_before(&self) -> u32 {
        self.delivered_before
    }

    fn history(&self) -> History {
        self.history
    }

    fn max_deliveries(&self) -> u32 {
        self.max_deliveries
    }

    fn begin_alone(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.remember(History { alone: self.history.alone + 1, ..self.history }).boxed()
    }

    fn trace(&self) -> Option<&str> {
        self.trace.as_deref()
    }

    fn done<'a>(&'a self, completion: &'a TaskCompletion) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            // In this order: a crash in between leaves a task that is delivered again and found to be done.
            self.store(completion).await?;
            self.end(AckKind::Ack).await?;
            self.forget().await
        }
        .boxed()
    }

    fn retry_later<'a>(&'a self, _error: &'a str, pause: Duration) -> BoxFuture<'a, Result<(), Error>> {
        self.give_back(History { failed: self.history.failed + 1, ..self.history }, pause).boxed()
    }

    fn hand_back<'a>(&'a self, _reason: &'a str, pause: Duration) -> BoxFuture<'a, Result<(), Error>> {
        let handed_back = self.history.handed_back + 1;
        self.give_back(History { handed_back, ..self.history }, pause).boxed()
    }

    fn give_up<'a>(&'a self, error: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            let subject = self.broker.subject(Kind::Dead, self.queue, &self.key);
            // Escaped as a text in JSON, a message may be larger than it was, and larger than the server allows.
            self.broker.publish_or(subject, self.letter(error, false), || self.letter(error, true)).await?;
            self.end(AckKind::Term).await?;
            self.forget().await
        }
        .boxed()
    }
}

impl Broker {
    async fn history(&self, queue: QueueId, key: &str) -> Result<History, Error> {
        let stored = self.last(Kind::History, queue, key).await?;
        Ok(stored.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default())
    }
}

/// Tells the server that the task is still worked on.
async fn renew(message: Arc<Message>, lease: Duration) {
    loop {
        tokio::time::sleep(lease / 3).await;
        if let Err(error) = message.ack_with(AckKind::Progress).await {
            warn!("cannot renew the lease: {error}");
        }
    }
}
