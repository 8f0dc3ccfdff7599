//! Reviews of single labels of a review task.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};
use crate::routes::rights::reviewable;
use crate::routes::{Caller, JsonBody, Query, UuidPath, page};
use crate::store::{LabelReview, ReviewStatus, Store};

pub(super) fn router() -> Router<Arc<Platform>> {
    const REVIEWS: &str = "/projects/{project}/workflow/stages/{stage}/tasks/{task}/reviews";
    Router::new().route(REVIEWS, get(list)).route(&format!("{REVIEWS}/actions"), post(act))
}

async fn list(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project, stage, task]): UuidPath<3>,
    query: Query,
) -> Answer<Json<Value>> {
    platform.read(|store| {
        store.project(project, &caller.who)?;
        at_stage(store, project, stage, task)?;
        let reviews: Vec<&LabelReview> = store.reviews.get(&task).into_iter().flatten().collect();
        page::cut(&query, 100, reviews, show).map(Json)
    })
}

fn show(review: &LabelReview) -> Value {
    json!({
        "reviewUuid": review.uuid,
        "status": review.status,
        "labelType": if review.is_object { "Object" } else { "Classification" },
        "labelId": review.label,
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReviewAction {
    review_uuid: Uuid,
    action: Verb,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Verb {
    Approve,
    Reject,
    Reopen,
}

async fn act(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project, stage, task]): UuidPath<3>,
    JsonBody(actions): JsonBody<Vec<ReviewAction>>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        reviewable(store, project, &caller.who, "review labels")?;
        at_stage(store, project, stage, task)?;
        let Some(reviews) = store.reviews.get_mut(&task) else {
            return Err(Refusal::NotFound(format!("task {task} has no label reviews")));
        };
        let known = |uuid: Uuid| reviews.iter().any(|review| review.uuid == uuid);
        if let Some(unknown) = actions.iter().find(|action| !known(action.review_uuid)) {
            return Err(Refusal::Invalid(format!("task {task} has no label review {}", unknown.review_uuid)));
        }
        for action in &actions {
            for review in reviews.iter_mut().filter(|review| review.uuid == action.review_uuid) {
                review.status = match action.action {
                    Verb::Approve => ReviewStatus::Approved,
                    Verb::Reject => ReviewStatus::Rejected,
                    Verb::Reopen => ReviewStatus::Reopened,
                };
            }
        }
        Ok(Json(Value::Null))
    })
}

fn at_stage(store: &Store, project: Uuid, stage: Uuid, task: Uuid) -> Answer<()> {
    let here = store.task(task).is_some_and(|task| task.project == project && task.stage == stage);
    if here { Ok(()) } else { Err(Refusal::NotFound(format!("stage {stage} has no task {task}"))) }
}
