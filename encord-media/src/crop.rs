//! Cutting the part of a picture that a labelled shape covers.
//!
//! Coordinates are relative as in labels: 0 is the left or upper edge of the picture, 1 the right or lower one.
//! A pixel belongs to a shape if its centre does. What a shape leaves out of its upright box is black.

use ndarray::{Array2, ArrayView2, s};

use crate::RgbArray;
use crate::error::{Error, Result};

/// An upright box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rectangle {
    /// Left edge, 0 to 1.
    pub x: f64,
    /// Upper edge, 0 to 1.
    pub y: f64,
    /// Width, 0 to 1.
    pub width: f64,
    /// Height, 0 to 1.
    pub height: f64,
}

/// Cuts out a box. Its edges are rounded to whole pixels and kept inside the picture.
///
/// ```
/// use encord_media::crop::{Rectangle, to_box};
///
/// let pixels = encord_media::RgbArray::zeros((100, 200, 3));
/// let part = to_box(&pixels, Rectangle { x: 0.5, y: 0.0, width: 0.25, height: 0.5 })?;
/// assert_eq!(part.dim(), (50, 50, 3));
/// # Ok::<(), encord_media::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::InvalidArgument`] if no pixel of the picture lies in it.
pub fn to_box(pixels: &RgbArray, shape: Rectangle) -> Result<RgbArray> {
    let (height, width, _) = pixels.dim();
    let edge = |value: f64, size: usize| (value * size as f64).round().clamp(0.0, size as f64) as usize;
    let (left, right) = (edge(shape.x, width), edge(shape.x + shape.width, width));
    let (top, bottom) = (edge(shape.y, height), edge(shape.y + shape.height, height));
    if left >= right || top >= bottom {
        return Err(nothing("box", format_args!("{shape:?} covers no pixel of {width} x {height}")));
    }
    Ok(pixels.slice(s![top..bottom, left..right, ..]).to_owned())
}

/// Cuts out a box that is turned around its centre by so many degrees clockwise, and turns it upright.
///
/// # Errors
///
/// [`Error::InvalidArgument`] if the box has no size or its numbers make no sense.
pub fn to_rotated_box(pixels: &RgbArray, shape: Rectangle, degrees: f64) -> Result<RgbArray> {
    let (height, width, _) = pixels.dim();
    let (columns, rows) = ((shape.width * width as f64).round(), (shape.height * height as f64).round());
    let limit = 4.0 * width.max(height) as f64;
    if !(columns >= 1.0 && rows >= 1.0 && columns <= limit && rows <= limit && degrees.is_finite()) {
        return Err(nothing("box", format_args!("{shape:?} turned by {degrees} degrees covers no pixel")));
    }
    let center_x = (shape.x + shape.width / 2.0) * width as f64;
    let center_y = (shape.y + shape.height / 2.0) * height as f64;
    let (sin, cos) = degrees.to_radians().sin_cos();
    Ok(RgbArray::from_shape_fn((rows as usize, columns as usize, 3), |(row, column, channel)| {
        let (right, down) = (column as f64 + 0.5 - columns / 2.0, row as f64 + 0.5 - rows / 2.0);
        let x = (center_x + right * cos - down * sin).floor();
        let y = (center_y + right * sin + down * cos).floor();
        if x < 0.0 || y < 0.0 || x >= width as f64 || y >= height as f64 {
            return 0;
        }
        pixels[[y as usize, x as usize, channel]]
    }))
}

/// Cuts out a polygon, given by its corners; where it crosses itself the even-odd rule holds.
///
/// # Errors
///
/// [`Error::InvalidArgument`] if it has fewer than three corners or covers no pixel.
pub fn to_polygon(pixels: &RgbArray, corners: &[(f64, f64)]) -> Result<RgbArray> {
    if corners.len() < 3 || corners.iter().any(|(x, y)| !(x.is_finite() && y.is_finite())) {
        return Err(nothing("polygon", format_args!("{} corners make no area", corners.len())));
    }
    let (height, width, _) = pixels.dim();
    let mut mask = Array2::from_elem((height, width), false);
    let corner = |index: usize| {
        let (x, y) = corners[index % corners.len()];
        (x * width as f64, y * height as f64)
    };
    let mut crossings = Vec::new();
    for (row, mut line) in mask.outer_iter_mut().enumerate() {
        let y = row as f64 + 0.5;
        crossings.clear();
        for index in 0..corners.len() {
            let ((x0, y0), (x1, y1)) = (corner(index), corner(index + 1));
            if (y0 <= y) != (y1 <= y) {
                crossings.push(x0 + (y - y0) / (y1 - y0) * (x1 - x0));
            }
        }
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.as_chunks::<2>().0 {
            // The first and the last pixel whose centre lies between the two crossings.
            let first = (pair[0] - 0.5).ceil().clamp(0.0, width as f64) as usize;
            let end = (pair[1] - 0.5).ceil().clamp(0.0, width as f64) as usize;
            line.slice_mut(s![first..end.max(first)]).fill(true);
        }
    }
    to_bitmask(pixels, mask.view())
}

