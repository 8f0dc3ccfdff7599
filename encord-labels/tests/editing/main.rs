//! Changing rows: what is allowed, what is refused, and that a refused change changes nothing.

mod classifications;
mod invalid;
mod places;

use std::collections::BTreeMap;
use std::sync::Arc;

use encord_labels::ontology::{
    Attribute, AttributeOption, ClassificationClass, ObjectClass, SkeletonTemplate,
};
use encord_labels::row::{Answer, Details, HtmlPosition, HtmlRange, Interpolation, Overlap};
use encord_labels::shape::{Bitmask, BoundingBox, Cuboid, Point, ShapeKind, Vertex};
use encord_labels::{Error, FrameSet, LabelRow, LabelRowMetadata, ObjectInstance, Ontology};
use proptest::prelude::*;
use serde_json::{Value, json};

fn ontology() -> Arc<Ontology> {
    let damage = AttributeOption::new("Damaged").with_attribute(Attribute::text("How"));
    let car = ObjectClass::new("Car", ShapeKind::BoundingBox)
        .with_attribute(Attribute::radio("State", [AttributeOption::new("Fine"), damage]))
        .with_attribute(Attribute::checklist("Parts", ["Door", "Wheel", "Roof"]))
        .with_attribute(Attribute::numeric("Doors"))
        .with_attribute(Attribute::text("Signal").dynamic())
        .with_attribute(Attribute::checklist("Lights", ["Left", "Right", "Brake"]).dynamic());
    let build = || -> Result<Ontology, Error> {
        let mut ontology = Ontology::new()
            .with_object(car)?
            .with_object(ObjectClass::new("Area", ShapeKind::Bitmask))?
            .with_object(ObjectClass::new("Word", ShapeKind::Text))?
            .with_object(ObjectClass::new("Noise", ShapeKind::Audio))?
            .with_object(ObjectClass::new("Box", ShapeKind::Cuboid))?
            .with_object(ObjectClass::new("Spot", ShapeKind::Point))?
            .with_object(ObjectClass::new("Points", ShapeKind::Segmentation))?
            .with_object(ObjectClass::new("Stretch", ShapeKind::TimeRange))?
            .with_classification(ClassificationClass::new(Attribute::radio("Weather", ["Sun", "Rain"])))?
            .with_classification(ClassificationClass::new(Attribute::text("Note")).global())?;
        ontology.add_skeleton(SkeletonTemplate::new(
            "Line",
            10.0,
            10.0,
            [("a", 0.0, 0.0), ("b", 9.0, 9.0)],
        ))?;
        Ok(ontology)
    };
    Arc::new(build().expect("the ontology is valid"))
}

fn row_of(data_type: &str, more: Value) -> LabelRow {
    let mut metadata = json!({
        "branch_name": "main", "data_hash": "d", "dataset_hash": "s", "dataset_title": "Set", "data_title": "a",
        "data_type": data_type.to_uppercase(), "data_link": null, "label_status": "LABELLED", "number_of_frames": 10,
        "duration": 3.0, "spaces": {},
    });
    let mut document = json!({
        "label_hash": "l", "branch_name": "main", "created_at": null, "last_edited_at": null, "data_hash": "d",
        "dataset_hash": "s", "dataset_title": "Set", "data_title": "a", "data_type": data_type, "label_status": "LABELLED",
        "object_answers": {}, "classification_answers": {}, "object_actions": {}, "spaces": {},
        "data_units": {"d": {"data_hash": "d", "data_title": "a", "data_type": "video/mp4", "data_sequence": 0,
            "width": 8, "height": 4, "labels": {}}},
    });
    if let Some(spaces) = more.get("metadata_spaces") {
        metadata["spaces"] = spaces.clone();
    }
    if let Some(scene) = more.get("scene") {
        document["scene"] = scene.clone();
    }
    if let Some(mime) = more.get("mime") {
        document["data_units"]["d"]["data_type"] = mime.clone();
    }
    let metadata = LabelRowMetadata::from_json(metadata).expect("the metadata is complete");
    let mut row = LabelRow::new(metadata, ontology());
    row.initialise_from_value(document).expect("the document is valid");
    row
}

fn video() -> LabelRow {
    row_of("video", json!({}))
}

fn a_box(x: f64) -> BoundingBox {
    BoundingBox::new(x, 0.1, 0.2, 0.2).expect("the box lies inside")
}

