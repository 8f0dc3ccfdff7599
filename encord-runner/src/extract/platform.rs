//! Extractors for what the platform holds: project, stage, task, label row, storage item, file.

use std::convert::Infallible;

use encord_client::{AgentTask, Client, Project, Stage, StorageItem};
use encord_labels::{LabelRow, LabelRowMetadata};

use super::FromTask;
use crate::asset::Asset;
use crate::context::TaskContext;
use crate::error::ExtractError;
use crate::needs::Needs;

/// The client the runner uses, with the same key and domain.
impl<S: Sync> FromTask<S> for Client {
    const NEEDS: Needs = Needs::NOTHING;
    type Rejection = ExtractError;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self, ExtractError> {
        ctx.client().cloned()
    }
}

/// The project the runner works on.
impl<S: Sync> FromTask<S> for Project {
    const NEEDS: Needs = Needs::NOTHING;
    type Rejection = ExtractError;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self, ExtractError> {
        ctx.project().cloned()
    }
}

/// The workflow stage the task is at.
impl<S: Sync> FromTask<S> for Stage {
    const NEEDS: Needs = Needs::NOTHING;
    type Rejection = Infallible;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self, Infallible> {
        Ok(ctx.stage().clone())
    }
}

/// The task itself.
impl<S: Sync> FromTask<S> for AgentTask {
    const NEEDS: Needs = Needs::NOTHING;
    type Rejection = Infallible;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self, Infallible> {
        Ok(ctx.task().clone())
    }
}

/// The label row with its labels: an own copy to edit, saved only if the agent returns it in its
/// [`Outcome`](crate::Outcome).
impl<S: Sync> FromTask<S> for LabelRow {
    const NEEDS: Needs = Needs::LABELS;
    type Rejection = ExtractError;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self, ExtractError> {
        ctx.label_row().cloned()
    }
}

/// Facts about the data unit from the label listing, without the cost of fetching labels.
impl<S: Sync> FromTask<S> for LabelRowMetadata {
    const NEEDS: Needs = Needs::LABEL_ROW;
    type Rejection = ExtractError;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self, ExtractError> {
        ctx.label_row_metadata().cloned()
    }
}

/// The storage item behind the data unit, with a signed URL where its type has one.
impl<S: Sync> FromTask<S> for StorageItem {
    const NEEDS: Needs = Needs::SIGNED_URL;
    type Rejection = ExtractError;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self, ExtractError> {
        ctx.storage_item().cloned()
    }
}

/// The file of the data unit on local disk.
impl<S: Sync> FromTask<S> for Asset {
    const NEEDS: Needs = Needs::ASSET;
    type Rejection = ExtractError;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self, ExtractError> {
        ctx.asset().await
    }
}
