//! Decodes the files named on standard input, so that other programs can look at the arrays.
//!
//! Each line names what to make of a file, the file, and where the array goes, separated by tabs. The array is written
//! as it lies in memory, in little-endian bytes; one line of JSON per input line says its type and shape, or the error.
//!
//! ```text
//! printf 'image\tcat.jpg\tcat.raw\n' | cargo run -q -p encord-media --example arrays
//! {"shape":[480,640,3],"type":"u1"}
//! ```
//!
//! What to make: `image`, `audio`, `dicom-raw`, `dicom-rescaled`, `dicom-windowed` or `dicom-rgb`.
#![allow(clippy::print_stdout, reason = "a command line program")]

use std::error::Error;
use std::io::BufRead;
use std::path::Path;

use encord_media::audio::Audio;
use encord_media::dicom::DicomFile;
use encord_media::{Limits, image};
use ndarray::{Array, Dimension};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let answer = match line.split('\t').collect::<Vec<_>>().as_slice() {
            [kind, file, target] => decode(kind, file, target.as_ref())
                .unwrap_or_else(|error| json!({"error": error.to_string()})),
            _ => json!({"error": "expected what to make, a file and a target, separated by tabs"}),
        };
        println!("{answer}");
    }
    Ok(())
}

fn decode(kind: &str, file: &str, target: &Path) -> Result<serde_json::Value, Box<dyn Error>> {
    let limits = Limits::default();
    let dicom = || DicomFile::open(file, &limits);
    match kind {
        "image" => write(&image::decode(file, &limits)?, "u1", u8::to_le_bytes, target),
        "audio" => {
            let samples = Audio::open(file, &limits)?.samples()?;
            let mut answer = write(&samples.data, "f4", f32::to_le_bytes, target)?;
            answer["rate"] = samples.sample_rate.into();
            Ok(answer)
        }
        "dicom-raw" => write(&dicom()?.raw()?, "i4", i32::to_le_bytes, target),
        "dicom-rescaled" => write(&dicom()?.rescaled()?, "f4", f32::to_le_bytes, target),
        "dicom-windowed" => write(&dicom()?.windowed(None)?, "u1", u8::to_le_bytes, target),
        "dicom-rgb" => write(&dicom()?.rgb(0)?, "u1", u8::to_le_bytes, target),
        other => Err(format!("{other:?} is nothing this program makes").into()),
    }
}

fn write<T: Copy, D: Dimension, const N: usize>(
    array: &Array<T, D>,
    name: &str,
    bytes: impl Fn(T) -> [u8; N],
    target: &Path,
) -> Result<serde_json::Value, Box<dyn Error>> {
    let content: Vec<u8> = array.iter().flat_map(|value| bytes(*value)).collect();
    std::fs::write(target, content)?;
    Ok(json!({"type": name, "shape": array.shape()}))
}
