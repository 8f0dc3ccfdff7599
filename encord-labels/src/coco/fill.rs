//! Filling outlines the way the platform's own exporter does.
//!
//! Areas with holes, and several areas of one object, go into COCO as a picture. The exporter draws it with
//! OpenCV after cutting all coordinates to whole pixels: inside and outline are set, then the holes are cleared
//! together with their outlines, larger areas first. To agree with it pixel by pixel, this draws the same way;
//! [`Region::rasterise`](crate::geometry::Region::rasterise) is the better picture of the shape.

use geo::{Area, Coord, LineString, MultiPolygon, Polygon};

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
    ordered.sort_by(|a, b| size(b).total_cmp(&size(a)));
    for area in ordered {
        canvas.fill(area.exterior(), true);
        for hole in area.interiors() {
            canvas.fill(hole, false);
        }
    }
    Bitmask::from_pixels(&canvas.pixels, height, width)
}

/// What orders the areas: the outline without its holes, which is negative if they are larger.
fn size(area: &Polygon) -> f64 {
    let of_ring = |ring: &LineString| Polygon::new(ring.clone(), Vec::new()).unsigned_area();
    of_ring(area.exterior()) - area.interiors().iter().map(of_ring).sum::<f64>()
}

/// A pixel by column and row.
type Point = (i64, i64);

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
        let points: Vec<Point> = ring.0.iter().map(whole).collect();
        let mut edges = Vec::new();
        for pair in points.windows(2) {
            edges.extend(self.side(pair[0], pair[1], value));
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
                let (from, to) = ((pair[0] + (1 << SHIFT) - 1) >> SHIFT, pair[1] >> SHIFT);
                for x in from.max(0)..=to.min(self.width as i64 - 1) {
                    self.set(x, row, value);
                }
            }
        }
    }

    /// Draws a side, and gives the edge it is for filling. Sides that leave the canvas are cut first, and then their
    /// slope is that of the part inside.
    fn side(&mut self, a: Point, b: Point, value: bool) -> Option<Edge> {
        let limits = (self.width as i64 - 1, self.height as i64 - 1);
        let (from, to, visible) = clip(a, b, limits);
        if visible {
            self.line(from, to, value);
        }
        if a.1 == b.1 {
            return None;
        }
        let inside = |(x, y): Point| (0..=limits.0).contains(&x) && (0..=limits.1).contains(&y);
        let (mut start, mut end) = (a, b);
        if !(inside(a) && inside(b)) {
            (start.0, end.0) = (from.0, to.0);
            if from.1 != to.1 {
                (start.1, end.1) = (from.1, to.1);
            }
        }
        (start.0, end.0) = (start.0 << SHIFT, end.0 << SHIFT);
        let slope = (end.0 - start.0) / (end.1 - start.1);
        let at = |row: i64, (x, y): Point| x + (row - y) * slope;
        Some(if a.1 < b.1 {
            Edge { top: a.1, bottom: b.1, x: at(a.1, start), slope }
        } else {
            Edge { top: b.1, bottom: a.1, x: at(b.1, end), slope }
        })
    }

    /// One pixel per step along the longer direction, from left to right.
    fn line(&mut self, a: Point, b: Point, value: bool) {
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

/// The part of a side between `(0, 0)` and `limits`, by whole pixels, and whether there is any.
fn clip(mut a: Point, mut b: Point, limits: Point) -> (Point, Point, bool) {
    let beyond = |value: i64, limit: i64| if value < 0 { -1 } else { i64::from(value > limit) };
    // Moves a point along the side until its coordinate is `to`; truncating, as integers divide.
    let along = |from: i64, to: i64, at: i64, rise: i64, run: i64| {
        at + ((to - from) as f64 * rise as f64 / run as f64) as i64
    };
    let sides = |p: Point| (beyond(p.0, limits.0), beyond(p.1, limits.1));
    let apart = |p: (i64, i64), q: (i64, i64)| (p.0 != 0 && p.0 == q.0) || (p.1 != 0 && p.1 == q.1);
    if apart(sides(a), sides(b)) {
        return (a, b, false);
    }
    if sides(a).1 != 0 {
        let edge = if sides(a).1 < 0 { 0 } else { limits.1 };
        a = (along(a.1, edge, a.0, b.0 - a.0, b.1 - a.1), edge);
    }
    if sides(b).1 != 0 {
        let edge = if sides(b).1 < 0 { 0 } else { limits.1 };
        b = (along(b.1, edge, b.0, b.0 - a.0, b.1 - a.1), edge);
    }
    if apart(sides(a), sides(b)) {
        return (a, b, false);
    }
    if sides(a).0 != 0 {
        let edge = if sides(a).0 < 0 { 0 } else { limits.0 };
        a = (edge, along(a.0, edge, a.1, b.1 - a.1, b.0 - a.0));
    }
    if sides(b).0 != 0 {
        let edge = if sides(b).0 < 0 { 0 } else { limits.0 };
        b = (edge, along(b.0, edge, b.1, b.1 - a.1, b.0 - a.0));
    }
    (a, b, true)
}

/// Cuts a point to whole pixels. Points farther out than OpenCV's integers reach are moved closer.
fn whole(point: &Coord) -> Point {
    let limit = f64::from(1 << 30);
    (point.x.clamp(-limit, limit) as i64, point.y.clamp(-limit, limit) as i64)
}
