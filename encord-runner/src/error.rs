//! What can go wrong, sorted by who it concerns: the run as a whole, one task's inputs, or the agent itself.
//!
//! [`Error`] stops a run before or between tasks. [`ExtractError`] is one task's outcome. Errors of agents are
//! whatever the agent returns; [`Terminal`] marks those that a retry cannot cure.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use encord_labels::id::{ItemUuid, ProjectHash};

use crate::needs::Needs;

/// Any error of an agent or extractor.
pub type BoxError = Box<dyn StdError + Send + Sync + 'static>;

/// Why a run could not start or go on. Failures of single tasks are in the [`RunReport`](crate::RunReport).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No project was named, neither at construction nor for the run.
    #[error("no project: name one with `.with_project_hash(..)`, `--project-hash` or ENCORD_PROJECT_HASH")]
    NoProject,
    /// The runner is bound to one project and was asked to run on another.
    #[error(
        "the runner is bound to project {bound} but was asked to run on {asked}; build one runner per project"
    )]
    OtherProject {
        /// The project of the runner.
        bound: ProjectHash,
        /// The project asked for.
        asked: ProjectHash,
    },
    /// The project has no workflow, so it has no agent stages.
    #[error("project {project} ({title:?}) is not a workflow project; task agents need one")]
    NotAWorkflow {
        /// The project.
        project: ProjectHash,
        /// Its title.
        title: String,
    },
    /// The workflow has no agent stage.
    #[error("project {project} ({title:?}) has no agent stage; add one to its workflow")]
    NoAgentStage {
        /// The project.
        project: ProjectHash,
        /// Its title.
        title: String,
    },
    /// A registered stage is not an agent stage of the project.
    #[error("no agent stage {given} in project {project}{}; its agent stages are: {valid}", hint(suggestion.as_deref()))]
    UnknownStage {
        /// The stage as it was registered.
        given: String,
        /// The project.
        project: ProjectHash,
        /// All agent stages, by title and uuid.
        valid: String,
        /// The closest title, if one is close.
        suggestion: Option<String>,
    },
    /// Two agents were registered for one stage.
    #[error(
        "stage {stage} has two agents; register one, or replace the first with `.stage_with(..)` and `overwrite`"
    )]
    DuplicateStage {
        /// The stage, by title and uuid.
        stage: String,
    },
    /// No agent was registered.
    #[error("no agent is registered; call `.stage(..)` before the run")]
    NoStages,
    /// A stage was to be run for which no agent is registered.
    #[error("no agent is registered for stage {stage}; registered are: {registered}")]
    NotRegistered {
        /// The stage asked for.
        stage: String,
        /// The stages that have an agent.
        registered: String,
    },
    /// A pathway that the stage does not have.
    #[error(transparent)]
    UnknownPathway(#[from] UnknownPathway),
    /// An option has a value that makes no sense.
    #[error("option {option}: {problem}")]
    InvalidOption {
        /// The option's name.
        option: &'static str,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// A parameter of an agent can be made for no task of the project.
    #[error("the agent of stage {stage} cannot work: {problem}")]
    Setup {
        /// The stage, by title and uuid.
        stage: String,
        /// Which parameter, and why.
        problem: String,
    },
    /// The platform could not be asked.
    #[error("{action}: {source}")]
    Client {
        /// What was being done.
        action: &'static str,
        /// The client's error.
        source: encord_client::Error,
    },
    /// A part of the runner itself panicked. What was done until then is in the report; the other tasks are at their
    /// stage.
    #[error("{action} ended with a panic: {message}; run again to work on what is left")]
    Panicked {
        /// What was being done.
        action: &'static str,
        /// The message of the panic.
        message: String,
    },
    /// A local file could not be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A task spec of a queue could not be used.
    #[error("task spec refused: {0}")]
    Spec(String),
    /// The queue's storage failed.
    #[error("queue {queue}: {problem}")]
    Queue {
        /// The queue's name or file.
        queue: String,
        /// What went wrong.
        problem: String,
    },
    /// The collector of traces cannot be used.
    #[error("traces: {0}")]
    Telemetry(String),
    /// The function given to [`before_run`](crate::Runner::before_run) failed.
    #[error("the callback before the run failed: {0}")]
    Callback(BoxError),
}

impl Error {
    /// Turns what a panic left behind into an error.
    pub(crate) fn panicked(action: &'static str, payload: &(dyn Any + Send)) -> Self {
        Error::Panicked { action, message: panic_message(payload).to_owned() }
    }

    /// Turns a client error into one of this crate, saying what was being done.
    pub(crate) fn client(action: &'static str) -> impl FnOnce(encord_client::Error) -> Self {
        move |source| Error::Client { action, source }
    }
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |title| format!(", did you mean {title:?}?"))
}

