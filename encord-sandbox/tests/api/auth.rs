//! Who gets in, and how everybody else is told.

use ed25519_dalek::SigningKey;
use encord_sandbox::{Sandbox, Seed};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::wire::{Wire, images};

#[tokio::test]
async fn an_unknown_key_is_refused_in_the_manner_of_each_generation() {
    let (sandbox, _, project, _) = images(1).await;
    let stranger = Wire::with_key(&sandbox, SigningKey::from_bytes(&[7; 32]));
    let v2 = stranger.get(&format!("/projects/{project}")).await;
    assert_eq!(v2.status, StatusCode::UNAUTHORIZED);
    assert!(v2.body["message"].is_string());
    assert_eq!(stranger.get("/no/such/path").await.status, StatusCode::UNAUTHORIZED);
    let v1 = stranger
        .v1(("project", &project.to_string()), "labelrowmetadata", "GET", Value::Null, json!({}))
        .await;
    assert_eq!((&v1["status"], &v1["response"]), (&json!(401), &json!(["AUTHENTICATION_ERROR"])));
}

#[tokio::test]
async fn unsigned_and_old_requests_are_refused() {
    let (sandbox, wire, project, _) = images(1).await;
    let target = format!("/v2/public/projects/{project}");
    let unsigned = wire.http.get(format!("{}{target}", sandbox.url())).send().await.unwrap();
    assert_eq!(unsigned.status(), StatusCode::UNAUTHORIZED);
    let now = jiff::Timestamp::now().as_second();
    for (age, expected) in [(0, 200), (250, 200), (3600, 401), (-3600, 401)] {
        let response = wire.signed_at(Method::GET, &target, None, now - age).send().await.unwrap();
        assert_eq!(response.status().as_u16(), expected, "{age} seconds old");
    }
}

