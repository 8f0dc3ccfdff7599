//! Uploading: signed URLs to put files to, and jobs that make items of them.

use std::sync::Arc;
use std::time::Duration;

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
use crate::uploads::{self, Job, JobRequest, Target, Upload};

/// URLs that one request may ask for.
const MOST_URLS: u64 = 10_000;

pub(super) fn router() -> Router<Arc<Platform>> {
    const FOLDER: &str = "/storage/folders/{folder}";
    Router::new()
        .route(&format!("{FOLDER}/upload-signed-urls"), post(folder_urls))
        .route(&format!("{FOLDER}/data-upload-jobs"), post(start))
        .route(&format!("{FOLDER}/data-upload-jobs/{{job}}"), get(poll))
        .route(&format!("{FOLDER}/data-upload-jobs/{{job}}/cancel"), post(cancel))
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
    let now = Moment::now();
    let uuids: Vec<Uuid> = (0..count).map(|_| Uuid::new_v4()).collect();
    platform.write(|store| {
        for uuid in &uuids {
            store.uploads.insert(*uuid, Upload { uuid: *uuid, kind, received: false, created_at: now });
        }
    });
    let now = now.unix_seconds();
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
    let target = Target { folder, dataset: None };
    let job = uploads::start(&platform, request.batch()?, target, &caller.who).await?;
    Ok(Json(json!(job)))
}

async fn poll(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([folder, job]): UuidPath<2>,
    query: Query,
) -> Answer<Json<Value>> {
    platform.read(|store| store.seen_by(&caller.who).folder(folder).map(drop))?;
    let wait = Duration::from_secs(query.number("timeoutSeconds")?.unwrap_or(0));
    let job = platform.job_after(job, wait, |target| target.folder == folder).await?;
    Ok(Json(show(&job)))
}

async fn cancel(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([folder, job]): UuidPath<2>,
) -> Answer<Json<Value>> {
    platform.read(|store| store.seen_by(&caller.who).folder(folder).map(drop))?;
    platform.job(job, |target| target.folder == folder)?;
    Ok(Json(json!({"unitsCancelledCount": platform.cancel_job(job)})))
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
        "unitsPendingCount": job.pending(),
        "unitsDoneCount": job.made.len(),
        "unitsErrorCount": job.errors.len(),
        "unitsCancelledCount": job.cancelled(),
        "unitErrors": errors.collect::<Vec<_>>(),
        "fileName": job.file_name,
    })
}
