//! COCO files: what an export says, what an import makes of it, and that both fit together.
#![cfg(feature = "coco")]

use std::collections::HashMap;
use std::sync::Arc;

use encord_labels::coco::{
    Dataset, ExportOptions, Placement, RleCounts, Segmentation, Skipped, export, import,
};
use encord_labels::ontology::{Attribute, ClassificationClass, ObjectClass};
use encord_labels::shape::{
    Bitmask, BoundingBox, Circle, Point, Point2d, Polygon, Polyline, Ring, RotatableBoundingBox, Shape,
    ShapeKind,
};
use encord_labels::{LabelRow, LabelRowMetadata, ObjectInstance, Ontology, Result};
use serde_json::{Value, json};

const KINDS: [ShapeKind; 7] = [
    ShapeKind::BoundingBox,
    ShapeKind::RotatableBoundingBox,
    ShapeKind::Polygon,
    ShapeKind::Polyline,
    ShapeKind::Point,
    ShapeKind::Bitmask,
    ShapeKind::Circle,
];

fn ontology() -> Arc<Ontology> {
    let mut ontology = Ontology::new();
    for kind in KINDS {
        let class = ObjectClass::new(kind.as_str(), kind)
            .with_feature_hash(kind.as_str())
            .with_attribute(Attribute::text("note"))
            .with_attribute(Attribute::checklist("marks", ["dusty", "bent"]))
            .with_attribute(Attribute::radio("moving", ["yes", "no"]).dynamic());
        ontology.add_object(class).expect("the hashes differ");
    }
    Arc::new(ontology)
}

fn video(ontology: &Arc<Ontology>) -> Result<LabelRow> {
    let metadata = json!({"label_hash": "l", "branch_name": "main", "created_at": null, "last_edited_at": null,
        "data_hash": "d", "dataset_hash": "s", "dataset_title": "set", "data_title": "clip.mp4", "data_type": "VIDEO",
        "data_link": null, "label_status": "NOT_LABELLED", "annotation_task_status": "QUEUED",
        "is_shadow_data": false, "number_of_frames": 10, "duration": 1.0, "frames_per_second": 10.0, "width": 40,
        "height": 20, "spaces": {}});
    let document = json!({"label_hash": "l", "branch_name": "main", "created_at": null, "last_edited_at": null,
        "data_hash": "d", "dataset_hash": "s", "dataset_title": "set", "data_title": "clip.mp4", "data_type": "video",
        "annotation_task_status": "QUEUED", "is_shadow_data": false, "label_status": "NOT_LABELLED",
        "object_answers": {}, "classification_answers": {}, "object_actions": {}, "spaces": {},
        "data_units": {"d": {"data_hash": "d", "data_title": "clip.mp4", "data_link": "https://x.example.org/d",
            "data_type": "video/mp4", "data_sequence": 0, "width": 40, "height": 20, "labels": {}}}});
    let mut row = LabelRow::new(LabelRowMetadata::from_json(metadata)?, ontology.clone());
    row.initialise_from_value(document)?;
    Ok(row)
}

fn ring(points: &[(f64, f64)]) -> Ring {
    points.iter().map(|(x, y)| Point2d::new(*x, *y)).collect()
}

fn shapes() -> Result<Vec<Shape>> {
    let upright = BoundingBox::new(0.25, 0.25, 0.5, 0.5)?;
    let triangle = ring(&[(0.1, 0.1), (0.9, 0.1), (0.5, 0.9)]);
    Ok(vec![
        upright.into(),
        RotatableBoundingBox::new(upright, 30.0)?.into(),
        Polygon::new(triangle.clone())?.into(),
        Polyline::new(triangle)?.into(),
        Point::new(0.5, 0.25)?.into(),
        Bitmask::from_pixels(&[vec![false; 790], vec![true; 10]].concat(), 20, 40)?.into(),
        Circle::new(0.5, 0.5, 0.1)?.into(),
    ])
}

fn labelled(ontology: &Arc<Ontology>) -> Result<LabelRow> {
    let mut row = video(ontology)?;
    for shape in shapes()? {
        let mut object = ObjectInstance::new(ontology.object_by_hash(shape.kind().as_str())?);
        object.set([3, 7], shape)?;
        object.answer("marks", ["bent"])?;
        object.answer_on(7, "moving", "yes")?;
        row.add_object(object)?;
    }
    Ok(row)
}