/// A pathway that the task's stage does not have.
#[derive(Debug, Clone, thiserror::Error)]
#[error("stage {stage:?} has no pathway {given}{}; its pathways are: {valid}", hint(suggestion.as_deref()))]
#[non_exhaustive]
pub struct UnknownPathway {
    /// The stage's title.
    pub stage: String,
    /// The pathway as the agent gave it.
    pub given: String,
    /// All pathways of the stage, by name and uuid.
    pub valid: String,
    /// The closest name, if one is close.
    pub suggestion: Option<String>,
}

/// Why a core extractor could not give its value to one task.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// The extractor's `NEEDS` do not include what it asked the context for.
    #[error("{what} was not fetched; include `{needs:?}` in the extractor's NEEDS")]
    NotFetched {
        /// What was asked for.
        what: &'static str,
        /// The needs that would have fetched it.
        needs: Needs,
    },
    /// The context was built without this part, as in a unit test.
    #[error("this context has no {what}; give one to the context builder")]
    NotGiven {
        /// What was asked for.
        what: &'static str,
    },
    /// The platform lists no label row for the task's data unit and branch.
    #[error(
        "no label row for data unit {data_hash} on branch {branch:?}; was the data unit removed from the project?"
    )]
    NoLabelRow {
        /// The data unit.
        data_hash: String,
        /// The label branch of the task.
        branch: String,
    },
    /// The label row does not say which storage item backs the data unit.
    #[error("the label row of data unit {data_hash} names no storage item")]
    NoBackingItem {
        /// The data unit.
        data_hash: String,
    },
    /// The storage item is gone or not visible.
    #[error("storage item {item} is gone or this key may not read it; check the permissions of its folder")]
    NoStorageItem {
        /// The item.
        item: ItemUuid,
    },
    /// This type of item has no single file.
    #[error("storage item {item} is a {kind}, which has no file of its own; use its child items")]
    NoSingleFile {
        /// The item.
        item: ItemUuid,
        /// Its type.
        kind: String,
    },
    /// The platform failed to answer for this task.
    #[error("{what}: {source}")]
    Fetch {
        /// What was being fetched.
        what: &'static str,
        /// The client's error.
        source: Arc<encord_client::Error>,
    },
    /// The platform failed to answer for the tasks of a batch, before the first attempt.
    #[error("{what}: {source}")]
    Prefetch {
        /// What was being fetched.
        what: &'static str,
        /// The client's error.
        source: Arc<encord_client::Error>,
    },
    /// A local file could not be made or read.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: Arc<std::io::Error>,
    },
}

impl ExtractError {
    /// Whether another attempt could end differently.
    ///
    /// What was fetched before the first attempt is not fetched again for the next ones: the client had its own
    /// retries, and a whole batch of tasks that ask again one by one would only make an outage longer.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            ExtractError::Fetch { source, .. } => source.is_retryable() || source.is_outcome_unknown(),
            ExtractError::Io { .. } => true,
            _ => false,
        }
    }

    /// Whether the platform was out of reach or let nobody in, which says nothing about the task.
    pub(crate) fn is_outage_in(error: &(dyn StdError + 'static)) -> bool {
        chain(error).any(|error| match error.downcast_ref() {
            Some(ExtractError::Prefetch { source, .. } | ExtractError::Fetch { source, .. }) => {
                is_outage(source)
            }
            _ => client_error(error).is_some_and(is_outage),
        })
    }
}

fn is_outage(error: &encord_client::Error) -> bool {
    error.is_retryable() || error.is_outcome_unknown() || error.is_access_denied()
}

