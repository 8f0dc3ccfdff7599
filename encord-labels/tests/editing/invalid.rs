//! Edits that would come to a document which loses something, or which nobody can read, are refused where they are made.

use encord_labels::id::SpaceId;
use encord_labels::ontology::AttributeKind;
use encord_labels::row::Event;
use encord_labels::shape::{Segmentation, Shape};
use encord_labels::{ClassificationInstance, FrameRange};

use super::*;

/// A row of the video type of the tests, with spaces of many kinds.
fn group() -> LabelRow {
    let named = |mut space: Value, name: &str| {
        space["child_info"] = json!({"layout_key": name, "file_name": name});
        space
    };
    let video = json!({"space_type": "video", "number_of_frames": 5, "width": 8, "height": 4, "data_duration": 1.0,
        "data_fps": 5.0});
    let spaces = json!({
        "vid": named(video.clone(), "vid"), "two": named(video, "two"),
        "aud": named(json!({"space_type": "audio", "duration_ms": 1000}), "aud"),
        "txt": named(json!({"space_type": "text"}), "txt"),
        "htm": named(json!({"space_type": "html"}), "htm"),
    });
    row_of("group", json!({"metadata_spaces": spaces}))
}

fn scene() -> LabelRow {
    let spaces = json!({"pcd": {"space_type": "point_cloud",
        "scene_info": {"stream_id": "lidar", "event_index": 0, "uri": "x"}}});
    row_of("scene", json!({"metadata_spaces": spaces}))
}

fn continuous() -> LabelRow {
    row_of("scene", json!({"scene": {"isContinuous": true}}))
}

fn spot(row: &LabelRow) -> ObjectInstance {
    let mut spot = row.new_object("Spot").expect("the class exists");
    spot.upsert(100, at(0.0), None, Details::by_hand()).expect("points can be events");
    spot.delete_at(300).expect("points can be events");
    spot
}

fn at(x: f64) -> Point {
    Point::spatial(x, 0.0, 0.0).expect("the numbers are finite")
}

#[test]
fn nothing_is_drawn_where_a_document_has_no_place_for_it() {
    for (data_type, frame) in [("group", 1), ("image", 1), ("img_group", 3), ("dicom_study", 0)] {
        let mut row = row_of(data_type, json!({}));
        let error = row.add_object(car(&row, frame)).map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::OutOfBounds { .. } | Error::Conflict { .. }), "{data_type}: {error}");
        assert_eq!(row.objects().unwrap().count(), 0);
    }
    for data_type in ["group", "image", "img_group"] {
        let mut row = row_of(data_type, json!({}));
        let hash = row.add_object(car(&row, 0)).unwrap().hash().clone();
        assert!(row.object_mut(&hash).unwrap().set(1, a_box(0.1)).is_err(), "{data_type}");
        assert_eq!(reread(&row).object(&hash).unwrap().frames().to_string(), "0");
    }
}

#[test]
fn gaps_between_the_images_of_a_group_are_no_frames() {
    let mut row = row_of("img_group", json!({}));
    let mut document = row.to_document().unwrap();
    document["data_units"]["e"] = json!({"data_hash": "e", "data_title": "e", "data_type": "image/png",
        "data_sequence": "2", "width": 8, "height": 4});
    row.initialise_from_value(document).unwrap();
    let error = row.add_object(car(&row, [0, 1, 2])).map(|_| ()).unwrap_err().to_string();
    assert_eq!(error, "there is no image for the frame 1");
    let hash = row.add_object(car(&row, [0, 2])).unwrap().hash().clone();
    assert_eq!(reread(&row).object(&hash).unwrap().frames().to_string(), "0, 2");
    assert_eq!(row.frame_of_image("e").unwrap(), 2);
    assert!(matches!(row.frame_of_image("f"), Err(Error::NotFound { .. })));
    assert_eq!(row.frame(2).unwrap().image_hash(), Some("e"));
}

