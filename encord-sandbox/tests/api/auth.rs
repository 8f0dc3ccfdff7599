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
