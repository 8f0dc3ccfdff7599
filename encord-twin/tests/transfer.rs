//! Copying labels between rows whose ontologies are the same, alike, or different.

#![allow(clippy::unwrap_used)]

mod rows;

use std::sync::Arc;

use encord_labels::LabelRow;
use encord_labels::ontology::{Attribute, ObjectClass, Ontology};
use encord_labels::row::{Details, HtmlPosition, HtmlRange, ObjectInstance};
use encord_labels::shape::{BoundingBox, ShapeKind};
use encord_twin::{Mapping, TransferReport, transfer};
use serde_json::json;

use crate::rows::{again, group, labelled, ontology, row, row_of};

fn assert_copied(target: &LabelRow) {
    let car = target.objects().unwrap().next().unwrap();
    assert_eq!(car.frames().to_string(), "0-4");
    assert_eq!(car.answered("Colour").unwrap().unwrap().as_label(), Some("Blue"));
    assert_eq!(car.answered_on(2, "Speed").unwrap().unwrap().as_number(), Some(30.0));
    assert!(car.answered_on(3, "Speed").unwrap().is_none());
    let weather = target.classifications().unwrap().next().unwrap();
    assert_eq!(weather.frames().to_string(), "3-5");
    assert_eq!(weather.answered("Sky").unwrap().unwrap().choices()[0].label, "Rain");
}

#[test]
fn rows_of_one_ontology_are_copied_whole() {
    let ontology = ontology("a");
    let source = labelled(&ontology);
    let mut target = row(&ontology);
    let report = transfer(&source, &mut target, &Mapping::new()).unwrap();
    assert!(report.is_complete() && (report.objects, report.classifications) == (1, 1), "{report:?}");
    assert_copied(&target);
    let hash = |row: &LabelRow| row.objects().unwrap().next().unwrap().hash().clone();
    assert_ne!(hash(&source), hash(&target));
}

#[test]
fn a_mapping_leads_to_another_ontology() {
    let (from, to) = (ontology("a"), ontology("b"));
    let source = labelled(&from);
    let mut target = row(&to);
    let mapping = Mapping::new().with("acar1234", "bcar1234").with("aweather", "bweather");
    let report = transfer(&source, &mut target, &mapping).unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_copied(&target);
}

#[test]
fn what_has_no_place_is_listed_and_the_rest_copied() {
    let from = ontology("a");
    let source = labelled(&from);
    // The same class without a speed and without blue, and no weather.
    let colour = Attribute::radio("Colour", ["Red"]).with_feature_hash("acolour1");
    let car =
        ObjectClass::new("Car", ShapeKind::BoundingBox).with_feature_hash("acar1234").with_attribute(colour);
    let to = Arc::new(Ontology::new().with_object(car).unwrap());
    let mut target = row(&to);
    let report = transfer(&source, &mut target, &Mapping::new()).unwrap();
    assert_eq!((report.objects, report.classifications), (1, 0));
    let mut left: Vec<_> = report.left_behind.iter().map(|left| left.attribute.clone()).collect();
    left.sort();
    assert_eq!(left, [None, Some("Colour".to_owned()), Some("Speed".to_owned())]);
    assert!(report.left_behind.iter().all(|left| left.to_string().contains(&left.reason)));
    assert_eq!(target.objects().unwrap().next().unwrap().frames().to_string(), "0-4");
}

#[test]
fn rows_without_labels_are_refused() {
    let ontology = ontology("a");
    let bare = LabelRow::new(row(&ontology).metadata().clone(), ontology.clone());
    assert!(transfer(&bare, &mut row(&ontology), &Mapping::new()).is_err());
    assert!(transfer(&row(&ontology), &mut bare.clone(), &Mapping::new()).is_err());
}

fn counts(report: &TransferReport) -> (usize, usize, usize) {
    (report.objects, report.classifications, report.already_there)
}

#[test]
fn a_transfer_that_is_repeated_adds_nothing_twice() {
    for (from, to, mapping) in [
        ("a", "a", Mapping::new()),
        ("a", "b", Mapping::new().with("acar1234", "bcar1234").with("aweather", "bweather")),
    ] {
        let (from, to) = (ontology(from), ontology(to));
        let mut source = labelled(&from);
        // Two objects that look the same are two objects all the same.
        let twice = source.objects().unwrap().next().unwrap().copy();
        source.add_object(twice).unwrap();
        let mut target = row(&to);
        assert_eq!(counts(&transfer(&source, &mut target, &mapping).unwrap()), (2, 1, 0));
        let mut target = again(&target);
        let saved = target.to_document().unwrap();
        let report = transfer(&source, &mut target, &mapping).unwrap();
        assert_eq!(counts(&report), (0, 0, 3), "{report:?}");
        assert!(report.is_complete());
        assert_eq!(target.to_document().unwrap(), saved);
        // What is new in the source is copied, and nothing else.
        let mut other = ObjectInstance::new(from.object("Car").unwrap());
        other.set(0..=4, BoundingBox::new(0.5, 0.1, 0.2, 0.2).unwrap()).unwrap();
        source.add_object(other).unwrap();
        assert_eq!(counts(&transfer(&source, &mut target, &mapping).unwrap()), (1, 0, 3));
        assert_eq!(target.objects().unwrap().count(), 3);
    }
}

