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
