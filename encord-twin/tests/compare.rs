//! Agreement between rows.

#![allow(clippy::unwrap_used)]

mod rows;

use std::sync::Arc;

use encord_labels::row::{ClassificationInstance, Details, HtmlPosition, HtmlRange, ObjectInstance, Overlap};
use encord_labels::shape::{Bitmask, BoundingBox, Cuboid, Point, Shape};
use encord_labels::{LabelRow, Ontology};
use encord_twin::compare::{CompareOptions, compare};
use serde_json::json;

use crate::rows::{group, labelled, ontology, row, row_of};

/// Adds an object that is the same on some frames.
fn draw(row: &mut LabelRow, class: &str, shape: impl Into<Shape>) {
    let mut object = row.new_object(class).unwrap();
    object.set([0], shape).unwrap();
    row.add_object(object).unwrap();
}

fn classify(row: &mut LabelRow, frames: impl Into<encord_labels::FrameSet>, answers: &[&str]) {
    let mut weather = ClassificationInstance::new(&row.ontology().classifications()[0]);
    weather.set(frames).unwrap();
    weather.answer("Sky", answers).unwrap();
    row.add_classification(weather, Overlap::Refuse).unwrap();
}

#[test]
fn a_row_agrees_with_itself_and_empty_rows_agree() {
    let ontology = ontology("a");
    let left = labelled(&ontology);
    let agreement = compare(&left, &left, &CompareOptions::new()).unwrap();
    assert_eq!((agreement.score(), agreement.mean_iou()), (1.0, Some(1.0)));
    assert_eq!((agreement.pairs.len(), agreement.classifications["Sky"].equal), (5, 3));
    let empty = row(&ontology);
    let agreement = compare(&empty, &empty, &CompareOptions::new()).unwrap();
    assert_eq!((agreement.score(), agreement.mean_iou()), (1.0, None));
    let agreement = compare(&left, &empty, &CompareOptions::new()).unwrap();
    assert_eq!((agreement.score(), agreement.only_left.len(), agreement.only_right.len()), (0.0, 5, 0));
    assert_eq!(agreement.classifications["Sky"].only_left, 3);
}

#[test]
fn objects_are_paired_where_they_overlap_most() {
    let ontology = ontology("a");
    let with = |boxes: &[f64]| {
        let mut row = row(&ontology);
        for left in boxes {
            let mut car = ObjectInstance::new(ontology.object("Car").unwrap());
            car.set([0], BoundingBox::new(*left, 0.0, 0.2, 0.2).unwrap()).unwrap();
            row.add_object(car).unwrap();
        }
        row
    };
    // The second box is nearer to 0.52 than the first one, which keeps the other.
    let agreement = compare(&with(&[0.45, 0.5]), &with(&[0.52, 0.42]), &CompareOptions::new()).unwrap();
    assert_eq!(agreement.pairs.len(), 2);
    assert!(agreement.pairs.iter().all(|pair| pair.iou > 0.7 && pair.class == "Car"), "{agreement:?}");
    let agreement = compare(&with(&[0.1]), &with(&[0.2]), &CompareOptions::new()).unwrap();
    assert_eq!((agreement.score(), agreement.only_left.len(), agreement.only_right.len()), (0.0, 1, 1));
    let lenient = CompareOptions::new().with_min_iou(0.3);
    let agreement = compare(&with(&[0.1]), &with(&[0.2]), &lenient).unwrap();
    assert!((agreement.mean_iou().unwrap() - 1.0 / 3.0).abs() < 1e-9, "{agreement:?}");
}

#[test]
fn classifications_are_compared_frame_by_frame() {
    let ontology = ontology("a");
    let with = |frames: std::ops::RangeInclusive<u64>, answers: &[&str]| {
        let mut row = row(&ontology);
        classify(&mut row, frames, answers);
        row
    };
    let both = with(0..=3, &["Sun", "Rain"]);
    let agreement = compare(&both, &with(2..=5, &["Rain", "Sun"]), &CompareOptions::new()).unwrap();
    let sky = agreement.classifications["Sky"];
    assert_eq!((sky.equal, sky.different, sky.only_left, sky.only_right), (2, 0, 2, 2));
    assert_eq!(agreement.score(), 0.5);
    let agreement = compare(&both, &with(0..=3, &["Sun"]), &CompareOptions::new()).unwrap();
    assert_eq!((agreement.classifications["Sky"].different, agreement.score()), (4, 0.0));
}