fn car(row: &LabelRow, frames: impl Into<FrameSet>) -> ObjectInstance {
    let mut car = row.new_object("Car").expect("the class exists");
    car.set(frames, a_box(0.5)).expect("the frames are free");
    car
}

/// What a row is after being written and read.
fn reread(row: &LabelRow) -> LabelRow {
    let mut other = LabelRow::new(row.metadata().clone(), row.ontology().clone());
    other
        .initialise_from_value(row.to_document().expect("the row is initialised"))
        .expect("the document is valid");
    other
}

#[test]
fn an_uninitialised_row_says_so() {
    let row = LabelRow::new(video().metadata().clone(), ontology());
    assert!(matches!(row.to_document(), Err(Error::NotInitialised)));
    assert!(matches!(row.objects().map(|_| ()), Err(Error::NotInitialised)));
}

#[test]
fn objects_are_drawn_on_free_frames_only() {
    let row = video();
    let mut object = car(&row, 0..=4);
    let before = object.clone();
    let error = object.set(3..=6, a_box(0.1)).unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error}");
    assert_eq!(object, before);
    object.reshape(3..=6, a_box(0.1)).unwrap();
    assert_eq!(object.frames().to_string(), "0-6");
    assert_eq!(object.on_frame(5).unwrap().shape(), &a_box(0.1).into());
    assert_eq!(object.on_frame(2).unwrap().shape(), &a_box(0.5).into());
}

#[test]
fn reshaping_keeps_who_drew_it() {
    let row = video();
    let mut object = row.new_object("Car").unwrap();
    object.set_with(1, a_box(0.1), Details::predicted(0.25).unwrap()).unwrap();
    object.reshape(1, a_box(0.3)).unwrap();
    assert_eq!(object.on_frame(1).unwrap().details().confidence, Some(0.25));
    assert!(Details::predicted(1.5).is_err());
}

#[test]
fn pixels_instead_of_fractions_are_noticed() {
    let error = BoundingBox::new(412.0, 10.0, 30.0, 30.0).unwrap_err();
    assert!(error.to_string().contains("divide pixels by width and height"), "{error}");
}

#[test]
fn shapes_must_fit_the_class_the_frames_and_the_size() {
    let mut row = video();
    let mut object = row.new_object("Car").unwrap();
    assert!(matches!(object.set(0, Point::new(0.1, 0.1).unwrap()), Err(Error::Mismatch { .. })));
    object.set(0..=10, a_box(0.1)).unwrap();
    assert!(matches!(row.add_object(object), Err(Error::OutOfBounds { position: 10, last: 9, .. })));
    let added = car(&row, 0);
    let hash = row.add_object(added).unwrap().hash().clone();
    let error = row.object_mut(&hash).unwrap().set(8..=12, a_box(0.1)).unwrap_err();
    assert!(matches!(error, Error::OutOfBounds { .. }), "{error}");
    assert_eq!(row.object(&hash).unwrap().frames().to_string(), "0");
    let mut area = row.new_object("Area").unwrap();
    area.set(0, Bitmask::empty(5, 8)).unwrap();
    let error = row.add_object(area).unwrap_err().to_string();
    assert_eq!(error, "the frame 0 needs a mask of 4 x 8 pixels, got one of 5 x 8");
}

#[test]
fn masks_of_a_series_have_the_size_of_their_slice() {
    let mut row = row_of("dicom", json!({}));
    let mut document = row.to_document().unwrap();
    document["data_units"]["d"]["labels"] = json!({"3": {"objects": [], "classifications": [],
        "metadata": {"dicom_instance_uid": "1.2", "width": 6, "height": 2}}});
    row.initialise_from_value(document).unwrap();
    let mut add = |frame: u64, height, width| {
        let mut area = row.new_object("Area").unwrap();
        area.set(frame, Bitmask::empty(height, width)).unwrap();
        row.add_object(area).map(|_| ())
    };
    assert!(add(2, 4, 8).is_ok() && add(2, 2, 6).is_ok(), "nothing is known about this slice");
    assert!(add(3, 2, 6).is_ok());
    assert!(matches!(add(3, 4, 8), Err(Error::Mismatch { .. })));
}

