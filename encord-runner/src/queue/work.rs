//! Working through queues: take, run, answer each task by its own outcome, outlast failures of the queue.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Serialize;
use tokio::task::JoinSet;
use tracing::{Instrument, error, info, info_span, warn};

use super::engine::{Delivery, Engine, QueueId, Session};
use super::observe;
use super::{QueueRunner, StageHandler, TaskCompletion, TaskSpec};
use crate::error::{Error, full_message};
use crate::report::TaskOutcome;
use crate::shutdown::{StopHandle, Urgency};

/// The longest pause before a failed task is delivered again.
const MAX_PAUSE: Duration = Duration::from_secs(600);

/// The pause before a queue that failed is asked again.
const OUTAGE_PAUSE: Duration = Duration::from_millis(500);

/// Longer error texts are cut: brokers limit the size of messages.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// How a worker behaves.
#[derive(Clone, Debug)]
pub struct WorkOptions {
    /// How many tasks (or batches of tasks) are worked on at the same time. Default: 1.
    pub concurrency: usize,
    /// How many tasks are given to an agent's handler together, so that their rows, labels and items are fetched,
    /// and the tasks moved, in bulk. They are acknowledged one by one. Default: 1.
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
    /// How long the queue may be out of reach before the worker gives up. Default: 5 minutes.
    pub patience: Duration,
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
            patience: Duration::from_secs(300),
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
    /// Deliveries that were not the first of their task.
    pub redelivered: u64,
}

impl WorkReport {
    fn add(&mut self, other: WorkReport) {
        self.done += other.done;
        self.failed += other.failed;
        self.dead += other.dead;
        self.redelivered += other.redelivered;
    }
}

/// One stage with its agent and its queue.
struct Lane {
    handler: StageHandler,
    session: Box<dyn Session>,
    stop: StopHandle,
    options: WorkOptions,
}

type Taken = (Arc<Lane>, Vec<Box<dyn Delivery>>);

impl QueueRunner {
    /// Works on the queued tasks of all registered stages until told to stop by the runner's
    /// [`StopHandle`], or until the queues are empty. Start as many workers as you like, in one
    /// process or several.
    ///
    /// A task is delivered at least once. When a worker dies in the middle, its tasks are delivered again; those it
    /// had moved by then count as done. Such tasks are run one at a time with nothing beside them, so that one which
    /// kills its worker takes no others along. A task that fails, or kills its worker, too often is dead.
    ///
    /// # Errors
    /// When options make no sense, or the queue is out of reach at the start or for longer than
    /// [`patience`](WorkOptions::patience). Failures of tasks are in the report and the queue.
    pub async fn work(&self, queue: &dyn Engine, options: WorkOptions) -> Result<WorkReport, Error> {
        options.validate()?;
        let _signals = self.signals.then(|| self.stop.on_signals());
        let lanes = self.lanes(queue, &options).await?;
        let mut work = Work {
            lanes,
            options,
            running: JoinSet::new(),
            suspects: VecDeque::new(),
            report: WorkReport::default(),
        };
        let watched = self.agent_stages().map(|stage| self.queue_id(stage.uuid)).collect::<Result<_, _>>()?;
        let ended = tokio::select! {
            ended = work.take_and_run(&self.stop) => ended,
            () = observe::watch(queue, watched) => Ok(()),
        };
        // Also after the queue was lost: what runs may still end well and be acknowledged.
        work.run_suspects(&self.stop).await;
        work.finish(&self.stop).await;
        let WorkReport { done, failed, dead, redelivered } = work.report;
        info!(done, failed, dead, redelivered, "worker ends");
        ended.map(|()| work.report)
    }

    async fn lanes(&self, queue: &dyn Engine, options: &WorkOptions) -> Result<Vec<Arc<Lane>>, Error> {
        let mut lanes = Vec::new();
        for stage in self.agent_stages() {
            let id = QueueId { project: self.project.hash(), stage: stage.uuid };
            let session = queue.listen(id, options.lease).await?;
            let (handler, stop, options) = (self.handler(stage.uuid)?, self.stop.clone(), options.clone());
            lanes.push(Arc::new(Lane { handler, session, stop, options }));
        }
        Ok(lanes)
    }
}

/// A worker at work.
struct Work {
    lanes: Vec<Arc<Lane>>,
    options: WorkOptions,
    running: JoinSet<WorkReport>,
    /// Tasks whose worker died; one of them may have killed it.
    suspects: VecDeque<(Arc<Lane>, Box<dyn Delivery>)>,
    report: WorkReport,
}

