//! One task: extract, call, check the outcome; again if that failed.
//!
//! Whatever happens in here, a panic included, is the outcome of this one task.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use encord_labels::LabelRow;
use encord_labels::id::PathwayUuid;
use futures::FutureExt;
use rand::Rng;
use tracing::{Instrument, debug_span, warn};

use crate::agent::{Agent, Threads};
use crate::beside::{Beside, Side};
use crate::context::TaskContext;
use crate::error::{BoxError, ExtractError, Terminal, TimedOut, full_message, panic_message};
use crate::outcome::Outcome;
use crate::stage;

/// How often and how long to try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) retries: u32,
    pub(crate) backoff: Duration,
    pub(crate) timeout: Option<Duration>,
    /// The age from which fetched labels are not saved without asking whether the task is still at its stage.
    pub(crate) recheck_after: Duration,
}

/// The longest pause between two attempts.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// What the agent wants done, checked as far as that is possible without the platform.
#[derive(Debug, Default)]
pub(crate) struct Decision {
    pub(crate) pathway: Option<PathwayUuid>,
    pub(crate) label_row: Option<Box<LabelRow>>,
    pub(crate) priority: Option<f64>,
    pub(crate) beside: Vec<Side>,
}

/// Why a task failed for good.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) message: String,
    /// The platform was out of reach, so the task may be sound.
    pub(crate) is_outage: bool,
}

impl Failure {
    /// The same, with what was being done in front.
    pub(crate) fn of(self, action: &str) -> Self {
        Failure { message: format!("{action}: {}", self.message), ..self }
    }
}

impl From<&encord_client::Error> for Failure {
    fn from(error: &encord_client::Error) -> Self {
        let is_outage = error.is_retryable() || error.is_outcome_unknown();
        Failure { message: full_message(error), is_outage }
    }
}

/// How working on a task ended, before anything is saved or moved.
#[derive(Debug)]
pub(crate) struct Executed {
    pub(crate) decision: Result<Decision, Failure>,
    pub(crate) attempts: u32,
    pub(crate) duration: Duration,
    /// From when on the labels are too old to be saved without another look at the task; `None` for never.
    pub(crate) recheck_at: Option<Instant>,
}

/// Tries an agent on a task until it succeeds, fails for good, or has used up its attempts.
pub(crate) async fn execute(agent: &dyn Agent, ctx: &TaskContext, policy: Policy) -> Executed {
    let started = Instant::now();
    let mut attempts = 0;
    // Also the code around an attempt runs what users wrote, such as the text of an error.
    let tried = AssertUnwindSafe(try_until_done(agent, ctx, policy, &mut attempts)).catch_unwind().await;
    let decision = tried.unwrap_or_else(|panic| {
        let message = format!("panicked after the agent had ended: {}", panic_message(panic.as_ref()));
        warn!(task = %ctx.task.uuid, data_hash = %ctx.task.data_hash, "{message}");
        Err(Failure { message, is_outage: false })
    });
    let recheck_at = ctx.fetched_at.checked_add(policy.recheck_after);
    Executed { decision, attempts, duration: started.elapsed(), recheck_at }
}

async fn try_until_done(
    agent: &dyn Agent,
    ctx: &TaskContext,
    policy: Policy,
    attempts: &mut u32,
) -> Result<Decision, Failure> {
    let threads = Threads::default();
    loop {
        *attempts += 1;
        let span = debug_span!("attempt", number = *attempts);
        let error = match attempt(agent, ctx, policy.timeout, &threads).instrument(span).await {
            Ok(decision) => return Ok(decision),
            Err(error) => error,
        };
        let message = full_message(error.as_ref());
        let mut last = *attempts > policy.retries || Terminal::is_in(error.as_ref());
        warn!(task = %ctx.task.uuid, data_hash = %ctx.task.data_hash, attempt = *attempts, last, "agent failed: {message}");
        if !last {
            tokio::time::sleep(pause(policy.backoff, *attempts)).await;
            if threads.any_alive() {
                warn!(task = %ctx.task.uuid, "not tried again, because the thread of the last attempt still runs");
                last = true;
            }
        }
        if last {
            return Err(Failure { message, is_outage: ExtractError::is_outage_in(error.as_ref()) });
        }
    }
}

