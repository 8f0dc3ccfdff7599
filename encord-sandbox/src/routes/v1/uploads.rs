//! `datasetdatalongpolling`: the old way of uploading into a dataset.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Call;
use crate::refusal::{Answer, Refusal};
use crate::uploads::{JobRequest, ingest};

/// Makes items of uploaded files and adds them to the dataset.
pub(super) fn start(call: &Call<'_>, dataset: Uuid) -> Answer<Value> {
    let request: JobRequest = call.payload()?;
    let folder = call.platform.read(|store| {
        let folder = request.folder_uuid.unwrap_or(store.seen_by(call.who).dataset(dataset)?.folder);
        store.seen_by(call.who).folder(folder).map(|folder| folder.uuid)
    })?;
    let job = ingest(call.platform, request.batch()?, folder, Some(dataset), call.who)?;
    let uuid = Uuid::new_v4();
    call.platform.write(|store| store.jobs.insert(uuid, job));
    Ok(json!({"process_hash": uuid}))
}

#[derive(Debug, Deserialize)]
struct Poll {
    process_hash: Uuid,
}

pub(super) fn poll(call: &Call<'_>, dataset: Uuid) -> Answer<Value> {
    let poll: Poll = call.payload()?;
    call.platform.read(|store| {
        store.seen_by(call.who).dataset(dataset)?;
        let missing = || Refusal::NotFound(format!("there is no upload process {}", poll.process_hash));
        let job = store.jobs.get(&poll.process_hash).ok_or_else(missing)?;
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
            "units_pending_count": 0,
            "units_done_count": job.made.len(),
            "units_error_count": job.errors.len(),
            "units_cancelled_count": 0,
        }))
    })
}
