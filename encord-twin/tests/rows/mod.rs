//! Rows of short files, bare and labelled.
#![allow(dead_code, reason = "every test program uses a part of this")]

use std::sync::Arc;

use encord_labels::id::SpaceId;
use encord_labels::ontology::{Attribute, ClassificationClass, ObjectClass, Ontology};
use encord_labels::row::{ClassificationInstance, ObjectInstance, Overlap};
use encord_labels::shape::{BoundingBox, ShapeKind};
use encord_labels::{LabelRow, LabelRowMetadata};
use serde_json::{Value, json};

const DATA: &str = "0e46c215-b5fa-4b0c-9b18-bd763f20134c";
const DATASET: &str = "b37523a5-3b4a-4ee2-8463-513755ac0ecd";
const LABELS: &str = "3a7cfb36-6088-455f-8763-54b65ed08d6b";

/// A video row of ten frames.
pub(crate) fn row(ontology: &Arc<Ontology>) -> LabelRow {
    row_of(ontology, "video", json!({}), json!({}))
}

/// A row of any type of data, with more or other facts in its metadata and about its file.
pub(crate) fn row_of(ontology: &Arc<Ontology>, data_type: &str, facts: Value, file: Value) -> LabelRow {
    let with = |mut value: Value, more: Value| {
        if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
            value.extend(more);
        }
        value
    };
    let metadata = json!({"label_hash": LABELS, "branch_name": "main",
        "data_hash": DATA, "dataset_hash": DATASET, "dataset_title": "d",
        "data_title": "clip.mp4", "data_type": data_type.to_uppercase(), "data_link": null,
        "label_status": "NOT_LABELLED", "number_of_frames": 10, "frames_per_second": 10.0, "duration": 1.0,
        "width": 64, "height": 48, "spaces": {}});
    let file = with(
        json!({"data_hash": DATA, "data_title": "clip.mp4", "data_link": null, "data_type": "video/mp4",
        "data_sequence": 0, "labels": {}, "width": 64, "height": 48, "data_duration": 1.0, "data_fps": 10.0}),
        file,
    );
    let document = json!({"label_hash": LABELS, "branch_name": "main",
        "created_at": "Tue, 04 Mar 2025 10:20:30 UTC", "last_edited_at": "Tue, 04 Mar 2025 10:20:30 UTC",
        "dataset_hash": DATASET, "dataset_title": "d", "data_title": "clip.mp4", "data_hash": DATA,
        "data_type": data_type, "data_units": {DATA: file}, "spaces": {},
        "object_answers": {}, "classification_answers": {}, "object_actions": {}, "label_status": "LABEL_IN_PROGRESS"});
    let mut row =
        LabelRow::new(LabelRowMetadata::from_json(with(metadata, facts)).unwrap(), ontology.clone());
    row.initialise_from_value(document).unwrap();
    row
}

/// A group of two videos, and the names of their spaces.
pub(crate) fn group(ontology: &Arc<Ontology>) -> (LabelRow, SpaceId, SpaceId) {
    let video = |name: &str| {
        json!({"space_type": "video", "number_of_frames": 5, "width": 32, "height": 16, "data_duration": 1.0,
            "data_fps": 5.0, "child_info": {"layout_key": name, "file_name": name}})
    };
    let spaces = json!({"spaces": {"s1": video("left"), "s2": video("right")}});
    let row = row_of(ontology, "group", spaces, json!({}));
    (row, SpaceId::from("s1"), SpaceId::from("s2"))
}

/// What a row is after being saved and fetched again.
pub(crate) fn again(row: &LabelRow) -> LabelRow {
    let mut again = LabelRow::new(row.metadata().clone(), row.ontology().clone());
    again.initialise_from_value(row.to_document().unwrap()).unwrap();
    again
}

/// Cars with a colour and a speed per frame, and the weather.
pub(crate) fn ontology(prefix: &str) -> Arc<Ontology> {
    let hash = |name: &str| format!("{prefix}{name}");
    let colour = Attribute::radio("Colour", ["Red", "Blue"]).with_feature_hash(hash("colour1"));
    let speed = Attribute::numeric("Speed").dynamic().with_feature_hash(hash("speed12"));
    let car = ObjectClass::new("Car", ShapeKind::BoundingBox)
        .with_feature_hash(hash("car1234"))
        .with_attribute(colour)
        .with_attribute(speed);
    let sky = Attribute::checklist("Sky", ["Sun", "Rain"]).with_feature_hash(hash("sky1234"));
    let weather = ClassificationClass::new(sky).with_feature_hash(hash("weather"));
    let mut ontology = Ontology::new().with_object(car).unwrap().with_classification(weather).unwrap();
    for (name, shape) in [
        ("Area", ShapeKind::Bitmask),
        ("Spot", ShapeKind::Point),
        ("Box", ShapeKind::Cuboid),
        ("Noise", ShapeKind::Audio),
        ("Word", ShapeKind::Text),
    ] {
        let class = ObjectClass::new(name, shape).with_feature_hash(hash(&name.to_lowercase()));
        ontology = ontology.with_object(class).unwrap();
    }
    Arc::new(ontology)
}

pub(crate) fn labelled(ontology: &Arc<Ontology>) -> LabelRow {
    let mut row = row(ontology);
    let mut car = ObjectInstance::new(ontology.object("Car").unwrap());
    car.set(0..=4, BoundingBox::new(0.1, 0.1, 0.2, 0.2).unwrap()).unwrap();
    car.answer("Colour", "Blue").unwrap();
    car.answer_on(1..=2, "Speed", 30.0).unwrap();
    row.add_object(car).unwrap();
    let mut weather = ClassificationInstance::new(&ontology.classifications()[0]);
    weather.set(3..=5).unwrap();
    weather.answer("Sky", ["Rain"]).unwrap();
    row.add_classification(weather, Overlap::Refuse).unwrap();
    row
}
