//! A small NIfTI-1 volume, gzipped, as brain scans often come.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

const SIDE: i16 = 16;

/// Writes a cube of signed 16-bit voxels with a bright ball in the middle.
pub(super) fn write(path: &Path) -> Result<()> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut gzip = GzEncoder::new(file, Compression::default());
    gzip.write_all(&header())?;
    let middle = f64::from(SIDE - 1) / 2.0;
    for z in 0..SIDE {
        for y in 0..SIDE {
            for x in 0..SIDE {
                let squares = [x, y, z].map(|position| (f64::from(position) - middle).powi(2));
                let value: i16 = if squares.iter().sum::<f64>() <= 25.0 { 1000 } else { 10 };
                gzip.write_all(&value.to_le_bytes())?;
            }
        }
    }
    gzip.finish()?;
    Ok(())
}

/// The header of 348 bytes and the four that say that no extension follows.
fn header() -> [u8; 352] {
    let mut header = [0; 352];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &348_i32.to_le_bytes());
    for (index, size) in [3, SIDE, SIDE, SIDE, 1, 1, 1, 1].into_iter().enumerate() {
        put(40 + index * 2, &size.to_le_bytes());
    }
    // Signed sixteen-bit voxels, one millimetre apart, right after the header.
    put(70, &4_i16.to_le_bytes());
    put(72, &16_i16.to_le_bytes());
    for index in 0..4 {
        put(76 + index * 4, &1.0_f32.to_le_bytes());
    }
    put(108, &352.0_f32.to_le_bytes());
    put(112, &1.0_f32.to_le_bytes());
    put(123, &[2]);
    put(344, b"n+1\0");
    header
}
