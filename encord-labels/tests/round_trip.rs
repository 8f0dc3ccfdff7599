//! Documents come back as they were: whole rows of every data type, with keys nobody knows, and after being rebuilt.

mod fixtures;

use encord_labels::LabelRow;
use fixtures::{Fixture, all, fixture};
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn every_data_type_comes_back_unchanged() {
    for Fixture { name, row, document } in all() {
        assert_eq!(row.to_document().unwrap(), document, "{name}");
    }
}

#[test]
fn both_ways_of_reading_agree() {
    for Fixture { name, row, document } in all() {
        let mut other = LabelRow::new(row.metadata().clone(), row.ontology().clone());
        other.initialise_from_slice(serde_json::to_string_pretty(&document).unwrap().as_bytes()).unwrap();
        assert_eq!(other.to_document().unwrap(), document, "{name}");
    }
}

#[test]
fn a_failed_reading_leaves_the_row_as_it_was() {
    let Fixture { mut row, document, .. } = fixture("video");
    assert!(row.initialise_from_slice(b"{\"label_hash\":1}").is_err());
    assert_eq!(row.to_document().unwrap(), document);
}

#[test]
fn a_copy_of_a_row_is_independent() {
    let Fixture { row, document, .. } = fixture("video");
    let mut copy = row.clone();
    assert!(!copy.remove_objects_if(|_| true).unwrap().is_empty());
    assert_eq!(row.to_document().unwrap(), document);
    assert_ne!(copy.to_document().unwrap(), document);
}

#[test]
fn texts_other_than_the_ontology_s_are_kept() {
    let Fixture { row, document, .. } = fixture("video");
    let mut changed = document.clone();
    for_each_object(&mut changed, &mut |object| {
        object["name"] = json!("Name before it was changed");
        object["color"] = json!("#123456");
        object["reviews"] = json!([{"status": "APPROVED"}]);
    });
    assert_eq!(reread(&row, &changed), changed);
}

#[test]
fn unusual_geometry_comes_back_as_it_was() {
    let Fixture { row, document, .. } = fixture("video");
    let mut changed = document.clone();
    let mut seen = 0;
    for_each_object(&mut changed, &mut |object| {
        if let Some(polygon) = object.get_mut("polygon") {
            if let Some(points) = polygon.as_object() {
                *polygon = points.values().cloned().collect();
            }
            seen += 1;
        }
        if let Some(bounding_box) = object.get_mut("boundingBox") {
            bounding_box["snapped"] = json!(true);
            seen += 1;
        }
        if let Some(skeleton) = object.get_mut("skeleton") {
            let vertex = skeleton.as_object_mut().and_then(|vertices| vertices.values_mut().next());
            vertex.expect("a skeleton has vertices")["occluded"] = json!(true);
            seen += 1;
        }
    });
    assert!(seen >= 3, "{seen}");
    assert_eq!(reread(&row, &changed), changed);
}

#[test]
fn geometry_that_is_changed_drops_its_old_spelling() {
    let Fixture { row, document, .. } = fixture("video");
    let mut changed = document.clone();
    let mut place = None;
    for_each_object(&mut changed, &mut |object| {
        if let Some(bounding_box) = object.get_mut("boundingBox") {
            bounding_box["snapped"] = json!(true);
            place = Some(object["objectHash"].as_str().unwrap().to_owned());
        }
    });
    let hash = place.expect("the video has a box");
    let mut row = row.clone();
    row.initialise_from_value(changed).unwrap();
    let object = row.object_mut(&hash).unwrap();
    let shape = encord_labels::shape::BoundingBox::new(0.25, 0.25, 0.5, 0.5).unwrap();
    object.reshape(object.frames(), shape).unwrap();
    let text = row.to_document().unwrap().to_string();
    assert!(text.contains("\"boundingBox\":{\"h\":0.5,\"w\":0.5,\"x\":0.25,\"y\":0.25}"));
}

#[test]
fn answers_about_unknown_objects_are_kept() {
    let Fixture { row, document, .. } = fixture("video");
    let mut changed = document.clone();
    changed["object_answers"]["nobody"] = json!({"objectHash": "nobody", "classifications": [{"any": 1}]});
    changed["object_actions"]["nobody"] = json!({"objectHash": "nobody", "actions": []});
    assert_eq!(reread(&row, &changed), changed);
}

