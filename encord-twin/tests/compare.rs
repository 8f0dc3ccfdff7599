//! Agreement between rows.

#![allow(clippy::unwrap_used)]

mod rows;

use encord_labels::row::{ClassificationInstance, ObjectInstance, Overlap};
use encord_labels::shape::BoundingBox;
use encord_twin::compare::{CompareOptions, compare};

use crate::rows::{labelled, ontology, row};

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
        let mut weather = ClassificationInstance::new(&ontology.classifications()[0]);
        weather.set(frames).unwrap();
        weather.answer("Sky", answers).unwrap();
        row.add_classification(weather, Overlap::Refuse).unwrap();
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
