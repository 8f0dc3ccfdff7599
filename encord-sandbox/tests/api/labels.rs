//! Label rows: listing, initialising, saving, branches, priorities.

use encord_sandbox::Sandbox;
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::wire::{Wire, images};

const READ: &str =
    r#"{"multi_request": true, "get_signed_url": false, "include_object_feature_hashes": null}"#;

fn read() -> Value {
    serde_json::from_str(READ).unwrap()
}

async fn create(wire: &Wire, project: Uuid, data: &Value, branch: &str) -> Value {
    let payload = json!({"multi_request": true, "get_signed_url": false, "branch_name": branch});
    wire.of_project(project, "labelrow", "PUT", json!([data]), payload).await[0].take()
}

async fn save(wire: &Wire, project: Uuid, document: &Value, validate: bool) -> Value {
    let payload = json!({"multi_request": true, "labels": [document], "validate_before_saving": validate});
    wire.v1(("project", &project.to_string()), "labelrow", "POST", json!([document["label_hash"]]), payload)
        .await
}

fn with_box(mut document: Value, feature: &str) -> Value {
    let unit = document["data_hash"].as_str().unwrap().to_owned();
    document["data_units"][&unit]["labels"]["objects"] = json!([{
        "shape": "bounding_box", "objectHash": "dS8G6qn6", "featureHash": feature, "name": "Car",
        "boundingBox": {"h": 0.5, "w": 0.25, "x": 0.1, "y": 0.2}, "unknownToUs": [1.0, 1e-9],
    }]);
    document["object_answers"] = json!({"dS8G6qn6": {"objectHash": "dS8G6qn6", "classifications": []}});
    document
}

#[tokio::test]
async fn what_was_saved_comes_back() {
    let (sandbox, wire, project, _) = images(2).await;
    let rows = wire.rows(project, json!({"include_uninitialised_labels": true})).await;
    assert_eq!(rows.len(), 2);
    assert_eq!((&rows[0]["label_hash"], &rows[0]["label_status"]), (&Value::Null, &json!("NOT_LABELLED")));
    let fresh = create(&wire, project, &rows[0]["data_hash"], "main").await;
    assert_eq!(fresh["data_type"], "image");
    let mut document = with_box(fresh, "PXFZO2ra");
    document["something_new"] = json!({"kept": true});
    assert_eq!(save(&wire, project, &document, false).await["status"], 200);

    let again = wire.of_project(project, "labelrow", "GET", json!([document["label_hash"]]), read()).await;
    assert_eq!(again[0]["data_units"], document["data_units"]);
    assert_eq!(again[0]["object_answers"], document["object_answers"]);
    assert_eq!(again[0]["something_new"], document["something_new"]);
    let listed = wire.rows(project, json!({"data_hashes": [document["data_hash"]]})).await;
    assert_eq!(listed[0]["label_hash"], document["label_hash"]);
    let state = sandbox.state_with_documents(project).unwrap();
    assert_eq!(state.rows[0].saves, 1);
    assert_eq!(state.rows[0].document.as_ref().unwrap()["object_answers"], document["object_answers"]);
}

#[tokio::test]
async fn readers_can_ask_for_some_classes() {
    let (_sandbox, wire, project, _) = images(1).await;
    let data = wire.rows(project, json!({})).await[0]["data_hash"].clone();
    let document = with_box(create(&wire, project, &data, "main").await, "PXFZO2ra");
    save(&wire, project, &document, false).await;
    let unit = document["data_hash"].as_str().unwrap();
    for (wanted, objects) in [("PXFZO2ra", 1), ("other", 0)] {
        let mut payload = read();
        payload["include_object_feature_hashes"] = json!([wanted]);
        let seen =
            wire.of_project(project, "labelrow", "GET", json!([document["label_hash"]]), payload).await;
        assert_eq!(seen[0]["data_units"][unit]["labels"]["objects"].as_array().unwrap().len(), objects);
        assert_eq!(seen[0]["object_answers"].as_object().unwrap().len(), objects);
    }
}

