//! Recordings that are quiet except for one loud tone in the middle third.

use std::path::Path;

use anyhow::{Context, Result};

const SAMPLES_PER_SECOND: u32 = 16_000;

/// Writes a mono WAV file with 16-bit samples.
pub(super) fn write(path: &Path, seconds: f64) -> Result<()> {
    let count = (seconds * f64::from(SAMPLES_PER_SECOND)) as u32;
    let mut bytes = header(count * 2);
    for index in 0..count {
        let time = f64::from(index) / f64::from(SAMPLES_PER_SECOND);
        let loudness = if index >= count / 3 && index < count * 2 / 3 { 0.8 } else { 0.01 };
        let sample = (time * 440.0 * std::f64::consts::TAU).sin() * loudness;
        bytes.extend(((sample * f64::from(i16::MAX)) as i16).to_le_bytes());
    }
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// The 44 bytes in front of the samples.
fn header(sample_bytes: u32) -> Vec<u8> {
    let mut header = Vec::with_capacity(44);
    header.extend(b"RIFF");
    header.extend((36 + sample_bytes).to_le_bytes());
    header.extend(b"WAVEfmt ");
    header.extend(16_u32.to_le_bytes());
    // Plain samples, one channel.
    header.extend([1, 0, 1, 0]);
    header.extend(SAMPLES_PER_SECOND.to_le_bytes());
    header.extend((SAMPLES_PER_SECOND * 2).to_le_bytes());
    // Two bytes per sample of all channels, sixteen bits per sample.
    header.extend([2, 0, 16, 0]);
    header.extend(b"data");
    header.extend(sample_bytes.to_le_bytes());
    header
}
