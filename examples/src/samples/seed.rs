//! The seed file that serves the samples: an ontology for what can be found in them, a workflow with two
//! agent stages, and one project for each runner.

use serde_json::{Value, json};

use super::Samples;

/// The identifiers of the seed; fixed, so that commands in the documentation can name them.
#[derive(Debug)]
pub struct Ids;

impl Ids {
    /// The project that the sequential runner works on.
    pub const SEQUENTIAL_PROJECT: &str = "5e900000-0000-4000-8000-000000000001";
    /// The project that the queue runner works on.
    pub const QUEUE_PROJECT: &str = "5e900000-0000-4000-8000-000000000002";
    /// The ontology of both.
    pub const ONTOLOGY: &str = "5e900000-0000-4000-8000-000000000003";
    /// The dataset of both.
    pub const DATASET: &str = "5e900000-0000-4000-8000-000000000004";
    /// The workflow of both.
    pub const TEMPLATE: &str = "5e900000-0000-4000-8000-000000000005";
    /// The stage where tasks start: an agent looks at the data and labels what it finds.
    pub const FIND_STAGE: &str = "5e900000-0000-4000-8000-00000000000a";
    /// The second stage: an agent reads the labels and sets priorities.
    pub const RANK_STAGE: &str = "5e900000-0000-4000-8000-00000000000b";
    /// Where tasks wait for a person when nothing was found.
    pub const ANNOTATE_STAGE: &str = "5e900000-0000-4000-8000-00000000000c";
    /// Where tasks end.
    pub const DONE_STAGE: &str = "5e900000-0000-4000-8000-00000000000d";
}

/// The whole seed, for a file beside the samples.
pub fn seed(samples: &Samples) -> Value {
    let project = |hash: &str, title: &str| {
        json!({"project_hash": hash, "title": title, "ontology": Ids::ONTOLOGY,
               "workflow_template": Ids::TEMPLATE, "datasets": [Ids::DATASET]})
    };
    json!({
        "ontologies": [{"ontology_hash": Ids::ONTOLOGY, "title": "Things in samples", "structure": structure()}],
        "workflow_templates": [{"template_hash": Ids::TEMPLATE, "title": "Find and rank", "stages": stages()}],
        "datasets": [{"dataset_hash": Ids::DATASET, "title": "Samples", "items": samples.items}],
        "projects": [
            project(Ids::SEQUENTIAL_PROJECT, "Samples, one after another"),
            project(Ids::QUEUE_PROJECT, "Samples, through a queue"),
        ],
    })
}

fn stages() -> Value {
    let pathway = |number: u8, name: &str, destination: &str| {
        json!({"uuid": format!("5e900000-0000-4000-8000-0000000000{number:02}"), "name": name,
               "destination": destination})
    };
    json!([
        {"uuid": Ids::FIND_STAGE, "type": "AGENT", "title": "Find things", "pathways": [
            pathway(20, "found", Ids::RANK_STAGE), pathway(21, "nothing found", Ids::ANNOTATE_STAGE)]},
        {"uuid": Ids::RANK_STAGE, "type": "AGENT", "title": "Rank", "pathways": [
            pathway(22, "ranked", Ids::DONE_STAGE)]},
        {"uuid": Ids::ANNOTATE_STAGE, "type": "ANNOTATION", "title": "Annotate", "next": Ids::DONE_STAGE},
        {"uuid": Ids::DONE_STAGE, "type": "DONE", "title": "Complete"},
    ])
}

fn structure() -> Value {
    let object = |id: u8, name: &str, color: &str, shape: &str, hash: &str| {
        json!({"id": id.to_string(), "name": name, "color": color, "shape": shape, "featureNodeHash": hash,
               "required": false, "archived": false})
    };
    let option = |id: &str, label: &str, value: &str, hash: &str| json!({"id": id, "label": label, "value": value, "featureNodeHash": hash, "archived": false});
    let attribute = |id: &str, name: &str, kind: &str, hash: &str| {
        json!({"id": id, "name": name, "type": kind, "featureNodeHash": hash, "required": false,
               "archived": false, "dynamic": false})
    };
    let mut disc = object(1, "Disc", "#0062B1", "bounding_box", "discbox1");
    let mut size = attribute("1.1", "Size", "radio", "discsize");
    size["options"] =
        json!([option("1.1.1", "Small", "small", "sizesmal"), option("1.1.2", "Large", "large", "sizelarg")]);
    disc["attributes"] = json!([size]);
    let mut brightness = attribute("6.1", "Brightness", "radio", "brightat");
    brightness["options"] =
        json!([option("6.1.1", "Dark", "dark", "brightda"), option("6.1.2", "Bright", "bright", "brightli")]);
    json!({
        "objects": [
            disc,
            object(2, "Outline", "#E27300", "polygon", "discpoly"),
            object(3, "Mask", "#68BC00", "bitmask", "discmask"),
            object(4, "Loud part", "#FE9200", "audio", "loudpart"),
            object(5, "Word", "#7B64FF", "text", "wordtext"),
        ],
        "classifications": [
            {"id": "6", "featureNodeHash": "brightcl", "attributes": [brightness]},
            {"id": "7", "featureNodeHash": "contents", "attributes": [
                attribute("7.1", "Contents", "text", "contenta")]},
        ],
    })
}
