//! Run-length strings and masks of any size: no panic, no memory beyond the limit, and what decodes is stable.
#![no_main]

use encord_labels::shape::{Bitmask, Counts, decode_segmentation, encode_counts, encode_segmentation};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u32, u32, &str)| {
    let (height, width, text) = input;
    if let Ok(counts) = Counts::new(text).collect::<Result<Vec<_>, _>>() {
        let again = encode_counts(counts.iter().copied());
        // Counts above the writable limit are cut; all others come back.
        if counts.iter().all(|count| *count < 1 << 58) {
            let read: Vec<u64> = Counts::new(&again).map(|count| count.expect("just written")).collect();
            assert_eq!(read, counts);
        }
    }
    if let Ok(ranges) = decode_segmentation(text)
        && let Ok(written) = encode_segmentation(&ranges)
    {
        assert_eq!(decode_segmentation(&written).expect("just written"), ranges);
    }

    let mask = Bitmask::from_wire(0, 0, height, width, text);
    let valid = mask.validate().is_ok();
    assert_eq!(mask.area().is_ok(), valid);
    if let Ok(pixels) = mask.to_pixels_within(1 << 16) {
        let clean = Bitmask::from_pixels(&pixels, height, width).expect("as many pixels as the size says");
        assert!(mask.same_pixels(&clean).expect("valid masks compare"));
        let coco = mask.to_coco_rle().expect("within the limit");
        assert_eq!(Bitmask::from_coco_rle(height, width, &coco).expect("just written"), clean);
    }
});
