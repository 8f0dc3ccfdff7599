//! Parameters that may be absent or may fail.
//!
//! `Option<T>` is only there where absence is a fact rather than a failure, so that a network error never
//! looks like "there is none". `Result<T, _>` hands the failure to the agent instead.

use std::convert::Infallible;

use encord_client::StorageItem;
use encord_labels::LabelRowMetadata;

use super::FromTask;
use crate::context::TaskContext;
use crate::error::ExtractError;
use crate::needs::Needs;

impl<S: Sync, T: FromTask<S>> FromTask<S> for Result<T, T::Rejection> {
    const NEEDS: Needs = T::NEEDS;
    type Rejection = Infallible;

    async fn from_task(ctx: &TaskContext, state: &S) -> Result<Self, Infallible> {
        Ok(T::from_task(ctx, state).await)
    }
}

/// `None` when the platform lists no label row for the task.
impl<S: Sync> FromTask<S> for Option<LabelRowMetadata> {
    const NEEDS: Needs = Needs::LABEL_ROW;
    type Rejection = ExtractError;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self, ExtractError> {
        match ctx.label_row_metadata() {
            Ok(metadata) => Ok(Some(metadata.clone())),
            Err(ExtractError::NoLabelRow { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// `None` when the storage item is gone or not visible to this key.
impl<S: Sync> FromTask<S> for Option<StorageItem> {
    const NEEDS: Needs = Needs::SIGNED_URL;
    type Rejection = ExtractError;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self, ExtractError> {
        match ctx.storage_item() {
            Ok(item) => Ok(Some(item.clone())),
            Err(ExtractError::NoStorageItem { .. } | ExtractError::NoBackingItem { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
