//! Pictures of a red disc on a grey ground: whoever reads the pixels can say where the disc is.

use std::path::Path;

use anyhow::{Context, Result};
use image::{Rgb, RgbImage};

/// Draws the picture and writes it in the format the file name says.
pub(super) fn write(path: &Path, width: u32, height: u32, progress: f64) -> Result<()> {
    draw(width, height, progress).save(path).with_context(|| format!("cannot write {}", path.display()))
}

/// The disc wanders from left to right while `progress` goes from 0 to 1; it is a third of the picture high.
pub(super) fn draw(width: u32, height: u32, progress: f64) -> RgbImage {
    let radius = f64::from(height.min(width)) / 6.0;
    let centre_x = radius * 1.5 + progress * (f64::from(width) - radius * 3.0);
    let centre_y = f64::from(height) / 2.0 + (progress * std::f64::consts::TAU).sin() * radius;
    RgbImage::from_fn(width, height, |x, y| {
        let distance = (f64::from(x) + 0.5 - centre_x).hypot(f64::from(y) + 0.5 - centre_y);
        if distance <= radius {
            return Rgb([210, 49, 21]);
        }
        // A floor and a wall, so that it is more than one flat colour.
        let shade = 150 + (y * 70 / height) as u8;
        if y * 3 > height * 2 {
            Rgb([shade - 60, shade - 50, shade - 55])
        } else {
            Rgb([shade - 20, shade - 10, shade])
        }
    })
}
