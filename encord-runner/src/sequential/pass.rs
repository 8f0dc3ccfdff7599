//! One pass over one stage: tasks are listed, fetched, worked on and committed, all at the same time.
//!
//! Three things run side by side. The *source* lists tasks and prepares one batch ahead. The *workers* run
//! agents, in order and `concurrency` at a time, while the files of the next few tasks are downloaded. The
//! *committer* saves and moves what is done, by count and by time. Bounded channels between them keep memory
//! to a few batches.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use encord_client::{AgentTask, Project, Stage, TaskFilter};
use futures::{FutureExt, StreamExt};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinError, JoinSet};
use tracing::{Instrument, debug, info_span, warn};

use super::RunOptions;
use crate::commit::{Pending, commit};
use crate::context::TaskContext;
use crate::error::Error;
use crate::execute::execute;
use crate::needs::Needs;
use crate::prefetch::Prefetch;
use crate::registry::Prepared;
use crate::report::{Observer, RunReport, TaskRecord};
use crate::shutdown::{AbortOnDrop, StopHandle, Urgency};

/// What all passes of a run share.
pub(crate) struct Run {
    pub(crate) project: Project,
    pub(crate) options: RunOptions,
    pub(crate) observers: Vec<Arc<dyn Observer>>,
    pub(crate) stop: StopHandle,
    pub(crate) report: Mutex<RunReport>,
}