impl Work {
    async fn take_and_run(&mut self, stop: &StopHandle) -> Result<(), Error> {
        let mut lost_at: Option<Instant> = None;
        while !stop.is_stopping() {
            self.run_suspects(stop).await;
            let full = self.running.len() >= self.options.concurrency;
            let mut pause = self.options.poll_every;
            if !full {
                match self.next(lost_at.is_some()).await {
                    Ok(Next::Tasks((lane, deliveries))) => {
                        lost_at = None;
                        let deliveries = self.set_suspects_apart(&lane, deliveries);
                        self.running.spawn(async move { lane.run(deliveries).await });
                        continue;
                    }
                    Ok(Next::Nothing) => lost_at = None,
                    Ok(Next::Empty) => return Ok(()),
                    Err(failure) => {
                        let since = *lost_at.get_or_insert_with(Instant::now);
                        if since.elapsed() >= self.options.patience {
                            return Err(failure);
                        }
                        warn!("the queue does not answer, trying again: {failure}");
                        pause = OUTAGE_PAUSE;
                    }
                }
            }
            tokio::select! {
                Some(finished) = self.running.join_next(), if !self.running.is_empty() => {
                    self.report.add(finished.unwrap_or_default());
                }
                () = tokio::time::sleep(pause), if !full => {}
                () = stop.at_least(Urgency::Graceful) => {}
            }
        }
        Ok(())
    }

    /// Keeps those to be run alone, returns the others.
    fn set_suspects_apart(
        &mut self,
        lane: &Arc<Lane>,
        deliveries: Vec<Box<dyn Delivery>>,
    ) -> Vec<Box<dyn Delivery>> {
        let (suspects, others) =
            deliveries.into_iter().partition(|delivery| delivery.unanswered_before() > 0);
        let suspects: Vec<Box<dyn Delivery>> = suspects;
        self.suspects.extend(suspects.into_iter().map(|suspect| (Arc::clone(lane), suspect)));
        others
    }

    async fn run_suspects(&mut self, stop: &StopHandle) {
        while let Some((lane, suspect)) = self.suspects.pop_front() {
            self.finish(stop).await;
            self.running.spawn(async move { lane.run_alone(suspect).await });
            self.finish(stop).await;
        }
    }

    /// The next tasks of the first stage that has some; stages take turns in being the first.
    async fn next(&mut self, was_lost: bool) -> Result<Next, Error> {
        for _ in 0..self.lanes.len() {
            let lane = Arc::clone(&self.lanes[0]);
            let deliveries = lane.session.take(self.options.batch).await?;
            self.lanes.rotate_left(1);
            if !deliveries.is_empty() {
                return Ok(Next::Tasks((lane, deliveries)));
            }
        }
        if !self.options.until_empty || !self.running.is_empty() || was_lost {
            return Ok(Next::Nothing);
        }
        for lane in &self.lanes {
            if !lane.session.is_empty().await? {
                return Ok(Next::Nothing);
            }
        }
        Ok(Next::Empty)
    }

    async fn finish(&mut self, stop: &StopHandle) {
        loop {
            tokio::select! {
                biased;
                // What still runs is delivered again when its lease has ended.
                () = stop.at_least(Urgency::Now) => return,
                finished = self.running.join_next() => match finished {
                    Some(finished) => self.report.add(finished.unwrap_or_default()),
                    None => return,
                },
            }
        }
    }
}

/// What a look into the queues found.
enum Next {
    Tasks(Taken),
    Nothing,
    Empty,
}

impl Lane {
    /// Runs a task that may have killed its worker, unless it was alone in doing so too often.
    async fn run_alone(&self, suspect: Box<dyn Delivery>) -> WorkReport {
        match suspect.begin_alone().await {
            // The first worker that died counts too.
            Ok(before) if before + 1 >= suspect.max_deliveries() => {
                let problem = format!("given up: {} deliveries ended without an answer", before + 1);
                let given_up = self.give_up(&*suspect, &problem).await;
                observe::answered(self.handler.stage(), &*suspect, &given_up, Duration::ZERO);
                WorkReport { redelivered: 1, ..given_up }
            }
            Ok(_) => self.run(vec![suspect]).await,
            Err(failure) => {
                warn!("a task is left for later, the queue does not answer: {failure}");
                WorkReport::default()
            }
        }
    }