/// Cuts out the pixels where a mask of the picture's size is true.
///
/// # Errors
///
/// [`Error::InvalidArgument`] if the mask has another size or is nowhere true.
pub fn to_bitmask(pixels: &RgbArray, mask: ArrayView2<'_, bool>) -> Result<RgbArray> {
    let (height, width, _) = pixels.dim();
    if mask.dim() != (height, width) {
        return Err(nothing(
            "mask",
            format_args!("{:?} is not the size [{height}, {width}] of the picture", mask.dim()),
        ));
    }
    let (mut top, mut bottom, mut left, mut right) = (height, 0, width, 0);
    for ((row, column), _) in mask.indexed_iter().filter(|(_, covered)| **covered) {
        (top, bottom) = (top.min(row), bottom.max(row + 1));
        (left, right) = (left.min(column), right.max(column + 1));
    }
    if top >= bottom {
        return Err(nothing("mask", format_args!("it covers no pixel of {width} x {height}")));
    }
    let mut part = pixels.slice(s![top..bottom, left..right, ..]).to_owned();
    let mask = mask.slice(s![top..bottom, left..right]);
    for ((row, column, _), value) in part.indexed_iter_mut() {
        if !mask[[row, column]] {
            *value = 0;
        }
    }
    Ok(part)
}

fn nothing(argument: &'static str, reason: std::fmt::Arguments<'_>) -> Error {
    Error::InvalidArgument { argument, reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pixel tells its row and column.
    fn picture() -> RgbArray {
        RgbArray::from_shape_fn((10, 20, 3), |(row, column, channel)| [row as u8, column as u8, 7][channel])
    }

    const MIDDLE: Rectangle = Rectangle { x: 0.25, y: 0.2, width: 0.5, height: 0.6 };

    #[test]
    fn a_box_is_cut_where_it_lies() {
        let part = to_box(&picture(), MIDDLE).unwrap();
        assert_eq!(part.dim(), (6, 10, 3));
        assert_eq!((part[[0, 0, 0]], part[[0, 0, 1]]), (2, 5));
        let outside = Rectangle { x: 1.5, ..MIDDLE };
        assert!(to_box(&picture(), outside).is_err());
        assert!(to_box(&picture(), Rectangle { width: f64::NAN, ..MIDDLE }).is_err());
    }

    #[test]
    fn a_box_turned_by_nothing_is_a_box() {
        assert_eq!(to_rotated_box(&picture(), MIDDLE, 0.0).unwrap(), to_box(&picture(), MIDDLE).unwrap());
        let half = to_rotated_box(&picture(), MIDDLE, 180.0).unwrap();
        let upright = to_box(&picture(), MIDDLE).unwrap();
        assert_eq!(half.slice(s![..;-1, ..;-1, ..]), upright);
    }

    #[test]
    fn an_upright_polygon_is_a_box() {
        let corners = [(0.25, 0.2), (0.75, 0.2), (0.75, 0.8), (0.25, 0.8)];
        assert_eq!(to_polygon(&picture(), &corners).unwrap(), to_box(&picture(), MIDDLE).unwrap());
        assert!(to_polygon(&picture(), &corners[..2]).is_err());
    }

    #[test]
    fn a_triangle_leaves_its_other_half_black() {
        let part = to_polygon(&picture(), &[(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]).unwrap();
        assert_eq!(part[[0, 0, 2]], 7);
        assert_eq!(part[[9, 18, 2]], 0);
    }

    #[test]
    fn a_mask_of_another_size_is_refused() {
        let mask = Array2::from_elem((10, 19), true);
        assert!(to_bitmask(&picture(), mask.view()).is_err());
        assert!(to_bitmask(&picture(), Array2::from_elem((10, 20), false).view()).is_err());
    }
}
