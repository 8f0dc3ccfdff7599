//! Working through the queue: take, run, acknowledge, and say all the while that this worker lives.

use std::sync::Arc;
use std::time::Duration;

use apalis_core::backend::queue::Queue;
use apalis_core::worker::context::WorkerContext;
use apalis_sqlite::Config;
use serde::Serialize;
use tokio::task::JoinSet;
use tracing::{Instrument, debug, error, info, info_span, warn};
use uuid::Uuid;

use super::store::{Job, Store};
use super::{EmbeddedQueue, queue_name};
use crate::error::{Error, full_message};
use crate::queue::{QueueRunner, StageHandler, TaskSpec};
use crate::shutdown::{AbortOnDrop, Urgency};

/// The longest pause before a failed task is delivered again.
const MAX_PAUSE: Duration = Duration::from_secs(600);

/// How a worker behaves.
#[derive(Clone, Debug)]
pub struct WorkOptions {
    /// How many tasks (or batches of tasks) are worked on at the same time. Default: 1.
    pub concurrency: usize,
    /// How many tasks are given to an agent's handler together, so that their rows, labels and items are fetched in
    /// bulk. They are acknowledged one by one. Default: 1.
    pub batch: usize,
    /// Return when nothing waits and nothing runs, in this worker or any other. Default: wait for more.
    pub until_empty: bool,
    /// After this long without a sign of life a worker counts as dead and its tasks are given to others. Running
    /// tasks may take longer: their worker renews the lease. At least 3 s. Default: 30 s.
    pub lease: Duration,
    /// How often to look for tasks when there are none. Default: 250 ms.
    pub poll_every: Duration,
    /// The pause before a failed task is delivered again; it doubles with each delivery, up to 10 minutes.
    /// Default: 1 s.
    pub retry_pause: Duration,
}

impl Default for WorkOptions {
    fn default() -> Self {
        WorkOptions {
            concurrency: 1,
            batch: 1,
            until_empty: false,
            lease: Duration::from_secs(30),
            poll_every: Duration::from_millis(250),
            retry_pause: Duration::from_secs(1),
        }
    }
}

impl WorkOptions {
    fn validate(&self) -> Result<(), Error> {
        let refuse =
            |option, problem: &str| Err(Error::InvalidOption { option, problem: problem.to_owned() });
        match self {
            WorkOptions { concurrency: 0, .. } => refuse("concurrency", "0 is not allowed; use at least 1"),
            WorkOptions { batch: 0, .. } => refuse("batch", "0 is not allowed; use at least 1"),
            WorkOptions { lease, .. } if lease.as_secs() < 3 => refuse("lease", "use at least 3 s"),
            _ => Ok(()),
        }
    }
}

/// What a worker did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WorkReport {
    /// Tasks done, those included that turned out to be done or gone before.
    pub done: u64,
    /// Deliveries that failed; the tasks come again or are dead.
    pub failed: u64,
    /// Tasks given up.
    pub dead: u64,
}

/// The worker of one stage.
struct Worker {
    handler: StageHandler,
    config: Config,
    context: WorkerContext,
}

impl QueueRunner {
    /// Works on the queued tasks of all registered stages until told to stop by the runner's
    /// [`StopHandle`](crate::StopHandle), or until the queue is empty. Start as many workers as you like, in one
    /// process or several.
    ///
    /// A task is delivered at least once. When a worker dies in the middle, its task is delivered again; if it had
    /// been moved by then it counts as done. A task that fails, or kills its worker, too often is dead.
    ///
    /// # Errors
    /// When options make no sense or the queue cannot be used. Failures of tasks are in the report and the queue.
    pub async fn work(&self, queue: &EmbeddedQueue, options: WorkOptions) -> Result<WorkReport, Error> {
        options.validate()?;
        let _signals = self.signals.then(|| self.stop.on_signals());
        let workers: Arc<[Worker]> = self.workers(&options)?.into();
        let store = &queue.store;
        for worker in workers.iter() {
            store.register(&worker.config, &worker.context).await?;
        }
        let _alive =
            AbortOnDrop(tokio::spawn(stay_alive(store.clone(), Arc::clone(&workers), options.lease)));
        let mut report = WorkReport::default();
        let mut running: JoinSet<WorkReport> = JoinSet::new();
        while !self.stop.is_stopping() {
            let taken =
                if running.len() < options.concurrency { take_next(store, &workers).await? } else { None };
            if let Some((index, jobs)) = taken {
                running.spawn(run(store.clone(), Arc::clone(&workers), index, jobs, options.retry_pause));
                continue;
            }
            if options.until_empty && running.is_empty() && all_empty(store, &workers).await? {
                break;
            }
            let full = running.len() >= options.concurrency;
            tokio::select! {
                Some(finished) = running.join_next(), if !running.is_empty() => report.add(finished.ok()),
                () = tokio::time::sleep(options.poll_every), if !full => {}
                () = self.stop.at_least(Urgency::Graceful) => {}
            }
        }
        loop {
            tokio::select! {
                biased;
                // What still runs is delivered again when the lease has ended.
                () = self.stop.at_least(Urgency::Now) => break,
                finished = running.join_next() => match finished {
                    Some(finished) => report.add(finished.ok()),
                    None => break,
                },
            }
        }
        info!(done = report.done, failed = report.failed, dead = report.dead, "worker ends");
        Ok(report)
    }