#[test]
fn objects_that_differ_only_in_answers_are_the_same_and_those_elsewhere_are_not() {
    let ontology = ontology("a");
    let source = labelled(&ontology);
    let mut target = row(&ontology);
    transfer(&source, &mut target, &Mapping::new()).unwrap();
    let car = target.objects().unwrap().next().unwrap().hash().clone();
    target.object_mut(&car).unwrap().change_answer("Colour", "Red").unwrap();
    let report = transfer(&source, &mut target, &Mapping::new()).unwrap();
    assert_eq!(counts(&report), (0, 0, 2));
    let colour = target.object(&car).unwrap().answered("Colour").unwrap().unwrap();
    assert_eq!(colour.as_label(), Some("Red"), "the target keeps what it has");
    target.object_mut(&car).unwrap().remove_frames([4]).unwrap();
    assert_eq!(counts(&transfer(&source, &mut target, &Mapping::new()).unwrap()), (1, 0, 1));
}

#[test]
fn classifications_give_way_only_to_other_ones() {
    let ontology = ontology("a");
    let source = labelled(&ontology);
    let mut target = row(&ontology);
    transfer(&source, &mut target, &Mapping::new()).unwrap();
    let hash = |row: &LabelRow| row.classifications().unwrap().next().unwrap().hash().clone();
    let before = hash(&target);
    target.classification_mut(&before).unwrap().change_answer("Sky", ["Sun"]).unwrap();
    assert_eq!(counts(&transfer(&source, &mut target, &Mapping::new()).unwrap()), (0, 1, 1));
    assert_eq!(target.classifications().unwrap().count(), 1);
    assert_ne!(hash(&target), before);
}

#[test]
fn a_class_of_another_shape_stays_behind() {
    let from = ontology("a");
    // The same hash stands for points there.
    let car = ObjectClass::new("Car", ShapeKind::Point).with_feature_hash("acar1234");
    let to = Arc::new(Ontology::new().with_object(car).unwrap());
    let mut target = row(&to);
    let before = target.to_document().unwrap();
    let report = transfer(&labelled(&from), &mut target, &Mapping::new()).unwrap();
    assert_eq!(counts(&report), (0, 0, 0));
    let reason = &report.left_behind.iter().find(|left| left.class == "Car").unwrap().reason;
    assert!(reason.contains("bounding_box") && reason.contains("point"), "{reason}");
    assert_eq!(target.to_document().unwrap(), before);
}

#[test]
fn labels_past_the_end_stay_behind() {
    let ontology = ontology("a");
    let mut short = row_of(&ontology, "video", json!({"number_of_frames": 3}), json!({"data_duration": 0.3}));
    let report = transfer(&labelled(&ontology), &mut short, &Mapping::new()).unwrap();
    assert_eq!(counts(&report), (0, 0, 0), "{report:?}");
    assert_eq!(report.left_behind.len(), 2);
    for left in &report.left_behind {
        assert!(left.attribute.is_none() && left.reason.contains('2'), "{left}");
    }
    assert!(short.objects().unwrap().next().is_none());
}

#[test]
fn labels_on_spaces_go_to_the_space_of_that_name() {
    for prefix in ["a", "b"] {
        let (from, to) = (ontology("a"), ontology(prefix));
        let (mut source, one, two) = group(&from);
        for space in [&one, &two] {
            let mut car = ObjectInstance::new(from.object("Car").unwrap());
            car.set_on(space, 0..=2, BoundingBox::new(0.1, 0.1, 0.2, 0.2).unwrap(), Details::by_hand())
                .unwrap();
            source.add_object(car).unwrap();
        }
        let mapping = Mapping::new().with("acar1234", format!("{prefix}car1234"));
        let (mut target, _, _) = group(&to);
        assert_eq!(counts(&transfer(&source, &mut target, &mapping).unwrap()), (2, 0, 0));
        for space in [&one, &two] {
            let car = target.objects_on_space(space).unwrap().next().unwrap();
            assert_eq!(car.annotations_on(space).count(), 3);
        }
        let mut target = again(&target);
        assert_eq!(counts(&transfer(&source, &mut target, &mapping).unwrap()), (0, 0, 2));
        // A row without these spaces has no place for them.
        let mut other = row(&to);
        let report = transfer(&source, &mut other, &mapping).unwrap();
        assert_eq!((counts(&report), report.left_behind.len()), ((0, 0, 0), 2));
        assert!(report.left_behind[0].reason.contains("s1"), "{:?}", report.left_behind);
    }
}

#[test]
fn ranges_of_web_pages_are_copied_too() {
    for prefix in ["a", "b"] {
        let (from, to) = (ontology("a"), ontology(prefix));
        let page = |ontology| row_of(ontology, "plain_text", json!({}), json!({"data_type": "text/html"}));
        let mut source = page(&from);
        let range =
            HtmlRange::new(HtmlPosition::new("/html[1]/p[1]", 3), HtmlPosition::new("/html[1]/p[2]", 9));
        let mut word = ObjectInstance::new(from.object("Word").unwrap());
        word.set_html_ranges([range.clone()]).unwrap();
        source.add_object(word).unwrap();
        let mut target = page(&to);
        let mapping = Mapping::new().with("aword", format!("{prefix}word"));
        assert_eq!(counts(&transfer(&source, &mut target, &mapping).unwrap()), (1, 0, 0));
        let copied = target.objects().unwrap().next().unwrap();
        assert_eq!(copied.html_ranges(), Some([range].as_slice()));
        assert_eq!(counts(&transfer(&source, &mut again(&target), &mapping).unwrap()), (0, 0, 1));
    }
}
