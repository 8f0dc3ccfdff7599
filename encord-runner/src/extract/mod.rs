//! Extractors: the typed parameters of an agent.
//!
//! An agent asks for what it works on by naming types in its parameter list. Each type implements
//! [`FromTask`], which says what has to be fetched ([`FromTask::NEEDS`]) and how the value is made from the
//! task's context. Inputs can be read again and again, so the order of parameters never matters.

mod args;
mod optional;
mod platform;
mod state;

use std::future::{self, Future};

use encord_client::Project;

pub use self::args::Rejected;
pub use self::optional::OptionalFromTask;
pub use self::state::{FromRef, State};
use crate::context::TaskContext;
use crate::error::BoxError;
use crate::needs::Needs;

/// A value that can be made for an agent from the task it works on.
///
/// `S` is the state of the runner (`()` when there is none). Tuples of extractors are extractors, so one
/// parameter can hold several values and a custom extractor can build on others.
///
/// Extraction happens again for every attempt: a retry sees fresh values. What is expensive to fetch is kept
/// in the [`TaskContext`] and shared by all extractors and attempts of one task.
///
/// ```
/// use encord_runner::extract::FromTask;
/// use encord_runner::{AgentTask, ExtractError, Needs, TaskContext};
///
/// /// The file extension in the title of the task.
/// struct Extension(String);
///
/// impl<S: Sync> FromTask<S> for Extension {
///     const NEEDS: Needs = <AgentTask as FromTask<S>>::NEEDS;
///     type Rejection = String;
///
///     async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self, String> {
///         let title = &ctx.task().data_title;
///         match title.rsplit_once('.') {
///             Some((_, extension)) => Ok(Extension(extension.to_owned())),
///             None => Err(format!("{title:?} has no extension")),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of an agent",
    label = "not an extractor for a runner with state `{S}`",
    note = "agent parameters implement `FromTask`: `AgentTask`, `LabelRow`, `StorageItem`, `Asset`, `State<T>`, ...",
    note = "take values by value, not by reference, and implement `FromTask` for your own types"
)]
pub trait FromTask<S>: Sized + Send {
    /// What must be fetched before the agent is called. A custom extractor that uses others joins their
    /// needs with [`Needs::or`].
    const NEEDS: Needs;

    /// Why the value could not be made. Anything that turns into a boxed error will do: a `String`, your own
    /// error, `anyhow::Error`. A rejection is retried like an error of the agent unless it is
    /// [terminal](crate::Terminal).
    type Rejection: Into<BoxError> + Send;

    /// Makes the value for one attempt.
    fn from_task(ctx: &TaskContext, state: &S) -> impl Future<Output = Result<Self, Self::Rejection>> + Send;

    /// Checks once, before the first task, that values can be made for tasks of this project: that a model
    /// file is there, that another project may be read. A refusal ends the run before it began.
    ///
    /// A custom extractor that builds on others calls their `check` from its own.
    fn check(project: &Project, state: &S) -> impl Future<Output = Result<(), BoxError>> + Send {
        let _ = (project, state);
        future::ready(Ok(()))
    }

    /// Fetches in bulk what [`from_task`](FromTask::from_task) will ask for: it sees all tasks of a batch at once,
    /// after what they [need](FromTask::NEEDS) has been fetched, and leaves its finds in their contexts with
    /// [`TaskContext::share`].
    ///
    /// This is for sources that answer many questions in one request. Nothing may depend on it: without it (in
    /// a unit test, say) `from_task` asks for the one task. A custom extractor that builds on others calls their
    /// `prefetch` from its own.
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// use encord_runner::{FromTask, Needs, TaskContext};
    ///
    /// /// The price of a picture, from a shop that is asked about many of them at once.
    /// struct Price(f64);
    ///
    /// impl<S: Sync> FromTask<S> for Price {
    ///     const NEEDS: Needs = Needs::NOTHING;
    ///     type Rejection = String;
    ///
    ///     async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self, String> {
    ///         let title = ctx.task().data_title.clone();
    ///         let found = ctx.shared(async { prices(&[&title]).await.remove(&title).map(Price).ok_or(title) });
    ///         found.await.map(|price| Price(price.0)).map_err(|title| format!("no price for {title:?}"))
    ///     }
    ///
    ///     async fn prefetch(batch: &[TaskContext], _state: &S) {
    ///         let titles: Vec<&str> = batch.iter().map(|ctx| &*ctx.task().data_title).collect();
    ///         let mut prices = prices(&titles).await;
    ///         for ctx in batch {
    ///             if let Some(price) = prices.remove(&ctx.task().data_title) {
    ///                 ctx.share(Price(price));
    ///             }
    ///         }
    ///     }
    /// }
    /// # async fn prices(titles: &[&str]) -> HashMap<String, f64> { titles.iter().map(|title| (title.to_string(), 1.0)).collect() }
    /// # async fn agent(price: Price) { let _ = price; }
    /// # let runner = encord_runner::Runner::new().stage("Agent 1", agent);
    /// ```
    fn prefetch(batch: &[TaskContext], state: &S) -> impl Future<Output = ()> + Send {
        let _ = (batch, state);
        future::ready(())
    }
}
