//! What the runner was given at start, handed to every agent.

use std::convert::Infallible;

use super::FromTask;
use crate::context::TaskContext;
use crate::needs::Needs;

/// A value of the runner's state: a model, a configuration, a database pool.
///
/// The runner gets it once with [`Runner::with_state`](crate::Runner::with_state); every agent gets a clone, so
/// put large things into an `Arc`. A type that the state does not hold is a compile error.
///
/// ```
/// use encord_runner::extract::State;
/// use std::sync::Arc;
///
/// struct Model { threshold: f64 }
///
/// async fn agent(State(model): State<Arc<Model>>) -> &'static str {
///     if model.threshold > 0.5 { "review" } else { "complete" }
/// }
/// # let runner = encord_runner::Runner::new().with_state(Arc::new(Model { threshold: 0.7 })).stage("Agent 1", agent);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct State<T>(pub T);

/// A part that can be taken out of the runner's state.
///
/// Every cloneable state gives itself. Implement this to let agents ask for one field only:
///
/// ```
/// use encord_runner::extract::FromRef;
///
/// #[derive(Clone)]
/// struct App { name: String, limit: Limit }
/// #[derive(Clone)]
/// struct Limit(u32);
///
/// impl FromRef<App> for Limit {
///     fn from_ref(app: &App) -> Self { app.limit.clone() }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "the runner has no `{Self}` in its state",
    label = "the state is `{S}`",
    note = "call `.with_state(..)` with a value of this type before `.stage(..)`, or implement `FromRef<{S}> for {Self}`"
)]
pub trait FromRef<S> {
    /// Takes (usually clones) the part.
    fn from_ref(state: &S) -> Self;
}

impl<S: Clone> FromRef<S> for S {
    fn from_ref(state: &S) -> Self {
        state.clone()
    }
}

impl<S: Sync, T: FromRef<S> + Send> FromTask<S> for State<T> {
    const NEEDS: Needs = Needs::NOTHING;
    type Rejection = Infallible;

    async fn from_task(_ctx: &TaskContext, state: &S) -> Result<Self, Infallible> {
        Ok(State(T::from_ref(state)))
    }
}