#[test]
fn a_point_cloud_has_one_frame_and_holds_segmentations() {
    let mut row = scene();
    let space = SpaceId::from("pcd");
    let cloud = |row: &LabelRow, frame: u64| {
        let mut points = row.new_object("Points").unwrap();
        let shape = Segmentation::from_ranges([3..=5]).unwrap();
        points.set_on(&space, frame, shape, Details::by_hand()).unwrap();
        points
    };
    assert!(matches!(row.add_object(cloud(&row, 1)), Err(Error::OutOfBounds { position: 1, last: 0, .. })));
    let hash = row.add_object(cloud(&row, 0)).unwrap().hash().clone();
    assert_eq!(reread(&row).object(&hash).unwrap().annotations_on(&space).count(), 1);
    let mut boxed = row.new_object("Car").unwrap();
    boxed.set_on(&space, 0, a_box(0.1), Details::by_hand()).unwrap();
    assert!(matches!(row.add_object(boxed), Err(Error::Mismatch { .. })));
    assert_eq!(row.scene_space(encord_labels::row::SpaceKind::PointCloud, "lidar", 0).unwrap().id(), &space);
    assert!(row.scene_space(encord_labels::row::SpaceKind::PointCloud, "lidar", 1).is_err());
}

#[test]
fn classes_fit_the_kind_of_file() {
    let ranged = |row: &LabelRow, title: &str| {
        let mut object = row.new_object(title).unwrap();
        object.set_ranges(0..=3).unwrap();
        object
    };
    for (data_type, right, wrong) in
        [("audio", "Noise", "Word"), ("plain_text", "Word", "Noise"), ("time_series", "Stretch", "Noise")]
    {
        let mut row = row_of(data_type, json!({}));
        let error = row.add_object(ranged(&row, wrong)).map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::Mismatch { .. }), "{data_type}: {error}");
        row.add_object(ranged(&row, right)).unwrap();
    }
    let mut row = group();
    for (space, right, wrong) in [("aud", "Noise", "Word"), ("txt", "Word", "Noise")] {
        let on = |title: &str| {
            let mut object = row.new_object(title).unwrap();
            object.set_ranges_on(&space.into(), 0..=3).unwrap();
            object
        };
        let (right, wrong) = (on(right), on(wrong));
        assert!(matches!(row.add_object(wrong), Err(Error::Mismatch { .. })), "{space}");
        row.add_object(right).unwrap();
    }
    let mut row = video();
    let mut points = row.new_object("Points").unwrap();
    points.set(0, Shape::from(Segmentation::from_ranges([3..=5]).unwrap())).unwrap();
    assert!(matches!(row.add_object(points), Err(Error::Mismatch { .. })), "only point clouds have them");
}

#[test]
fn objects_of_continuous_scenes_end() {
    let mut row = continuous();
    let hash = row.add_object(spot(&row)).unwrap().hash().clone();
    type Edit = fn(&mut ObjectInstance) -> Result<(), Error>;
    let edits: [Edit; 3] = [
        |spot| spot.remove_event(300),
        |spot| spot.upsert(400, at(1.0), None, Details::by_hand()),
        |spot| spot.put_event(300, Event::Upsert, at(1.0), None, Details::by_hand()),
    ];
    for edit in edits {
        let mut row = row.clone();
        edit(row.object_mut(&hash).unwrap()).unwrap();
        for error in [row.to_document().unwrap_err(), row.validate().unwrap_err()] {
            let error = error.to_string();
            assert!(
                error.contains("must be a delete") && error.starts_with("$.data_units.d.labels."),
                "{error}"
            );
        }
        assert!(row.write_document(&mut Vec::new()).is_err());
        row.object_mut(&hash).unwrap().delete_at(500).unwrap();
        assert!(row.validate().is_ok());
        reread(&row);
    }
    let mut document = row.to_document().unwrap();
    let last = document["data_units"]["d"]["labels"].as_object_mut().unwrap().remove("300");
    assert!(last.is_some());
    let error = row.initialise_from_value(document).unwrap_err().to_string();
    assert!(error.starts_with("$.data_units.d.labels.100.objects[0]: the last event"), "{error}");
}

