//! Datasets: creating and listing. Their rows are part of the old API.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::listed::Listed;
use crate::clock::Moment;
use crate::platform::Platform;
use crate::refusal::Answer;
use crate::routes::{Caller, JsonBody, Query, UuidPath};
use crate::store::{Dataset, Folder};

pub(super) fn router() -> Router<Arc<Platform>> {
    Router::new()
        .route("/datasets", post(create))
        .route("/datasets/list", get(list))
        .route("/datasets/{dataset}/users", get(users))
        .route("/datasets/{dataset}/users/bulk-delete", post(remove_users))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewDataset {
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    create_backing_folder: bool,
}

async fn create(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    JsonBody(wanted): JsonBody<NewDataset>,
) -> Json<Value> {
    let now = Moment::now();
    let (hash, folder) = (Uuid::new_v4(), Uuid::new_v4());
    let owner = caller.who.0;
    platform.write(|store| {
        // A dataset without a visible folder still keeps its uploads somewhere.
        store.folders.insert(
            folder,
            Folder {
                uuid: folder,
                parent: None,
                name: wanted.title.clone(),
                description: String::new(),
                client_metadata: None,
                readers: vec![owner.clone()],
                owner: owner.clone(),
                synced_dataset: wanted.create_backing_folder.then_some(hash),
                created_at: now,
                last_edited_at: now,
            },
        );
        let dataset = Dataset {
            hash,
            title: wanted.title,
            description: wanted.description,
            readers: vec![owner.clone()],
            owner,
            folder,
            units: Vec::new(),
            created_at: now,
            last_edited_at: now,
        };
        store.datasets.insert(hash, dataset);
    });
    let shown = wanted.create_backing_folder.then_some(folder);
    Json(json!({"datasetUuid": hash, "backingFolderUuid": shown}))
}

async fn list(State(platform): State<Arc<Platform>>, caller: Caller, query: Query) -> Json<Value> {
    let found: Vec<Value> = platform.read(|store| {
        let mut datasets: Vec<&Dataset> = store
            .datasets
            .values()
            .filter(|dataset| store.seen_by(&caller.who).sees_dataset(dataset))
            .filter(|dataset| listed(dataset).passes(&query))
            .collect();
        datasets.sort_by_key(|dataset| (dataset.created_at, dataset.hash));
        datasets.into_iter().map(|dataset| show(dataset, &caller)).collect()
    });
    Json(json!({"result": found}))
}

async fn users(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([dataset]): UuidPath<1>,
) -> Answer<Json<Value>> {
    platform.read(|store| {
        let dataset = store.seen_by(&caller.who).dataset(dataset)?;
        let mut readers = dataset.readers.clone();
        if readers.is_empty() {
            readers.extend(store.users.values().map(|user| user.email.clone()));
            readers.sort_unstable();
        }
        let show = |email: String| {
            let role = if email == dataset.owner { 0 } else { 1 };
            json!({"userEmail": email, "userRole": role, "datasetUuid": dataset.hash})
        };
        Ok(Json(json!({"results": readers.into_iter().map(show).collect::<Vec<_>>()})))
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Leavers {
    user_emails: Vec<String>,
}

async fn remove_users(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([hash]): UuidPath<1>,
    JsonBody(body): JsonBody<Leavers>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        let owner = store.seen_by(&caller.who).dataset(hash)?.owner.clone();
        let mut everybody: Vec<String> = store.users.values().map(|user| user.email.clone()).collect();
        everybody.sort_unstable();
        store.share_dataset(hash, |readers| {
            if readers.is_empty() {
                readers.clone_from(&everybody);
            }
            // The owner stays: a list of nobody would mean everybody.
            readers.retain(|email| *email == owner || !body.user_emails.contains(email));
        });
        Ok(Json(Value::Null))
    })
}

fn listed(dataset: &Dataset) -> Listed<'_> {
    Listed {
        title: &dataset.title,
        description: &dataset.description,
        created_at: dataset.created_at,
        last_edited_at: dataset.last_edited_at,
    }
}

fn show(dataset: &Dataset, caller: &Caller) -> Value {
    json!({
        "datasetUuid": dataset.hash,
        "title": dataset.title,
        "description": dataset.description,
        "createdAt": dataset.created_at.iso(),
        "lastEditedAt": dataset.last_edited_at.iso(),
        "userRole": if dataset.owner == caller.who.0 { "admin" } else { "user" },
        "storageLocation": 0,
        "backingFolderUuid": dataset.folder,
    })
}
