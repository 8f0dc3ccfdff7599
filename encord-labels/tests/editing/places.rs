//! Ranges of files without frames, members of groups, and events of continuous scenes.

use encord_labels::id::SpaceId;

use super::*;

#[test]
fn ranges_of_audio_and_html() {
    let mut row = row_of("audio", json!({}));
    let mut noise = row.new_object("Noise").unwrap();
    assert!(row.add_object(noise.clone()).is_err(), "it has no ranges");
    noise.set_ranges(vec![encord_labels::FrameRange::new(100, 500).unwrap()]).unwrap();
    let hash = row.add_object(noise).unwrap().hash().clone();
    assert!(row.add_object(car(&row.clone(), 0)).is_err(), "the file has no frames");
    let beyond = row.object_mut(&hash).unwrap().set_ranges(3_000..=3_001);
    assert!(matches!(beyond, Err(Error::OutOfBounds { position: 3_001, last: 3_000, .. })));
    assert_eq!(reread(&row).object(&hash).unwrap().ranges().unwrap().to_string(), "100-500");

    let mut row = row_of("plain_text", json!({"mime": "text/html"}));
    let mut word = row.new_object("Word").unwrap();
    let range = HtmlRange::new(HtmlPosition::new("/html[1]/p[1]", 3), HtmlPosition::new("/html[1]/p[2]", 9));
    word.set_html_ranges([range.clone()]).unwrap();
    let hash = row.add_object(word).unwrap().hash().clone();
    assert_eq!(reread(&row).object(&hash).unwrap().html_ranges(), Some([range].as_slice()));
    let mut plain = row.new_object("Word").unwrap();
    plain.set_ranges(0..=3).unwrap();
    assert!(row.add_object(plain).is_err(), "an HTML file needs HTML ranges");
}

#[test]
fn objects_lie_on_the_row_or_on_spaces() {
    let spaces = json!({
        "s1": {"space_type": "video", "number_of_frames": 5, "width": 8, "height": 4, "data_duration": 1.0,
            "data_fps": 5.0, "child_info": {"layout_key": "left", "file_name": "l.mp4"}},
        "s2": {"space_type": "audio", "duration_ms": 1000, "child_info": {"layout_key": "right", "file_name": "r.mp3"}},
    });
    let mut row = row_of("group", json!({"metadata_spaces": spaces}));
    let left = row.space_by_layout_key("left").unwrap().id().clone();
    let right = row.space_by_file_name("r.mp3").unwrap().id().clone();
    let mut object = row.new_object("Car").unwrap();
    object.set_on(&left, 0..=4, a_box(0.1), Details::by_hand()).unwrap();
    assert!(object.set(0, a_box(0.1)).is_err());
    let hash = row.add_object(object).unwrap().hash().clone();
    let mut beyond = row.new_object("Car").unwrap();
    beyond.set_on(&left, 5, a_box(0.1), Details::by_hand()).unwrap();
    assert!(matches!(row.add_object(beyond), Err(Error::OutOfBounds { .. })));
    let mut nowhere = row.new_object("Car").unwrap();
    nowhere.set_on(&SpaceId::from("s3"), 0, a_box(0.1), Details::by_hand()).unwrap();
    assert!(matches!(row.add_object(nowhere), Err(Error::NotFound { .. })));
    let mut noise = row.new_object("Noise").unwrap();
    noise.set_ranges_on(&right, 10..=20).unwrap();
    let noise = row.add_object(noise).unwrap().hash().clone();
    let mut weather = row.new_classification("Weather").unwrap();
    weather.set_on(&left, 1..=2).unwrap();
    let weather = row.add_classification(weather, Overlap::Refuse).unwrap().hash().clone();
    let row = reread(&row);
    assert_eq!(row.object(&hash).unwrap().annotations_on(&left).count(), 5);
    assert_eq!(row.object(&noise).unwrap().ranges_on(&right).unwrap().to_string(), "10-20");
    assert_eq!(row.classification(&weather).unwrap().frames_on(&left).unwrap().to_string(), "1-2");
    assert_eq!(row.objects_on_space(&left).unwrap().count(), 1);
}

#[test]
fn events_of_continuous_scenes() {
    let mut row = row_of("scene", json!({"scene": {"isContinuous": true}}));
    let mut spot = row.new_object("Spot").unwrap();
    let at = |x: f64| Point::spatial(x, 0.0, 0.0).unwrap();
    spot.upsert(100, at(0.0), Some(Interpolation::Linear), Details::by_hand()).unwrap();
    spot.upsert(200, at(1.0), None, Details::by_hand()).unwrap();
    assert!(row.add_object(spot.clone()).is_err(), "it never ends");
    spot.delete_at(300).unwrap();
    assert_eq!(spot.presence().to_string(), "100-299");
    assert_eq!(spot.at(150).unwrap().shape, at(0.5).into());
    assert_eq!(spot.at(99), None);
    assert_eq!(spot.at(300), None);
    assert_eq!(spot.at(250).unwrap().shape, at(1.0).into());
    let hash = row.add_object(spot).unwrap().hash().clone();
    assert!(row.object_mut(&hash).unwrap().set(0, at(0.0)).is_err(), "events, not frames");
    assert!(row.add_object(car(&row.clone(), 0)).is_err(), "drawn on a frame");
    assert_eq!(reread(&row).object(&hash).unwrap().presence().to_string(), "100-299");
    let mut cuboid = row.new_object("Box").unwrap();
    let shape = Cuboid::new([0.0; 3], [0.0; 3], [1.0; 3]).unwrap();
    cuboid.upsert(0, shape, None, Details::by_hand()).unwrap();
    cuboid.delete_at(0).unwrap();
    assert!(cuboid.frames().is_empty(), "deleted at the moment it appears");
}

#[test]
fn a_movement_ends_where_its_aim_is_gone() {
    let row = row_of("scene", json!({"scene": {"isContinuous": true}}));
    let at = |x: f64| Point::spatial(x, 0.0, 0.0).unwrap();
    let mode = |spot: &ObjectInstance, time| spot.on_frame(time).unwrap().interpolation();
    let mut spot = row.new_object("Spot").unwrap();
    spot.upsert(0, at(0.0), Some(Interpolation::Linear), Details::by_hand()).unwrap();
    spot.upsert(10, at(1.0), None, Details::by_hand()).unwrap();
    assert_eq!(mode(&spot, 10), Some(Interpolation::Linear), "what is split keeps moving");
    spot.delete_at(20).unwrap();
    assert_eq!((mode(&spot, 0), mode(&spot, 10)), (Some(Interpolation::Linear), None));
    spot.remove_event(10).unwrap();
    assert_eq!(mode(&spot, 0), None);
}

#[test]
fn a_continuous_scene_that_says_nothing_of_spaces_does_not_gain_them() {
    let mut row = row_of("scene", json!({"scene": {"isContinuous": true}}));
    let mut document = row.to_document().unwrap();
    assert_eq!(document["spaces"], json!({}), "what was said is kept");
    document.as_object_mut().unwrap().remove("spaces");
    // Without the key this is an entry of an unknown kind, with it the labels of a point cloud.
    document["data_units"]["d"]["labels"] = json!({"top@17": {"objects": [{"event": "delete"}]}});
    row.initialise_from_value(document.clone()).unwrap();
    let again = reread(&row).to_document().unwrap();
    assert_eq!(again["data_units"], document["data_units"]);
    assert!(again.get("spaces").is_none());
}
