//! One stage at work: its deliveries go to the agent, and each is answered by its own outcome.
//!
//! A failure counts against its task. When the platform is out of reach, that says nothing about a task: the tasks go
//! back uncounted, and the lane rests for longer and longer.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use tokio::sync::Semaphore;
use tracing::{Instrument, error, info_span, warn};

use super::completion::cut;
use super::engine::{Delivery, Session};
use super::work::{OUTAGE_PAUSE, WorkOptions, WorkReport};
use super::{Handled, HandledTask, StageHandler, TaskCompletion, TaskSpec, observe};
use crate::error::{Error, full_message};
use crate::shutdown::{StopHandle, Urgency};

/// The longest pause before a failed task is delivered again.
const MAX_PAUSE: Duration = Duration::from_secs(600);

/// The longest rest while the platform is out of reach.
const MAX_REST: Duration = Duration::from_secs(60);

/// How often a task is handed back for nothing but requests of its own that the platform does not answer, before that
/// counts as a failure: with the default pauses, for a quarter of an hour.
const MOST_HANDED_BACK: u32 = 20;

/// Longer error texts are cut: brokers limit the size of messages.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// When the agents of a batch take less than this, the next batch is fetched meanwhile. Slow tasks are better left
/// to workers that are idle.
const QUICK: Duration = Duration::from_secs(1);

/// One stage with its agent and its queue.
pub(super) struct Lane {
    handler: StageHandler,
    pub(super) session: Box<dyn Session>,
    stop: StopHandle,
    options: WorkOptions,
    turns: Arc<Semaphore>,
    pace: AtomicU8,
    outage: Mutex<Outage>,
}

/// What is known of a stage's agents.
#[derive(Clone, Copy)]
enum Pace {
    Unknown,
    Quick,
    Slow,
}

/// What is known of the platform: how often in a row it was out of reach, and until when nothing is asked of it.
#[derive(Default)]
struct Outage {
    times: u32,
    until: Option<Instant>,
}

impl Lane {
    pub(super) fn new(
        handler: StageHandler,
        session: Box<dyn Session>,
        stop: StopHandle,
        options: WorkOptions,
        turns: Arc<Semaphore>,
    ) -> Self {
        let (pace, outage) = (AtomicU8::new(Pace::Unknown as u8), Mutex::default());
        Lane { handler, session, stop, options, turns, pace, outage }
    }

    /// Whether the agents of the last batch were quick.
    pub(super) fn is_quick(&self) -> bool {
        self.pace.load(Ordering::Relaxed) == Pace::Quick as u8
    }

    /// Whether the agents of the last batch were slow.
    pub(super) fn is_slow(&self) -> bool {
        self.pace.load(Ordering::Relaxed) == Pace::Slow as u8
    }

    /// Whether the platform was out of reach a moment ago.
    pub(super) fn rests(&self) -> bool {
        let outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        outage.until.is_some_and(|until| Instant::now() < until)
    }

    /// Begins a rest, unless one has begun, and says how long it is.
    fn rest(&self) -> Duration {
        let now = Instant::now();
        let mut outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(left) = outage.until.and_then(|until| until.checked_duration_since(now))
            && !left.is_zero()
        {
            return left;
        }
        let pause = doubled(self.options.retry_pause, outage.times).min(MAX_REST);
        *outage = Outage { times: outage.times.saturating_add(1), until: Some(now + pause) };
        warn!(?pause, "the platform is out of reach, this stage rests");
        pause
    }

    /// The platform answers.
    fn end_rest(&self) {
        *self.outage.lock().unwrap_or_else(PoisonError::into_inner) = Outage::default();
    }

    /// Runs a task that may have killed its worker, unless it was alone in doing so too often.
    pub(super) async fn run_alone(&self, suspect: Box<dyn Delivery>) -> WorkReport {
        // The first worker that died counts too.
        let deaths = suspect.history().alone.saturating_add(1);
        if deaths >= suspect.max_deliveries() {
            let problem = format!("given up: {deaths} deliveries ended without an answer");
            let given_up = self.give_up(&*suspect, &problem).await;
            observe::answered(self.handler.stage(), &*suspect, &given_up, Duration::ZERO);
            return WorkReport { redelivered: 1, ..given_up };
        }
        match suspect.begin_alone().await {
            Ok(()) => self.run(vec![suspect]).await,
            Err(failure) => {
                warn!("a task is left for later, the queue does not answer: {failure}");
                WorkReport::default()
            }
        }
    }

