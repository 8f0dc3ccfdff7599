//! Any bytes as sound: an error or samples within the limits, and chunks that are the same samples.
#![no_main]

use encord_media::Limits;
use encord_media::audio::Audio;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: {
    // Decoders may panic on damaged content: the crate turns that into an error, which is no finding.
    std::panic::set_hook(Box::new(|_| {}));
}, |bytes: &[u8]| {
    let limits = Limits::default().with_max_seconds(30.0).with_max_decoded_bytes(16 << 20);
    let Ok(audio) = Audio::open(bytes, &limits) else { return };
    let _ = audio.slice(0.5, 1.5);
    let Ok(samples) = audio.samples() else { return };
    assert!(samples.data.len() <= 4 << 20);
    let Ok(chunks) = audio.chunks(1000) else { return };
    let chunks: Result<Vec<_>, _> = chunks.collect();
    if let Ok(chunks) = chunks {
        let length: usize = chunks.iter().map(|chunk| chunk.data.ncols()).sum();
        assert_eq!(length, samples.data.ncols());
    }
});
