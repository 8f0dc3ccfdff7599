//! Filling outlines the way the platform's own exporter does.
//!
//! Areas with holes, and several areas of one object, go into COCO as a picture. The exporter draws it with
//! OpenCV after cutting all coordinates to whole pixels: inside and outline are set, then the holes are cleared
//! together with their outlines, larger areas first. To agree with it pixel by pixel, this draws the same way;
//! [`Region::rasterise`](crate::geometry::Region::rasterise) is the better picture of the shape.

use geo::{Area, Coord, LineString, MultiPolygon};

use crate::error::{Error, Result};
use crate::shape::{Bitmask, MAX_MASK_PIXELS};

/// Fractional bits of a position along a row.
const SHIFT: u32 = 16;

/// Draws areas in pixel coordinates onto an image of the given size.
pub(super) fn fill(areas: &MultiPolygon, width: u32, height: u32) -> Result<Bitmask> {
    if u64::from(width) * u64::from(height) > MAX_MASK_PIXELS {
        return Err(Error::invalid(format!(
            "an image of {width} x {height} pixels is above the limit of {MAX_MASK_PIXELS} pixels"
        )));
    }
    let mut canvas = Canvas {
        width: width as usize,
        height: height as usize,
        pixels: vec![false; width as usize * height as usize],
    };
    let mut ordered: Vec<_> = areas.iter().collect();
    ordered.sort_by(|a, b| b.unsigned_area().total_cmp(&a.unsigned_area()));
    for area in ordered {
        canvas.fill(area.exterior(), true);
        for hole in area.interiors() {
            canvas.fill(hole, false);
        }
    }
    Bitmask::from_pixels(&canvas.pixels, height, width)
}

struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<bool>,
}

/// A side of an outline that is not level: rows `top..bottom`, and where it is on the first of them.
struct Edge {
    top: i64,
    bottom: i64,
    x: i64,
    slope: i64,
}

impl Canvas {
    fn fill(&mut self, ring: &LineString, value: bool) {
        let points: Vec<(i64, i64)> = ring.0.iter().map(whole).collect();
        let mut edges = Vec::new();
        for pair in points.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            self.line(a, b, value);
            let (upper, lower) = if a.1 < b.1 { (a, b) } else { (b, a) };
            if upper.1 < lower.1 {
                let half = 1 << (SHIFT - 1);
                let slope = ((lower.0 - upper.0) << SHIFT) / (lower.1 - upper.1);
                edges.push(Edge { top: upper.1, bottom: lower.1, x: (upper.0 << SHIFT) + half, slope });
            }
        }
        let first = edges.iter().map(|edge| edge.top).min().unwrap_or(0).max(0);
        let last = edges.iter().map(|edge| edge.bottom).max().unwrap_or(0).min(self.height as i64);
        for row in first..last {
            let mut crossings: Vec<i64> = edges
                .iter()
                .filter(|edge| (edge.top..edge.bottom).contains(&row))
                .map(|edge| edge.x + (row - edge.top) * edge.slope)
                .collect();
            crossings.sort_unstable();
            for pair in crossings.chunks_exact(2) {
                let (from, to) = (pair[0] >> SHIFT, pair[1] >> SHIFT);
                for x in from.max(0)..=to.min(self.width as i64 - 1) {
                    self.set(x, row, value);
                }
            }
        }
    }

    /// One pixel per step along the longer direction, from left to right.
    fn line(&mut self, a: (i64, i64), b: (i64, i64), value: bool) {
        let (from, to) = if a.0 <= b.0 { (a, b) } else { (b, a) };
        let (dx, dy) = (to.0 - from.0, (to.1 - from.1).abs());
        let down = if to.1 < from.1 { -1 } else { 1 };
        let (long, short) = (dx.max(dy), dx.min(dy));
        let mut error = long - 2 * short;
        let (mut x, mut y) = from;
        for _ in 0..=long {
            self.set(x, y, value);
            let both = error < 0;
            error += if both { 2 * (long - short) } else { -2 * short };
            if dx >= dy || both {
                x += 1;
            }
            if dx < dy || both {
                y += down;
            }
        }
    }

    fn set(&mut self, x: i64, y: i64, value: bool) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x < self.width && y < self.height {
            self.pixels[y * self.width + x] = value;
        }
    }
}

/// Cuts a point to whole pixels. Points far outside are moved closer, which keeps the steps of a line bounded.
fn whole(point: &Coord) -> (i64, i64) {
    let limit = f64::from(1 << 17);
    (point.x.clamp(-limit, limit) as i64, point.y.clamp(-limit, limit) as i64)
}