/// An error as the client's, also from behind the pointers that other libraries keep it in.
fn client_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a encord_client::Error> {
    error
        .downcast_ref()
        .or_else(|| error.downcast_ref::<Arc<encord_client::Error>>().map(|error| &**error))
        .or_else(|| error.downcast_ref::<Box<encord_client::Error>>().map(|error| &**error))
}

/// An error that a retry cannot cure. Any error of an agent or extractor that carries this mark anywhere in its
/// chain of causes ends the task's attempts at once.
///
/// ```
/// use encord_runner::{AgentTask, OrTerminal};
///
/// async fn agent(task: AgentTask) -> Result<&'static str, encord_runner::BoxError> {
///     let frame: u32 = task.data_title.parse().terminal()?; // no retry will make it a number
///     Ok(if frame == 0 { "first" } else { "rest" })
/// }
/// ```
#[derive(Debug)]
pub struct Terminal(Mark);

/// The source of a [`Terminal`]. It is a type of its own because `anyhow` hides the outermost type of an error
/// behind a wrapper, but keeps its sources.
#[derive(Debug)]
struct Mark(BoxError);

impl Terminal {
    /// Marks an error as final.
    pub fn new(error: impl Into<BoxError>) -> Self {
        Terminal(Mark(error.into()))
    }

    /// Whether an error is marked, directly or through its causes.
    #[must_use]
    pub fn is_in(error: &(dyn StdError + 'static)) -> bool {
        chain(error).any(|error| {
            error.is::<Terminal>()
                || error.is::<Mark>()
                || error.is::<UnknownPathway>()
                || error.downcast_ref::<ExtractError>().is_some_and(|error| !error.is_retryable())
        })
    }
}

impl fmt::Display for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Terminal {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Mark {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

/// Marks the error of a `Result`, or an absent value, as [`Terminal`].
pub trait OrTerminal<T> {
    /// Turns the failure into one that is not retried.
    ///
    /// # Errors
    /// The same failure, marked.
    fn terminal(self) -> Result<T, Terminal>;
}

impl<T, E: Into<BoxError>> OrTerminal<T> for Result<T, E> {
    fn terminal(self) -> Result<T, Terminal> {
        self.map_err(Terminal::new)
    }
}

/// An attempt took longer than the runner's `task_timeout`.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the agent did not finish within {} s (task_timeout)", .0.as_secs_f64())]
pub struct TimedOut(pub Duration);

/// An error and its causes, outermost first.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let current = next?;
        next = current.source();
        Some(current)
    })
}

/// What a panic said, if it said it in words.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "no message"
    }
}

/// An error with all its causes on one line, each message once.
pub(crate) fn full_message(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    for cause in chain(error) {
        let message = cause.to_string();
        if text.is_empty() {
            text = message;
        } else if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_is_found_through_anyhow_and_causes() {
        let plain = anyhow::anyhow!("no").context("outer");
        assert!(!Terminal::is_in(plain.as_ref()));
        let marked = anyhow::Error::from(Terminal::new("no"));
        let boxed: BoxError = marked.into();
        assert!(Terminal::is_in(boxed.as_ref()));
        let deep: BoxError = anyhow::Error::from(Terminal::new("no")).context("outer").into();
        assert!(Terminal::is_in(deep.as_ref()));
        assert_eq!(full_message(deep.as_ref()), "outer: no");
    }

    #[test]
    fn lost_access_is_not_the_fault_of_a_task() {
        // How an extractor of another crate says that the twin project cannot be read.
        #[derive(Debug, thiserror::Error)]
        #[error("no twin")]
        struct NoTwin(#[source] encord_client::Error);
        let transfer = |retryable| encord_client::Error::Transfer {
            file: "f".into(),
            problem: "p".into(),
            status: None,
            retryable,
        };
        let lost = encord_client::Error::OutcomeUnknown(Box::new(transfer(false)));
        for (source, outage) in [(transfer(true), true), (lost, true), (transfer(false), false)] {
            assert_eq!(ExtractError::is_outage_in(&NoTwin(source)), outage);
        }
    }

    #[test]
    fn a_missing_row_is_not_retried() {
        let error = ExtractError::NoLabelRow { data_hash: "d".into(), branch: "main".into() };
        assert!(Terminal::is_in(&error));
    }
}