#[test]
fn every_class_has_a_score_of_its_own() {
    let ontology = ontology("a");
    let (mut left, mut right) = (row(&ontology), row(&ontology));
    draw(&mut left, "Car", BoundingBox::new(0.1, 0.1, 0.2, 0.2).unwrap());
    draw(&mut right, "Car", BoundingBox::new(0.1, 0.1, 0.2, 0.2).unwrap());
    draw(&mut left, "Spot", Point::new(0.5, 0.5).unwrap());
    draw(&mut right, "Spot", Point::new(0.6, 0.5).unwrap());
    classify(&mut left, 0..=3, &["Sun"]);
    classify(&mut right, 2..=5, &["Sun"]);
    let agreement = compare(&left, &right, &CompareOptions::new()).unwrap();
    let scores: Vec<_> = agreement.scores().into_iter().collect();
    assert_eq!(scores, [("Car", 1.0), ("Sky", 0.5), ("Spot", 0.0)]);
    assert_eq!(agreement.score(), 0.5, "three of six on each side");
}

#[test]
fn classifications_of_any_length_are_compared_as_ranges() {
    // A file of nanoseconds; going through its frames one by one would not end.
    const LAST: u64 = 1_000_000_000_000_000;
    let ontology = ontology("a");
    let with = |parts: &[(u64, u64, &str)]| {
        let facts = json!({"number_of_frames": LAST + 1});
        let mut row = row_of(&ontology, "video", facts, json!({"data_duration": 1e14}));
        for (start, end, answer) in parts {
            classify(&mut row, *start..=*end, &[*answer]);
        }
        row
    };
    let left = with(&[(0, LAST - 10, "Sun"), (LAST - 9, LAST, "Rain")]);
    let agreement = compare(&left, &with(&[(10, LAST, "Sun")]), &CompareOptions::new()).unwrap();
    let sky = agreement.classifications["Sky"];
    assert_eq!((sky.equal, sky.different, sky.only_left, sky.only_right), (LAST - 19, 10, 10, 0));
    let agreement = compare(&left, &left, &CompareOptions::new()).unwrap();
    assert_eq!((agreement.score(), agreement.classifications["Sky"].equal), (1.0, LAST + 1));
}

#[test]
fn ranges_share_what_they_share_of_their_length() {
    let ontology = ontology("a");
    let with = |ranges: std::ops::RangeInclusive<u64>| {
        let mut row =
            row_of(&ontology, "audio", json!({"duration": 1e16}), json!({"data_type": "audio/wav"}));
        let mut noise = row.new_object("Noise").unwrap();
        noise.set_ranges(ranges).unwrap();
        row.add_object(noise).unwrap();
        row
    };
    let (left, right) = (with(0..=299), with(100..=399));
    let agreement = compare(&left, &right, &CompareOptions::new()).unwrap();
    assert_eq!((agreement.pairs.len(), agreement.pairs[0].frame, agreement.mean_iou()), (1, 0, Some(0.5)));
    let apart = compare(&left, &with(300..=301), &CompareOptions::new()).unwrap();
    assert_eq!((apart.pairs.len(), apart.only_left.len(), apart.only_right.len()), (0, 1, 1));
    // Together these are longer than a whole number counts.
    let long = with(0..=10_000_000_000_000_000_000);
    let agreement = compare(&long, &long, &CompareOptions::new()).unwrap();
    assert_eq!(agreement.mean_iou(), Some(1.0));
    let agreement = compare(&long, &with(1..=10_000_000_000_000_000_000), &CompareOptions::new()).unwrap();
    assert!(agreement.mean_iou().unwrap() > 0.99);
}