#[test]
fn an_object_is_on_a_space_or_not() {
    let mut row = group();
    let (video, audio, html) = (SpaceId::from("vid"), SpaceId::from("aud"), SpaceId::from("htm"));
    let mut object = row.new_object("Car").unwrap();
    let error = object.set_on(&video, FrameSet::new(), a_box(0.1), Details::by_hand()).unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error}");
    assert!(object.reshape_on(&video, FrameSet::new(), a_box(0.1)).is_err());
    assert_eq!(object.space_ids().count(), 0);
    assert!(row.add_object(object).is_err(), "it is on no frame");

    let mut noise = row.new_object("Noise").unwrap();
    noise.set_ranges_on(&audio, 3..=5).unwrap();
    assert!(matches!(noise.set_ranges_on(&audio, FrameSet::new()), Err(Error::Conflict { .. })));
    assert_eq!(noise.ranges_on(&audio).unwrap().to_string(), "3-5", "nothing changed");
    let noise = row.add_object(noise).unwrap().hash().clone();
    let mut word = row.new_object("Word").unwrap();
    assert!(word.set_html_ranges_on(&html, []).is_err());
    let range = HtmlRange::new(HtmlPosition::new("/a", 1), HtmlPosition::new("/a", 2));
    word.set_html_ranges_on(&html, [range.clone()]).unwrap();
    assert_eq!(word.html_ranges_on(&html), Some([range].as_slice()));

    let mut again = reread(&row);
    for row in [&mut row, &mut again] {
        let object = row.object_mut(&noise).unwrap();
        assert!(matches!(object.remove_from_space(&video), Err(Error::NotFound { .. })));
        object.remove_from_space(&audio).unwrap();
        assert!(!row.to_document().unwrap().to_string().contains(noise.as_str()), "it is nowhere");
    }
}

#[test]
fn frames_of_spaces_are_reshaped_and_removed() {
    let mut row = group();
    let (one, two) = (SpaceId::from("vid"), SpaceId::from("two"));
    let mut object = row.new_object("Car").unwrap();
    object.set_on(&one, 0..=2, a_box(0.1), Details::predicted(0.5).unwrap()).unwrap();
    object.set_on(&two, 1, a_box(0.2), Details::by_hand()).unwrap();
    let hash = row.add_object(object).unwrap().hash().clone();
    let object = row.object_mut(&hash).unwrap();
    assert!(matches!(object.set_on(&one, 2, a_box(0.3), Details::by_hand()), Err(Error::Conflict { .. })));
    object.reshape_on(&one, 2..=3, a_box(0.3)).unwrap();
    assert!(matches!(object.reshape_on(&one, 5, a_box(0.3)), Err(Error::OutOfBounds { .. })));
    assert!(object.remove_frames_on(&one, 3..=4).is_err());
    object.remove_frames_on(&one, 0..=1).unwrap();
    object.change_details_on_space(&one, 3, |details| details.confidence = Some(0.25)).unwrap();
    let found = |row: &LabelRow, space: &SpaceId| -> Vec<_> {
        let object = row.object(&hash).unwrap();
        let all = object.annotations_on(space);
        all.map(|(frame, on)| (frame, on.shape().clone(), on.details().confidence)).collect()
    };
    let expected = [(2, Shape::from(a_box(0.3)), Some(0.5)), (3, a_box(0.3).into(), Some(0.25))];
    assert_eq!(found(&reread(&row), &one), expected);
    row.object_mut(&hash).unwrap().remove_frames_on(&one, 2..=3).unwrap();
    assert_eq!(row.object(&hash).unwrap().space_ids().collect::<Vec<_>>(), [&two]);
    assert_eq!(found(&reread(&row), &two).len(), 1);
}