#[tokio::test]
async fn a_bad_document_keeps_the_whole_request_from_being_saved() {
    let structure = json!({"objects": [{"featureNodeHash": "PXFZO2ra"}], "classifications": []});
    let sandbox = Sandbox::builder().project("p").ontology(structure).images(2).start().await.unwrap();
    let (wire, project) = (Wire::new(&sandbox), sandbox.project("p").unwrap());
    let rows = wire.rows(project, json!({})).await;
    let good = with_box(create(&wire, project, &rows[0]["data_hash"], "main").await, "PXFZO2ra");
    let other = create(&wire, project, &rows[1]["data_hash"], "main").await;

    let refused = async |document: &Value, validate: bool| {
        let answer = save(&wire, project, document, validate).await;
        assert_eq!(answer["status"], 400, "{answer}");
        answer["response"][0].as_str().unwrap().to_owned()
    };
    let mut wrong = good.clone();
    wrong["data_hash"] = other["data_hash"].clone();
    assert_eq!(refused(&wrong, false).await, "CORRUPTED_LABEL_ERROR");
    let mut wrong = good.clone();
    wrong["data_units"] = other["data_units"].clone();
    assert_eq!(refused(&wrong, false).await, "CORRUPTED_LABEL_ERROR");
    let mut wrong = good.clone();
    wrong.as_object_mut().unwrap().remove("object_answers");
    assert_eq!(refused(&wrong, false).await, "CORRUPTED_LABEL_ERROR");
    let unknown = with_box(good.clone(), "nosuch00");
    assert_eq!(refused(&unknown, true).await, "CORRUPTED_LABEL_ERROR");
    assert_eq!(save(&wire, project, &unknown, false).await["status"], 200);

    let payload = json!({"multi_request": true, "labels": [good, other], "validate_before_saving": false});
    let uids = json!([good["label_hash"], Uuid::new_v4()]);
    let answer = wire.v1(("project", &project.to_string()), "labelrow", "POST", uids, payload).await;
    assert_eq!(answer["response"], json!(["RESOURCE_NOT_FOUND_ERROR"]));
    assert_eq!(sandbox.state(project).unwrap().rows[0].saves, 1);
}

#[tokio::test]
async fn branches_have_rows_of_their_own() {
    let (_sandbox, wire, project, _) = images(1).await;
    let data = wire.rows(project, json!({})).await[0]["data_hash"].clone();
    let main = create(&wire, project, &data, "main").await;
    let before = wire.rows(project, json!({"branch_name": "b2"})).await;
    assert_eq!((&before[0]["branch_name"], &before[0]["label_hash"]), (&json!("b2"), &Value::Null));
    let branch = create(&wire, project, &data, "b2").await;
    assert_ne!(main["label_hash"], branch["label_hash"]);
    save(&wire, project, &with_box(branch, "f"), false).await;
    let untouched = wire.of_project(project, "labelrow", "GET", json!([main["label_hash"]]), read()).await;
    assert_eq!(untouched[0]["object_answers"], json!({}));
    assert_eq!(wire.rows(project, json!({"include_all_label_branches": true})).await.len(), 2);
    let names = wire.get(&format!("/projects/{project}/branches")).await.ok();
    assert_eq!(names["results"], json!([{"name": "main"}, {"name": "b2"}]));
}

#[tokio::test]
async fn priorities_are_seen_in_the_listing() {
    let (_sandbox, wire, project, _) = images(2).await;
    let rows = wire.rows(project, json!({})).await;
    let path = format!("/projects/{project}/priorities");
    let set = async |data: &Value, priority: f64| {
        wire.post(&path, json!({"priorities": [[data, priority]]})).await.status
    };
    assert_eq!(set(&rows[1]["data_hash"], 0.1337).await, StatusCode::OK);
    assert_eq!(set(&rows[0]["data_hash"], 1.5).await, StatusCode::BAD_REQUEST);
    assert_eq!(set(&json!(Uuid::new_v4()), 0.5).await, StatusCode::BAD_REQUEST);
    let priorities: Vec<_> =
        wire.rows(project, json!({})).await.iter().map(|row| row["priority"].clone()).collect();
    assert_eq!(priorities, [json!(0.5), json!(0.1337)]);
}

