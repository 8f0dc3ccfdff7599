//! Files that are cut, changed byte by byte, or lie about their size: an error or less than the whole, never a panic, a
//! hang or more memory than the limits allow.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod maker;

use encord_media::Limits;
use maker::Maker;

/// Small, so that a file that gets past them would show.
fn limits() -> Limits {
    Limits::default().with_max_decoded_bytes(16 << 20).with_max_pixels(1 << 20).with_max_seconds(60.0)
}

/// A file cut to fifty lengths.
fn cuts(whole: &[u8]) -> impl Iterator<Item = &[u8]> {
    (0..50).map(|step| &whole[..whole.len() * step / 50])
}

/// A file with one byte changed, for every byte of its first thousand and some of the rest.
fn flips(whole: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let places = (0..whole.len().min(1000)).chain((1000..whole.len()).step_by(97));
    places.flat_map(|place| {
        [0x01, 0xff].map(|change| {
            let mut bytes = whole.to_vec();
            bytes[place] ^= change;
            bytes
        })
    })
}

#[cfg(feature = "image")]
#[test]
fn images() {
    let maker = Maker::new();
    let layouts = [
        ("a.png", "rgb24"),
        ("b.png", "gray16be"),
        ("a.jpg", "yuvj420p"),
        ("a.bmp", "bgr24"),
        ("a.tiff", "rgb24"),
        ("a.gif", "bgr8"),
        ("a.webp", "yuv420p"),
        ("a.ppm", "rgb24"),
    ];
    for (name, layout) in layouts {
        let whole = std::fs::read(maker.picture(layout, name)).unwrap();
        let dimensions = encord_media::image::decode(&*whole, &limits()).unwrap().dim();
        for bytes in cuts(&whole) {
            let _ = encord_media::image::facts(bytes, &limits());
            if let Ok(pixels) = encord_media::image::decode(bytes, &limits()) {
                assert_eq!(pixels.dim(), dimensions, "{name} cut to {}", bytes.len());
            }
        }
        for bytes in flips(&whole) {
            if let Ok(pixels) = encord_media::image::decode(bytes, &limits()) {
                assert!(pixels.len() <= 3 << 20, "{name}: {:?}", pixels.dim());
            }
        }
    }
}

#[cfg(feature = "audio")]
#[test]
fn audio() {
    use encord_media::audio::Audio;

    let maker = Maker::new();
    let sound = "-f lavfi -i sine=frequency=440:duration=0.4:sample_rate=8000";
    let names = ["a.wav", "a.flac", "a.mp3", "a.ogg", "a.m4a", "a.aiff", "a.aac", "a.mka"];
    for name in names {
        let codec = match name {
            "a.ogg" => "-c:a libvorbis",
            "a.mka" => "-c:a flac",
            _ => "",
        };
        let whole = std::fs::read(maker.ffmpeg(&format!("{sound} {codec}"), name)).unwrap();
        let length = Audio::open(&*whole, &limits()).unwrap().samples().unwrap().data.ncols();
        for bytes in cuts(&whole) {
            let Ok(audio) = Audio::open(bytes, &limits()) else { continue };
            if let Ok(samples) = audio.samples() {
                assert!(samples.data.ncols() <= length, "{name} cut to {}", bytes.len());
            }
            let _ = audio.slice(0.1, 0.2);
        }
        for bytes in flips(&whole) {
            let Ok(audio) = Audio::open(bytes, &limits()) else { continue };
            let _ = audio.samples();
            let _ = audio.slice(0.2, 0.3);
        }
    }
}

#[cfg(feature = "dicom")]
mod dicom {
    use encord_media::Error;
    use encord_media::dicom::{DicomFile, DicomTags};

    use super::maker::dicom::{DEFLATED, EXPLICIT, IMPLICIT, Slice, compressed};
    use super::*;

    /// Everything one can ask of a file.
    fn read(bytes: &[u8]) -> bool {
        let _ = DicomTags::read(bytes, &limits());
        let Ok(file) = DicomFile::open(bytes, &limits()) else { return false };
        let whole = file.raw().is_ok();
        let _ = file.windowed(None);
        let _ = file.rgb(0);
        whole
    }

