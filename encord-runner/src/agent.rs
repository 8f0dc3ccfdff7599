//! Agents: plain functions, async or blocking, whose parameters are extractors.
//!
//! [`AgentFn`] describes the shape of a function and nothing else. That its parameters are extractors and
//! its result an outcome are separate bounds where it is registered, so that the compiler names the one
//! parameter that is wrong instead of calling the whole function unsuitable.

use std::future::Future;
use std::panic;
use std::sync::Arc;

use encord_client::Project;
use futures::future::BoxFuture;

use crate::context::TaskContext;
use crate::error::BoxError;
use crate::extract::FromTask;
use crate::needs::Needs;
use crate::outcome::{IntoOutcome, Outcome};
use crate::shutdown::AbortOnDrop;

/// Calls a macro with the type parameters of every supported arity, 0 to 16.
macro_rules! for_each_arity {
    ($name:ident) => {
        $name!();
        $name!(T1);
        $name!(T1, T2);
        $name!(T1, T2, T3);
        $name!(T1, T2, T3, T4);
        $name!(T1, T2, T3, T4, T5);
        $name!(T1, T2, T3, T4, T5, T6);
        $name!(T1, T2, T3, T4, T5, T6, T7);
        $name!(T1, T2, T3, T4, T5, T6, T7, T8);
        $name!(T1, T2, T3, T4, T5, T6, T7, T8, T9);
        $name!(T1, T2, T3, T4, T5, T6, T7, T8, T9, T10);
        $name!(T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11);
        $name!(T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12);
        $name!(T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13);
        $name!(T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14);
        $name!(T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15);
        $name!(T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16);
    };
}
pub(crate) use for_each_arity;

/// The shape of an agent: an async function (or [`blocking`] one) with up to 16 parameters.
///
/// Implemented for every function and closure that fits; never implemented by hand.
/// More than 16 values fit by taking tuples: `(a, b): (LabelRow, Asset)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an agent",
    label = "not an async function with at most 16 parameters",
    note = "an agent is an `async fn` that owns its parameters; wrap a function that blocks in `blocking(..)`"
)]
pub trait AgentFn<Args>: Send + Sync + 'static {
    /// What the call gives back when it is awaited.
    type Output;
    /// The running call.
    type Future: Future<Output = Self::Output>;

    /// Calls the function.
    fn call(&self, args: Args) -> Self::Future;
}

/// A function that blocks its thread: heavy computation, a model, a library without async.
#[derive(Clone, Debug)]
pub struct Blocking<F>(Arc<F>);

/// Makes an agent of a function that is not async. It runs on a thread of its own, so that downloads and saves
/// of other tasks go on meanwhile.
///
/// A blocking call cannot be interrupted: after a `task_timeout` its task is reported as timed out while
/// the thread runs to its end. As long as it does, the task is not tried again.
///
/// ```
/// use encord_runner::{AgentTask, Runner, blocking};
///
/// fn count(task: AgentTask) -> &'static str {
///     std::thread::sleep(std::time::Duration::from_millis(1));
///     if task.data_title.len() > 10 { "long" } else { "short" }
/// }
///
/// let runner = Runner::new().stage("Agent 1", blocking(count));
/// ```
pub fn blocking<F>(function: F) -> Blocking<F> {
    Blocking(Arc::new(function))
}

macro_rules! impl_agent_fn {
    ($($T:ident),*) => {
        #[allow(non_snake_case)]
        impl<F, Fut, $($T),*> AgentFn<($($T,)*)> for F
        where
            F: Fn($($T),*) -> Fut + Send + Sync + 'static,
            Fut: Future,
        {
            type Output = Fut::Output;
            type Future = Fut;

            fn call(&self, ($($T,)*): ($($T,)*)) -> Fut {
                self($($T),*)
            }
        }

        #[allow(non_snake_case)]
        impl<F, Out, $($T),*> AgentFn<($($T,)*)> for Blocking<F>
        where
            F: Fn($($T),*) -> Out + Send + Sync + 'static,
            Out: Send + 'static,
            $($T: Send + 'static,)*
        {
            type Output = Out;
            type Future = BoxFuture<'static, Out>;

            fn call(&self, ($($T,)*): ($($T,)*)) -> Self::Future {
                let function = Arc::clone(&self.0);
                Box::pin(on_own_thread(move || function($($T),*)))
            }
        }
    };
}

for_each_arity!(impl_agent_fn);

tokio::task_local! {
    /// Where the threads of the current attempt are counted.
    static THREADS: Threads;
}

/// The threads that blocking agents started for one task. Each holds a copy for as long as it runs.
#[derive(Clone, Default)]
pub(crate) struct Threads(Arc<()>);

impl Threads {
    /// Counts the threads that a call of an agent starts.
    pub(crate) fn watch<F: Future>(&self, call: F) -> impl Future<Output = F::Output> {
        THREADS.scope(self.clone(), call)
    }

    /// Whether a thread goes on although nobody waits for it any more.
    pub(crate) fn any_alive(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

/// Runs a blocking call on the pool; its panic continues in the caller, where the task's guard catches it.
async fn on_own_thread<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    let alive = THREADS.try_with(Clone::clone).ok();
    let counted = move || {
        let value = call();
        drop(alive);
        value
    };
    // A call whose turn has not come by the time of a timeout never begins.
    let mut thread = AbortOnDrop(tokio::task::spawn_blocking(counted));
    match (&mut thread.0).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(payload) => panic::resume_unwind(payload),
            Err(error) => panic!("the runtime stopped before the blocking agent ran: {error}"),
        },
    }
}

/// A registered agent with its types erased: what the rest of the runner works with.
pub(crate) trait Agent: Send + Sync {
    fn needs(&self) -> Needs;
    /// Whether the parameters can be made for tasks of this project.
    fn check<'a>(&'a self, project: &'a Project) -> BoxFuture<'a, Result<(), BoxError>>;
    /// Lets the parameters fetch for a whole batch.
    fn prefetch<'a>(&'a self, batch: &'a [TaskContext]) -> BoxFuture<'a, ()>;
    fn attempt<'a>(&'a self, ctx: &'a TaskContext) -> BoxFuture<'a, Result<Outcome, BoxError>>;
}

struct Bound<F, Args, S> {
    function: F,
    state: Arc<S>,
    marker: std::marker::PhantomData<fn(Args)>,
}

/// Binds a function to the state its extractors read.
pub(crate) fn bind<F, Args, S>(function: F, state: Arc<S>) -> Arc<dyn Agent>
where
    F: AgentFn<Args, Future: Send, Output: IntoOutcome>,
    Args: FromTask<S> + 'static,
    S: Send + Sync + 'static,
{
    Arc::new(Bound { function, state, marker: std::marker::PhantomData })
}

impl<F, Args, S> Agent for Bound<F, Args, S>
where
    F: AgentFn<Args, Future: Send, Output: IntoOutcome>,
    Args: FromTask<S> + 'static,
    S: Send + Sync + 'static,
{
    fn needs(&self) -> Needs {
        Args::NEEDS
    }

    fn check<'a>(&'a self, project: &'a Project) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(Args::check(project, &self.state))
    }

    fn prefetch<'a>(&'a self, batch: &'a [TaskContext]) -> BoxFuture<'a, ()> {
        Box::pin(Args::prefetch(batch, &self.state))
    }

    fn attempt<'a>(&'a self, ctx: &'a TaskContext) -> BoxFuture<'a, Result<Outcome, BoxError>> {
        Box::pin(async move {
            let args = Args::from_task(ctx, &self.state).await.map_err(Into::into)?;
            self.function.call(args).await.into_outcome()
        })
    }
}