    /// Gives a task back that was not begun.
    pub(super) async fn leave(&self, delivery: &dyn Delivery) {
        // If that fails, the task comes again when its lease has ended.
        if let Err(failure) = delivery.hand_back("the worker ends", Duration::ZERO).await {
            warn!("a task is left to the end of its lease, the queue does not answer: {failure}");
        }
    }

    /// Hands deliveries to the agent and answers each by its own outcome.
    pub(super) async fn run(&self, deliveries: Vec<Box<dyn Delivery>>) -> WorkReport {
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
        observe::link(&span, sound.iter().filter_map(|delivery| delivery.trace()));
        let started = Instant::now();
        let handled = self.handler.handle_in_turn(&specs, &self.turns).instrument(span.clone()).await;
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
        handled: Result<Handled, Error>,
    ) -> Vec<WorkReport> {
        let Handled { tasks, agents } = match handled {
            Ok(handled) => handled,
            Err(failure) => {
                let problem = full_message(&failure);
                if is_outage(&failure) {
                    let pause = self.rest();
                    let back = |delivery| self.hand_back(delivery, &problem, pause);
                    return join_all(deliveries.iter().map(|delivery| back(&**delivery))).await;
                }
                return join_all(deliveries.iter().map(|delivery| self.fail(&**delivery, &problem))).await;
            }
        };
        let pace = if agents < QUICK { Pace::Quick } else { Pace::Slow };
        self.pace.store(pace as u8, Ordering::Relaxed);
        // Where one task got all its answers, those of the others are to blame.
        let is_outage = tasks.iter().all(|task| task.is_outage);
        let pause = if is_outage {
            Some(self.rest())
        } else {
            self.end_rest();
            None
        };
        let answers = deliveries.iter().zip(&tasks).map(|(delivery, HandledTask { completion, .. })| {
            let delivery = &**delivery;
            match pause {
                Some(pause) if delivery.history().handed_back < MOST_HANDED_BACK => {
                    let problem = completion.error().unwrap_or_default();
                    self.hand_back(delivery, problem, pause).boxed()
                }
                _ => self.answer(delivery, completion).boxed(),
            }
        });
        join_all(answers).await
    }

    async fn answer(&self, delivery: &dyn Delivery, completion: &TaskCompletion) -> WorkReport {
        if !completion.is_final() {
            return self.fail(delivery, completion.error().unwrap_or_default()).await;
        }
        let completion = completion.with_error_cut(MAX_ERROR_BYTES);
        let acknowledged = self.persistently(|| delivery.done(&completion)).await;
        WorkReport { done: u64::from(acknowledged), ..WorkReport::default() }
    }

    async fn fail(&self, delivery: &dyn Delivery, problem: &str) -> WorkReport {
        let failed = delivery.history().failed;
        if failed + 1 >= delivery.max_deliveries() {
            return self.give_up(delivery, problem).await;
        }
        let pause = doubled(self.options.retry_pause, failed).min(MAX_PAUSE);
        warn!(delivery = delivery.delivered_before() + 1, ?pause, "delivery failed: {problem}");
        let problem = cut(problem, MAX_ERROR_BYTES);
        self.persistently(|| delivery.retry_later(problem, pause)).await;
        WorkReport { failed: 1, ..WorkReport::default() }
    }

    async fn hand_back(&self, delivery: &dyn Delivery, problem: &str, pause: Duration) -> WorkReport {
        warn!(delivery = delivery.delivered_before() + 1, ?pause, "handed back: {problem}");
        let problem = cut(problem, MAX_ERROR_BYTES);
        self.persistently(|| delivery.hand_back(problem, pause)).await;
        WorkReport { handed_back: 1, ..WorkReport::default() }
    }

    async fn give_up(&self, delivery: &dyn Delivery, problem: &str) -> WorkReport {
        error!(deliveries = delivery.delivered_before() + 1, "task given up: {problem}");
        let problem = cut(problem, MAX_ERROR_BYTES);
        let dead = self.persistently(|| delivery.give_up(problem)).await;
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

/// Whether the platform was out of reach when it was asked about a batch.
fn is_outage(failure: &Error) -> bool {
    let Error::Client { source, .. } = failure else { return false };
    source.is_retryable() || source.is_outcome_unknown() || source.is_access_denied()
}

/// The spec in a delivery, unless there is none.
fn readable(delivery: &dyn Delivery) -> Result<TaskSpec, String> {
    let text = std::str::from_utf8(delivery.payload()).map_err(|error| format!("not text: {error}"))?;
    text.parse().map_err(|refused: Error| refused.to_string())
}

fn doubled(pause: Duration, times: u32) -> Duration {
    pause.saturating_mul(2_u32.saturating_pow(times))
}
