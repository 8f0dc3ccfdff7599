//! Classifications of one class do not share frames, on the row or on a space.

use encord_labels::id::SpaceId;

use super::*;

#[test]
fn classifications_do_not_share_frames() {
    let mut row = video();
    let mut sun = row.new_classification("Weather").unwrap();
    assert!(row.add_classification(sun.clone(), Overlap::Refuse).is_err(), "it is on no frame");
    sun.answer("Weather", "Sun").unwrap();
    sun.set(0..=6).unwrap();
    let sun = row.add_classification(sun, Overlap::Refuse).unwrap().hash().clone();
    let mut rain = row.new_classification("Weather").unwrap();
    rain.answer("Weather", "Rain").unwrap();
    rain.set(4..=8).unwrap();
    assert!(matches!(row.add_classification(rain.clone(), Overlap::Refuse), Err(Error::Conflict { .. })));
    let rain = row.add_classification(rain, Overlap::Replace).unwrap().hash().clone();
    assert_eq!(row.classification(&sun).unwrap().frames().to_string(), "0-3");
    row.set_classification_frames(&rain, 0..=9, Overlap::Replace).unwrap();
    assert!(row.classification(&sun).is_err(), "no frame is left for it");
    assert_eq!(reread(&row).classification(&rain).unwrap().frames().to_string(), "0-9");
    assert!(matches!(
        row.set_classification_frames(&rain, 0..=10, Overlap::Refuse),
        Err(Error::OutOfBounds { .. })
    ));
    assert!(
        row.classification_mut(&rain).unwrap().set(0).is_err(),
        "only the row knows whether there is room"
    );
}

#[test]
fn a_file_has_one_global_classification_of_a_class() {
    let mut row = video();
    let mut note = row.new_classification("Note").unwrap();
    assert!(note.set(0).is_err());
    note.answer("Note", "first").unwrap();
    row.add_classification(note, Overlap::Refuse).unwrap();
    let mut other = row.new_classification("Note").unwrap();
    other.answer("Note", "second").unwrap();
    assert!(row.add_classification(other.clone(), Overlap::Refuse).is_err());
    row.add_classification(other, Overlap::Replace).unwrap();
    let row = reread(&row);
    let notes: Vec<_> =
        row.classifications().unwrap().map(|c| c.answered("Note").unwrap().unwrap()).collect();
    assert_eq!(notes, [Answer::Text("second".into())]);
}

#[test]
fn frames_of_the_root_space_are_taken_beside_other_spaces() {
    let image = json!({"space_type": "image", "width": 8, "height": 4});
    let with = |info: &str, file: &str| {
        let mut space = image.clone();
        space[info] = json!({"file_name": file, "layout_key": file});
        space
    };
    let spaces = json!({"root": with("root_info", "a.png"), "s1": with("child_info", "b.png")});
    let mut row = row_of("image", json!({"metadata_spaces": spaces}));
    let layer = SpaceId::from("s1");
    let mut both = row.new_classification("Weather").unwrap();
    both.set(0).unwrap();
    both.set_on(&layer, 0).unwrap();
    let both = row.add_classification(both, Overlap::Refuse).unwrap().hash().clone();

    let mut second = row.new_classification("Weather").unwrap();
    second.set(0).unwrap();
    let error = row.clone().add_classification(second.clone(), Overlap::Refuse).map(|_| ()).unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error}");

    let second = row.add_classification(second, Overlap::Replace).unwrap().hash().clone();
    assert!(row.classification(&both).unwrap().frames().is_empty(), "the frame now belongs to the second");
    assert_eq!(row.classification(&both).unwrap().frames_on(&layer), Some(&FrameSet::from(0)));
    let again = reread(&row);
    assert_eq!(again.classification(&second).unwrap().frames(), &FrameSet::from(0));
}

#[test]
fn overlaps_on_a_space_are_read_and_found() {
    let spaces = json!({"s1": {"space_type": "video", "number_of_frames": 5, "width": 8, "height": 4,
        "data_duration": 1.0, "data_fps": 5.0, "child_info": {"layout_key": "left", "file_name": "l.mp4"}}});
    let mut row = row_of("group", json!({"metadata_spaces": spaces}));
    let mut first = row.new_classification("Weather").unwrap();
    first.set_on(&SpaceId::from("s1"), 0..=2).unwrap();
    row.add_classification(first.clone(), Overlap::Refuse).unwrap();
    row.validate().unwrap();
    let mut document = row.to_document().unwrap();
    let mut entry = document["classification_answers"][first.hash().as_str()].clone();
    entry["classificationHash"] = "other".into();
    document["classification_answers"]["other"] = entry;

    let mut again = LabelRow::new(row.metadata().clone(), row.ontology().clone());
    again.initialise_from_value(document).expect("the platform's tools write this");
    let error = again.validate().unwrap_err().to_string();
    assert!(error.starts_with("$.classification_answers.other.spaces.s1.range: "), "{error}");
    let mut third = row.new_classification("Weather").unwrap();
    third.set_on(&SpaceId::from("s1"), 2).unwrap();
    assert!(again.add_classification(third, Overlap::Refuse).is_err());
}