#[test]
fn instances_of_another_ontology_become_those_of_the_row() {
    let theirs = |label: &str, kind: AttributeKind| {
        let attribute = match kind {
            AttributeKind::Text => Attribute::text("Renamed"),
            _ => Attribute::radio("Renamed", [AttributeOption::new(label).with_feature_hash(label)]),
        };
        let attribute = attribute.with_feature_hash("attr");
        Ontology::new()
            .with_object(
                ObjectClass::new("Other", ShapeKind::BoundingBox)
                    .with_feature_hash("class")
                    .with_attribute(attribute.clone()),
            )
            .and_then(|it| {
                it.with_classification(ClassificationClass::new(attribute).with_feature_hash("kind"))
            })
            .map(Arc::new)
            .unwrap()
    };
    let ontology = theirs("yes", AttributeKind::Radio);
    let mut row = LabelRow::new(video().metadata().clone(), ontology.clone());
    row.initialise_from_value(video().to_document().unwrap()).unwrap();
    for (other, fits) in [
        (theirs("yes", AttributeKind::Radio), true),
        (theirs("no", AttributeKind::Radio), false),
        (theirs("yes", AttributeKind::Text), false),
    ] {
        let answer = if fits { "yes" } else { "no" };
        let mut object = ObjectInstance::new(&other.objects()[0]);
        object.set(0, a_box(0.1)).unwrap();
        object.answer("Renamed", answer).unwrap();
        let mut classification = ClassificationInstance::new(&other.classifications()[0]);
        classification.set(0).unwrap();
        classification.answer("Renamed", answer).unwrap();
        let before = row.to_document().unwrap();
        let added = row.add_object(object).map(|object| object.hash().clone());
        let classified = row.add_classification(classification, Overlap::Refuse).map(|it| it.hash().clone());
        assert_eq!((added.is_ok(), classified.is_ok()), (fits, fits), "{added:?} {classified:?}");
        if let (Ok(object), Ok(classification)) = (added, classified) {
            assert!(Arc::ptr_eq(row.object(&object).unwrap().class(), &ontology.objects()[0]));
            let class = row.classification(&classification).unwrap().class().clone();
            assert!(Arc::ptr_eq(&class, &ontology.classifications()[0]));
            let answers = row.object(&object).unwrap().answers();
            assert!(Arc::ptr_eq(&answers[0].0, &ontology.objects()[0].attributes()[0]));
            reread(&row);
            row.remove_object(&object).unwrap();
            row.remove_classification(&classification).unwrap();
        } else {
            assert_eq!(row.to_document().unwrap(), before);
        }
    }
}

#[test]
fn details_that_cannot_be_written_are_not_taken() {
    let mut row = row_of("audio", json!({}));
    let mut noise = row.new_object("Noise").unwrap();
    noise.set_ranges(0..=3).unwrap();
    let before = noise.details().clone();
    assert!(noise.change_details(|details| details.confidence = Some(f64::NAN)).is_err());
    let mut bad = Details::by_hand();
    bad.confidence = Some(f64::INFINITY);
    assert!(noise.set_details(bad).is_err());
    for author in ["nobody", "a@b", "@b.c", "a@@b.c", "a@.", ""] {
        assert!(
            noise.change_details(|details| details.created_by = Some(author.into())).is_err(),
            "{author}"
        );
        assert!(noise.change_details(|details| details.last_edited_by = Some(author.into())).is_err());
    }
    assert_eq!(*noise.details(), before);
    noise.change_details(|details| details.created_by = Some("a@b.co".into())).unwrap();
    row.add_object(noise).unwrap();

    let mut row = video();
    let mut odd = Details::by_hand();
    odd.created_by = Some("the robot".into());
    let mut object = row.new_object("Car").unwrap();
    object.set_with(2, a_box(0.1), odd).unwrap();
    object.change_details_on(2, |details| details.confidence = Some(0.5)).expect("the author is as before");
    assert!(object.change_details_on(3, |_| ()).is_err(), "it is not on the frame");
    assert!(object.change_details_on(2, |details| details.confidence = Some(f64::NAN)).is_err());
    assert_eq!(object.on_frame(2).unwrap().details().confidence, Some(0.5));
    let mut weather = row.new_classification("Weather").unwrap();
    weather.set(0).unwrap();
    assert!(weather.change_details(|details| details.confidence = Some(f64::NAN)).is_err());
    weather.change_details(|details| details.manual_annotation = Some(false)).unwrap();
    row.add_classification(weather, Overlap::Refuse).unwrap();
}