#[test]
fn an_object_belongs_to_one_row_and_has_one_hash() {
    let mut row = video();
    assert!(row.add_object(row.new_object("Car").unwrap()).is_err(), "it is on no frame");
    let object = car(&row, 0..=1);
    let attached = row.add_object(object.clone()).unwrap().clone();
    assert!(row.add_object(object).is_err(), "the hash is taken");
    assert!(video().add_object(attached.clone()).is_err(), "it is part of another row");
    let copy = attached.copy();
    assert_ne!(copy.hash(), attached.hash());
    row.add_object(copy).unwrap();
    assert_eq!(row.objects().unwrap().count(), 2);
    let removed = row.remove_object(attached.hash()).unwrap();
    assert!(!removed.is_attached());
    assert!(matches!(row.remove_object(attached.hash()), Err(Error::NotFound { .. })));
    row.add_object(removed).unwrap();
}

#[test]
fn an_object_without_frames_is_not_written_and_can_come_back() {
    let mut row = video();
    let object = car(&row, 2..=3);
    let hash = row.add_object(object).unwrap().hash().clone();
    let object = row.object_mut(&hash).unwrap();
    assert!(object.remove_frames(1..=2).is_err());
    assert_eq!(object.frames().to_string(), "2-3");
    object.remove_frames(2..=3).unwrap();
    assert!(!row.to_document().unwrap().to_string().contains(hash.as_str()));
    row.object_mut(&hash).unwrap().set(5, a_box(0.1)).unwrap();
    assert_eq!(reread(&row).object(&hash).unwrap().frames().to_string(), "5");
}

#[test]
fn answers_by_title_option_and_number() {
    let row = video();
    let mut object = car(&row, 0);
    assert_eq!(object.answered("Parts").unwrap(), None);
    object.answer("Parts", ["Roof", "Door"]).unwrap();
    object.answer("Doors", 3).unwrap();
    let labels: Vec<_> =
        object.answered("Parts").unwrap().unwrap().choices().iter().map(|c| c.label.clone()).collect();
    assert_eq!(labels, ["Door", "Roof"]);
    assert!(matches!(object.answer("Doors", 4), Err(Error::Conflict { .. })));
    object.change_answer("Doors", 4.5).unwrap();
    assert_eq!(object.answered("Doors").unwrap().unwrap().as_number(), Some(4.5));
    assert!(matches!(object.change_answer("Doors", f64::NAN), Err(Error::Mismatch { .. })));
    assert!(matches!(object.change_answer("Doors", "four"), Err(Error::Mismatch { .. })));
    let error = object.answer("State", "Fin").unwrap_err().to_string();
    assert_eq!(error, "there is no option \"Fin\"; did you mean \"Fine\"?");
    let error = object.answer("Stat", "Fine").unwrap_err().to_string();
    assert!(error.starts_with("there is no attribute \"Stat\"; did you mean \"State\""), "{error}");
    object.unanswer("Doors").unwrap();
    assert_eq!(object.answered("Doors").unwrap(), None);
}

#[test]
fn nested_answers_need_the_option_above() {
    let row = video();
    let mut object = car(&row, 0);
    assert!(matches!(object.answer("How", "scratched"), Err(Error::Conflict { .. })));
    object.answer("State", "Damaged").unwrap();
    object.answer("How", "scratched").unwrap();
    object.change_answer("State", "Fine").unwrap();
    assert_eq!(object.answered("How").unwrap(), None, "hidden while the option is not chosen");
    object.change_answer("State", "Damaged").unwrap();
    assert_eq!(object.answered("How").unwrap().unwrap().as_text(), Some("scratched"));
}

#[test]
fn static_and_dynamic_answers_are_not_mixed_up() {
    let row = video();
    let mut object = car(&row, 0..=3);
    assert!(matches!(object.answer("Signal", "left"), Err(Error::Mismatch { .. })));
    assert!(matches!(object.answer_on(0, "Doors", 3), Err(Error::Mismatch { .. })));
    object.answer_everywhere("Signal", "left").unwrap();
    object.answer_on(1..=2, "Signal", "right").unwrap();
    let answers = object.dynamic_answers("Signal").unwrap();
    let shown: Vec<_> = answers.iter().map(|(a, f)| (a.as_text().unwrap(), f.to_string())).collect();
    assert_eq!(shown, [("left", "0, 3".to_owned()), ("right", "1-2".to_owned())]);
    object.unanswer_on(0, "Signal").unwrap();
    assert_eq!(object.answered_on(0, "Signal").unwrap(), None);
}

#[test]
fn dynamic_answers_stay_where_the_object_is() {
    let mut row = video();
    let mut object = car(&row, 0..=3);
    object.answer_on(2..=5, "Signal", "left").unwrap();
    let error = row.add_object(object).unwrap_err().to_string();
    assert!(error.contains("answered on the frame 4"), "{error}");
}

