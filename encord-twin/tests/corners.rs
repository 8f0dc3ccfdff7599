//! Twins that are not simply the one row of a workflow project: members of groups, projects without a workflow, and
//! tasks at every kind of stage.

#![allow(clippy::unwrap_used)]

use encord_client::{Client, LabelRowFilter, PrivateKey, Project};
use encord_labels::id::DataHash;
use encord_sandbox::{Sandbox, Seed};
use encord_twin::{TwinOptions, TwinProject, TwinTask};
use serde_json::{Value, json};

const ONTOLOGY: &str = "5e6a0a2e-dd70-434d-81d7-7cffb7decc0c";
const DATASET: &str = "b37523a5-3b4a-4ee2-8463-513755ac0ecd";
const TEMPLATE: &str = "683447c1-0cc8-4f11-9d4e-abbd1fcfb980";
const PROJECT: &str = "566bf9d7-c55a-45f8-91a6-e55e9b9b1325";

/// A project over these items whose tasks start at the first of these stages; without stages it has no workflow.
async fn project(items: Value, stages: Option<Value>) -> (Sandbox, Project) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.txt", "b.txt"] {
        std::fs::write(folder.path().join(name), name).unwrap();
    }
    let templates: Vec<Value> = stages
        .iter()
        .map(|stages| json!({"template_hash": TEMPLATE, "title": "t", "stages": stages}))
        .collect();
    let template = stages.is_some().then_some(TEMPLATE);
    let seed = json!({
        "ontologies": [{"ontology_hash": ONTOLOGY, "title": "o", "structure": {"objects": [], "classifications": []}}],
        "workflow_templates": templates,
        "datasets": [{"dataset_hash": DATASET, "title": "d", "items": items}],
        "projects": [{"project_hash": PROJECT, "title": "p", "ontology": ONTOLOGY, "workflow_template": template,
            "datasets": [DATASET]}]});
    let sandbox =
        Sandbox::start(Seed::from_json(seed.to_string().as_bytes(), folder.path()).unwrap()).await.unwrap();
    let key = PrivateKey::from_openssh(sandbox.private_key_openssh().unwrap(), None).unwrap();
    let client = Client::builder().private_key(key).domain(sandbox.url()).build().unwrap();
    let project = client.project(PROJECT.parse().unwrap()).await.unwrap();
    (sandbox, project)
}

async fn data(project: &Project, filter: &LabelRowFilter) -> Vec<DataHash> {
    let rows = project.label_rows(filter).await.unwrap();
    rows.iter().map(|row| row.metadata().data_hash().parse().unwrap()).collect()
}

#[tokio::test]
async fn members_of_groups_are_found_when_asked_for() {
    let member = |name: &str| json!({"type": "plain_text", "name": name, "file": name});
    let group = json!([{"type": "group", "name": "pair", "items": [member("a.txt"), member("b.txt")]}]);
    let agent = json!([{"type": "AGENT", "title": "A", "pathways": [{"name": "c", "destination": "D"}]},
        {"type": "DONE", "title": "D"}]);
    let (_sandbox, project) = project(group, Some(agent)).await;
    let own = data(&project, &LabelRowFilter::new()).await;
    let all = data(&project, &LabelRowFilter::new().with_children()).await;
    assert_eq!((own.len(), all.len()), (1, 3));
    let options = || TwinOptions::new().without_labels();
    let alone = TwinProject::new(project.clone(), options());
    assert_eq!(alone.find(&all).await.unwrap().len(), 1);
    let with_members = TwinProject::new(project, options().with_children());
    assert_eq!(with_members.find(&all).await.unwrap().len(), 3);
}

#[tokio::test]
async fn tasks_are_found_at_every_kind_of_stage() {
    let images = json!([{"generate": "image", "count": 2, "width": 8, "height": 8}]);
    for kind in ["AGENT", "ANNOTATION", "REVIEW", "CONSENSUS_ANNOTATION", "CONSENSUS_REVIEW", "DONE"] {
        let mut stages = vec![json!({"type": kind, "title": "First"})];
        match kind {
            "AGENT" => stages[0]["pathways"] = json!([{"name": "c", "destination": "Complete"}]),
            "CONSENSUS_ANNOTATION" => stages.push(json!({"type": "CONSENSUS_REVIEW", "title": "Agree"})),
            "REVIEW" | "CONSENSUS_REVIEW" => stages.push(json!({"type": "ANNOTATION", "title": "Again"})),
            _ => {}
        }
        stages.push(json!({"type": "DONE", "title": "Complete"}));
        let (_sandbox, project) = project(images.clone(), Some(json!(stages))).await;
        let all = data(&project, &LabelRowFilter::new()).await;
        let twins = TwinProject::new(project, TwinOptions::new().without_labels());
        for (data, twin) in twins.find(&all).await.unwrap() {
            let task = twin.unwrap().task.unwrap();
            assert_eq!(task.data_hash(), data);
            let found = match task {
                TwinTask::Agent(_) => "AGENT",
                TwinTask::Annotation(_) => "ANNOTATION",
                TwinTask::Review(_) => "REVIEW",
                TwinTask::ConsensusAnnotation(_) => "CONSENSUS_ANNOTATION",
                TwinTask::ConsensusReview(_) => "CONSENSUS_REVIEW",
                TwinTask::Done(_) => "DONE",
                other => panic!("{other:?}"),
            };
            assert_eq!(found, kind);
        }
    }
}

#[tokio::test]
async fn projects_without_a_workflow_have_rows_but_no_tasks() {
    let images = json!([{"generate": "image", "count": 2, "width": 8, "height": 8}]);
    let (_sandbox, project) = project(images, None).await;
    let all = data(&project, &LabelRowFilter::new()).await;
    let found = TwinProject::new(project, TwinOptions::new()).find(&all).await.unwrap();
    assert_eq!(found.len(), 2);
    for twin in found.into_values() {
        let twin = twin.unwrap();
        assert!(twin.row.is_initialised() && twin.task.is_none());
    }
}
