//! DICOM files written here, tag by tag, and read back.

#![cfg(feature = "dicom")]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod maker;

use encord_media::dicom::{DicomFile, DicomSeries, DicomTags, Window};
use encord_media::{Error, Limits};
use maker::dicom::Slice;

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