#[test]
fn an_export_has_pictures_categories_and_annotations() {
    let ontology = ontology();
    let row = labelled(&ontology).unwrap();
    let done = export([&row], &ontology, &ExportOptions::default()).unwrap();
    let names: Vec<_> = done.dataset.images.iter().map(|image| image.file_name.as_deref().unwrap()).collect();
    assert_eq!(names, ["videos/d/3.jpg", "videos/d/7.jpg"]);
    assert_eq!(done.dataset.info["description"], "clip.mp4");
    assert_eq!(done.dataset.categories.len(), KINDS.len());
    assert_eq!(done.dataset.categories[0].id, 1);
    assert_eq!(done.skipped[&ShapeKind::Circle], 2, "circles have no form in COCO");
    assert_eq!(done.dataset.annotations.len(), 12);

    let [first, later] = [&done.dataset.annotations[0], &done.dataset.annotations[6]];
    assert_eq!((first.area, first.bbox, first.iscrowd), (200.0, [10.0, 5.0, 20.0, 10.0], 0));
    let answers =
        |annotation: &encord_labels::coco::Annotation| annotation.attributes["classifications"].clone();
    assert_eq!(answers(first), json!({"note": null, "dusty": false, "bent": true, "moving": null}));
    assert_eq!(answers(later)["moving"], "yes", "dynamic answers are those of the frame");
    assert_eq!(first.attributes["track_id"], later.attributes["track_id"]);

    let turned = &done.dataset.annotations[1];
    assert_eq!(turned.attributes["rotation"], 30.0);
    let point = &done.dataset.annotations[4];
    assert_eq!(point.keypoints.as_deref(), Some([20.0, 5.0, 2.0].as_slice()));
    let Some(Segmentation::Mask(mask)) = &done.dataset.annotations[5].segmentation else { panic!("no mask") };
    assert_eq!((mask.size, done.dataset.annotations[5].area), ([20, 40], 10.0));
    assert!(matches!(mask.counts, RleCounts::Compressed(_)));

    let mut options = ExportOptions::default();
    options.videos = false;
    assert!(export([&row], &ontology, &options).unwrap().dataset.images.is_empty());
}

#[test]
fn what_was_exported_can_be_imported() {
    let ontology = ontology();
    let exported =
        export([&labelled(&ontology).unwrap()], &ontology, &ExportOptions::default()).unwrap().dataset;
    let text = serde_json::to_vec(&exported).unwrap();
    let dataset = Dataset::from_slice(&text).unwrap();
    assert_eq!(dataset, exported);

    let classes: HashMap<u64, String> = (1..).zip(KINDS.map(|kind| kind.as_str().to_owned())).collect();
    let pictures = HashMap::from([(0, Placement { data_hash: "d".into(), frame: 3 })]);
    let mut rows = [video(&ontology).unwrap()];
    let report = import(&dataset, &mut rows, &ontology, &classes, &pictures, None).unwrap();
    assert_eq!(report.added, 6);
    assert_eq!(report.skipped.len(), 6);
    assert!(report.skipped.iter().all(|(_, why)| *why == Skipped::Picture));
    let wanted = shapes().unwrap();
    for (object, shape) in rows[0].objects().unwrap().zip(&wanted) {
        assert_eq!(object.on_frame(3).unwrap().shape(), shape);
    }
}

#[test]
fn a_failing_import_changes_nothing_and_names_the_annotation() {
    let ontology = ontology();
    let classes = HashMap::from([(1, "bounding_box".to_owned()), (2, "bitmask".to_owned())]);
    let pictures = HashMap::from([(0, Placement { data_hash: "d".into(), frame: 0 })]);
    let good = json!({"id": 1, "image_id": 0, "category_id": 1, "bbox": [0, 0, 4, 4], "score": 0.5});
    let refused = |bad: Value| {
        let file = json!({"images": [{"id": 0, "width": 40, "height": 20}], "annotations": [good, bad]});
        let dataset = Dataset::from_slice(&serde_json::to_vec(&file).unwrap()).unwrap();
        let mut rows = [video(&ontology).unwrap()];
        let error = import(&dataset, &mut rows, &ontology, &classes, &pictures, Some("score")).unwrap_err();
        assert_eq!(rows[0].objects().unwrap().count(), 0);
        error.to_string()
    };
    let mut bad = good.clone();
    bad["bbox"] = json!([0, 0, -4, 4]);
    assert!(refused(bad.clone()).starts_with("$.annotations[1].bbox: w is"), "{}", refused(bad));
    let mut bad = good.clone();
    bad["score"] = json!(7);
    assert!(
        refused(bad.clone()).starts_with("$.annotations[1].score: 7 is no confidence"),
        "{}",
        refused(bad)
    );
    let mut bad = good.clone();
    bad["category_id"] = json!(2);
    bad["segmentation"] = json!({"size": [20, 40], "counts": [900, 1]});
    let message = refused(bad);
    assert!(message.starts_with("$.annotations[1].segmentation: run-length string covers more"), "{message}");
}

