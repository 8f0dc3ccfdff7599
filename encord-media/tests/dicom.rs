//! DICOM files written here, tag by tag, and read back.

#![cfg(feature = "dicom")]
#![allow(clippy::unwrap_used, reason = "a test may")]

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject, Tag};
use encord_media::dicom::{DicomFile, DicomSeries, DicomTags, Window};
use encord_media::{Error, Limits};

/// A small CT slice whose values are its pixel numbers plus `base`.
struct Slice {
    uid: &'static str,
    depth: f64,
    base: u16,
    frames: u16,
    photometric: &'static str,
}

impl Slice {
    fn new(uid: &'static str, depth: f64, base: u16) -> Self {
        Self { uid, depth, base, frames: 1, photometric: "MONOCHROME2" }
    }

    fn bytes(&self) -> Vec<u8> {
        let (rows, columns) = (2u16, 3u16);
        let text = |tag: (u16, u16), vr, value: &str| {
            DataElement::new(Tag(tag.0, tag.1), vr, PrimitiveValue::from(value))
        };
        let short = |tag: (u16, u16), value: u16| {
            DataElement::new(Tag(tag.0, tag.1), VR::US, PrimitiveValue::from(value))
        };
        let values: Vec<u16> = (0..rows * columns * self.frames).map(|value| value + self.base).collect();
        let pixels = DataElement::new(Tag(0x7fe0, 0x0010), VR::OW, PrimitiveValue::U16(values.into()));
        let object = InMemDicomObject::from_element_iter([
            text((0x0008, 0x0016), VR::UI, "1.2.840.10008.5.1.4.1.1.2"),
            text((0x0008, 0x0018), VR::UI, self.uid),
            text((0x0008, 0x0060), VR::CS, "CT"),
            text((0x0020, 0x000e), VR::UI, "1.2.3"),
            text((0x0020, 0x0032), VR::DS, &format!("0\\0\\{}", self.depth)),
            text((0x0020, 0x0037), VR::DS, "1\\0\\0\\0\\1\\0"),
            text((0x0028, 0x0004), VR::CS, self.photometric),
            text((0x0028, 0x0008), VR::IS, &self.frames.to_string()),
            text((0x0028, 0x1050), VR::DS, "40"),
            text((0x0028, 0x1051), VR::DS, "400"),
            text((0x0028, 0x1052), VR::DS, "-1024"),
            text((0x0028, 0x1053), VR::DS, "1"),
            short((0x0028, 0x0002), 1),
            short((0x0028, 0x0010), rows),
            short((0x0028, 0x0011), columns),
            short((0x0028, 0x0100), 16),
            short((0x0028, 0x0101), 16),
            short((0x0028, 0x0102), 15),
            short((0x0028, 0x0103), 0),
            pixels,
        ]);
        let meta = FileMetaTableBuilder::new().transfer_syntax("1.2.840.10008.1.2.1");
        let mut bytes = Vec::new();
        object.with_meta(meta).unwrap().write_all(&mut bytes).unwrap();
        bytes
    }
}

#[test]
fn values_are_read_as_stored_and_rescaled() {
    let file = DicomFile::open(Slice::new("1.1", 0.0, 1000).bytes(), &Limits::default()).unwrap();
    let raw = file.raw().unwrap();
    assert_eq!(raw.dim(), (1, 2, 3));
    assert_eq!(raw[[0, 1, 2]], 1005);
    assert_eq!(file.rescaled().unwrap()[[0, 0, 0]], -24.0);
}

#[test]
fn windows_go_from_black_to_white() {
    let file = DicomFile::open(Slice::new("1.1", 0.0, 1024).bytes(), &Limits::default()).unwrap();
    // Values 0 to 5 through a window from 0 to 5.
    let shades = file.windowed(Some(Window { center: 3.0, width: 6.0 })).unwrap();
    assert_eq!(shades.iter().copied().collect::<Vec<_>>(), [0, 51, 102, 153, 204, 255]);
    let inverted = Slice { photometric: "MONOCHROME1", ..Slice::new("1.1", 0.0, 1024) };
    let file = DicomFile::open(inverted.bytes(), &Limits::default()).unwrap();
    let shades = file.windowed(Some(Window { center: 3.0, width: 6.0 })).unwrap();
    assert_eq!(shades.iter().copied().collect::<Vec<_>>(), [255, 204, 153, 102, 51, 0]);
    assert!(file.windowed(Some(Window { center: 3.0, width: 0.0 })).is_err());
    assert_eq!(file.rgb(0).unwrap().dim(), (2, 3, 3));
    assert!(matches!(file.rgb(1), Err(Error::OutOfRange { .. })));
}

#[test]
fn a_series_lies_in_the_order_of_its_positions() {
    let files = [Slice::new("1.3", 20.0, 300), Slice::new("1.1", -5.0, 100), Slice::new("1.2", 7.5, 200)];
    let series = DicomSeries::open(files.iter().map(Slice::bytes), &Limits::default()).unwrap();
    assert_eq!(series.uids(), [Some("1.1"), Some("1.2"), Some("1.3")]);
    let raw = series.raw().unwrap();
    assert_eq!(raw.dim(), (3, 2, 3));
    assert_eq!([raw[[0, 0, 0]], raw[[1, 0, 0]], raw[[2, 0, 0]]], [100, 200, 300]);
    assert!(matches!(series.file(3), Err(Error::OutOfRange { .. })));
}

#[test]
fn frames_of_one_file_become_slices() {
    let file = Slice { frames: 4, ..Slice::new("1.1", 0.0, 0) };
    let series = DicomSeries::open([file.bytes()], &Limits::default()).unwrap();
    let raw = series.raw().unwrap();
    assert_eq!((raw.dim(), raw[[3, 0, 0]]), ((4, 2, 3), 18));
}

#[test]
fn tags_are_read_without_pixels() {
    let bytes = Slice::new("1.1", 3.5, 0).bytes();
    let tags = DicomTags::read(&bytes[..bytes.len() - 12], &Limits::default()).unwrap();
    assert_eq!(tags.modality.as_deref(), Some("CT"));
    assert_eq!((tags.rows, tags.columns), (Some(2), Some(3)));
    assert_eq!(tags.position, Some([0.0, 0.0, 3.5]));
    assert_eq!(tags.windows, [Window { center: 40.0, width: 400.0 }]);
    assert_eq!(tags.text(0x0008, 0x0060).as_deref(), Some("CT"));
}

#[test]
fn limits_are_kept() {
    let bytes = Slice::new("1.1", 0.0, 0).bytes();
    let error = DicomFile::open(bytes, &Limits::default().with_max_pixels(5)).unwrap_err();
    assert!(matches!(error, Error::Limit { limit: "max_pixels", actual: 6, .. }), "{error}");
}

#[test]
fn cut_files_give_errors() {
    let whole = Slice::new("1.1", 0.0, 0).bytes();
    for length in 0..whole.len() {
        if let Ok(file) = DicomFile::open(&whole[..length], &Limits::default()) {
            assert!(file.raw().is_err(), "cut to {length}");
        }
    }
}
