//! From pixels back to outlines.

use imageproc::contours::{BorderType, Contour, find_contours};
use imageproc::image::{GrayImage, Luma};

use crate::error::{Error, Result};
use crate::shape::{Bitmask, MAX_MASK_PIXELS, Point2d, Polygon, Ring};

/// The outlines of the connected parts of a mask, as fractions of its size.
///
/// Rings run through the outermost pixels and name them by column and row, as OpenCV's contours do, so a part of
/// a single pixel becomes a ring of one point and filled outlines come out half a pixel smaller on each side. Points
/// on straight runs are left out. `None` if no pixel is set.
///
/// # Errors
/// [`Error::InvalidValue`] if the mask is damaged or above [`MAX_MASK_PIXELS`](crate::shape::MAX_MASK_PIXELS).
pub fn trace(mask: &Bitmask) -> Result<Option<Polygon>> {
    // The search misses what touches the edge of its picture, so the mask gets a margin of one pixel.
    let (width, height) = (u64::from(mask.width()) + 2, u64::from(mask.height()) + 2);
    if width * height > MAX_MASK_PIXELS {
        return Err(Error::invalid(format!(
            "tracing a mask of {} x {} pixels is above the limit of {MAX_MASK_PIXELS} pixels",
            mask.height(),
            mask.width()
        )));
    }
    let mut image = GrayImage::new(mask.width() + 2, mask.height() + 2);
    for span in mask.spans() {
        let (row, columns) = span?;
        columns.for_each(|column| image.put_pixel(column + 1, row + 1, Luma([255])));
    }
    let contours: Vec<Contour<u32>> = find_contours(&image);
    let (width, height) = (f64::from(mask.width()), f64::from(mask.height()));
    let ring = |contour: &Contour<u32>| -> Ring {
        corners(contour).map(|(x, y)| Point2d { x: f64::from(x) / width, y: f64::from(y) / height }).collect()
    };
    let mut areas = Vec::new();
    let mut home = vec![usize::MAX; contours.len()];
    for (index, contour) in contours.iter().enumerate() {
        if contour.border_type == BorderType::Outer {
            home[index] = areas.len();
            areas.push(vec![ring(contour)]);
        }
    }
    for contour in &contours {
        let parent = contour.parent.filter(|_| contour.border_type == BorderType::Hole);
        if let Some(rings) = parent.and_then(|parent| areas.get_mut(home[parent])) {
            rings.push(ring(contour));
        }
    }
    if areas.is_empty() { Ok(None) } else { Polygon::with_areas(areas).map(Some) }
}

/// The points of a closed contour where its direction changes.
fn corners(contour: &Contour<u32>) -> impl Iterator<Item = (u32, u32)> + '_ {
    let points = &contour.points;
    let count = points.len();
    let step = move |from: usize, to: usize| {
        let (from, to) = (points[from % count], points[to % count]);
        (i64::from(to.x) - i64::from(from.x), i64::from(to.y) - i64::from(from.y))
    };
    (0..count)
        .filter(move |index| count <= 2 || step(index + count - 1, *index) != step(*index, index + 1))
        .map(move |index| (points[index].x - 1, points[index].y - 1))
}