#[test]
fn dynamic_answers_stay_within_the_spaces() {
    let mut row = group();
    let mut object = row.new_object("Car").unwrap();
    object.set_on(&"vid".into(), 0..=2, a_box(0.1), Details::by_hand()).unwrap();
    object.answer_on(1, "Signal", "left").unwrap();
    let hash = row.add_object(object).unwrap().hash().clone();
    let object = row.object_mut(&hash).unwrap();
    assert!(matches!(object.answer_on(5, "Signal", "left"), Err(Error::OutOfBounds { last: 4, .. })));
    object.answer_on(4, "Signal", "left").unwrap();
    reread(&row);
}

#[test]
fn ontologies_that_nobody_can_use_are_not_built() {
    let dynamic = || Attribute::text("Moving").dynamic();
    let nested = Attribute::radio("R", [AttributeOption::new("o").with_attribute(dynamic())]);
    let under_tick =
        Attribute::checklist("C", [AttributeOption::new("o").with_attribute(Attribute::text("t"))]);
    for attribute in [nested, under_tick.clone()] {
        let class = ObjectClass::new("Car", ShapeKind::BoundingBox).with_attribute(attribute);
        assert!(matches!(Ontology::new().with_object(class), Err(Error::InvalidValue { .. })));
    }
    for attribute in [dynamic(), under_tick] {
        let class = ClassificationClass::new(attribute);
        assert!(matches!(Ontology::new().with_classification(class), Err(Error::InvalidValue { .. })));
    }
    let line = |x: f64| SkeletonTemplate::new("Line", x, 10.0, [("a", 0.0, 0.0), ("b", x, 9.0)]);
    for template in [line(f64::NAN), line(9.0).with_edge(0, 2), line(9.0).with_edge(2, 0)] {
        let mut ontology = Ontology::new();
        assert!(matches!(ontology.add_skeleton(template), Err(Error::InvalidValue { .. })));
        assert_eq!(ontology, Ontology::new());
    }
    let mut ontology = Ontology::new();
    ontology.add_skeleton(line(9.0).with_edge(0, 1)).unwrap();
    assert_eq!(ontology.skeleton_templates()[0].edges().collect::<Vec<_>>(), [("0", "1")]);
}

#[test]
fn a_hash_that_is_nearly_right_is_suggested() {
    let ontology = Ontology::new()
        .with_object(
            ObjectClass::new("Car", ShapeKind::BoundingBox)
                .with_attribute(Attribute::text("Note").with_feature_hash("a_note")),
        )
        .unwrap();
    let error = ontology.attribute_by_hash("a_nota").unwrap_err().to_string();
    assert!(error.contains("did you mean \"a_note\"?"), "{error}");
}

#[test]
fn rows_of_nowhere_hold_labels() {
    for (data_type, title, last) in [
        (encord_labels::DataType::Video, "Car", 9),
        (encord_labels::DataType::ImageGroup, "Car", 9),
        (encord_labels::DataType::Image, "Car", 0),
        (encord_labels::DataType::Group, "Car", 0),
        (encord_labels::DataType::Dicom, "Car", 9),
        (encord_labels::DataType::Audio, "Noise", 10),
        (encord_labels::DataType::PlainText, "Word", 9),
    ] {
        let mut row = LabelRow::detached("it", data_type, 10, (8, 4), ontology()).unwrap();
        let mut object = row.new_object(title).unwrap();
        if object.class().shape().is_range() {
            object.set_ranges(0..=last).unwrap();
        } else {
            object.set(0..=last, a_box(0.1)).unwrap();
        }
        let hash = row.add_object(object).unwrap().hash().clone();
        row.validate().unwrap();
        reread(&row).object(&hash).unwrap();
    }
}

