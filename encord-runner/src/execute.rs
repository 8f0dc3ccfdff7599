//! One task: extract, call, check the outcome; again if that failed.
//!
//! Whatever happens in here, a panic included, is the outcome of this one task.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use encord_labels::LabelRow;
use encord_labels::id::PathwayUuid;
use futures::FutureExt;
use rand::Rng;
use tracing::{Instrument, debug_span, warn};

use crate::agent::Agent;
use crate::beside::{Beside, Side};
use crate::context::TaskContext;
use crate::error::{BoxError, ExtractError, Terminal, TimedOut, full_message};
use crate::outcome::Outcome;
use crate::stage;

/// How often and how long to try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) retries: u32,
    pub(crate) backoff: Duration,
    pub(crate) timeout: Option<Duration>,
}

/// The longest pause between two attempts.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// What the agent wants done, checked as far as that is possible without the platform.
#[derive(Debug, Default)]
pub(crate) struct Decision {
    pub(crate) pathway: Option<PathwayUuid>,
    pub(crate) label_row: Option<LabelRow>,
    pub(crate) priority: Option<f64>,
    pub(crate) beside: Vec<Side>,
}

/// Why a task failed for good.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) message: String,
    /// The platform was out of reach, so the task may be sound.
    pub(crate) is_outage: bool,
}

/// How working on a task ended, before anything is saved or moved.
#[derive(Debug)]
pub(crate) struct Executed {
    pub(crate) decision: Result<Decision, Failure>,
    pub(crate) attempts: u32,
    pub(crate) duration: Duration,
}

/// Tries an agent on a task until it succeeds, fails for good, or has used up its attempts.
pub(crate) async fn execute(agent: &dyn Agent, ctx: &TaskContext, policy: Policy) -> Executed {
    let started = Instant::now();
    let mut attempts = 0;
    let decision = loop {
        attempts += 1;
        let span = debug_span!("attempt", number = attempts);
        let error = match attempt(agent, ctx, policy.timeout).instrument(span).await {
            Ok(decision) => break Ok(decision),
            Err(error) => error,
        };
        let message = full_message(error.as_ref());
        let last = attempts > policy.retries || Terminal::is_in(error.as_ref());
        warn!(task = %ctx.task.uuid, data_hash = %ctx.task.data_hash, attempt = attempts, last, "agent failed: {message}");
        if last {
            break Err(Failure { message, is_outage: ExtractError::is_outage_in(error.as_ref()) });
        }
        tokio::time::sleep(pause(policy.backoff, attempts)).await;
    };
    Executed { decision, attempts, duration: started.elapsed() }
}

async fn attempt(
    agent: &dyn Agent,
    ctx: &TaskContext,
    timeout: Option<Duration>,
) -> Result<Decision, BoxError> {
    let guarded = AssertUnwindSafe(agent.attempt(ctx)).catch_unwind();
    let outcome = match timeout {
        Some(limit) => match tokio::time::timeout(limit, guarded).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => Ok(Err(TimedOut(limit).into())),
        },
        None => guarded.await,
    };
    for clean_up in ctx.take_clean_up() {
        if AssertUnwindSafe(clean_up).catch_unwind().await.is_err() {
            warn!(task = %ctx.task.uuid, "deferred clean-up panicked");
        }
    }
    match outcome {
        Ok(Ok(outcome)) => check(ctx, outcome),
        Ok(Err(error)) => Err(error),
        Err(panic) => Err(format!("the agent panicked: {}", panic_message(panic.as_ref())).into()),
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

pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "no message"
    }
}