#[tokio::test]
async fn listings_obey_their_filters() {
    let (_sandbox, wire, project, _) = images(12).await;
    let all = wire.rows(project, json!({})).await;
    let hash = &all[4]["data_hash"];
    create(&wire, project, hash, "main").await;
    for (filter, expected) in [
        (json!({"data_hashes": [hash, hash, Uuid::new_v4(), "x"]}), 1),
        (json!({"data_hashes": []}), 0),
        (json!({"data_title_eq": "image-000003.png"}), 1),
        (json!({"data_title_like": "IMAGE-00001%"}), 3),
        (json!({"include_uninitialised_labels": false}), 1),
        (json!({"workflow_graph_node_title_eq": "Agent 1"}), 12),
        (json!({"workflow_graph_node_title_like": "Com%"}), 0),
        (json!({"label_statuses": ["QUEUED"]}), 12),
        (json!({"label_statuses": ["COMPLETED"]}), 0),
        (json!({"edited_after": "2000-01-01T00:00:00+00:00"}), 1),
        (json!({"edited_before": "2000-01-01T00:00:00"}), 0),
        (json!({"shadow_data_state": "SHADOW_DATA"}), 0),
    ] {
        assert_eq!(wire.rows(project, filter.clone()).await.len(), expected, "{filter}");
    }
    let without = wire.rows(project, json!({"include_workflow_graph_node": false})).await;
    assert_eq!(without[0]["workflow_graph_node"], Value::Null);
}

#[tokio::test]
async fn completing_and_reopening_moves_the_task() {
    let (sandbox, wire, project, _) = images(1).await;
    let data = wire.rows(project, json!({})).await[0]["data_hash"].clone();
    let label = create(&wire, project, &data, "main").await["label_hash"].take();
    let act = async |action: &str| {
        wire.of_project(project, "labelworkflowgraphnode", "POST", json!([label]), json!({"action": action}))
            .await;
        sandbox.state(project).unwrap().tasks[0].stage.clone()
    };
    assert_eq!(act("complete").await, "Complete");
    assert_eq!(act("reopen").await, "Agent 1");
    let moves = sandbox.journal();
    assert_eq!(moves.iter().filter(|effect| effect["effect"] == "move").count(), 2, "{moves:?}");
}

#[tokio::test]
async fn labels_can_be_copied_to_another_branch() {
    let (_sandbox, wire, project, _) = images(1).await;
    let data = wire.rows(project, json!({})).await[0]["data_hash"].clone();
    let main = with_box(create(&wire, project, &data, "main").await, "f");
    save(&wire, project, &main, false).await;
    let path = format!("/projects/{project}/labels/copy-branch");
    let copy = async |overwrite: bool| {
        let labels = json!([main["label_hash"]]);
        let body = json!({"sourceBranchName": "main", "targetBranchName": "b2", "overwrite": overwrite, "labelUuids": labels});
        wire.post(&path, body).await.ok()["copiedCount"].as_u64()
    };
    assert_eq!([copy(false).await, copy(false).await, copy(true).await], [Some(1), Some(0), Some(1)]);
    let row = wire.rows(project, json!({"branch_name": "b2"})).await.remove(0);
    let copied = wire.of_project(project, "labelrow", "GET", json!([row["label_hash"]]), read()).await;
    assert_eq!(copied[0]["object_answers"], main["object_answers"]);
    assert_eq!((&copied[0]["branch_name"], &copied[0]["label_hash"]), (&json!("b2"), &row["label_hash"]));
    let state =
        format!("/projects/{project}/labels/{}/validation-state", main["label_hash"].as_str().unwrap());
    // The ontology of these images has no classes at all.
    let state = wire.get(&state).await.ok();
    assert_eq!(
        (&state["isValid"], &state["errors"]),
        (&json!(false), &json!(["the ontology has no feature f"]))
    );
    assert_eq!([&row["is_valid"], &copied[0]["is_valid"]], [&json!(false); 2], "an error is copied too");
}

#[tokio::test]
async fn labels_that_do_not_fit_are_told_or_refused() {
    let ontology = json!({"objects": [{"id": "1", "name": "Car", "color": "#fff", "shape": "bounding_box",
        "featureNodeHash": "car"}], "classifications": []});
    let sandbox = Sandbox::builder().project("p").ontology(ontology).images(1).start().await.unwrap();
    let (wire, project) = (Wire::new(&sandbox), sandbox.project("p").unwrap());
    let data = wire.rows(project, json!({})).await[0]["data_hash"].clone();
    let fresh = create(&wire, project, &data, "main").await;
    let valid = async || wire.rows(project, json!({})).await[0]["is_valid"].clone();
    assert_eq!(valid().await, true, "without labels");
    assert_eq!(save(&wire, project, &with_box(fresh.clone(), "bus"), false).await["status"], 200);
    assert_eq!(valid().await, false);
    let refused = save(&wire, project, &with_box(fresh.clone(), "bus"), true).await;
    assert_eq!(refused["response"], json!(["CORRUPTED_LABEL_ERROR"]));
    assert!(refused["payload"].as_str().unwrap().contains("no feature bus"), "{refused}");
    // Saved alone, a document says itself that it is to be checked.
    let mut alone = with_box(fresh.clone(), "bus");
    alone["validate_before_saving"] = json!(true);
    let scope = ("project", &*project.to_string());
    let refused = wire.v1(scope, "labelrow", "POST", fresh["label_hash"].clone(), alone).await;
    assert_eq!(refused["response"], json!(["CORRUPTED_LABEL_ERROR"]));
    let mut alone = with_box(fresh.clone(), "car");
    alone["validate_before_saving"] = json!(true);
    let saved = wire.v1(scope, "labelrow", "POST", fresh["label_hash"].clone(), alone).await;
    assert_eq!((&saved["status"], valid().await), (&json!(200), json!(true)));
    let again = wire.of_project(project, "labelrow", "GET", json!([fresh["label_hash"]]), read()).await;
    assert_eq!(again[0].get("validate_before_saving"), None);
}

