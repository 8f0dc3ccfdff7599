//! Rows of a short video, bare and labelled.

use std::sync::Arc;

use encord_labels::ontology::{Attribute, ClassificationClass, ObjectClass, Ontology};
use encord_labels::row::{ClassificationInstance, ObjectInstance, Overlap};
use encord_labels::shape::{BoundingBox, ShapeKind};
use encord_labels::{LabelRow, LabelRowMetadata};
use serde_json::json;

const DATA: &str = "0e46c215-b5fa-4b0c-9b18-bd763f20134c";

/// A video row of ten frames.
pub(crate) fn row(ontology: &Arc<Ontology>) -> LabelRow {
    let metadata = json!({"label_hash": "3a7cfb36-6088-455f-8763-54b65ed08d6b", "branch_name": "main",
        "data_hash": DATA, "dataset_hash": "b37523a5-3b4a-4ee2-8463-513755ac0ecd", "dataset_title": "d",
        "data_title": "clip.mp4", "data_type": "VIDEO", "data_link": null, "label_status": "NOT_LABELLED",
        "number_of_frames": 10, "frames_per_second": 10.0, "duration": 1.0, "width": 64, "height": 48, "spaces": {}});
    let document = json!({"label_hash": "3a7cfb36-6088-455f-8763-54b65ed08d6b", "branch_name": "main",
        "created_at": "Tue, 04 Mar 2025 10:20:30 UTC", "last_edited_at": "Tue, 04 Mar 2025 10:20:30 UTC",
        "dataset_hash": "b37523a5-3b4a-4ee2-8463-513755ac0ecd", "dataset_title": "d", "data_title": "clip.mp4",
        "data_hash": DATA, "data_type": "video",
        "data_units": {DATA: {"data_hash": DATA, "data_title": "clip.mp4", "data_link": null, "data_type": "video/mp4",
            "data_sequence": 0, "labels": {}, "width": 64, "height": 48, "data_duration": 1.0, "data_fps": 10.0}},
        "object_answers": {}, "classification_answers": {}, "object_actions": {}, "label_status": "LABEL_IN_PROGRESS"});
    let mut row = LabelRow::new(LabelRowMetadata::from_json(metadata).unwrap(), ontology.clone());
    row.initialise_from_value(document).unwrap();
    row
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
    Arc::new(Ontology::new().with_object(car).unwrap().with_classification(weather).unwrap())
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