#[test]
fn frames_and_filters() {
    let mut row = video();
    for frames in [0..=2, 2..=4, 6..=6] {
        let object = car(&row, frames);
        row.add_object(object).unwrap();
    }
    assert_eq!(row.frame(2).unwrap().objects().count(), 2);
    assert_eq!(row.frame(2).unwrap().size(), Some((4, 8)));
    assert_eq!(row.data_units().unwrap().next().unwrap()["data_hash"], "d");
    assert_eq!(row.frames().unwrap().count(), 10);
    assert!(row.frame(10).is_err());
    assert_eq!(row.objects_on(5..=9).unwrap().count(), 1);
    assert_eq!(row.objects_on(FrameSet::new()).unwrap().count(), 0);
    let class = row.ontology().object("Car").unwrap().feature_hash().clone();
    assert_eq!(row.objects_of(&class).unwrap().count(), 3);
}

#[test]
fn skeletons_follow_their_template() {
    let ontology = ontology();
    let template = ontology.skeleton_template("Line").unwrap();
    let vertex = |name| Vertex::new(name, 0.1, 0.2).unwrap();
    let skeleton = template.instantiate([vertex("b"), vertex("a")]).unwrap();
    assert_eq!(skeleton.vertices.iter().map(|v| &*v.name).collect::<Vec<_>>(), ["a", "b"]);
    assert!(skeleton.vertices.iter().all(|vertex| vertex.feature_hash.is_some()));
    assert!(template.instantiate([vertex("a")]).is_err());
    assert!(template.instantiate([vertex("a"), vertex("b"), vertex("c")]).is_err());
    assert_eq!(ontology.template_of(ontology.object("Line").unwrap()), Some(template));
}

#[test]
fn ontologies_built_in_code_are_valid_ontologies() {
    let built = ontology();
    let read = Ontology::from_json(&built.to_json()).unwrap();
    assert_eq!(*built, read);
    assert_eq!(built.object("Car").unwrap().id(), "1");
    assert_eq!(built.object("Area").unwrap().id(), "2");
    assert_eq!(built.object("Car").unwrap().attribute("How").unwrap().id(), "1.1.2.1");
    let twice = ObjectClass::new("Twice", ShapeKind::Point)
        .with_attribute(Attribute::text("a").with_feature_hash("x"))
        .with_attribute(Attribute::text("b").with_feature_hash("x"));
    assert!(matches!(Ontology::new().with_object(twice), Err(Error::Conflict { .. })));
}

