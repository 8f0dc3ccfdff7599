//! Copying labels between rows whose ontologies are the same, alike, or different.

#![allow(clippy::unwrap_used)]

mod rows;

use std::sync::Arc;

use encord_labels::LabelRow;
use encord_labels::ontology::{Attribute, ObjectClass, Ontology};
use encord_labels::shape::ShapeKind;
use encord_twin::{Mapping, transfer};

use crate::rows::{labelled, ontology, row};

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