#[tokio::test]
async fn a_bearer_token_stands_for_its_key() {
    let (sandbox, wire, project, _) = images(1).await;
    let token = wire.get("/user/bearer-token").await.ok()["token"].as_str().unwrap().to_owned();
    let url = format!("{}/v2/public/projects/{project}", sandbox.url());
    let with = |token: String| wire.http.get(&url).bearer_auth(token).send();
    assert_eq!(with(token.clone()).await.unwrap().status(), StatusCode::OK);
    assert_eq!(with(format!("x{token}")).await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn projects_of_others_look_like_projects_that_do_not_exist() {
    let (ann, bob, eve) = (
        SigningKey::from_bytes(&[1; 32]),
        SigningKey::from_bytes(&[2; 32]),
        SigningKey::from_bytes(&[3; 32]),
    );
    let user = |email: &str, key: &SigningKey| json!({"email": email, "public_key": hex::encode(key.verifying_key().to_bytes())});
    let project = Uuid::new_v4();
    let seed = json!({
        "users": [user("ann@x.org", &ann), user("bob@x.org", &bob), user("eve@x.org", &eve)],
        "workflow_templates": [{"title": "t", "stages": [{"type": "AGENT", "title": "A", "pathways": [{"name": "p", "destination": "D"}]}, {"type": "DONE", "title": "D"}]}],
        "datasets": [{"title": "d", "items": [{"generate": "image", "count": 1}]}],
        "projects": [{"project_hash": project, "title": "p", "workflow_template": "t", "datasets": ["d"],
            "users": [{"email": "ann@x.org"}, {"email": "bob@x.org", "role": "viewer"}]}],
    });
    let sandbox = Sandbox::start(Seed::from_json(seed.to_string().as_bytes(), ".").unwrap()).await.unwrap();
    assert!(sandbox.private_key_openssh().is_none());
    let path = format!("/projects/{project}");
    let [ann, bob, eve] = [ann, bob, eve].map(|key| Wire::with_key(&sandbox, key));
    assert_eq!(ann.get(&path).await.ok()["userRole"], 0);
    assert_eq!(bob.get(&path).await.ok()["userRole"], 5);
    assert_eq!(eve.get(&path).await.status, StatusCode::FORBIDDEN);
    assert_eq!(eve.get(&format!("/projects/{}", Uuid::new_v4())).await.status, StatusCode::FORBIDDEN);
    assert_eq!(eve.get("/projects/not-a-uuid").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(eve.get("/projects").await.ok()["results"], json!([]));

    let data = ann.rows(project, json!({})).await[0]["data_hash"].clone();
    let priorities = json!({"priorities": [[data, 0.5]]});
    assert_eq!(
        bob.post(&format!("{path}/priorities"), priorities.clone()).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(ann.post(&format!("{path}/priorities"), priorities).await.status, StatusCode::OK);
    let v1 =
        eve.v1(("project", &project.to_string()), "labelrowmetadata", "GET", Value::Null, json!({})).await;
    assert_eq!(v1["response"], json!(["AUTHORISATION_ERROR"]));
}

#[tokio::test]
async fn datasets_ontologies_and_items_have_readers() {
    let (ann, bob) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
    let user = |email: &str, key: &SigningKey| json!({"email": email, "public_key": hex::encode(key.verifying_key().to_bytes())});
    let seed = json!({
        "users": [user("ann@x.org", &ann), user("bob@x.org", &bob)],
        "ontologies": [{"title": "o", "users": ["ann@x.org"]}],
        "datasets": [{"title": "d", "users": ["ann@x.org"], "items": [{"generate": "image", "count": 1}]}],
    });
    let sandbox = Sandbox::start(Seed::from_json(seed.to_string().as_bytes(), ".").unwrap()).await.unwrap();
    let [ann, bob] = [ann, bob].map(|key| Wire::with_key(&sandbox, key));
    let dataset = ann.get("/datasets/list").await.ok()["result"][0].take();
    let ontology = ann.get("/ontologies").await.ok()["results"][0].take();
    let folder = format!("/storage/folders/{}", dataset["backingFolderUuid"].as_str().unwrap());
    let item = ann.get(&format!("{folder}/items")).await.ok()["results"][0].take();
    assert_eq!(bob.get("/datasets/list").await.ok()["result"], json!([]));
    assert_eq!(bob.get("/ontologies").await.ok()["results"], json!([]));
    assert_eq!(bob.get("/storage/search/items?search=image").await.ok()["results"], json!([]));
    let ontology = format!("/ontologies/{}", ontology["ontologyUuid"].as_str().unwrap());
    let path = format!("/storage/items/{}", item["uuid"].as_str().unwrap());
    for path in [&ontology, &folder, &path] {
        assert_eq!(ann.get(path).await.status, StatusCode::OK, "{path}");
        assert_eq!(bob.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let bulk = json!({"itemUuids": [item["uuid"]], "signUrls": true});
    assert_eq!(bob.post("/storage/items/get-bulk", bulk).await.ok()["results"], json!([]));
    let hash = dataset["datasetUuid"].as_str().unwrap();
    let rows = json!({"dataset_access_settings": {"fetch_rows": true}});
    let refused = bob.v1(("dataset", hash), "dataset", "GET", Value::Null, rows).await;
    assert_eq!(refused["response"], json!(["AUTHORISATION_ERROR"]));
}

#[tokio::test]
async fn roles_decide_what_may_be_done() {
    let names = ["ann", "mia", "bob", "rob", "vic"];
    let keys: Vec<SigningKey> = (1..=5).map(|number| SigningKey::from_bytes(&[number; 32])).collect();
    let users: Vec<Value> = names
        .iter()
        .zip(&keys)
        .map(|(name, key)| {
            json!({"email": format!("{name}@x.org"), "public_key": hex::encode(key.verifying_key().to_bytes())})
        })
        .collect();
    let roles = ["admin", "team_manager", "annotator", "reviewer", "viewer"];
    let members: Vec<Value> = names
        .iter()
        .zip(roles)
        .map(|(name, role)| json!({"email": format!("{name}@x.org"), "role": role}))
        .collect();
    let project = Uuid::new_v4();
    let seed = json!({
        "users": users,
        "ontologies": [{"title": "o", "users": ["ann@x.org"]}],
        "workflow_templates": [{"title": "t", "stages": [
            {"type": "AGENT", "title": "A", "pathways": [{"name": "p", "destination": "B"}]},
            {"type": "ANNOTATION", "title": "B"}, {"type": "REVIEW", "title": "C"}, {"type": "DONE", "title": "D"}]}],
        "datasets": [{"title": "d", "users": ["ann@x.org"], "items": [{"generate": "image", "count": 2}]}],
        "projects": [{"project_hash": project, "title": "p", "ontology": "o", "workflow_template": "t",
            "datasets": ["d"], "users": members}],
    });
    let sandbox = Sandbox::start(Seed::from_json(seed.to_string().as_bytes(), ".").unwrap()).await.unwrap();
    let wires: Vec<Wire> = keys.into_iter().map(|key| Wire::with_key(&sandbox, key)).collect();
    let [ann, mia, bob, rob, vic] = wires.as_slice() else { panic!("five users") };
    let stages = sandbox.state(project).unwrap().stages;
    let path = format!("/projects/{project}");
    let act = async |wire: &Wire, stage: usize, mut action: Value| {
        let stage = stages[stage].uuid;
        action["taskUuid"] = ann.tasks(project, stage).await[0]["uuid"].clone();
        wire.post(&format!("{path}/workflow/stages/{stage}/actions"), json!([action])).await.status
    };
    let (refused, done) = (StatusCode::FORBIDDEN, StatusCode::OK);
    let proceed = || json!({"action": "PATHWAY_ACTION", "pathwayName": "p"});
    for wire in [bob, rob, vic] {
        assert_eq!(act(wire, 0, proceed()).await, refused);
    }
    assert_eq!(act(mia, 0, proceed()).await, done);
    assert_eq!(act(rob, 1, json!({"action": "SUBMIT"})).await, refused, "a reviewer does not annotate");
    assert_eq!(act(bob, 1, json!({"action": "ASSIGN", "assignee": "ann@x.org"})).await, refused);
    assert_eq!(act(mia, 1, json!({"action": "ASSIGN", "assignee": "ann@x.org"})).await, done);
    assert_eq!(act(bob, 1, json!({"action": "SUBMIT"})).await, refused, "somebody else has the task");
    assert_eq!(act(mia, 1, json!({"action": "RELEASE"})).await, done);
    assert_eq!(
        act(bob, 1, json!({"action": "SUBMIT", "retainAssignee": true})).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(act(bob, 1, json!({"action": "ASSIGN", "assignee": "bob@x.org"})).await, done);
    assert_eq!(act(bob, 1, json!({"action": "SUBMIT"})).await, done);
    assert_eq!(act(bob, 2, json!({"action": "APPROVE"})).await, refused, "an annotator does not review");
    assert_eq!(act(rob, 2, json!({"action": "APPROVE"})).await, done);

    let rows = ann.rows(project, json!({})).await;
    let data = &rows[0]["data_hash"];
    let issue = json!({"issues": [{"anchor": {"type": "dataUnit", "dataUuid": data}, "comment": "c", "issueTags": []}]});
    let issues = format!("{path}/issues");
    assert_eq!(vic.post(&issues, issue.clone()).await.status, refused);
    assert_eq!(bob.post(&issues, issue).await.status, done);
    let on_label = json!({"issues": [{"anchor": {"type": "annotation", "dataUuid": data, "annotationId": "abc"},
        "comment": "c", "issueTags": []}]});
    assert_eq!(bob.post(&issues, on_label).await.status, done);
    let listed =
        ann.get(&format!("{issues}?dataUnitId={}", data.as_str().unwrap())).await.ok()["results"].take();
    let delete = async |wire: &Wire, index: usize| {
        let body = json!({"issueUuids": [listed[index]["uuid"]]});
        wire.post(&format!("{issues}/delete"), body).await.status
    };
    let plain = usize::from(listed[0]["type"] == "annotation");
    assert_eq!(delete(rob, plain).await, refused, "an issue of somebody else");
    assert_eq!(delete(bob, plain).await, done);
    assert_eq!(delete(bob, 1 - plain).await, refused, "an issue on a label");
    assert_eq!(delete(ann, 1 - plain).await, done);
    let tags = json!({"issueTagNames": ["t"]});
    assert_eq!(vic.post(&format!("{path}/issue-tags"), tags.clone()).await.status, refused);
    assert_eq!(mia.post(&format!("{path}/issue-tags"), tags).await.status, done);
    let moves = json!({"taskUuids": [], "destinationStageUuid": stages[3].uuid});
    let moves_path = format!("{path}/workflow/stages/{}/move-tasks", stages[0].uuid);
    assert_eq!(bob.post(&moves_path, moves).await.status, refused);

    let ontology = ann.get(&path).await.ok()["ontologyHash"].as_str().unwrap().to_owned();
    let body = json!({"title": "x", "editor": {"objects": [], "classifications": []}});
    let replace = async |wire: &Wire| {
        wire.v2(Method::PUT, &format!("/ontologies/{ontology}"), Some(&body)).await.status
    };
    assert_eq!((replace(vic).await, replace(ann).await), (refused, done));
    let item =
        ann.get(&format!("/storage/items/{}", rows[0]["backing_item_uuid"].as_str().unwrap())).await.ok();
    let (uuid, folder) = (item["uuid"].as_str().unwrap(), item["parent"].as_str().unwrap());
    assert_eq!(vic.get(&format!("/storage/items/{uuid}")).await.status, done, "seen through the project");
    let patch = json!({"name": "x"});
    let one = format!("/storage/folders/{folder}/items/{uuid}");
    assert_eq!(vic.v2(Method::PATCH, &one, Some(&patch)).await.status, refused);
    let bulk = json!({"itemPatches": {uuid: {"name": "x"}}});
    assert_eq!(vic.v2(Method::PATCH, "/storage/items/patch-bulk", Some(&bulk)).await.status, refused);
    assert_eq!(ann.v2(Method::PATCH, &one, Some(&patch)).await.status, done);
}
