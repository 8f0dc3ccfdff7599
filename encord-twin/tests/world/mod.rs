//! A sandbox with one dataset in three projects.
#![allow(dead_code, reason = "every test program uses a part of this")]

use encord_client::{Client, LabelRowFilter, PrivateKey, Project};
use encord_labels::id::DataHash;
use encord_sandbox::{Sandbox, Seed};
use encord_twin::TwinProject;
use serde_json::json;

const ONTOLOGY: &str = "5e6a0a2e-dd70-434d-81d7-7cffb7decc0c";
pub(crate) const DATASET: &str = "b37523a5-3b4a-4ee2-8463-513755ac0ecd";
const OTHER_DATASET: &str = "b37523a5-3b4a-4ee2-8463-000000000000";
const TEMPLATE: &str = "683447c1-0cc8-4f11-9d4e-abbd1fcfb980";
const OTHER_TEMPLATE: &str = "683447c1-0cc8-4f11-9d4e-000000000000";
pub(crate) const OWN: &str = "566bf9d7-c55a-45f8-91a6-e55e9b9b1325";
pub(crate) const TWIN: &str = "566bf9d7-c55a-45f8-91a6-000000000000";
/// A second twin, whose tasks wait for an agent.
pub(crate) const EXPERTS: &str = "566bf9d7-c55a-45f8-91a6-000000000001";

/// A project over both datasets, and its twin over the first one with a workflow of its own.
pub(crate) async fn world(images: usize) -> (Sandbox, Project, TwinProject) {
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
             "datasets": [DATASET]},
            {"project_hash": EXPERTS, "title": "experts", "ontology": ONTOLOGY, "workflow_template": TEMPLATE,
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

pub(crate) async fn data(project: &Project) -> Vec<DataHash> {
    let rows = project.label_rows(&LabelRowFilter::new()).await.unwrap();
    rows.iter().map(|row| row.metadata().data_hash().parse().unwrap()).collect()
}