#[test]
fn numbers_beside_titles_must_differ() {
    let mut row = video();
    for _ in 0..2 {
        let mut object = car(&row, 0);
        object.set_number(Some(3));
        row.add_object(object).unwrap();
    }
    let error = row.validate().unwrap_err().to_string();
    assert!(error.contains("have the number 3"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Dynamic answers behave like a value per frame, also after being written and read.
    #[test]
    fn dynamic_answers_are_a_value_per_frame(
        steps in proptest::collection::vec((0u64..10, 0u64..10, 0usize..4), 1..12),
    ) {
        let mut row = video();
        let mut object = car(&row, 0..=9);
        let mut model: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
        let choices: [&[&str]; 3] = [&["Left"], &["Left", "Brake"], &[]];
        for (start, end, which) in steps {
            let frames = FrameSet::from(start.min(end)..=start.max(end));
            match choices.get(which) {
                Some(labels) => {
                    object.answer_on(&frames, "Lights", *labels).unwrap();
                    model.extend(frames.iter().map(|frame| (frame, labels.to_vec())));
                }
                None => {
                    object.unanswer_on(&frames, "Lights").unwrap();
                    model.retain(|frame, _| !frames.contains(*frame));
                }
            }
        }
        let hash = row.add_object(object).unwrap().hash().clone();
        for row in [&row, &reread(&row)] {
            let object = row.object(&hash).unwrap();
            for frame in 0..10 {
                let answer = object.answered_on(frame, "Lights").unwrap();
                let labels = answer.map(|a| a.choices().iter().map(|c| c.label.clone()).collect::<Vec<_>>());
                prop_assert_eq!(labels, model.get(&frame).map(|labels| labels.iter().map(|l| l.to_string()).collect()));
            }
            let listed: u64 = object.dynamic_answers("Lights").unwrap().iter().map(|(_, frames)| frames.len()).sum();
            prop_assert_eq!(listed as usize, model.len());
        }
    }

    /// Looking at a frame finds the same however often it is done: an index is made after a while.
    #[test]
    fn frames_show_what_is_on_them(
        objects in proptest::collection::vec((0u64..10, 0u64..10), 0..6),
        classified in proptest::collection::vec(0u64..10, 0..6),
    ) {
        let mut row = video();
        for (start, end) in objects {
            let mut object = row.new_object("Car").unwrap();
            // The first and the last frame only.
            object.set([start, end], a_box(0.1)).unwrap();
            row.add_object(object).unwrap();
        }
        for frame in classified {
            let mut weather = row.new_classification("Weather").unwrap();
            weather.set([frame, (frame + 3) % 10]).unwrap();
            row.add_classification(weather, Overlap::Replace).unwrap();
        }
        for _ in 0..3 {
            for view in row.frames().unwrap() {
                let number = view.number();
                let here: Vec<_> = view.objects().map(|(object, _)| object.hash().clone()).collect();
                let expected = row.objects().unwrap().filter(|object| object.frames().contains(number));
                prop_assert_eq!(here, expected.map(|object| object.hash().clone()).collect::<Vec<_>>());
                let here: Vec<_> = view.classifications().map(|it| it.hash().clone()).collect();
                let expected = row.classifications().unwrap().filter(|it| it.frames().contains(number));
                prop_assert_eq!(here, expected.map(|it| it.hash().clone()).collect::<Vec<_>>());
            }
        }
        // What changes is found, too.
        let first = row.objects().unwrap().next().map(|object| object.hash().clone());
        if let Some(hash) = first {
            row.object_mut(&hash).unwrap().reshape(0..=9, a_box(0.2)).unwrap();
            prop_assert!(row.frames().unwrap().all(|view| view.objects().any(|(object, _)| *object.hash() == hash)));
            row.remove_object(&hash).unwrap();
            prop_assert!(row.frames().unwrap().all(|view| view.objects().all(|(object, _)| *object.hash() != hash)));
        }
    }

    /// Drawing and erasing behave like a map from frames to shapes, also after being written and read.
    #[test]
    fn frames_are_a_map_to_shapes(steps in proptest::collection::vec((0u64..10, 0u64..10, 0u8..3, 0u32..4), 1..12)) {
        let mut row = video();
        let mut object = row.new_object("Car").unwrap();
        let mut model: BTreeMap<u64, f64> = BTreeMap::new();
        for (start, end, what, x) in steps {
            let (frames, x) = (FrameSet::from(start.min(end)..=start.max(end)), f64::from(x) / 8.0);
            let free = frames.iter().all(|frame| !model.contains_key(&frame));
            let full = frames.iter().all(|frame| model.contains_key(&frame));
            match what {
                0 => {
                    prop_assert_eq!(object.set(&frames, a_box(x)).is_ok(), free);
                    if free { model.extend(frames.iter().map(|frame| (frame, x))) }
                }
                1 => {
                    object.reshape(&frames, a_box(x)).unwrap();
                    model.extend(frames.iter().map(|frame| (frame, x)));
                }
                _ => {
                    prop_assert_eq!(object.remove_frames(&frames).is_ok(), full);
                    if full { model.retain(|frame, _| !frames.contains(*frame)) }
                }
            }
        }
        let expected: Vec<_> = model.into_iter().map(|(frame, x)| (frame, a_box(x).into())).collect();
        let found = |object: &ObjectInstance| -> Vec<_> {
            object.annotations().map(|(frame, on)| (frame, on.shape().clone())).collect()
        };
        prop_assert_eq!(&found(&object), &expected);
        if !expected.is_empty() {
            let hash = row.add_object(object).unwrap().hash().clone();
            prop_assert_eq!(&found(reread(&row).object(&hash).unwrap()), &expected);
        }
    }
}

#[test]
fn rows_can_be_shared_between_threads() {
    fn shareable<T: Send + Sync + Clone + 'static>() {}
    shareable::<LabelRow>();
    shareable::<Ontology>();
    shareable::<ObjectInstance>();
}

#[test]
fn studies_of_several_series_are_kept() {
    let mut metadata = video().metadata().to_json();
    metadata["data_type"] = json!("DICOM_STUDY");
    let mut document = video().to_document().unwrap();
    document["data_type"] = json!("dicom_study");
    document["data_units"]["d"]["labels"] = json!({"0": {"objects": [{"any": "thing"}]}});
    let mut row = LabelRow::new(LabelRowMetadata::from_json(metadata).unwrap(), ontology());
    row.initialise_from_value(document.clone()).unwrap();
    assert_eq!(row.to_document().unwrap(), document);
}
