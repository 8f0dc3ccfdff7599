//! Tasks: pages, filters, actions, moves, every kind of stage.

use std::collections::HashSet;

use encord_sandbox::{Sandbox, Seed};
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::wire::{Wire, images, uuid};

fn actions(project: Uuid, stage: Uuid) -> String {
    format!("/projects/{project}/workflow/stages/{stage}/actions")
}

fn complete(tasks: &[Value]) -> Value {
    let action = |task: &Value| json!({"taskUuid": task["uuid"], "action": "PATHWAY_ACTION", "pathwayName": "complete"});
    tasks.iter().map(action).collect()
}

#[tokio::test]
async fn no_task_is_skipped_when_tasks_leave_between_pages() {
    let (sandbox, wire, project, stage) = images(250).await;
    let path = format!("/projects/{project}/workflow/stages/{stage}/tasks");
    let (mut seen, mut token) = (HashSet::new(), String::new());
    loop {
        let page = wire.get(&format!("{path}{token}")).await.ok();
        let tasks = page["results"].as_array().unwrap();
        seen.extend(tasks.iter().map(uuid));
        wire.post(&actions(project, stage), complete(tasks)).await.ok();
        let Some(next) = page["nextPageToken"].as_str() else { break };
        assert!(!next.is_empty());
        token = format!("?pageToken={next}");
    }
    assert_eq!(seen.len(), 250);
    let state = sandbox.state(project).unwrap();
    assert_eq!(state.tasks_per_stage["Complete"], 250);
    assert!(state.tasks.iter().all(|task| task.moved == 1));
}