#[test]
fn many_classifications_go_at_once() {
    let mut row = video();
    for frame in 0..4u64 {
        let mut weather = row.new_classification("Weather").unwrap();
        weather.set(frame).unwrap();
        row.add_classification(weather, Overlap::Refuse).unwrap();
    }
    let removed =
        row.remove_classifications_if(|it| it.frames().contains(1) || it.frames().contains(2)).unwrap();
    assert!(removed.iter().all(|it| !it.is_attached()) && removed.len() == 2);
    let left: Vec<_> = row.classifications().unwrap().map(|it| it.frames().to_string()).collect();
    assert_eq!(left, ["0", "3"]);
    let mut weather = row.new_classification("Weather").unwrap();
    weather.set(1..=2).unwrap();
    row.add_classification(weather, Overlap::Refuse).expect("the frames are free again");
    reread(&row);
}

#[test]
fn facts_and_spaces_of_scenes() {
    let mut row = continuous();
    assert_eq!(row.fact("data_title"), Some(&json!("a")));
    assert_eq!((row.fact("created_at"), row.fact("object_answers")), (None, None), "null, and labels");
    let cloud = SpaceId::from("top@17");
    assert_eq!(row.ensure_scene_space(&cloud).unwrap().kind(), encord_labels::row::SpaceKind::PointCloud);
    assert_eq!(
        row.ensure_scene_space(&"speed".into()).unwrap().kind(),
        encord_labels::row::SpaceKind::TimeSeries
    );
    let mut points = row.new_object("Points").unwrap();
    points.set_on(&cloud, 0, Segmentation::from_ranges([0..=4]).unwrap(), Details::by_hand()).unwrap();
    let hash = row.add_object(points).unwrap().hash().clone();
    assert_eq!(reread(&row).object(&hash).unwrap().annotations_on(&cloud).count(), 1);
    assert!(matches!(video().ensure_scene_space(&cloud), Err(Error::NotFound { .. })));
}

#[test]
fn frames_say_what_the_document_says_about_them() {
    let mut row = row_of("dicom", json!({}));
    let mut document = row.to_document().unwrap();
    document["data_units"]["d"]["labels"] =
        json!({"3": {"objects": [], "classifications": [], "metadata": {"dicom_instance_uid": "1.2"}}});
    row.initialise_from_value(document).unwrap();
    assert_eq!(row.frame(3).unwrap().metadata(), Some(&json!({"dicom_instance_uid": "1.2"})));
    assert_eq!((row.frame(2).unwrap().metadata(), row.frame(3).unwrap().image_hash()), (None, None));
}

#[test]
fn a_document_is_written_in_pieces_too() {
    let mut row = video();
    row.add_object(car(&row, 0..=9)).unwrap();
    let mut pieces = Vec::new();
    row.write_document(&mut pieces).unwrap();
    assert_eq!(pieces, row.to_json().unwrap());
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    assert!(matches!(row.write_document(&mut Full), Err(Error::Write(_))));
}

#[test]
fn answers_and_frames_are_given_as_they_are_at_hand() {
    let row = video();
    let mut object = car(&row, 0);
    for (given, expected) in [(3u32, 3.0), (4, 4.0)] {
        object.change_answer("Doors", given).unwrap();
        assert_eq!(object.answered("Doors").unwrap().unwrap().as_number(), Some(expected));
    }
    object.change_answer("Doors", u64::MAX).unwrap();
    object.change_answer("Doors", 3usize).unwrap();
    object.change_answer("Doors", 0.1f32).unwrap();
    assert_eq!(object.answered("Doors").unwrap().unwrap().as_number(), Some(0.1));
    assert!(object.change_answer("Doors", f32::NAN).is_err());
    let fine = object.class().attribute("State").unwrap().option("Fine").unwrap().feature_hash().clone();
    object.answer("State", &fine).unwrap();
    assert_eq!(object.answered("State").unwrap().unwrap().as_label(), Some("Fine"));
    let frames = FrameSet::from(vec![FrameRange::new(1, 2).unwrap(), FrameRange::new(5, 5).unwrap()]);
    assert_eq!((&frames).into_iter().collect::<Vec<_>>(), [1, 2, 5]);
    assert_eq!(frames.into_iter().collect::<Vec<_>>(), [1, 2, 5]);
}
