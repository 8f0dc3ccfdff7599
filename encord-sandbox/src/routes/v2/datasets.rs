//! Datasets: creating and listing. Their rows are part of the old API.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::Moment;
use crate::pattern::like;
use crate::platform::Platform;
use crate::routes::{Caller, JsonBody, Query};
use crate::store::{Dataset, Folder};

pub(super) fn router() -> Router<Arc<Platform>> {
    Router::new().route("/datasets", post(create)).route("/datasets/list", get(list))
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
    let moment = |key: &str| query.one(key).and_then(Moment::parse);
    let found: Vec<Value> = platform.read(|store| {
        let mut datasets: Vec<&Dataset> = store
            .datasets
            .values()
            .filter(|dataset| store.seen_by(&caller.who).sees_dataset(dataset))
            .filter(|dataset| query.one("titleEq").is_none_or(|title| title == dataset.title))
            .filter(|dataset| query.one("titleLike").is_none_or(|title| like(title, &dataset.title)))
            .filter(|dataset| query.one("descriptionEq").is_none_or(|text| text == dataset.description))
            .filter(|dataset| {
                query.one("descriptionLike").is_none_or(|text| like(text, &dataset.description))
            })
            .filter(|dataset| moment("createdAfter").is_none_or(|after| dataset.created_at > after))
            .filter(|dataset| moment("createdBefore").is_none_or(|before| dataset.created_at < before))
            .filter(|dataset| moment("editedAfter").is_none_or(|after| dataset.last_edited_at > after))
            .filter(|dataset| moment("editedBefore").is_none_or(|before| dataset.last_edited_at < before))
            .collect();
        datasets.sort_by_key(|dataset| (dataset.created_at, dataset.hash));
        datasets.into_iter().map(|dataset| show(dataset, &caller)).collect()
    });
    Json(json!({"result": found}))
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