#[tokio::test]
async fn one_task_that_left_rejects_the_whole_bundle() {
    let (sandbox, wire, project, stage) = images(3).await;
    let tasks = wire.tasks(project, stage).await;
    wire.post(&actions(project, stage), complete(&tasks[..1])).await.ok();
    let rejected = wire.post(&actions(project, stage), complete(&tasks)).await;
    assert_eq!(rejected.status, StatusCode::BAD_REQUEST);
    assert_eq!(sandbox.state(project).unwrap().tasks_per_stage["Agent 1"], 2);
    let twice = [tasks[1].clone(), tasks[1].clone()];
    assert_eq!(wire.post(&actions(project, stage), complete(&twice)).await.status, StatusCode::BAD_REQUEST);
    let nowhere =
        json!([{"taskUuid": tasks[1]["uuid"], "action": "PATHWAY_ACTION", "pathwayUuid": Uuid::new_v4()}]);
    assert_eq!(wire.post(&actions(project, stage), nowhere).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(sandbox.state(project).unwrap().tasks_per_stage["Agent 1"], 2);
}

#[tokio::test]
async fn filters_choose_tasks() {
    let (_sandbox, wire, project, stage) = images(12).await;
    let tasks = wire.tasks(project, stage).await;
    let path = format!("/projects/{project}/workflow/stages/{stage}/tasks");
    let count = async |query: String| {
        wire.get(&format!("{path}?{query}")).await.ok()["results"].as_array().unwrap().len()
    };
    let hash = |index: usize| tasks[index]["dataHash"].as_str().unwrap().to_owned();
    assert_eq!(count(format!("dataHashes={}&dataHashes={}&dataHashes={0}", hash(3), hash(5))).await, 2);
    assert_eq!(count(format!("dataHashes={}", Uuid::new_v4())).await, 0);
    assert_eq!(count("dataTitleContains=IMAGE-00001".into()).await, 3);
    assert_eq!(count("statuses=NEW&statuses=ASSIGNED".into()).await, 12);
    assert_eq!(count("statuses=COMPLETED".into()).await, 0);
    assert_eq!(count("userEmails=nobody%40x.org".into()).await, 0);
    assert_eq!(count(format!("datasetHashes={}", Uuid::new_v4())).await, 0);
    assert_eq!(wire.get(&format!("{path}?dataHashes=x")).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wire.get(&format!("{path}?pageToken=nonsense")).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn many_clients_move_every_task_exactly_once() {
    let (sandbox, wire, project, stage) = images(60).await;
    let tasks = wire.tasks(project, stage).await;
    let wire = std::sync::Arc::new(wire);
    let mut clients = tokio::task::JoinSet::new();
    for task in tasks.iter().chain(&tasks) {
        let (wire, body) = (wire.clone(), complete(std::slice::from_ref(task)));
        clients.spawn(async move { wire.post(&actions(project, stage), body).await.status });
    }
    let answers = clients.join_all().await;
    assert_eq!(answers.iter().filter(|status| **status == StatusCode::OK).count(), 60);
    assert!(sandbox.state(project).unwrap().tasks.iter().all(|task| task.moved == 1));
}

/// Annotation, review, consensus and a router, in one workflow.
async fn with_people() -> (Sandbox, Wire, Uuid) {
    let seed = json!({
        "workflow_templates": [{"title": "t", "stages": [
            {"type": "ANNOTATION", "title": "Annotate"},
            {"type": "REVIEW", "title": "Review", "next": "Split"},
            {"type": "PERCENTAGE_ROUTER", "title": "Split", "routes": [{"destination": "Consensus", "percentage": 100}]},
            {"type": "CONSENSUS_ANNOTATION", "title": "Consensus", "annotators": 2},
            {"type": "CONSENSUS_REVIEW", "title": "Judge", "reject": "Annotate"},
            {"type": "DONE", "title": "Complete"},
        ]}],
        "datasets": [{"title": "d", "items": [{"generate": "image", "count": 1}]}],
        "projects": [{"title": "p", "workflow_template": "t", "datasets": ["d"]}],
    });
    let sandbox = Sandbox::start(Seed::from_json(seed.to_string().as_bytes(), ".").unwrap()).await.unwrap();
    let (wire, project) = (Wire::new(&sandbox), sandbox.project("p").unwrap());
    (sandbox, wire, project)
}

#[tokio::test]
async fn people_and_routers_pass_tasks_on() {
    let (sandbox, wire, project) = with_people().await;
    let stage = |title: &str| {
        sandbox.state(project).unwrap().stages.iter().find(|stage| stage.title == title).unwrap().uuid
    };
    let only = async |title: &str| wire.tasks(project, stage(title)).await.remove(0);
    let act = async |title: &str, task: &Value, mut action: Value| {
        action["taskUuid"] = task["uuid"].clone();
        wire.post(&actions(project, stage(title)), json!([action])).await.status
    };
    let task = only("Annotate").await;
    assert_eq!(
        act("Annotate", &task, json!({"action": "ASSIGN", "assignee": "a@x.org"})).await,
        StatusCode::OK
    );
    assert_eq!(only("Annotate").await["status"], "ASSIGNED");
    assert_eq!(act("Annotate", &task, json!({"action": "RELEASE"})).await, StatusCode::OK);
    assert_eq!(only("Annotate").await["assignee"], Value::Null);
    assert_eq!(act("Annotate", &task, json!({"action": "APPROVE"})).await, StatusCode::BAD_REQUEST);
    assert_eq!(act("Annotate", &task, json!({"action": "SUBMIT"})).await, StatusCode::OK);
    assert_eq!(act("Review", &task, json!({"action": "REJECT"})).await, StatusCode::OK);
    assert_eq!(only("Annotate").await["status"], "REOPENED");
    assert_eq!(act("Annotate", &task, json!({"action": "SUBMIT"})).await, StatusCode::OK);
    assert_eq!(act("Review", &task, json!({"action": "APPROVE"})).await, StatusCode::OK);

    // The router is passed on the way and not listed.
    let parts = only("Consensus").await["subtasks"].as_array().unwrap().clone();
    assert_eq!(parts.len(), 2);
    assert_ne!(parts[0]["labelBranchName"], parts[1]["labelBranchName"]);
    assert_eq!(act("Consensus", &parts[0], json!({"action": "SUBMIT"})).await, StatusCode::OK);
    assert_eq!(sandbox.state(project).unwrap().tasks_per_stage["Consensus"], 1);
    assert_eq!(act("Consensus", &parts[1], json!({"action": "SUBMIT"})).await, StatusCode::OK);
    assert_eq!(only("Judge").await["options"].as_array().unwrap().len(), 2);
    assert_eq!(
        act("Judge", &task, json!({"action": "APPROVE", "retainAssignee": false})).await,
        StatusCode::OK
    );
    assert_eq!(only("Complete").await["dataHash"], task["dataHash"]);
    let shown = wire.get(&format!("/projects/{project}")).await.ok();
    let kinds: Vec<_> = shown["workflow"]["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stage| stage["stageType"].clone())
        .collect();
    assert!(!kinds.contains(&json!("PERCENTAGE_ROUTER")), "{kinds:?}");
}

#[tokio::test]
async fn tasks_can_be_moved_to_any_stage() {
    let (sandbox, wire, project, stage) = images(2).await;
    let done = sandbox.state(project).unwrap().stages[1].uuid;
    let tasks = wire.tasks(project, stage).await;
    let path = |from: Uuid| format!("/projects/{project}/workflow/stages/{from}/move-tasks");
    let body = json!({"taskUuids": [tasks[0]["uuid"]], "destinationStageUuid": done});
    assert_eq!(wire.post(&path(stage), body.clone()).await.status, StatusCode::OK);
    assert_eq!(wire.post(&path(stage), body).await.status, StatusCode::BAD_REQUEST);
    let back = json!({"taskUuids": [tasks[0]["uuid"]], "destinationStageUuid": stage});
    assert_eq!(wire.post(&path(done), back).await.status, StatusCode::OK);
    assert_eq!(
        wire.tasks(project, stage).await[0]["uuid"],
        tasks[0]["uuid"],
        "the order of a listing is stable"
    );
    let nowhere = json!({"taskUuids": [tasks[0]["uuid"]], "destinationStageUuid": Uuid::new_v4()});
    assert_eq!(wire.post(&path(stage), nowhere).await.status, StatusCode::BAD_REQUEST);
}
