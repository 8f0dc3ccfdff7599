//! Tuples of extractors: the parameter list of an agent, and groups of values within it.

use std::fmt;

use encord_client::Project;

use super::FromTask;
use crate::agent::for_each_arity;
use crate::context::TaskContext;
use crate::error::BoxError;
use crate::needs::Needs;

/// One element of a tuple of extractors could not be made.
#[derive(Debug)]
pub struct Rejected {
    position: usize,
    type_name: &'static str,
    source: BoxError,
}

impl Rejected {
    fn new<T>(position: usize, rejection: impl Into<BoxError>) -> Self {
        Self { position, type_name: short_type_name::<T>(), source: rejection.into() }
    }

    /// The position of the parameter, counted from 1.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// The name of the parameter's type, without its module path.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not prepare parameter {} ({})", self.position, self.type_name)
    }
}

impl std::error::Error for Rejected {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.source.as_ref())
    }
}

/// `alloc::string::String` becomes `String`; a generic type keeps its full name, which is rarely needed.
fn short_type_name<T>() -> &'static str {
    let full = std::any::type_name::<T>();
    if full.contains('<') { full } else { full.rsplit("::").next().unwrap_or(full) }
}

macro_rules! impl_from_task_for_tuple {
    ($($T:ident),*) => {
        #[allow(unused_variables, unused_assignments, unused_mut, non_snake_case, clippy::unused_unit)]
        impl<S: Sync, $($T: FromTask<S>),*> FromTask<S> for ($($T,)*) {
            const NEEDS: Needs = Needs::NOTHING$(.or($T::NEEDS))*;
            type Rejection = Rejected;

            async fn from_task(ctx: &TaskContext, state: &S) -> Result<Self, Rejected> {
                let mut position = 0;
                $(
                    position += 1;
                    let $T = match $T::from_task(ctx, state).await {
                        Ok(value) => value,
                        Err(rejection) => return Err(Rejected::new::<$T>(position, rejection)),
                    };
                )*
                Ok(($($T,)*))
            }

            async fn check(project: &Project, state: &S) -> Result<(), BoxError> {
                let mut position = 0;
                $(
                    position += 1;
                    $T::check(project, state).await.map_err(|refusal| Rejected::new::<$T>(position, refusal))?;
                )*
                Ok(())
            }

            async fn prefetch(batch: &[TaskContext], state: &S) {
                tokio::join!($($T::prefetch(batch, state)),*);
            }
        }
    };
}

for_each_arity!(impl_from_task_for_tuple);
