//! Bitmasks against the worked examples of the format and against a plain pixel-by-pixel reading.

use encord_labels::shape::Bitmask;
use proptest::prelude::*;

fn pixels_of(rows: &[&str]) -> Vec<bool> {
    rows.iter().flat_map(|row| row.chars().map(|cell| cell == '1')).collect()
}

#[test]
fn worked_examples() {
    let mask = Bitmask::from_pixels(&pixels_of(&["0000", "0110", "0110"]), 3, 4).unwrap();
    assert_eq!(mask.rle(), "5220O");
    assert_eq!(Bitmask::from_pixels(&[true; 4], 2, 2).unwrap().rle(), "04");
    assert_eq!(Bitmask::from_pixels(&[false; 4], 2, 2).unwrap().rle(), "4");
    assert_eq!(Bitmask::from_pixels(&[], 0, 0).unwrap().rle(), "");
    assert_eq!(Bitmask::empty(2, 2).rle(), "4");

    let large = Bitmask::new(100, 200, "c<6R6000eab0").unwrap();
    assert_eq!(large.area().unwrap(), 18);
    assert_eq!(large.bounding_box().unwrap(), Some((2..5, 3..9)));
    assert_eq!(large.to_coco_rle().unwrap(), "^93Q3000000000jdb0");
    assert_eq!(large.to_coco_counts().unwrap().iter().sum::<u64>(), 20_000);
}

#[test]
fn runs_are_cut_at_row_ends() {
    let mask = Bitmask::from_pixels(&pixels_of(&["0011", "1100"]), 2, 4).unwrap();
    let spans: Vec<_> = mask.spans().collect::<Result<_, _>>().unwrap();
    assert_eq!(spans, [(0, 2..4), (1, 0..2)]);
}

#[test]
fn short_strings_leave_pixels_unset() {
    let mask = Bitmask::new(2, 2, "01").unwrap();
    assert_eq!(mask.to_pixels().unwrap(), [true, false, false, false]);
    assert!(mask.same_pixels(&Bitmask::new(2, 2, "013").unwrap()).unwrap());
}

#[test]
fn bad_input_is_refused() {
    let too_long = Bitmask::new(2, 2, "05").unwrap_err();
    assert!(too_long.to_string().contains("more than the 4 cells"));
    assert!(Bitmask::new(2, 2, "4~").is_err());
    assert!(
        Bitmask::from_pixels(&[true; 3], 2, 2).unwrap_err().to_string().contains("needs 4 values, got 3")
    );
    let sizes = Bitmask::empty(2, 2).iou(&Bitmask::empty(2, 3)).unwrap_err();
    assert!(sizes.to_string().contains("(2, 2) and (2, 3)"));
}

#[test]
fn a_declared_size_beyond_the_limit_allocates_nothing() {
    let vast = Bitmask::from_wire(0, 0, u32::MAX, u32::MAX, "01");
    assert!(vast.to_pixels().unwrap_err().to_string().contains("above the limit"));
    assert!(vast.to_coco_rle().unwrap_err().to_string().contains("above the limit"));
    assert!(Bitmask::from_coco_rle(u32::MAX, 2, "01").is_err());
    // What needs no pixels still works.
    assert_eq!(vast.area().unwrap(), 1);
    assert!(Bitmask::empty(3, 3).to_pixels_within(8).is_err());
}

#[cfg(feature = "ndarray")]
#[test]
fn arrays_in_any_memory_order() {
    use ndarray::Array2;
    let array = Array2::from_shape_fn((3, 5), |(row, column)| (row + column) % 3 == 0);
    let mask = Bitmask::from_array(array.view()).unwrap();
    assert_eq!(mask.to_array().unwrap(), array);
    let turned = Bitmask::from_array(array.t()).unwrap();
    assert_eq!((turned.height(), turned.width()), (5, 3));
    assert_eq!(turned.to_array().unwrap(), array.t());
}

fn grid() -> impl Strategy<Value = (u32, u32, Vec<bool>, Vec<bool>)> {
    (0u32..24, 0u32..24).prop_flat_map(|(height, width)| {
        let cells = (height * width) as usize;
        let pixels = || prop::collection::vec(prop::bool::weighted(0.4), cells);
        (Just(height), Just(width), pixels(), pixels())
    })
}

proptest! {
    #[test]
    fn every_fact_agrees_with_the_pixels((height, width, pixels, others) in grid()) {
        let mask = Bitmask::from_pixels(&pixels, height, width).unwrap();
        let other = Bitmask::from_pixels(&others, height, width).unwrap();
        prop_assert_eq!(&mask.to_pixels().unwrap(), &pixels);
        prop_assert!(mask.validate().is_ok());

        let set = |pixels: &[bool]| pixels.iter().filter(|set| **set).count() as u64;
        prop_assert_eq!(mask.area().unwrap(), set(&pixels));
        let both: Vec<bool> = pixels.iter().zip(&others).map(|(a, b)| *a && *b).collect();
        prop_assert_eq!(mask.intersection_area(&other).unwrap(), set(&both));
        prop_assert_eq!(mask.same_pixels(&other).unwrap(), pixels == others);

        let mut seen = vec![false; pixels.len()];
        for span in mask.spans() {
            let (row, columns) = span.unwrap();
            for column in columns {
                seen[(row * width + column) as usize] = true;
            }
        }
        prop_assert_eq!(&seen, &pixels);
        for row in 0..height {
            for column in 0..width {
                prop_assert_eq!(mask.contains(row, column).unwrap(), pixels[(row * width + column) as usize]);
            }
        }

        let coco = mask.to_coco_rle().unwrap();
        prop_assert_eq!(&Bitmask::from_coco_rle(height, width, &coco).unwrap(), &mask);
        let counts = mask.to_coco_counts().unwrap();
        prop_assert_eq!(&Bitmask::from_coco_counts(height, width, &counts).unwrap(), &mask);
    }

    #[test]
    fn hostile_strings_never_panic(height in 0u32..40, width in 0u32..40, rle in "[0-o]{0,40}") {
        let mask = Bitmask::from_wire(0, 0, height, width, rle);
        let valid = mask.validate().is_ok();
        prop_assert_eq!(mask.to_pixels().is_ok(), valid);
        prop_assert_eq!(mask.area().is_ok(), valid);
        prop_assert_eq!(mask.bounding_box().is_ok(), valid);
    }
}
