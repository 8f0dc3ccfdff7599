//! From outlines to pixels, row by row and without a picture in memory.

use std::ops::Range;

use geo::{BoundingRect, Coord, LineString, MultiPolygon, Polygon};
use imageproc::drawing::BresenhamLineIter;

use crate::shape::Bitmask;

/// The pixels whose centre lies inside: odd number of rings around it within one area, any of the areas.
pub(super) fn fill(areas: &MultiPolygon, width: u32, height: u32) -> Bitmask {
    let rows = areas.bounding_rect().map_or(0..0, |extent| {
        // Casting clamps to the range of the integer.
        (extent.min().y.floor().max(0.0) as u32).min(height)
            ..(extent.max().y.ceil().max(0.0) as u32).min(height)
    });
    Bitmask::from_spans(height, width, rows.flat_map(|row| row_spans(areas, row, width)))
}

/// The pixels that lines pass through. A line of one point is one pixel.
pub(super) fn draw<'a>(lines: impl IntoIterator<Item = &'a LineString>, width: u32, height: u32) -> Bitmask {
    let mut pixels = Vec::new();
    for line in lines {
        if let [only] = line.0.as_slice() {
            pixels.extend(pixel(*only, width, height));
        }
        for segment in line.lines() {
            let Some((from, to)) = clip(segment.start, segment.end, f64::from(width), f64::from(height))
            else {
                continue;
            };
            let ends = [from, to].map(|end| (end.x.floor() as f32, end.y.floor() as f32));
            for (x, y) in BresenhamLineIter::new(ends[0], ends[1]) {
                pixels.extend(pixel(Coord { x: f64::from(x), y: f64::from(y) }, width, height));
            }
        }
    }
    pixels.sort_unstable();
    Bitmask::from_spans(height, width, pixels.into_iter().map(|(row, column)| (row, column..column + 1)))
}

fn pixel(point: Coord, width: u32, height: u32) -> Option<(u32, u32)> {
    let inside =
        point.x >= 0.0 && point.y >= 0.0 && point.x < f64::from(width) && point.y < f64::from(height);
    // Inside the image both fit u32.
    inside.then_some((point.y as u32, point.x as u32))
}

/// The part of a segment inside the image, so that a line to far outside does not cost a step per pixel.
fn clip(from: Coord, to: Coord, width: f64, height: f64) -> Option<(Coord, Coord)> {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let (mut start, mut end) = (0.0f64, 1.0f64);
    for (step, room) in [(-dx, from.x), (dx, width - from.x), (-dy, from.y), (dy, height - from.y)] {
        if step == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if step < 0.0 {
            start = start.max(room / step);
        } else {
            end = end.min(room / step);
        }
    }
    let at = |share: f64| Coord { x: from.x + dx * share, y: from.y + dy * share };
    (start <= end).then(|| (at(start), at(end)))
}

fn row_spans(areas: &MultiPolygon, row: u32, width: u32) -> Vec<(u32, Range<u32>)> {
    let centre = f64::from(row) + 0.5;
    let mut spans: Vec<(u32, Range<u32>)> = Vec::new();
    for area in areas {
        let mut crossings: Vec<f64> = rings(area).flat_map(|ring| crossings(ring, centre)).collect();
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            // The first pixel centre at or right of the crossing; casting clamps at zero.
            let [from, to] = [pair[0], pair[1]].map(|x| ((x - 0.5).ceil() as u32).min(width));
            if from < to {
                spans.push((row, from..to));
            }
        }
    }
    spans.sort_by_key(|(_, columns)| columns.start);
    spans
}

fn rings(area: &Polygon) -> impl Iterator<Item = &LineString> {
    std::iter::once(area.exterior()).chain(area.interiors())
}

/// Where the edges of a ring cross the horizontal line at `y`.
fn crossings(ring: &LineString, y: f64) -> impl Iterator<Item = f64> + '_ {
    ring.lines().filter(move |edge| (edge.start.y <= y) != (edge.end.y <= y)).map(move |edge| {
        edge.start.x + (y - edge.start.y) / (edge.end.y - edge.start.y) * (edge.end.x - edge.start.x)
    })
}
