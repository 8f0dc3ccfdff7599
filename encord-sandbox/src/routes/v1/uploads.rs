//! `datasetdatalongpolling`: the old way of uploading into a dataset.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Call;
use crate::refusal::Answer;
use crate::uploads::{self, JobRequest, Target};

/// Makes items of uploaded files and adds them to the dataset.
pub(super) async fn start(call: &Call<'_>, dataset: Uuid) -> Answer<Value> {
    let request: JobRequest = call.payload()?;
    let folder = call.platform.read(|store| {
        let folder = request.folder_uuid.unwrap_or(store.seen_by(call.who).dataset(dataset)?.folder);
        store.seen_by(call.who).folder(folder).map(|folder| folder.uuid)
    })?;
    let target = Target { folder, dataset: Some(dataset) };
    let job = uploads::start(call.platform, request.batch()?, target, call.who).await?;
    Ok(json!({"process_hash": job}))
}

#[derive(Debug, Deserialize)]
struct Poll {
    process_hash: Uuid,
    #[serde(default)]
    timeout_seconds: u64,
}

pub(super) async fn poll(call: &Call<'_>, dataset: Uuid) -> Answer<Value> {
    let poll: Poll = call.payload()?;
    call.platform.read(|store| store.seen_by(call.who).dataset(dataset).map(drop))?;
    let wait = Duration::from_secs(poll.timeout_seconds);
    let is_target = |target: &Target| target.dataset == Some(dataset);
    let job = call.platform.job_after(poll.process_hash, wait, is_target).await?;
    let made = job.made.iter().filter_map(|made| {
        Some(json!({"data_hash": made.data?, "title": made.name, "backing_item_uuid": made.item}))
    });
    let errors = job.errors.iter().map(|failed| {
        json!({
            "object_urls": failed.object_urls,
            "error": failed.error,
            "subtask_uuid": failed.subtask,
            "action_description": "Reading the file",
        })
    });
    Ok(json!({
        "status": job.status(),
        "data_hashes_with_titles": made.collect::<Vec<_>>(),
        "errors": job.errors.iter().map(|failed| &failed.error).collect::<Vec<_>>(),
        "data_unit_errors": errors.collect::<Vec<_>>(),
        "units_pending_count": job.pending(),
        "units_done_count": job.made.len(),
        "units_error_count": job.errors.len(),
        "units_cancelled_count": job.cancelled(),
    }))
}
