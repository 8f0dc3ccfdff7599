//! Any bytes: what they are, or an error.
#![no_main]

use encord_media::Limits;
use encord_media::probe::probe;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: {
    // Parsers may panic on damaged content: the crate turns that into an error, which is no finding.
    std::panic::set_hook(Box::new(|_| {}));
}, |bytes: &[u8]| {
    let limits = Limits::default().with_max_decoded_bytes(16 << 20).with_max_frames(1 << 16);
    if let Ok(facts) = probe(bytes, &limits) {
        assert_eq!(facts.byte_size, bytes.len() as u64);
        assert!(facts.duration.is_none_or(|seconds| seconds >= 0.0));
    }
});
