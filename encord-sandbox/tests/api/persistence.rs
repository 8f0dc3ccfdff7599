//! State that survives a restart.

use encord_sandbox::{Error, Options, Sandbox, Seed};
use reqwest::StatusCode;
use serde_json::json;

use super::wire::Wire;

fn options(folder: &tempfile::TempDir) -> Options {
    let mut options = Options::default();
    options.data_dir = Some(folder.path().join("data"));
    options
}

fn seed() -> Seed {
    Sandbox::builder().project("p").stage_agent("Agent 1", ["complete"]).images(3).seed()
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start_with(seed(), options(&folder)).await.unwrap();
    let (wire, project) = (Wire::new(&sandbox), sandbox.project("p").unwrap());
    let stage = sandbox.state(project).unwrap().stages[0].uuid;
    let tasks = wire.tasks(project, stage).await;
    let action =
        json!([{"taskUuid": tasks[1]["uuid"], "action": "PATHWAY_ACTION", "pathwayName": "complete"}]);
    wire.post(&format!("/projects/{project}/workflow/stages/{stage}/actions"), action).await.ok();
    let payload = json!({"multi_request": true, "branch_name": "b2"});
    let label =
        wire.of_project(project, "labelrow", "PUT", json!([tasks[0]["dataHash"]]), payload).await[0].take();
    let priority = json!({"priorities": [[tasks[2]["dataHash"], 0.25]]});
    wire.post(&format!("/projects/{project}/priorities"), priority).await.ok();
    let path = format!(
        "/storage/folders/{}",
        wire.post("/storage/folders", json!({"name": "gone"})).await.ok()["uuid"].as_str().unwrap()
    );
    wire.v2(reqwest::Method::DELETE, &path, None).await.ok();
    let before = serde_json::to_value(sandbox.state_with_documents(project)).unwrap();
    sandbox.stop().await;

    // The seed of the second start is ignored, and the key stays the same.
    let other = Sandbox::builder().project("other").seed();
    let sandbox = Sandbox::start_with(other, options(&folder)).await.unwrap();
    assert_eq!(sandbox.project("other"), None);
    assert_eq!(serde_json::to_value(sandbox.state_with_documents(project)).unwrap(), before);
    let wire = Wire::with_key(&sandbox, wire.key);
    let rest = wire.tasks(project, stage).await;
    assert_eq!([&rest[0]["uuid"], &rest[1]["uuid"]], [&tasks[0]["uuid"], &tasks[2]["uuid"]]);
    let rows = wire.rows(project, json!({"branch_name": "b2"})).await;
    assert_eq!((rows.len(), &rows[0]["label_hash"]), (3, &label["label_hash"]));
    assert_eq!(wire.get(&path).await.status, StatusCode::FORBIDDEN);
    assert!(sandbox.private_key_openssh().is_some());
}

#[tokio::test]
async fn two_sandboxes_cannot_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Sandbox::start_with(seed(), options(&folder)).await.unwrap();
    let second = Sandbox::start_with(seed(), options(&folder)).await;
    assert!(matches!(second, Err(Error::Database { .. })), "{second:?}");
}

#[tokio::test]
async fn files_of_deleted_items_and_cancelled_jobs_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(&folder);
    options.limits.job_time = std::time::Duration::from_secs(3600);
    let sandbox = Sandbox::start_with(seed(), self::options(&folder)).await.unwrap();
    let wire = Wire::new(&sandbox);
    let storage = wire.post("/storage/folders", json!({"name": "up"})).await.ok();
    let storage = format!("/storage/folders/{}", storage["uuid"].as_str().unwrap());
    let wish = json!({"itemType": "plainText", "count": 2});
    let urls = wire.post(&format!("{storage}/upload-signed-urls"), wish).await.ok()["results"].take();
    for url in urls.as_array().unwrap() {
        wire.http.put(url["signedUrl"].as_str().unwrap()).body("words").send().await.unwrap();
    }
    let job = |index: usize| json!({"dataItems": {"text": [{"objectUrl": urls[index]["objectKey"]}]}, "ignoreErrors": false});
    let jobs = format!("{storage}/data-upload-jobs");
    let done = wire.post(&jobs, job(0)).await.ok();
    assert_eq!(wire.get(&format!("{jobs}/{}", done.as_str().unwrap())).await.ok()["status"], "DONE");
    let files = || std::fs::read_dir(folder.path().join("data/files")).unwrap().count();
    assert_eq!(files(), 2);
    let gone = json!({"childUuids": [urls[0]["itemUuid"]], "removeUnusedFrames": false});
    wire.post(&format!("{storage}/items/delete"), gone).await.ok();
    assert_eq!(files(), 1, "the file of the deleted item is gone, that of the other upload is not");
    sandbox.stop().await;

    std::fs::write(folder.path().join("data/files").join(uuid::Uuid::new_v4().to_string()), "stray").unwrap();
    let sandbox = Sandbox::start_with(seed(), options.clone()).await.unwrap();
    let wire = Wire::with_key(&sandbox, wire.key);
    assert_eq!(files(), 1, "a file that belongs to nothing is removed at the start");
    let waiting = wire.post(&jobs, job(1)).await.ok();
    let path = format!("{jobs}/{}", waiting.as_str().unwrap());
    let state = wire.get(&path).await.ok();
    assert_eq!((&state["status"], &state["unitsPendingCount"]), (&json!("PENDING"), &json!(1)));
    sandbox.stop().await;
    let sandbox = Sandbox::start_with(seed(), options).await.unwrap();
    let wire = Wire::with_key(&sandbox, wire.key);
    let state = wire.get(&path).await.ok();
    assert_eq!((&state["status"], &state["unitsCancelledCount"]), (&json!("CANCELLED"), &json!(1)));
    let elsewhere = wire.post("/storage/folders", json!({"name": "other"})).await.ok();
    let elsewhere = format!("/storage/folders/{}", elsewhere["uuid"].as_str().unwrap());
    let foreign = format!("{elsewhere}/data-upload-jobs/{}", waiting.as_str().unwrap());
    assert_eq!(wire.get(&foreign).await.status, StatusCode::NOT_FOUND, "a job of another folder");
}