impl Run {
    pub(crate) fn with_report<T>(&self, change: impl FnOnce(&mut RunReport) -> T) -> T {
        change(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn finish(&self, record: TaskRecord) {
        self.each_observer(|observer| observer.task_finished(&record));
        self.with_report(|report| report.add(record));
    }

    /// A panic of an observer must not keep what was done from being committed.
    fn each_observer(&self, tell: impl Fn(&dyn Observer)) {
        for observer in &self.observers {
            if catch_unwind(AssertUnwindSafe(|| tell(&**observer))).is_err() {
                warn!("an observer panicked");
            }
        }
    }

    fn flush_size(&self) -> usize {
        self.options.flush_tasks.unwrap_or(self.options.task_batch_size)
    }
}

/// Works on all tasks of a stage that are there now. Fails only if the tasks could not be listed, or if a part of the
/// runner itself panicked.
pub(crate) async fn run_stage(run: &Arc<Run>, prepared: &Prepared) -> Result<(), Error> {
    let stage = &prepared.stage;
    let started = Instant::now();
    run.each_observer(|observer| observer.stage_started(stage));
    let (batch_sender, batches) = mpsc::channel(1);
    // More places than a channel can have are as good as all it can have.
    let (done, done_receiver) = mpsc::channel(run.flush_size().min(Semaphore::MAX_PERMITS));
    let span = info_span!("stage", title = %stage.title, uuid = %stage.uuid);
    let _source = AbortOnDrop(tokio::spawn(
        fill(Arc::clone(run), prepared.clone(), batch_sender).instrument(span.clone()),
    ));
    let committer = tokio::spawn(
        commit_as_done(Arc::clone(run), Arc::clone(stage), done_receiver).instrument(span.clone()),
    );
    let stop_committer = committer.abort_handle();
    // On a thread of the runtime, where handing a task to its agent and back costs no switch of threads.
    let workers = Workers::new(Arc::clone(run), prepared.clone(), done).work(batches).instrument(span);
    let mut workers = AbortOnDrop(tokio::spawn(workers));
    let mut result = (&mut workers.0).await.unwrap_or_else(|ended| Err(joined("running agents", ended)));
    tokio::select! {
        // What is done is flushed, unless the run has to end at once.
        ended = committer => if let Err(panic) = ended {
            result = Err(joined(SAVING, panic));
        },
        () = run.stop.at_least(Urgency::Now) => stop_committer.abort(),
    }
    run.each_observer(|observer| observer.stage_finished(stage));
    run.with_report(|report| {
        if let Some(report) = report.stage_mut(stage.uuid) {
            report.duration += started.elapsed();
            report.error = result.as_ref().err().map(ToString::to_string);
        }
    });
    result
}

const SAVING: &str = "saving and moving";

/// What the end of a task of the runtime means that was not to end like this.
fn joined(action: &'static str, error: JoinError) -> Error {
    match error.try_into_panic() {
        Ok(payload) => Error::panicked(action, payload.as_ref()),
        Err(error) => Error::Panicked { action, message: error.to_string() },
    }
}

/// Prepares batches until there are no more, and says so if that ended with a panic: a stage whose listing broke off
/// must not look like an empty one.
async fn fill(run: Arc<Run>, prepared: Prepared, sender: mpsc::Sender<Result<Vec<TaskContext>, Error>>) {
    let filled = AssertUnwindSafe(prepare_batches(run, prepared, &sender)).catch_unwind().await;
    if let Err(payload) = filled {
        let _ = sender.send(Err(Error::panicked("listing and fetching tasks", payload.as_ref()))).await;
    }
}

/// Lists the tasks of the stage and makes contexts, one batch ahead of the workers and no more.
async fn prepare_batches(
    run: Arc<Run>,
    prepared: Prepared,
    sender: &mpsc::Sender<Result<Vec<TaskContext>, Error>>,
) {
    let stage = &prepared.stage;
    let prefetch = Prefetch::new(run.project.clone(), &prepared);
    let mut left = run.options.max_tasks_per_stage.unwrap_or(usize::MAX);
    let mut tasks = Box::pin(run.project.agent_tasks(stage.uuid, &TaskFilter::new()));
    while left > 0 {
        let Ok(permit) = sender.reserve().await else { return };
        let wanted = run.options.task_batch_size.min(left);
        let mut batch: Vec<AgentTask> = Vec::with_capacity(wanted.min(1000));
        while batch.len() < wanted {
            match tasks.next().await {
                Some(Ok(task)) => batch.push(task),
                Some(Err(source)) => {
                    // The tasks listed before the failure are still in order, so they are worked on.
                    if !batch.is_empty() {
                        permit.send(Ok(prefetch.contexts(batch).await));
                        let _ = sender.send(Err(Error::Client { action: "listing tasks", source })).await;
                    } else {
                        permit.send(Err(Error::Client { action: "listing tasks", source }));
                    }
                    return;
                }
                None => {
                    left = batch.len();
                    break;
                }
            }
        }
        if batch.is_empty() {
            return;
        }
        left -= batch.len();
        let span = info_span!("batch", tasks = batch.len());
        permit.send(Ok(prefetch.contexts(batch).instrument(span).await));
    }
}

/// Commits what is done when there is enough of it or when it has waited long enough.
async fn commit_as_done(run: Arc<Run>, stage: Arc<Stage>, mut done: mpsc::Receiver<Pending>) {
    let mut pending: Vec<Pending> = Vec::new();
    // `None` is later than time goes.
    let mut due = Some(tokio::time::Instant::now());
    loop {
        let overdue = async {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        let more = tokio::select! {
            task = done.recv() => task,
            () = overdue, if !pending.is_empty() => {
                flush(&run, &stage, &mut pending).await;
                continue;
            }
        };
        match more {
            None => break,
            Some(task) if task.is_settled() => run.finish(task.record),
            Some(task) => {
                if pending.is_empty() {
                    due = tokio::time::Instant::now().checked_add(run.options.flush_every);
                }
                pending.push(task);
                if pending.len() >= run.flush_size() {
                    flush(&run, &stage, &mut pending).await;
                }
            }
        }
    }
    flush(&run, &stage, &mut pending).await;
}

async fn flush(run: &Run, stage: &Stage, pending: &mut Vec<Pending>) {
    if pending.is_empty() {
        return;
    }
    let span = info_span!("flush", tasks = pending.len());
    let notes = run.options.notes();
    let records = commit(&run.project, stage, std::mem::take(pending), &notes).instrument(span).await;
    records.into_iter().for_each(|record| run.finish(record));
}

/// Runs agents on the tasks of one stage.
struct Workers {
    run: Arc<Run>,
    prepared: Prepared,
    done: mpsc::Sender<Pending>,
    waiting: VecDeque<Waiting>,
    running: JoinSet<Pending>,
}

/// A task whose turn has not come yet, and the download of its file if that has begun.
struct Waiting {
    ctx: Arc<TaskContext>,
    download: Option<AbortOnDrop>,
}

impl Workers {
    fn new(run: Arc<Run>, prepared: Prepared, done: mpsc::Sender<Pending>) -> Self {
        Workers { run, prepared, done, waiting: VecDeque::new(), running: JoinSet::new() }
    }

    async fn work(
        mut self,
        mut batches: mpsc::Receiver<Result<Vec<TaskContext>, Error>>,
    ) -> Result<(), Error> {
        let stop = self.run.stop.clone();
        let mut gently = pin!(stop.at_least(Urgency::Graceful));
        let mut at_once = pin!(stop.at_least(Urgency::Now));
        let mut exhausted = false;
        let mut result = Ok(());
        loop {
            if stop.is_stopping() {
                self.waiting.clear();
                exhausted = true;
            }
            self.start_agents();
            self.start_downloads();
            // However many files may be downloaded ahead, no more than a batch waits.
            let options = &self.run.options;
            let enough = options.prefetch_assets.min(options.task_batch_size);
            let hungry = !exhausted && self.waiting.len() <= enough;
            if self.running.is_empty() && !hungry {
                return result;
            }
            tokio::select! {
                biased;
                () = &mut at_once => return result,
                Some(finished) = self.running.join_next(), if !self.running.is_empty() => {
                    let pending = finished.map_err(|error| joined("running agents", error))?;
                    // The committer lives until this sender is dropped, unless it panicked. Then nothing that agents
                    // do would be saved any more, so they end, and whoever waits for the committer learns why.
                    let sent = tokio::select! {
                        biased;
                        sent = self.done.send(pending) => sent,
                        () = &mut at_once => return result,
                    };
                    if sent.is_err() {
                        return result;
                    }
                }
                batch = batches.recv(), if hungry => match batch {
                    Some(Ok(contexts)) => {
                        self.run.each_observer(|observer| observer.batch_started(&self.prepared.stage, contexts.len()));
                        let waiting = contexts.into_iter().map(|ctx| Waiting { ctx: Arc::new(ctx), download: None });
                        self.waiting.extend(waiting);
                    }
                    Some(Err(error)) => {
                        exhausted = true;
                        result = Err(error);
                    }
                    None => exhausted = true,
                },
                () = &mut gently, if !stop.is_stopping() => {}
            }
        }
    }

    /// Starts the next tasks in order, as many as may run at the same time.
    fn start_agents(&mut self) {
        while self.running.len() < self.run.options.concurrency {
            let Some(Waiting { ctx, download }) = self.waiting.pop_front() else { return };
            let agent = Arc::clone(&self.prepared.agent);
            let failure_pathway = self.prepared.failure_pathway;
            let policy = self.run.options.policy();
            let span = info_span!("task", uuid = %ctx.task.uuid, data_hash = %ctx.task.data_hash);
            let work = async move {
                let executed = execute(&*agent, &ctx, policy).await;
                drop(download);
                let record = TaskRecord::new(&ctx.task, &ctx.stage);
                // Dropping a context drops what extractors of others keep there.
                if catch_unwind(AssertUnwindSafe(|| drop(ctx))).is_err() {
                    warn!(task = %record.task, "dropping what was kept for a task panicked");
                }
                Pending::new(record, executed, failure_pathway)
            };
            self.running.spawn(work.instrument(span));
        }
    }

    /// Downloads the files of the next tasks while agents run. A failure here is not reported: the extractor
    /// tries again and says what went wrong.
    fn start_downloads(&mut self) {
        if !self.prepared.agent.needs().contains(Needs::ASSET) {
            return;
        }
        let mut budget = self.run.options.prefetch_bytes;
        for next in self.waiting.iter_mut().take(self.run.options.prefetch_assets) {
            // A file of unknown size may need all the room there is, until it is known what it took.
            let size = next.ctx.known_bytes().unwrap_or(budget);
            let Some(rest) = budget.checked_sub(size).filter(|_| budget > 0) else { return };
            budget = rest;
            if next.download.is_none() {
                let ctx = Arc::clone(&next.ctx);
                next.download = Some(AbortOnDrop(tokio::spawn(async move {
                    if let Err(error) = ctx.asset().await {
                        debug!(task = %ctx.task.uuid, "download ahead failed: {error}");
                    }
                })));
            }
        }
    }
}

/// The time until the next pass, if there is to be one.
pub(super) fn until_next_pass(started: Instant, every: Option<Duration>) -> Option<Duration> {
    every.map(|every| every.saturating_sub(started.elapsed()))
}
