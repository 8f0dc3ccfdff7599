//! The demo's workflow: a stage that sorts tasks by type, one agent per type, one that ranks, then done.

use serde_json::{Value, json};

/// The stage where tasks start.
pub(crate) const SORT: &str = "Sort";
/// The stage after the agents of the types.
pub(crate) const RANK: &str = "Rank";
/// Where tasks end.
pub(crate) const DONE: &str = "Complete";
/// The pathway to the next stage.
pub(crate) const NEXT: &str = "done";

/// The stages in the middle, each with the item types (as seeds spell them) that go there.
pub(crate) const TYPES: [(&str, &[&str]); 8] = [
    ("Pictures", &["image"]),
    ("Picture groups", &["image_group"]),
    ("Videos", &["video", "image_sequence"]),
    ("Recordings", &["audio"]),
    ("Texts", &["plain_text"]),
    ("Scans", &["dicom_series"]),
    ("Pairs", &["group"]),
    ("Other files", &["pdf", "nifti"]),
];

/// The stages of a seed's workflow template.
pub(crate) fn stages() -> Value {
    let last = TYPES.len() + 1;
    let pathway = |from: usize, to: usize, name: &str| json!({"uuid": uuid(0x100 + from * 0x10 + to), "name": name, "destination": uuid(to)});
    let sorted: Vec<_> =
        TYPES.iter().enumerate().map(|(index, (title, _))| pathway(0, index + 1, title)).collect();
    let mut stages = vec![json!({"uuid": uuid(0), "type": "AGENT", "title": SORT, "pathways": sorted})];
    for (index, (title, _)) in TYPES.iter().enumerate() {
        let pathways = [pathway(index + 1, last, NEXT)];
        stages.push(json!({"uuid": uuid(index + 1), "type": "AGENT", "title": title, "pathways": pathways}));
    }
    let pathways = [pathway(last, last + 1, NEXT)];
    stages.push(json!({"uuid": uuid(last), "type": "AGENT", "title": RANK, "pathways": pathways}));
    stages.push(json!({"uuid": uuid(last + 1), "type": "DONE", "title": DONE}));
    Value::Array(stages)
}

fn uuid(number: usize) -> String {
    format!("de300000-0000-4000-8000-{number:012x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pathway_leads_to_a_stage() {
        let stages = stages();
        let stages = stages.as_array().unwrap();
        let uuids: Vec<_> = stages.iter().map(|stage| &stage["uuid"]).collect();
        assert_eq!(stages.len(), TYPES.len() + 3);
        let pathways: Vec<_> =
            stages.iter().flat_map(|stage| stage["pathways"].as_array().into_iter().flatten()).collect();
        assert_eq!(pathways.len(), 2 * TYPES.len() + 1);
        assert!(pathways.iter().all(|pathway| uuids.contains(&&pathway["destination"])));
    }
}
