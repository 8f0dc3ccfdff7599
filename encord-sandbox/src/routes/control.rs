//! The sandbox's own endpoints under `/_sandbox`: counters, journal, faults and
//! state. The gate lets this machine in without a signature.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{JsonBody, Query, UuidPath};
use crate::clock::Moment;
use crate::faults::FaultPlan;
use crate::journal::RequestCounts;
use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};
use crate::state::{self, ProjectState};
use crate::webhooks::Webhook;

pub(super) fn router() -> Router<Arc<Platform>> {
    Router::new()
        .route("/_sandbox/requests", get(requests))
        .route("/_sandbox/journal", get(journal))
        .route("/_sandbox/reset-counters", post(reset))
        .route("/_sandbox/faults", get(faults).put(set_faults).delete(clear_faults))
        .route("/_sandbox/webhooks", get(webhooks).put(set_webhooks))
        .route("/_sandbox/state/projects", get(projects))
        .route("/_sandbox/state/projects/{project}", get(project))
}

async fn requests(State(platform): State<Arc<Platform>>) -> Json<RequestCounts> {
    Json(platform.journal.counts())
}

async fn journal(State(platform): State<Arc<Platform>>) -> Json<Value> {
    Json(json!({"effects": platform.journal.effects()}))
}

async fn reset(State(platform): State<Arc<Platform>>) -> Json<Value> {
    platform.journal.reset();
    Json(Value::Null)
}

async fn faults(State(platform): State<Arc<Platform>>) -> Json<FaultPlan> {
    Json(platform.faults.plan())
}

async fn set_faults(
    State(platform): State<Arc<Platform>>,
    JsonBody(plan): JsonBody<FaultPlan>,
) -> Answer<Json<Value>> {
    platform.faults.set(plan).map_err(|error| Refusal::Unprocessable(error.to_string()))?;
    Ok(Json(Value::Null))
}

async fn clear_faults(State(platform): State<Arc<Platform>>) -> Answer<Json<Value>> {
    set_faults(State(platform), JsonBody(FaultPlan::default())).await
}

async fn webhooks(State(platform): State<Arc<Platform>>) -> Json<Value> {
    let webhooks: Vec<Webhook> = platform.read(|store| store.webhooks.values().cloned().collect());
    Json(json!({"webhooks": webhooks}))
}

/// Replaces all webhooks. Tasks that wait already are announced too.
async fn set_webhooks(
    State(platform): State<Arc<Platform>>,
    JsonBody(webhooks): JsonBody<Vec<Webhook>>,
) -> Answer<Json<Value>> {
    let now = Moment::now();
    platform.write(|store| {
        let mut waiting = Vec::with_capacity(webhooks.len());
        for webhook in &webhooks {
            let board = store.board(webhook.project)?;
            waiting.push((Uuid::new_v4(), board.count(webhook.stage) as u64));
        }
        let old: Vec<Uuid> = store.webhooks.entries().map(|(id, _)| *id).collect();
        for id in old {
            store.webhooks.remove(&id);
            store.waiting.remove(&id);
        }
        for ((id, tasks), webhook) in waiting.into_iter().zip(webhooks) {
            store.webhooks.insert(id, webhook);
            store.add_waiting(id, tasks, now);
        }
        Ok(Json(Value::Null))
    })
}

async fn projects(State(platform): State<Arc<Platform>>) -> Json<Value> {
    let mut projects: Vec<Value> = platform.read(|store| {
        let show =
            |project: &crate::store::Project| json!({"project_hash": project.hash, "title": project.title});
        store.projects.values().map(show).collect()
    });
    projects.sort_by_cached_key(|project| project.to_string());
    Json(json!({"projects": projects}))
}

async fn project(
    State(platform): State<Arc<Platform>>,
    UuidPath([hash]): UuidPath<1>,
    query: Query,
) -> Answer<Json<ProjectState>> {
    let state = platform.read(|store| state::of(store, hash, query.flag("documents")));
    state.map(Json).ok_or_else(|| Refusal::NotFound(format!("there is no project {hash}")))
}
