//! Tells formats apart by their first bytes. Names and claimed MIME types are not asked: they lie.

use super::MediaKind;

/// How many bytes from the start [`sniff`] wants to see.
pub(super) const HEAD: u64 = 4096;

/// Which parser to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sniffed {
    Image,
    IsoMedia,
    Matroska,
    Avi,
    Audio(&'static str),
    Dicom,
    Nifti,
    Gzip,
    Pdf,
    /// Recognised, but nothing reads more of it.
    Known(MediaKind, &'static str),
    Unknown,
}

/// Recognises a format by its first bytes.
pub(super) fn sniff(head: &[u8]) -> Sniffed {
    let at = |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    if at(128, b"DICM") {
        Sniffed::Dicom
    } else if at(0, b"RIFF") && at(8, b"AVI ") {
        Sniffed::Avi
    } else if (at(0, b"RIFF") || at(0, b"RIFX") || at(0, b"RF64")) && at(8, b"WAVE") {
        Sniffed::Audio("audio/wav")
    } else if at(4, b"ftypavif") || at(4, b"ftypavis") {
        Sniffed::Known(MediaKind::Image, "image/avif")
    } else if at(4, b"ftyphei") || at(4, b"ftypmif1") {
        Sniffed::Known(MediaKind::Image, "image/heic")
    } else if [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"].iter().any(|kind| at(4, *kind)) {
        Sniffed::IsoMedia
    } else if at(0, b"\x1a\x45\xdf\xa3") {
        Sniffed::Matroska
    } else if at(0, b"OggS") {
        Sniffed::Audio("audio/ogg")
    } else if at(0, b"fLaC") {
        Sniffed::Audio("audio/flac")
    } else if at(0, b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) {
        Sniffed::Audio("audio/aiff")
    } else if at(0, b"%PDF-") {
        Sniffed::Pdf
    } else if at(0, b"\x1f\x8b") {
        Sniffed::Gzip
    } else if super::nifti::is_header(head) {
        Sniffed::Nifti
    } else if is_image(head) {
        Sniffed::Image
    } else if at(0, b"ID3") || is_mp3_frame(head) {
        Sniffed::Audio("audio/mpeg")
    } else if is_adts_frame(head) {
        Sniffed::Audio("audio/aac")
    } else if at(0, &[0x47]) && at(188, &[0x47]) && at(376, &[0x47]) {
        Sniffed::Known(MediaKind::Video, "video/mp2t")
    } else if at(0, b"\x00\x00\x01\xba") || at(0, b"\x00\x00\x01\xb3") {
        Sniffed::Known(MediaKind::Video, "video/mpeg")
    } else {
        Sniffed::Unknown
    }
}

fn is_image(head: &[u8]) -> bool {
    // BMP's two letters open many a text, so its header size is checked as well.
    let bitmap =
        head.get(14..18).is_some_and(|size| matches!(size, [12 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]));
    match ::image::guess_format(head) {
        Ok(::image::ImageFormat::Bmp) => bitmap,
        Ok(::image::ImageFormat::Pnm) => head.get(2).is_some_and(u8::is_ascii_whitespace),
        Ok(format) => format.reading_enabled(),
        Err(_) => false,
    }
}

/// An MPEG audio layer III frame: eleven sync bits and no forbidden value in the header.
fn is_mp3_frame(head: &[u8]) -> bool {
    matches!(head, [0xff, second, third, ..]
        if second & 0xe0 == 0xe0 && second & 0x06 == 0x02 && second & 0x18 != 0x08
            && third & 0xf0 != 0xf0 && third & 0x0c != 0x0c)
}

/// An AAC frame in ADTS: twelve sync bits and layer zero.
fn is_adts_frame(head: &[u8]) -> bool {
    matches!(head, [0xff, second, third, ..] if second & 0xf6 == 0xf0 && third & 0x3c != 0x3c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_not_pictures() {
        for text in ["BMW is a car maker and nothing else", "P5-series", "II*", "GIF", "moo"] {
            assert_eq!(sniff(text.as_bytes()), Sniffed::Unknown, "{text}");
        }
    }

    #[test]
    fn sync_words_tell_mp3_from_aac() {
        assert_eq!(sniff(b"\xff\xfb\x90\x00"), Sniffed::Audio("audio/mpeg"));
        assert_eq!(sniff(b"\xff\xf1\x50\x80"), Sniffed::Audio("audio/aac"));
    }
}