async fn attempt(
    agent: &dyn Agent,
    ctx: &TaskContext,
    timeout: Option<Duration>,
    threads: &Threads,
) -> Result<Decision, BoxError> {
    let guarded = AssertUnwindSafe(agent.attempt(ctx)).catch_unwind();
    let outcome = match timeout {
        Some(limit) => match tokio::time::timeout(limit, threads.watch(guarded)).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => Ok(Err(TimedOut(limit).into())),
        },
        None => guarded.await,
    };
    clean_up(ctx, timeout).await;
    match outcome {
        Ok(Ok(outcome)) => check(ctx, outcome),
        Ok(Err(error)) => Err(error),
        Err(panic) => Err(format!("the agent panicked: {}", panic_message(panic.as_ref())).into()),
    }
}

/// Runs what was deferred, each for at most as long as an attempt may take.
async fn clean_up(ctx: &TaskContext, timeout: Option<Duration>) {
    for deferred in ctx.take_clean_up() {
        let guarded = AssertUnwindSafe(deferred).catch_unwind();
        let ended = match timeout {
            Some(limit) => tokio::time::timeout(limit, guarded).await,
            None => Ok(guarded.await),
        };
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(_panic)) => warn!(task = %ctx.task.uuid, "deferred clean-up panicked"),
            Err(_elapsed) => warn!(task = %ctx.task.uuid, "deferred clean-up took too long and was dropped"),
        }
    }
}

/// Finds what is wrong with an outcome before anything of it is sent.
fn check(ctx: &TaskContext, outcome: Outcome) -> Result<Decision, BoxError> {
    let Outcome { pathway, label_row, priority, beside } = outcome;
    let pathway = pathway.map(|wanted| stage::resolve_pathway(&ctx.stage, &wanted)).transpose()?;
    if let Some(row) = &label_row {
        let (own, given) = (ctx.task.data_hash.to_string(), row.metadata().data_hash());
        if own != given {
            let problem =
                format!("the agent returned the label row of data unit {given}, but the task is about {own}");
            return Err(Terminal::new(problem).into());
        }
        if !row.is_initialised() {
            return Err(
                Terminal::new("the agent returned a label row without labels; take a `LabelRow`").into()
            );
        }
    }
    if let Some(value) = priority
        && !(0.0..=1.0).contains(&value)
    {
        return Err(Terminal::new(format!("priority {value} is not between 0.0 and 1.0")).into());
    }
    let beside = beside.into_iter().map(Beside::check).collect::<Result<_, _>>()?;
    Ok(Decision { pathway, label_row, priority, beside })
}

/// Doubles with every attempt, with up to half of it random so that many workers do not retry in step.
fn pause(backoff: Duration, attempts: u32) -> Duration {
    let full = backoff.saturating_mul(1 << (attempts - 1).min(16)).min(MAX_BACKOFF);
    full.mul_f64(rand::rng().random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_differ() {
        let pauses = |backoff: Duration, attempts: u32| (0..50).map(move |_| pause(backoff, attempts));
        let base = Duration::from_millis(200);
        for (attempts, most) in [(1, 200), (2, 400), (3, 800), (8, 25_600), (9, 30_000), (u32::MAX, 30_000)] {
            let most = Duration::from_millis(most);
            assert!(pauses(base, attempts).all(|pause| pause >= most / 2 && pause <= most), "{attempts}");
        }
        assert!(pauses(base, 1).any(|one| pauses(base, 1).any(|other| one != other)), "no jitter");
        assert!(pauses(Duration::MAX, 1).all(|pause| pause <= MAX_BACKOFF));
        assert!(pauses(Duration::ZERO, 5).all(|pause| pause.is_zero()));
    }
}