#[test]
fn classifications_of_the_oldest_documents_are_read_from_frames() {
    let Fixture { row, document, .. } = fixture("video");
    let class = row.ontology().classifications().iter().find(|class| !class.is_global()).unwrap().clone();
    let mut old = document.clone();
    old["classification_answers"] = json!({"C": {
        "classifications": [], "classificationHash": "C", "featureHash": class.feature_hash().as_str()}});
    let unit = old["data_units"].as_object_mut().unwrap().values_mut().next().unwrap();
    for frame in ["0", "1"] {
        let labels = unit["labels"].as_object_mut().unwrap();
        let labels = labels.entry(frame).or_insert_with(|| json!({"objects": []}));
        labels["classifications"] = json!([{
            "classificationHash": "C", "featureHash": class.feature_hash().as_str(), "name": "n", "value": "v",
            "createdAt": "Tue, 02 Jan 2024 03:04:05 UTC", "createdBy": "ana@example.org", "confidence": 0.5,
            "manualAnnotation": false}]);
    }
    let mut row = row.clone();
    row.initialise_from_value(old).unwrap();
    let read = row.classification("C").unwrap();
    assert_eq!(read.frames().to_string(), "0-1");
    assert_eq!((read.details().confidence, read.details().manual_annotation), (Some(0.5), Some(false)));
    row.remove_classification("C").unwrap();
    assert!(!row.to_document().unwrap().to_string().contains("\"C\""));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn unknown_keys_survive_wherever_they_stand(
        which in 0usize..64,
        places in proptest::collection::vec(0usize..10_000, 1..6),
        value in prop_oneof![
            Just(json!(null)), Just(json!({"deep": [1, {"x": -0.5}]})), any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from)],
    ) {
        let mut fixtures = all();
        let count = fixtures.len();
        let Fixture { name, row, mut document } = fixtures.swap_remove(which % count);
        for (number, place) in places.iter().enumerate() {
            let count = with_open_objects(&mut document, usize::MAX, &mut |_| ());
            with_open_objects(&mut document, place % count, &mut |map| {
                map.insert(format!("unheardOf{number}"), value.clone());
            });
        }
        prop_assert_eq!(reread(&row, &document), document, "{}", name);
    }

    #[test]
    fn damaged_documents_never_panic(which in 0usize..64, at in 0usize..60_000, byte in any::<u8>(), cut in any::<bool>()) {
        let mut fixtures = all();
        let count = fixtures.len();
        let Fixture { row, document, .. } = fixtures.swap_remove(which % count);
        let mut json = serde_json::to_vec(&document).unwrap();
        let at = at % json.len();
        if cut { json.truncate(at) } else { json[at] = byte }
        let mut row = row.clone();
        if row.initialise_from_slice(&json).is_ok() {
            prop_assert!(!cut);
            let written = row.to_document().unwrap();
            prop_assert_eq!(reread(&row, &written), written);
        }
    }
}

fn reread(row: &LabelRow, document: &Value) -> Value {
    let mut row = row.clone();
    row.initialise_from_value(document.clone()).unwrap_or_else(|error| panic!("{error}"));
    row.to_document().expect("the row is initialised")
}

fn for_each_object(document: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    for unit in document["data_units"].as_object_mut().expect("an object").values_mut() {
        for frame in unit["labels"].as_object_mut().expect("an object").values_mut() {
            frame["objects"].as_array_mut().expect("a list").iter_mut().for_each(&mut *change);
        }
    }
}

/// Walks the objects that may hold any key (unlike those whose keys are hashes, frames or numbers) and calls
/// `change` on the one numbered `wanted`; returns how many there are.
fn with_open_objects(
    value: &mut Value,
    wanted: usize,
    change: &mut dyn FnMut(&mut serde_json::Map<String, Value>),
) -> usize {
    fn walk(
        value: &mut Value,
        keyed: bool,
        count: &mut usize,
        wanted: usize,
        change: &mut dyn FnMut(&mut serde_json::Map<String, Value>),
    ) {
        match value {
            Value::Object(map) => {
                if !keyed {
                    if *count == wanted {
                        change(map);
                    }
                    *count += 1;
                }
                for (key, child) in map.iter_mut() {
                    let keyed_child = match key.as_str() {
                        "labels" => !child.as_object().is_some_and(|labels| labels.contains_key("objects")),
                        "data_units"
                        | "object_answers"
                        | "classification_answers"
                        | "object_actions"
                        | "spaces" => true,
                        "polygon" | "polyline" | "point" | "skeleton" => true,
                        _ => false,
                    };
                    walk(child, keyed_child, count, wanted, change);
                }
            }
            Value::Array(items) => {
                items.iter_mut().for_each(|item| walk(item, false, count, wanted, change));
            }
            _ => {}
        }
    }
    let mut count = 0;
    walk(value, false, &mut count, wanted, change);
    count
}