    fn fixtures(maker: &Maker) -> Vec<(&'static str, Vec<u8>)> {
        let slice = |syntax| Slice { syntax, frames: 2, ..Slice::new("1.1", 2.5, 100) };
        let mut files: Vec<_> =
            [EXPLICIT, IMPLICIT, DEFLATED].map(|syntax| (syntax, slice(syntax).bytes())).into();
        files.extend(compressed(maker));
        files
    }

    #[test]
    fn cut_and_changed_files() {
        let maker = Maker::new();
        for (syntax, whole) in fixtures(&maker) {
            assert!(read(&whole), "{syntax}");
            for bytes in cuts(&whole) {
                // Decoders of compressed pictures may make up what is missing.
                assert!(!read(bytes) || syntax.contains(".4."), "{syntax} cut to {}", bytes.len());
            }
            for bytes in flips(&whole) {
                read(&bytes);
            }
        }
    }

    /// A file of explicit value representations with these elements after its header.
    fn with_elements(elements: &[u8]) -> Vec<u8> {
        let mut bytes = Slice::new("1.1", 0.0, 0).bytes();
        // The first element of the dataset is (0008,0016).
        let start = bytes.windows(6).position(|window| window == b"\x08\x00\x16\x00UI").unwrap();
        bytes.truncate(start);
        bytes.extend(elements);
        bytes
    }

    #[test]
    fn an_element_that_claims_more_than_there_is() {
        for representation in [b"OB", b"OW", b"UN", b"UT", b"OD"] {
            let mut element = b"\x09\x00\x10\x10".to_vec();
            element.extend(representation);
            element.extend([0, 0, 0xf0, 0xff, 0xff, 0xef, 1, 2, 3, 4]);
            for outcome in [
                DicomTags::read(with_elements(&element), &Limits::default()).map(drop),
                DicomFile::open(with_elements(&element), &Limits::default()).map(drop),
            ] {
                let error = outcome.unwrap_err().to_string();
                assert!(
                    error.contains("(0009,1010) claims 4026531824 bytes, of which there are 4"),
                    "{error}"
                );
            }
        }
    }

    /// What comes first says how long its group is. Coded as anything but a number of four bytes, it would be looked
    /// for in the wrong place, and an element behind it could claim gigabytes (found by fuzzing).
    #[test]
    fn a_first_element_of_another_kind() {
        let mut file = Slice::new("1.1", 0.0, 0).bytes();
        let first = file.windows(6).position(|window| window == b"\x02\x00\x00\x00UL").unwrap();
        file[first + 4..first + 6].copy_from_slice(b"\x00\x09");
        for outcome in [
            DicomTags::read(file.clone(), &Limits::default()).map(drop),
            DicomFile::open(file, &Limits::default()).map(drop),
        ] {
            let error = outcome.unwrap_err().to_string();
            assert!(error.contains("does not begin with the length of its first elements"), "{error}");
        }
    }

    #[test]
    fn sequences_without_end() {
        let open = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff";
        let error = DicomTags::read(with_elements(&open.repeat(200_000)), &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("too deep"), "{error}");
    }

    #[test]
    fn a_bomb() {
        use dicom_core::{DataElement, PrimitiveValue, VR};
        use dicom_object::{FileMetaTableBuilder, InMemDicomObject, Tag};

        let zeros = PrimitiveValue::from(vec![0u8; 64 << 20]);
        let object =
            InMemDicomObject::from_element_iter([DataElement::new(Tag(0x0009, 0x1010), VR::OB, zeros)]);
        let meta = FileMetaTableBuilder::new()
            .transfer_syntax(DEFLATED)
            .media_storage_sop_class_uid("1.2")
            .media_storage_sop_instance_uid("1.3");
        let mut bytes = Vec::new();
        object.with_meta(meta).unwrap().write_all(&mut bytes).unwrap();
        assert!(bytes.len() < 1 << 20);
        let error = DicomTags::read(bytes, &limits()).unwrap_err();
        assert!(matches!(error, Error::Decode { .. } | Error::Limit { .. }), "{error}");
        assert!(error.to_string().contains("max_decoded_bytes"), "{error}");
    }
}