#[test]
fn a_file_that_is_wrong_is_refused_with_the_place() {
    let file = |image: Value, annotation: Value| json!({"images": [{"id": 0, "width": 40, "height": 20}, image], "annotations": [annotation]});
    let image = json!({"id": 1, "width": 40, "height": 20});
    let annotation = json!({"id": 1, "image_id": 0, "category_id": 1, "bbox": [0, 0, 4, 4]});
    let with = |mut value: Value, key: &str, new: Value| {
        value[key] = new;
        value
    };
    for (file, expected) in [
        (json!({"images": []}), "the key \"annotations\" is missing"),
        (json!({"images": {}, "annotations": []}), "$.images: expected a list, found an object"),
        (
            file(json!({"id": 1, "width": 4}), annotation.clone()),
            "$.images[1]: the key \"height\" is missing",
        ),
        (
            file(with(image.clone(), "width", json!("40")), annotation.clone()),
            "$.images[1].width: expected a number, found the string \"40\"",
        ),
        (
            file(with(image.clone(), "width", json!(1u64 << 40)), annotation.clone()),
            "$.images[1].width: 1099511627776 is too large here",
        ),
        (
            file(image.clone(), with(annotation.clone(), "bbox", json!([0, 0, 4]))),
            "$.annotations[0].bbox: expected left, top, width and height, found 3 numbers",
        ),
        (
            file(image.clone(), with(annotation.clone(), "segmentation", json!([[1, 2, "x"]]))),
            "$.annotations[0].segmentation[0][2]: expected a number, found the string \"x\"",
        ),
        (
            file(image.clone(), with(annotation.clone(), "segmentation", json!({"size": [1, 2]}))),
            "$.annotations[0].segmentation: the key \"counts\" is missing",
        ),
        (
            file(image.clone(), with(annotation.clone(), "segmentation", json!("mask"))),
            "$.annotations[0].segmentation: expected a list of outlines or a mask, found the string \"mask\"",
        ),
    ] {
        let error = Dataset::from_slice(&serde_json::to_vec(&file).unwrap()).unwrap_err().to_string();
        assert_eq!(error, expected);
    }
    assert!(Dataset::from_slice(b"{").is_err());
    let kept = file(with(image, "license", json!(3)), with(annotation, "score", json!(0.5)));
    let read = Dataset::from_slice(&serde_json::to_vec(&kept).unwrap()).unwrap();
    assert_eq!(
        (&read.images[1].extra["license"], &read.annotations[0].extra["score"]),
        (&json!(3), &json!(0.5))
    );
    let nulls = r#"{"images": [{"id": 0, "width": 1, "height": 1, "coco_url": null}], "annotations":
        [{"id": 1, "image_id": 0, "category_id": 1, "bbox": [0, 0, 1, 1], "segmentation": null, "keypoints": null}]}"#;
    assert_eq!(Dataset::from_slice(nulls.as_bytes()).unwrap().annotations[0].segmentation, None);
}

#[test]
fn classified_frames_become_pictures_within_reason() {
    let ontology = Ontology::new()
        .with_classification(ClassificationClass::new(Attribute::text("Note")).with_feature_hash("k"))
        .and_then(|it| {
            it.with_classification(ClassificationClass::new(Attribute::text("Other")).with_feature_hash("k2"))
        })
        .map(Arc::new)
        .unwrap();
    let row = |ranges: Value| {
        let known = video(&ontology).unwrap();
        let mut metadata = known.metadata().to_json();
        metadata["number_of_frames"] = Value::Null;
        let mut document = known.to_document().unwrap();
        for (hash, ranges) in ["k", "k2"].into_iter().zip(ranges.as_array().unwrap()) {
            document["classification_answers"][hash] = json!({"classificationHash": hash, "featureHash": hash,
                "classifications": [], "range": ranges});
        }
        let mut row = LabelRow::new(LabelRowMetadata::from_json(metadata).unwrap(), ontology.clone());
        row.initialise_from_value(document).unwrap();
        row
    };
    let options = ExportOptions::default();
    let done = export([&row(json!([[[2, 3]], [[1, 4]]]))], &ontology, &options).unwrap();
    let names: Vec<_> = done.dataset.images.iter().map(|image| image.file_name.clone().unwrap()).collect();
    assert_eq!(names, [2, 3, 1, 4].map(|frame| format!("videos/d/{frame}.jpg")));
    // Nobody knows how long this video is; written out this would not fit into any memory.
    let error = export([&row(json!([[[0, 1u64 << 60]], [[1, 4]]]))], &ontology, &options).unwrap_err();
    assert!(error.to_string().contains("a file can have 16777216 pictures"), "{error}");
}
