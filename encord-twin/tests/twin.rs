//! Twins on the sandbox: one dataset in several projects.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use encord_client::{Client, LabelRowFilter, PrivateKey, Project};
use encord_labels::id::{DataHash, ProjectHash};
use encord_sandbox::{FaultPlan, FaultRule, Sandbox, Seed};
use encord_twin::{Error, TwinOptions, TwinProject, TwinTask};
use serde_json::json;

const ONTOLOGY: &str = "5e6a0a2e-dd70-434d-81d7-7cffb7decc0c";
const DATASET: &str = "b37523a5-3b4a-4ee2-8463-513755ac0ecd";
const OTHER_DATASET: &str = "b37523a5-3b4a-4ee2-8463-000000000000";
const TEMPLATE: &str = "683447c1-0cc8-4f11-9d4e-abbd1fcfb980";
const OTHER_TEMPLATE: &str = "683447c1-0cc8-4f11-9d4e-000000000000";
const OWN: &str = "566bf9d7-c55a-45f8-91a6-e55e9b9b1325";
const TWIN: &str = "566bf9d7-c55a-45f8-91a6-000000000000";

/// A project over both datasets, and its twin over the first one with a workflow of its own.
async fn world(images: usize) -> (Sandbox, Project, TwinProject) {
    let image = |count: usize| json!({"generate": "image", "count": count, "width": 8, "height": 8});
    let done = json!({"type": "DONE", "title": "Complete"});
    let pathway = json!({"name": "complete", "destination": "Complete"});
    let agent = json!({"type": "AGENT", "title": "Agent 1", "pathways": [pathway]});
    let annotate = json!({"type": "ANNOTATION", "title": "Annotate"});
    let structure = json!({"objects": [], "classifications": []});
    let seed = json!({
        "ontologies": [{"ontology_hash": ONTOLOGY, "title": "o", "structure": structure}],
        "workflow_templates": [
            {"template_hash": TEMPLATE, "title": "t", "stages": [agent, done]},
            {"template_hash": OTHER_TEMPLATE, "title": "u", "stages": [annotate, done]}],
        "datasets": [
            {"dataset_hash": DATASET, "title": "shared", "items": [image(images)]},
            {"dataset_hash": OTHER_DATASET, "title": "own", "items": [image(2)]}],
        "projects": [
            {"project_hash": OWN, "title": "own", "ontology": ONTOLOGY, "workflow_template": TEMPLATE,
             "datasets": [DATASET, OTHER_DATASET]},
            {"project_hash": TWIN, "title": "twin", "ontology": ONTOLOGY, "workflow_template": OTHER_TEMPLATE,
             "datasets": [DATASET]}]});
    let sandbox = Sandbox::start(Seed::from_json(seed.to_string().as_bytes(), ".").unwrap()).await.unwrap();
    let client = client(&sandbox);
    let own = client.project(OWN.parse().unwrap()).await.unwrap();
    let twins = TwinProject::open(&client, TWIN.parse().unwrap()).await.unwrap();
    (sandbox, own, twins)
}

fn client(sandbox: &Sandbox) -> Client {
    let key = PrivateKey::from_openssh(sandbox.private_key_openssh().unwrap(), None).unwrap();
    Client::builder().private_key(key).domain(sandbox.url()).build().unwrap()
}

async fn data(project: &Project) -> Vec<DataHash> {
    let rows = project.label_rows(&LabelRowFilter::new()).await.unwrap();
    rows.iter().map(|row| row.metadata().data_hash().parse().unwrap()).collect()
}