#[tokio::test]
async fn labels_are_reviewed_one_by_one() {
    let builder = Sandbox::builder().project("p").stage("ANNOTATION", "Annotate").stage("REVIEW", "Review");
    let sandbox = builder.images(1).start().await.unwrap();
    let (wire, project) = (Wire::new(&sandbox), sandbox.project("p").unwrap());
    let data = wire.rows(project, json!({})).await[0]["data_hash"].clone();
    save(&wire, project, &with_box(create(&wire, project, &data, "main").await, "f"), false).await;
    let state = sandbox.state(project).unwrap();
    let stage = |index: usize| format!("/projects/{project}/workflow/stages/{}", state.stages[index].uuid);
    let task = state.tasks[0].uuid;
    let act = async |index: usize, verb: &str| {
        wire.post(&format!("{}/actions", stage(index)), json!([{"taskUuid": task, "action": verb}]))
            .await
            .ok()
    };
    let reviews = format!("{}/tasks/{task}/reviews", stage(1));
    let status = async || wire.get(&reviews).await.ok()["results"][0].clone();
    assert_eq!(wire.get(&reviews).await.status, StatusCode::NOT_FOUND, "the task is not there yet");
    act(0, "SUBMIT").await;
    let review = status().await;
    assert_eq!((&review["labelId"], &review["status"]), (&json!("dS8G6qn6"), &json!("NEW")));
    let single = json!([{"reviewUuid": review["reviewUuid"], "action": "REJECT", "comment": "no"}]);
    wire.post(&format!("{reviews}/actions"), single).await.ok();
    assert_eq!(status().await["status"], "REJECTED");
    act(1, "REJECT").await;
    act(0, "SUBMIT").await;
    assert_eq!(status().await["status"], "RESOLVED");
    let unknown = json!([{"reviewUuid": Uuid::new_v4(), "action": "APPROVE"}]);
    assert_eq!(wire.post(&format!("{reviews}/actions"), unknown).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn issues_stay_with_their_data_unit() {
    let (_sandbox, wire, project, _) = images(2).await;
    let rows = wire.rows(project, json!({})).await;
    let path = format!("/projects/{project}/issues");
    let tag = wire
        .post(&format!("/projects/{project}/issue-tags"), json!({"issueTagNames": ["blurry"]}))
        .await
        .ok();
    let issue = |tags: Value| {
        let anchor = json!({"type": "frameCoordinate", "dataUuid": rows[0]["data_hash"], "frameIndex": 2, "x": 0.5, "y": 0.25});
        json!({"issues": [{"anchor": anchor, "comment": "look", "issueTags": tags}]})
    };
    assert_eq!(wire.post(&path, issue(json!(["unknown"]))).await.status, StatusCode::BAD_REQUEST);
    wire.post(&path, issue(json!(["blurry"]))).await.ok();
    let of = async |row: usize| {
        let data = rows[row]["data_hash"].as_str().unwrap();
        wire.get(&format!("{path}?dataUnitId={data}")).await.ok()["results"].as_array().unwrap().clone()
    };
    let found = of(0).await;
    assert_eq!((&found[0]["coordinate"], &found[0]["tags"]), (&json!({"x": 0.5, "y": 0.25}), &tag));
    assert_eq!(found[0]["comments"][0]["content"], "look");
    assert!(of(1).await.is_empty());
    wire.post(&format!("{path}/delete"), json!({"issueUuids": [found[0]["uuid"]]})).await.ok();
    assert!(of(0).await.is_empty());
}
