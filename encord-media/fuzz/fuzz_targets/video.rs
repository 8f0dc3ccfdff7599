//! Any bytes as a video: an error, or as many frames as the index says, the first of them with its header's size.
//!
//! FFmpeg is not compiled for fuzzing; what is looked for is our index, and how damage is met.
#![no_main]

use std::io::Write;

use encord_media::Limits;
use encord_media::video::{Backend, Sampling, Video};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new_in("/dev/shm").expect("a place for temporary files");
    file.write_all(bytes).expect("there is room");
    let limits = Limits::default().with_max_decoded_bytes(16 << 20).with_max_frames(1 << 10).with_max_pixels(1 << 20);
    let Ok(video) = Video::open_with(file.path(), Backend::Ffmpeg, &limits) else { return };
    let Ok(count) = video.frame_count() else { return };
    assert!(count <= 1 << 10);
    let Ok(frames) = video.sample(&Sampling::Indices(vec![0, count.saturating_sub(1)])) else { return };
    for frame in frames.flatten() {
        assert_eq!(frame.pixels.shape()[2], 3);
    }
});