#[tokio::test]
async fn a_batch_of_twins_takes_few_requests_and_none_when_asked_again() {
    let (sandbox, own, twins) = world(300).await;
    let data = data(&own).await;
    assert_eq!(data.len(), 302);
    sandbox.reset_counters();
    let found = twins.find(&data).await.unwrap();
    assert_eq!(found.len(), 300, "two data units are not in the twin project");
    for (data, twin) in &found {
        let twin = twin.as_ref().unwrap();
        assert!(twin.row.is_initialised());
        assert_eq!(twin.row.metadata().data_hash(), data.to_string());
        assert!(matches!(&twin.task, Some(TwinTask::Annotation(task)) if task.data_hash == *data));
    }
    let requests = sandbox.requests().total.count;
    assert!(requests <= 6, "{requests}");
    assert_eq!(twins.find(&data[..10]).await.unwrap().len(), 10);
    assert_eq!(sandbox.requests().total.count, requests);
}

#[tokio::test]
async fn saving_a_twin_makes_the_next_lookup_fresh() {
    let (sandbox, own, twins) = world(2).await;
    let data = data(&own).await[0];
    let twin = twins.find_one(data).await.unwrap().unwrap();
    twins.save(&[&twin.row], false).await.unwrap();
    assert_eq!(sandbox.state(TWIN.parse().unwrap()).unwrap().rows[0].saves, 1);
    assert!(sandbox.state(OWN.parse().unwrap()).unwrap().rows.is_empty());
    sandbox.reset_counters();
    twins.find_one(data).await.unwrap().unwrap();
    assert!(sandbox.requests().total.count > 0);
}

#[tokio::test]
async fn what_is_not_asked_for_is_not_fetched() {
    let (sandbox, own, twins) = world(2).await;
    let options = TwinOptions::new().without_labels().without_tasks().with_cache(0, Duration::ZERO);
    let twins = TwinProject::new(twins.project().clone(), options);
    let data = data(&own).await;
    sandbox.reset_counters();
    let twin = twins.find_one(data[0]).await.unwrap().unwrap();
    assert!(!twin.row.is_initialised() && twin.task.is_none());
    assert_eq!(sandbox.requests().total.count, 1);
    twins.find_one(data[0]).await.unwrap().unwrap();
    assert_eq!(sandbox.requests().total.count, 2, "nothing is remembered");
    assert!(twins.find_one(DataHash::random()).await.unwrap().is_none());
    assert!(twins.find(&[]).await.unwrap().is_empty());
    assert_eq!(sandbox.requests().total.count, 3);
}

#[tokio::test]
async fn branches_have_their_own_twins() {
    let (_sandbox, own, twins) = world(1).await;
    let options = TwinOptions::new().with_branch("second");
    let branch = TwinProject::new(twins.project().clone(), options);
    let data = data(&own).await[0];
    let main = twins.find_one(data).await.unwrap().unwrap();
    let second = branch.find_one(data).await.unwrap().unwrap();
    assert_eq!(second.row.metadata().branch_name(), "second");
    assert_ne!(main.row.metadata().label_hash(), second.row.metadata().label_hash());
}

#[tokio::test]
async fn projects_that_cannot_be_twins_are_refused() {
    let (sandbox, own, twins) = world(1).await;
    let nobody = ProjectHash::random();
    let error = TwinProject::open(own.client(), nobody).await.unwrap_err();
    assert!(matches!(error, Error::NoAccess { .. }), "{error}");
    assert!(error.to_string().contains(&nobody.to_string()), "{error}");
    let plan = |status| FaultPlan {
        seed: 1,
        rules: vec![FaultRule {
            endpoint: "GET /v2/public/projects*".into(),
            status: Some(status),
            ..FaultRule::default()
        }],
    };
    sandbox.set_faults(plan(404)).unwrap();
    let error = TwinProject::open(own.client(), TWIN.parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    sandbox.set_faults(plan(422)).unwrap();
    let error = TwinProject::open(own.client(), TWIN.parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::Request { .. }) && !error.is_retryable(), "{error}");
    assert!(twins.clone().beside(own.hash()).is_ok());
    assert!(matches!(twins.beside(TWIN.parse().unwrap()), Err(Error::OwnTwin(_))));
}
