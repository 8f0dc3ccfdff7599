//! The sample media are what their seed says, and hold what the demo's agents look for.
#![allow(clippy::unwrap_used, reason = "a test says with a panic what was wrong")]

use std::path::Path;

use encord_examples::samples::{self, WORD};
use serde_json::Value;

fn files(item: &Value) -> Vec<String> {
    let own = item["file"].as_str().into_iter();
    let several = item["files"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut found: Vec<_> = own.chain(several).map(str::to_owned).collect();
    found.extend(item["items"].as_array().into_iter().flatten().flat_map(files));
    found
}

#[test]
fn every_file_of_the_seed_is_there_and_is_what_its_name_says() {
    let folder = tempfile::tempdir().unwrap();
    let samples = samples::make(folder.path()).unwrap();
    let seed = samples::seed(&samples);
    let items = seed["datasets"][0]["items"].as_array().unwrap();
    assert_eq!(items.len() + samples.left_out.len(), 11);
    for name in items.iter().flat_map(files) {
        check(&folder.path().join(&name));
    }
}

fn check(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    let extension = path.extension().unwrap().to_str().unwrap();
    match extension {
        "jpg" | "png" => {
            let picture = image::open(path).unwrap().to_rgb8();
            let red = picture.pixels().filter(|pixel| pixel.0[0] > 150 && pixel.0[1] < 90).count();
            let share = red as f64 / f64::from(picture.width() * picture.height());
            assert!((0.02..0.2).contains(&share), "{path:?} is red by {share}");
        }
        "mp4" => assert_eq!(&bytes[4..8], b"ftyp", "{path:?}"),
        "wav" => assert_eq!((&bytes[..4], &bytes[8..12]), (&b"RIFF"[..], &b"WAVE"[..]), "{path:?}"),
        "txt" => assert!(String::from_utf8(bytes).unwrap().contains(WORD), "{path:?}"),
        "pdf" => assert!(bytes.starts_with(b"%PDF-") && bytes.ends_with(b"%%EOF\n"), "{path:?}"),
        "dcm" => {
            let slice = dicom_object::open_file(path).unwrap();
            let rows = slice.element_by_name("Rows").unwrap().to_int::<u16>().unwrap();
            assert_eq!(rows, 96, "{path:?}");
        }
        "gz" => assert_eq!(bytes[..2], [0x1f, 0x8b], "{path:?}"),
        other => panic!("nothing checks {other} files"),
    }
}
