//! Any bytes as a DICOM file: an error or arrays of the size its tags say, within the limits.
#![no_main]

use encord_media::Limits;
use encord_media::dicom::{DicomFile, DicomTags};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: {
    // Decoders may panic on damaged content: the crate turns that into an error, which is no finding.
    std::panic::set_hook(Box::new(|_| {}));
}, |bytes: &[u8]| {
    let limits = Limits::default().with_max_pixels(1 << 18).with_max_decoded_bytes(4 << 20);
    let _ = DicomTags::read(bytes, &limits);
    let Ok(file) = DicomFile::open(bytes, &limits) else { return };
    if let Ok(values) = file.raw() {
        let (rows, columns) = (file.tags().rows, file.tags().columns);
        let (_, height, width) = values.dim();
        assert_eq!((rows, columns), (Some(height as u32), Some(width as u32)));
    }
    let _ = file.rescaled();
    let _ = file.rgb(0);
});
