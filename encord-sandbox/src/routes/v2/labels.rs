//! Label rows on the new API: copies between branches, and validation.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::Moment;
use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};
use crate::routes::rights::writable;
use crate::routes::{Caller, JsonBody, UuidPath};
use crate::store::RowKey;

pub(super) fn router() -> Router<Arc<Platform>> {
    Router::new()
        .route("/projects/{project}/labels/copy-branch", post(copy_branch))
        .route("/projects/{project}/labels/{label}/validation-state", get(validation_state))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Copy {
    source_branch_name: String,
    target_branch_name: String,
    #[serde(default)]
    overwrite: bool,
    label_uuids: Vec<Uuid>,
}

/// Copies labels to another branch; rows that have labels there already stay as
/// they are unless `overwrite`.
async fn copy_branch(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project]): UuidPath<1>,
    JsonBody(wanted): JsonBody<Copy>,
) -> Answer<Json<Value>> {
    let now = Moment::now();
    platform.write(|store| {
        writable(store, project, &caller.who, "copy labels")?;
        let mut sources = Vec::with_capacity(wanted.label_uuids.len());
        for label in &wanted.label_uuids {
            let row = store.row_of_label(project, *label)?;
            if *row.key.branch != *wanted.source_branch_name {
                let branch = &wanted.source_branch_name;
                return Err(Refusal::Invalid(format!("label row {label} is not on branch \"{branch}\"")));
            }
            sources.push((row.key.data, row.document.clone(), row.errors.clone()));
        }
        let mut copied = 0;
        for (data, document, errors) in sources {
            let key = RowKey { project, data, branch: wanted.target_branch_name.as_str().into() };
            let has_labels = store.row(&key).is_some_and(|row| row.document.is_some());
            if has_labels && !wanted.overwrite {
                continue;
            }
            let label = store.initialise_row(&key, now).label_hash;
            if let Some(row) = store.row_of_label_mut(label) {
                (row.document, row.errors) = (document, errors);
                row.last_edited_at = now;
                copied += 1;
            }
        }
        Ok(Json(json!({"copiedCount": copied})))
    })
}

/// What was wrong with the labels when they were saved.
async fn validation_state(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project, label]): UuidPath<2>,
) -> Answer<Json<Value>> {
    platform.read(|store| {
        store.project(project, &caller.who)?;
        let row = store.row_of_label(project, label)?;
        Ok(Json(json!({
            "labelHash": label,
            "branchName": &*row.key.branch,
            "version": row.saves,
            "isValid": row.errors.is_none(),
            "errors": row.errors.as_deref().unwrap_or_default(),
        })))
    })
}
