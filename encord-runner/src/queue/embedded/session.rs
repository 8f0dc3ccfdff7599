//! One worker at the file: it takes jobs, and says all the while that it lives.

use std::sync::Arc;
use std::time::Duration;

use apalis_core::backend::queue::Queue;
use apalis_core::worker::context::WorkerContext;
use apalis_sqlite::Config;
use futures::FutureExt;
use futures::future::BoxFuture;
use tracing::{error, warn};
use uuid::Uuid;

use super::store::{Answer, Job, Store};
use crate::error::Error;
use crate::queue::TaskCompletion;
use crate::queue::engine::{Delivery, History, QueueId, Session};
use crate::shutdown::AbortOnDrop;

pub(super) struct EmbeddedSession(Arc<Registration>);

/// A worker that is known to the engine. It lives as long as the session or any of its deliveries.
struct Registration {
    store: Store,
    config: Config,
    worker: WorkerContext,
    _alive: AbortOnDrop,
}

impl EmbeddedSession {
    /// Completions older than `keep` are forgotten while the session lives.
    pub(super) async fn start(
        store: Store,
        queue: QueueId,
        lease: Duration,
        keep: Duration,
    ) -> Result<Self, Error> {
        let config = Config {
            queue: Queue::from(queue.to_string().as_str()),
            heartbeat_interval: lease / 3,
            ..Config::default()
        };
        let worker = WorkerContext::new(&format!("worker-{}", Uuid::new_v4().simple()));
        store.register(&config, &worker).await?;
        let alive = stay_alive(store.clone(), config.clone(), worker.clone(), lease, keep);
        let alive = AbortOnDrop(tokio::spawn(alive));
        Ok(EmbeddedSession(Arc::new(Registration { store, config, worker, _alive: alive })))
    }
}

impl Session for EmbeddedSession {
    fn take(&self, most: usize) -> BoxFuture<'_, Result<Vec<Box<dyn Delivery>>, Error>> {
        async move {
            let registration = &self.0;
            let mut config = registration.config.clone();
            config.batch_size = most;
            let jobs = registration.store.take(&config, &registration.worker).await?;
            let deliver =
                |job| Box::new(EmbeddedDelivery { job, by: Arc::clone(registration) }) as Box<dyn Delivery>;
            Ok(jobs.into_iter().map(deliver).collect())
        }
        .boxed()
    }

    fn is_empty(&self) -> BoxFuture<'_, Result<bool, Error>> {
        self.0.store.is_empty(self.0.config.queue.as_ref()).boxed()
    }
}

struct EmbeddedDelivery {
    job: Job,
    by: Arc<Registration>,
}

impl Delivery for EmbeddedDelivery {
    fn payload(&self) -> &[u8] {
        &self.job.payload
    }

    fn delivered_before(&self) -> u32 {
        self.job.delivered
    }

    fn history(&self) -> History {
        self.job.history
    }

    fn max_deliveries(&self) -> u32 {
        self.job.max_deliveries
    }

    fn begin_alone(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.by.store.begin_alone(&self.job).boxed()
    }

    fn trace(&self) -> Option<&str> {
        self.job.trace.as_deref()
    }

    fn done<'a>(&'a self, completion: &'a TaskCompletion) -> BoxFuture<'a, Result<(), Error>> {
        self.by.store.done(self.by.config.queue.as_ref(), &self.job, completion).boxed()
    }

    fn retry_later<'a>(&'a self, error: &'a str, pause: Duration) -> BoxFuture<'a, Result<(), Error>> {
        self.by.store.answer(&self.by.worker, &self.job, error, Answer::RetryLater(pause)).boxed()
    }

    fn hand_back<'a>(&'a self, reason: &'a str, pause: Duration) -> BoxFuture<'a, Result<(), Error>> {
        self.by.store.answer(&self.by.worker, &self.job, reason, Answer::HandBack(pause)).boxed()
    }

    fn give_up<'a>(&'a self, error: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        self.by.store.answer(&self.by.worker, &self.job, error, Answer::GiveUp).boxed()
    }
}

/// Renews the lease, gives the tasks of dead workers back, and forgets what is old.
async fn stay_alive(store: Store, config: Config, worker: WorkerContext, lease: Duration, keep: Duration) {
    loop {
        match store.keep_alive(&config, &worker, lease).await {
            Ok(0) => {}
            Ok(orphans) => warn!(tasks = orphans, "took back the tasks of dead workers"),
            Err(failure) => error!("cannot renew the lease: {failure}"),
        }
        if let Err(failure) = store.forget_old(config.queue.as_ref(), keep).await {
            warn!("cannot forget old completions: {failure}");
        }
        tokio::time::sleep(lease / 3).await;
    }
}