    /// Hands deliveries to the agent and answers each by its own outcome.
    async fn run(&self, deliveries: Vec<Box<dyn Delivery>>) -> WorkReport {
        let mut report = WorkReport::default();
        let mut specs: Vec<TaskSpec> = Vec::with_capacity(deliveries.len());
        let mut sound: Vec<Box<dyn Delivery>> = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            report.redelivered += u64::from(delivery.delivered_before() > 0);
            match readable(&*delivery) {
                Ok(spec) => {
                    specs.push(spec);
                    sound.push(delivery);
                }
                Err(problem) => report.add(self.give_up(&*delivery, &problem).await),
            }
        }
        let Some(first) = sound.first() else { return report };
        let span = info_span!(
            "job",
            stage = %self.handler.stage().title,
            tasks = specs.len(),
            delivery = first.delivered_before() + 1,
            trace = first.trace().unwrap_or_default(),
        );
        let started = Instant::now();
        let handled = self.handler.handle_specs(&specs).instrument(span.clone()).await;
        let each = started.elapsed() / u32::try_from(specs.len()).unwrap_or(u32::MAX).max(1);
        let answered = self.answer_all(&sound, handled).instrument(span).await;
        for (delivery, answer) in sound.iter().zip(answered) {
            observe::answered(self.handler.stage(), &**delivery, &answer, each);
            report.add(answer);
        }
        report
    }

    async fn answer_all(
        &self,
        deliveries: &[Box<dyn Delivery>],
        handled: Result<Vec<TaskCompletion>, Error>,
    ) -> Vec<WorkReport> {
        let problem = handled.as_ref().err().map(|failure| full_message(failure));
        let completions = handled.unwrap_or_default();
        let mut answers = Vec::with_capacity(deliveries.len());
        for (index, delivery) in deliveries.iter().enumerate() {
            let completion = completions.get(index);
            let answer = match (&problem, completion) {
                (None, Some(completion)) => self.answer(&**delivery, completion).boxed(),
                (problem, _) => self.fail(&**delivery, problem.as_deref().unwrap_or_default()).boxed(),
            };
            answers.push(answer);
        }
        futures::future::join_all(answers).await
    }

    async fn answer(&self, delivery: &dyn Delivery, completion: &TaskCompletion) -> WorkReport {
        if !completion.is_final() {
            return self.fail(delivery, completion.error().unwrap_or_default()).await;
        }
        let mut completion = completion.clone();
        if let TaskOutcome::FailureRouted { error, .. } = &mut completion.outcome {
            *error = cut(error).to_owned();
        }
        let acknowledged = self.persistently(|| delivery.done(&completion)).await;
        WorkReport { done: u64::from(acknowledged), ..WorkReport::default() }
    }

    async fn fail(&self, delivery: &dyn Delivery, problem: &str) -> WorkReport {
        let failures = delivery.delivered_before().saturating_sub(delivery.unanswered_before());
        if failures + 1 >= delivery.max_deliveries() {
            return self.give_up(delivery, problem).await;
        }
        let doubled = 2_u32.saturating_pow(failures);
        let pause = self.options.retry_pause.saturating_mul(doubled).min(MAX_PAUSE);
        warn!(delivery = delivery.delivered_before() + 1, ?pause, "delivery failed: {problem}");
        self.persistently(|| delivery.retry_later(cut(problem), pause)).await;
        WorkReport { failed: 1, ..WorkReport::default() }
    }

    async fn give_up(&self, delivery: &dyn Delivery, problem: &str) -> WorkReport {
        error!(deliveries = delivery.delivered_before() + 1, "task given up: {problem}");
        let dead = self.persistently(|| delivery.give_up(cut(problem))).await;
        WorkReport { failed: 1, dead: u64::from(dead), ..WorkReport::default() }
    }

    /// Tells the queue something, again and again while it is out of reach. False when that was in vain; the task
    /// is delivered again then.
    async fn persistently<'a>(&self, tell: impl Fn() -> BoxFuture<'a, Result<(), Error>>) -> bool {
        let since = Instant::now();
        loop {
            let Err(failure) = tell().await else { return true };
            if since.elapsed() >= self.options.patience {
                error!("cannot answer the queue, the task will come again: {failure}");
                return false;
            }
            warn!("cannot answer the queue, trying again: {failure}");
            tokio::select! {
                () = tokio::time::sleep(OUTAGE_PAUSE) => {}
                () = self.stop.at_least(Urgency::Now) => return false,
            }
        }
    }
}

/// The spec in a delivery, unless there is none.
fn readable(delivery: &dyn Delivery) -> Result<TaskSpec, String> {
    let text = std::str::from_utf8(delivery.payload()).map_err(|error| format!("not text: {error}"))?;
    text.parse().map_err(|refused: Error| refused.to_string())
}

/// The beginning of a text, as much as every engine takes.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_ERROR_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        let long = "é".repeat(MAX_ERROR_BYTES);
        assert_eq!(cut(&long).len(), MAX_ERROR_BYTES);
        assert_eq!(cut(&format!("x{long}")).len(), MAX_ERROR_BYTES - 1);
    }
}
