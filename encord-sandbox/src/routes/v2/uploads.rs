//! Uploading: signed URLs to put files to, and jobs that make items of them.

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
use crate::routes::{Caller, JsonBody, Query, UuidPath};
use crate::store::ItemKind;
use crate::uploads::{Job, JobRequest, Upload, ingest};

/// URLs that one request may ask for.
const MOST_URLS: u64 = 10_000;

pub(super) fn router() -> Router<Arc<Platform>> {
    const FOLDER: &str = "/storage/folders/{folder}";
    Router::new()
        .route(&format!("{FOLDER}/upload-signed-urls"), post(folder_urls))
        .route(&format!("{FOLDER}/data-upload-jobs"), post(start))
        .route(&format!("{FOLDER}/data-upload-jobs/{{job}}"), get(poll))
        .route("/presigned-urls", get(dataset_urls))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WantedUrls {
    item_type: String,
    count: u64,
}

async fn folder_urls(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([folder]): UuidPath<1>,
    JsonBody(wanted): JsonBody<WantedUrls>,
) -> Answer<Json<Value>> {
    platform.read(|store| store.seen_by(&caller.who).folder(folder).map(drop))?;
    urls(&platform, &caller, &wanted.item_type, wanted.count)
}

async fn dataset_urls(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    query: Query,
) -> Answer<Json<Value>> {
    let count = query.number("count")?.unwrap_or(1);
    urls(&platform, &caller, query.one("uploadItemType").unwrap_or("image"), count)
}

fn urls(platform: &Platform, caller: &Caller, kind: &str, count: u64) -> Answer<Json<Value>> {
    let kind = ItemKind::from_wire(kind)
        .filter(|kind| kind.has_bytes() || *kind == ItemKind::Scene)
        .ok_or_else(|| Refusal::Unprocessable(format!("items of type \"{kind}\" cannot be uploaded")))?;
    if count > MOST_URLS {
        return Err(Refusal::Invalid(format!("{count} URLs are more than {MOST_URLS}")));
    }
    let uuids: Vec<Uuid> = (0..count).map(|_| Uuid::new_v4()).collect();
    platform.write(|store| {
        for uuid in &uuids {
            store.uploads.insert(*uuid, Upload { uuid: *uuid, kind, received: false });
        }
    });
    let now = Moment::now().unix_seconds();
    let url = |uuid: &Uuid| {
        json!({
            "itemUuid": uuid,
            "objectKey": Upload::object_key(*uuid),
            "signedUrl": platform.urls.sign(&caller.base, "PUT", *uuid, now),
            "uploadHeaders": {},
        })
    };
    Ok(Json(json!({"results": uuids.iter().map(url).collect::<Vec<_>>()})))
}

async fn start(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([folder]): UuidPath<1>,
    JsonBody(request): JsonBody<JobRequest>,
) -> Answer<Json<Value>> {
    platform.read(|store| store.seen_by(&caller.who).folder(folder).map(drop))?;
    let batch = request.batch()?;
    let work = Arc::clone(&platform);
    let job = tokio::task::spawn_blocking(move || ingest(&work, batch, folder, None, &caller.who)).await;
    let job = job.map_err(|_| Refusal::Internal("the upload job broke down".into()))??;
    let uuid = Uuid::new_v4();
    platform.write(|store| store.jobs.insert(uuid, job));
    Ok(Json(json!(uuid)))
}

async fn poll(
    State(platform): State<Arc<Platform>>,
    _caller: Caller,
    UuidPath([_, job]): UuidPath<2>,
) -> Answer<Json<Value>> {
    platform.read(|store| {
        let found =
            store.jobs.get(&job).ok_or_else(|| Refusal::NotFound(format!("there is no upload job {job}")))?;
        Ok(Json(show(found)))
    })
}

fn show(job: &Job) -> Value {
    let made = job.made.iter().map(|made| json!({"itemUuid": made.item, "name": made.name}));
    let errors = job.errors.iter().map(|failed| {
        json!({
            "objectUrls": failed.object_urls,
            "error": failed.error,
            "subtaskUuid": failed.subtask,
            "actionDescription": "Reading the file",
        })
    });
    json!({
        "status": job.status(),
        "itemsWithNames": made.collect::<Vec<_>>(),
        "errors": job.errors.iter().map(|failed| &failed.error).collect::<Vec<_>>(),
        "unitsPendingCount": 0,
        "unitsDoneCount": job.made.len(),
        "unitsErrorCount": job.errors.len(),
        "unitsCancelledCount": 0,
        "unitErrors": errors.collect::<Vec<_>>(),
        "fileName": null,
    })
}