    fn workers(&self, options: &WorkOptions) -> Result<Vec<Worker>, Error> {
        let heartbeat = options.lease / 3;
        self.agent_stages()
            .map(|stage| {
                let queue = Queue::from(queue_name(self.project.hash(), stage.uuid).as_str());
                let mut config = Config::default();
                (config.queue, config.batch_size, config.heartbeat_interval) =
                    (queue, options.batch, heartbeat);
                let context = WorkerContext::new(&format!("worker-{}", Uuid::new_v4().simple()));
                Ok(Worker { handler: self.handler(stage.uuid)?, config, context })
            })
            .collect()
    }
}

impl WorkReport {
    fn add(&mut self, other: Option<WorkReport>) {
        let other = other.unwrap_or_default();
        self.done += other.done;
        self.failed += other.failed;
        self.dead += other.dead;
    }
}

/// Renews the leases, and gives the tasks of dead workers back.
async fn stay_alive(store: Store, workers: Arc<[Worker]>, lease: Duration) {
    loop {
        for worker in workers.iter() {
            match store.keep_alive(&worker.config, &worker.context, lease).await {
                Ok(0) => {}
                Ok(orphans) => warn!(tasks = orphans, "took back the tasks of dead workers"),
                Err(failure) => error!("cannot renew the lease: {failure}"),
            }
        }
        tokio::time::sleep(lease / 3).await;
    }
}

/// The next jobs, from the first stage that has some.
async fn take_next(store: &Store, workers: &[Worker]) -> Result<Option<(usize, Vec<Job>)>, Error> {
    for (index, worker) in workers.iter().enumerate() {
        let jobs = store.take(&worker.config, &worker.context).await?;
        if !jobs.is_empty() {
            return Ok(Some((index, jobs)));
        }
    }
    Ok(None)
}

async fn all_empty(store: &Store, workers: &[Worker]) -> Result<bool, Error> {
    for worker in workers {
        if !store.is_empty(worker.config.queue.as_ref()).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Hands jobs to the agent and acknowledges each by its own outcome.
async fn run(
    store: Store,
    workers: Arc<[Worker]>,
    index: usize,
    jobs: Vec<Job>,
    retry_pause: Duration,
) -> WorkReport {
    let worker = &workers[index];
    let mut report = WorkReport::default();
    let mut specs: Vec<TaskSpec> = Vec::with_capacity(jobs.len());
    let mut sound: Vec<&Job> = Vec::with_capacity(jobs.len());
    for job in &jobs {
        let problem = match &job.spec {
            Err(problem) => problem.to_string(),
            Ok(_) if job.is_used_up() => {
                format!("given up after {} deliveries that ended without an answer", job.delivered)
            }
            Ok(spec) => {
                specs.push(spec.clone());
                sound.push(job);
                continue;
            }
        };
        report.add(Some(fail(&store, worker, job, problem, retry_pause).await));
    }
    let span = info_span!("job", worker = %worker.context.name(), tasks = specs.len());
    match worker.handler.handle_specs(&specs).instrument(span).await {
        Ok(completions) => {
            for (job, completion) in sound.into_iter().zip(completions) {
                if completion.is_final() {
                    match store.done(&worker.context, job, &completion.to_json()).await {
                        Ok(()) => report.done += 1,
                        Err(failure) => {
                            error!(task = %completion.task, "cannot acknowledge, it will come again: {failure}")
                        }
                    }
                } else {
                    let problem = completion.error().unwrap_or_default().to_owned();
                    report.add(Some(fail(&store, worker, job, problem, retry_pause).await));
                }
            }
        }
        Err(failure) => {
            let problem = full_message(&failure);
            for job in sound {
                report.add(Some(fail(&store, worker, job, problem.clone(), retry_pause).await));
            }
        }
    }
    report
}

async fn fail(
    store: &Store,
    worker: &Worker,
    job: &Job,
    problem: String,
    retry_pause: Duration,
) -> WorkReport {
    let doubled = 2_u32.saturating_pow(u32::try_from(job.delivered).unwrap_or(u32::MAX));
    let pause = retry_pause.saturating_mul(doubled).min(MAX_PAUSE);
    debug!(deliveries = job.delivered + 1, "delivery failed: {problem}");
    let dead = job.is_last();
    if let Err(failure) = store.failed_job(&worker.context, job, problem, pause).await {
        error!("cannot record a failure, the task will come again: {failure}");
    }
    WorkReport { done: 0, failed: 1, dead: u64::from(dead) }
}
