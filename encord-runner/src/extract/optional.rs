//! Parameters that may be absent or may fail.
//!
//! `Option<T>` is only there where absence is a fact rather than a failure, so that a network error never
//! looks like "there is none". `Result<T, _>` hands the failure to the agent instead.

use std::convert::Infallible;
use std::future::Future;

use encord_client::{Project, StorageItem};
use encord_labels::LabelRowMetadata;

use super::FromTask;
use crate::context::TaskContext;
use crate::error::{BoxError, ExtractError};
use crate::needs::Needs;

/// An extractor whose value some tasks simply do not have: with it, agents can take an `Option` of it.
///
/// ```
/// use encord_runner::extract::{FromTask, OptionalFromTask};
/// use encord_runner::{Needs, TaskContext};
///
/// /// What stands before the first dash in the title.
/// struct Prefix(String);
///
/// impl<S: Sync> FromTask<S> for Prefix {
///     const NEEDS: Needs = Needs::NOTHING;
///     type Rejection = String;
///
///     async fn from_task(ctx: &TaskContext, state: &S) -> Result<Self, String> {
///         let prefix = Self::optional_from_task(ctx, state).await?;
///         prefix.ok_or_else(|| format!("{:?} has no prefix", ctx.task().data_title))
///     }
/// }
///
/// impl<S: Sync> OptionalFromTask<S> for Prefix {
///     async fn optional_from_task(ctx: &TaskContext, _state: &S) -> Result<Option<Self>, String> {
///         Ok(ctx.task().data_title.split_once('-').map(|(prefix, _)| Prefix(prefix.to_owned())))
///     }
/// }
///
/// async fn agent(prefix: Option<Prefix>) -> Option<&'static str> {
///     prefix.map(|Prefix(_)| "known")
/// }
/// # let runner = encord_runner::Runner::new().stage("Agent 1", agent);
/// ```
#[diagnostic::on_unimplemented(
    message = "`Option<{Self}>` cannot be a parameter of an agent",
    label = "`{Self}` is never simply absent",
    note = "take `Result<{Self}, _>` to see why it could not be made, or implement `OptionalFromTask` for your own type"
)]
pub trait OptionalFromTask<S>: FromTask<S> {
    /// Makes the value for one attempt; `None` where the task has none. A failure to find out is a rejection.
    fn optional_from_task(
        ctx: &TaskContext,
        state: &S,
    ) -> impl Future<Output = Result<Option<Self>, Self::Rejection>> + Send;
}

impl<S: Sync, T: OptionalFromTask<S>> FromTask<S> for Option<T> {
    const NEEDS: Needs = T::NEEDS;
    type Rejection = T::Rejection;

    async fn from_task(ctx: &TaskContext, state: &S) -> Result<Self, T::Rejection> {
        T::optional_from_task(ctx, state).await
    }

    async fn check(project: &Project, state: &S) -> Result<(), BoxError> {
        T::check(project, state).await
    }

    async fn prefetch(batch: &[TaskContext], state: &S) {
        T::prefetch(batch, state).await;
    }
}

impl<S: Sync, T: FromTask<S>> FromTask<S> for Result<T, T::Rejection> {
    const NEEDS: Needs = T::NEEDS;
    type Rejection = Infallible;

    async fn from_task(ctx: &TaskContext, state: &S) -> Result<Self, Infallible> {
        Ok(T::from_task(ctx, state).await)
    }

    async fn check(project: &Project, state: &S) -> Result<(), BoxError> {
        T::check(project, state).await
    }

    async fn prefetch(batch: &[TaskContext], state: &S) {
        T::prefetch(batch, state).await;
    }
}

/// `None` when the platform lists no label row for the task.
impl<S: Sync> OptionalFromTask<S> for LabelRowMetadata {
    async fn optional_from_task(ctx: &TaskContext, _state: &S) -> Result<Option<Self>, ExtractError> {
        match ctx.label_row_metadata() {
            Ok(metadata) => Ok(Some(metadata.clone())),
            Err(ExtractError::NoLabelRow { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// `None` when the storage item is gone or not visible to this key.
impl<S: Sync> OptionalFromTask<S> for StorageItem {
    async fn optional_from_task(ctx: &TaskContext, _state: &S) -> Result<Option<Self>, ExtractError> {
        match ctx.storage_item() {
            Ok(item) => Ok(Some(item.clone())),
            Err(ExtractError::NoStorageItem { .. } | ExtractError::NoBackingItem { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
