//! What a change costs does not depend on what else is in the row: counted in allocations, which are the same on every
//! machine.
#![allow(unsafe_code, reason = "counting allocations takes an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::Arc;

use encord_labels::ontology::{Attribute, ObjectClass};
use encord_labels::shape::{BoundingBox, ShapeKind};
use encord_labels::{LabelRow, LabelRowMetadata, Ontology};
use serde_json::json;

thread_local! {
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

/// Counts the bytes that the current thread asks for.
struct Counting;

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // The counter may be gone while a thread ends; nothing is counted then.
        let _ = BYTES.try_with(|bytes| bytes.set(bytes.get() + layout.size()));
        // SAFETY: as this function's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as this function's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocated(work: impl FnOnce()) -> usize {
    let before = BYTES.get();
    work();
    BYTES.get() - before
}

/// A video with one object on every frame.
fn row_of(frames: u64) -> LabelRow {
    let metadata = LabelRowMetadata::from_json(json!({
        "branch_name": "main", "data_hash": "d", "dataset_hash": "s", "dataset_title": "Set", "data_title": "a",
        "data_type": "VIDEO", "data_link": null, "label_status": "LABELLED", "number_of_frames": frames, "spaces": {},
    }));
    let car =
        ObjectClass::new("Car", ShapeKind::BoundingBox).with_attribute(Attribute::text("Speed").dynamic());
    let ontology = Ontology::new().with_object(car).expect("the ontology is valid");
    let document = r#"{"label_hash": "l", "branch_name": "main", "created_at": null, "last_edited_at": null,
        "data_hash": "d", "dataset_hash": "s", "dataset_title": "Set", "data_title": "a", "data_type": "video",
        "label_status": "LABELLED", "object_answers": {}, "classification_answers": {}, "object_actions": {},
        "data_units": {"d": {"data_hash": "d", "data_title": "a", "data_type": "video/mp4", "data_sequence": 0}}}"#;
    let mut row = LabelRow::new(metadata.expect("the metadata is complete"), Arc::new(ontology));
    row.initialise_from_slice(document.as_bytes()).expect("the document is valid");
    let mut first = row.new_object("Car").expect("the class exists");
    first.set(0..frames, a_box()).expect("the frames exist");
    row.add_object(first).expect("the row is empty");
    row
}

fn a_box() -> BoundingBox {
    BoundingBox::new(0.1, 0.1, 0.2, 0.2).expect("the box lies inside")
}

#[test]
fn adding_an_object_costs_the_same_in_any_row() {
    let cost = |frames: u64| {
        let mut row = row_of(frames);
        let mut object = row.new_object("Car").unwrap();
        object.set(3, a_box()).unwrap();
        let place =
            |row: &LabelRow| std::ptr::from_ref(row.objects().unwrap().next().unwrap().on_frame(3).unwrap());
        let before = place(&row);
        let cost = allocated(|| {
            row.add_object(object).unwrap();
        });
        assert_eq!(place(&row), before, "what the other objects hold stays where it is");
        cost
    };
    assert_eq!(allocated(|| drop(vec![0u8; 8])), 8, "the counter counts");
    assert_eq!(cost(10_000), cost(10));
}

#[test]
fn changing_a_frame_costs_the_same_in_any_row() {
    let cost = |frames: u64| {
        let mut row = row_of(frames);
        let hash = row.objects().unwrap().next().unwrap().hash().clone();
        allocated(|| row.object_mut(&hash).unwrap().reshape(5, a_box()).unwrap())
    };
    assert_eq!(cost(10_000), cost(10));
}

#[test]
fn dynamic_answers_cost_the_same_per_frame() {
    let cost = |frames: u64| {
        let mut row = row_of(frames);
        let hash = row.objects().unwrap().next().unwrap().hash().clone();
        let object = row.object_mut(&hash).unwrap();
        let mut text = String::new();
        allocated(|| {
            for round in 0..2 {
                for frame in 0..frames {
                    text.clear();
                    write!(text, "{:06}", frame + round).unwrap();
                    object.answer_on(frame, "Speed", text.as_str()).unwrap();
                }
            }
        }) as f64
            / frames as f64
    };
    let (small, large) = (cost(500), cost(8_000));
    assert!(large < small * 1.5, "{small} bytes per frame of 500, {large} of 8000");
}

#[test]
fn reading_and_writing_cost_the_same_per_frame() {
    let cost = |frames: u64| {
        let mut row = row_of(frames);
        let work = || {
            let json = row.to_json().unwrap();
            row.initialise_from_slice(&json).unwrap();
        };
        allocated(work) as f64 / frames as f64
    };
    // Lists grow by doubling, so that the figures differ by less than a factor of two.
    let (small, large) = (cost(2_000), cost(32_000));
    assert!(large < small * 1.5, "{small} bytes per frame of 2000, {large} of 32000");
}
