//! Any bytes as an image: an error or a picture of the size its header says, within the limits.
#![no_main]

use encord_media::{Limits, image};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: {
    // Decoders may panic on damaged content: the crate turns that into an error, which is no finding.
    std::panic::set_hook(Box::new(|_| {}));
}, |bytes: &[u8]| {
    let limits = Limits::default().with_max_pixels(1 << 20).with_max_decoded_bytes(16 << 20);
    let facts = image::facts(bytes, &limits);
    if let Ok(pixels) = image::decode(bytes, &limits) {
        let (height, width, channels) = pixels.dim();
        assert!(channels == 3 && height * width <= 1 << 20);
        let facts = facts.expect("what can be decoded has a header");
        assert_eq!((facts.height as usize, facts.width as usize), (height, width));
    }
});