#[test]
fn ranges_of_web_pages_are_the_same_or_not() {
    let ontology = ontology("a");
    let with = |end: u64| {
        let mut row = row_of(&ontology, "plain_text", json!({}), json!({"data_type": "text/html"}));
        let mut word = row.new_object("Word").unwrap();
        let place = |offset| HtmlPosition::new("/html[1]/p[1]", offset);
        word.set_html_ranges([HtmlRange::new(place(3), place(end))]).unwrap();
        row.add_object(word).unwrap();
        row
    };
    assert_eq!(compare(&with(9), &with(9), &CompareOptions::new()).unwrap().score(), 1.0);
    let other = compare(&with(9), &with(8), &CompareOptions::new()).unwrap();
    assert_eq!((other.score(), other.only_left.len(), other.only_right.len()), (0.0, 1, 1));
}

#[test]
fn masks_share_pixels_and_must_be_of_one_image() {
    let ontology = ontology("a");
    let with = |height: u32, width: u32, set: std::ops::Range<usize>| {
        let pixels: Vec<bool> = (0..height as usize * width as usize).map(|at| set.contains(&at)).collect();
        let mut row = row_of(
            &ontology,
            "video",
            json!({"width": null, "height": null}),
            json!({
            "width": width, "height": height}),
        );
        draw(&mut row, "Area", Bitmask::from_pixels(&pixels, height, width).unwrap());
        row
    };
    let agreement = compare(&with(4, 8, 0..12), &with(4, 8, 4..16), &CompareOptions::new()).unwrap();
    assert_eq!(agreement.mean_iou(), Some(0.5));
    let agreement = compare(&with(4, 8, 0..4), &with(4, 8, 4..8), &CompareOptions::new()).unwrap();
    assert_eq!((agreement.score(), agreement.only_left.len()), (0.0, 1));
    let error = compare(&with(4, 8, 0..12), &with(8, 4, 0..12), &CompareOptions::new()).unwrap_err();
    assert!(error.to_string().contains("mask"), "{error}");
}

#[test]
fn shapes_without_area_are_the_same_or_not() {
    let ontology = ontology("a");
    let with = |class: &str, shape: Shape| {
        let mut row = row(&ontology);
        draw(&mut row, class, shape);
        row
    };
    let spot = |x| with("Spot", Point::new(x, 0.5).unwrap().into());
    let solid = |x| with("Box", Cuboid::new([x, 0.0, 0.0], [0.0; 3], [1.0; 3]).unwrap().into());
    for (here, there) in [(spot(0.1), spot(0.2)), (solid(1.0), solid(2.0))] {
        assert_eq!(compare(&here, &here, &CompareOptions::new()).unwrap().score(), 1.0);
        assert_eq!(compare(&here, &there, &CompareOptions::new()).unwrap().score(), 0.0);
    }
}

#[test]
fn labels_meet_on_their_own_space_only() {
    let ontology: Arc<Ontology> = ontology("a");
    let (empty, one, two) = group(&ontology);
    let with = |space: &_| {
        let mut row = empty.clone();
        let mut car = ObjectInstance::new(ontology.object("Car").unwrap());
        car.set_on(space, [2], BoundingBox::new(0.1, 0.1, 0.2, 0.2).unwrap(), Details::by_hand()).unwrap();
        row.add_object(car).unwrap();
        let mut weather = ClassificationInstance::new(&ontology.classifications()[0]);
        weather.set_on(space, 0..=2).unwrap();
        weather.answer("Sky", ["Sun"]).unwrap();
        row.add_classification(weather, Overlap::Refuse).unwrap();
        row
    };
    let (left, right) = (with(&one), with(&two));
    let agreement = compare(&left, &left, &CompareOptions::new()).unwrap();
    assert_eq!((agreement.score(), agreement.pairs.len()), (1.0, 1));
    assert_eq!((agreement.pairs[0].space.as_ref(), agreement.pairs[0].frame), (Some(&one), 2));
    let agreement = compare(&left, &right, &CompareOptions::new()).unwrap();
    assert_eq!((agreement.score(), agreement.pairs.len()), (0.0, 0));
    assert_eq!(agreement.only_left[0].space.as_ref(), Some(&one));
    assert_eq!(agreement.only_right[0].space.as_ref(), Some(&two));
    let sky = agreement.classifications["Sky"];
    assert_eq!((sky.equal, sky.different, sky.only_left, sky.only_right), (0, 0, 3, 3));
}
