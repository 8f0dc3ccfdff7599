//! Turning pictures upright.
//!
//! Cameras store what the sensor sees and note how it was held; a frame is what a viewer would see.

use crate::RgbArray;

/// A turn by quarters, clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    None,
    Quarter,
    Half,
    ThreeQuarters,
}

impl Turn {
    /// Reads the rotation from a display matrix: nine numbers, of which the first two give sine and cosine.
    pub(crate) fn from_display_matrix(bytes: &[u8]) -> Self {
        let number = |i: usize| -> Option<f64> {
            Some(f64::from(i32::from_ne_bytes(bytes.get(4 * i..4 * i + 4)?.try_into().ok()?)))
        };
        let (Some(a), Some(b), Some(c), Some(d)) = (number(0), number(1), number(3), number(4)) else {
            return Self::None;
        };
        let angle = (b / b.hypot(d)).atan2(a / a.hypot(c)).to_degrees();
        if !angle.is_finite() {
            return Self::None;
        }
        Self::from_degrees(angle.round() as i32)
    }

    /// A clockwise turn by so many degrees; only quarters count.
    pub(crate) fn from_degrees(degrees: i32) -> Self {
        match degrees.rem_euclid(360) {
            90 => Self::Quarter,
            180 => Self::Half,
            270 => Self::ThreeQuarters,
            _ => Self::None,
        }
    }

    /// Width and height after the turn.
    pub(crate) fn size(self, width: u32, height: u32) -> (u32, u32) {
        match self {
            Self::None | Self::Half => (width, height),
            Self::Quarter | Self::ThreeQuarters => (height, width),
        }
    }

    /// Turns a picture.
    pub(crate) fn apply(self, pixels: RgbArray) -> RgbArray {
        use ndarray::{Axis, s};
        let mut view = pixels.view();
        match self {
            Self::None => return pixels,
            Self::Half => {
                view.invert_axis(Axis(0));
                view.invert_axis(Axis(1));
            }
            Self::Quarter => {
                view.swap_axes(0, 1);
                view.slice_collapse(s![.., ..;-1, ..]);
            }
            Self::ThreeQuarters => {
                view.swap_axes(0, 1);
                view.slice_collapse(s![..;-1, .., ..]);
            }
        }
        view.as_standard_layout().into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(a: i32, b: i32, c: i32, d: i32) -> Vec<u8> {
        [a, b, 0, c, d, 0, 0, 0, 1 << 30].iter().flat_map(|number| number.to_ne_bytes()).collect()
    }

    #[test]
    fn display_matrices_are_read() {
        let one = 1 << 16;
        assert_eq!(Turn::from_display_matrix(&matrix(one, 0, 0, one)), Turn::None);
        assert_eq!(Turn::from_display_matrix(&matrix(0, one, -one, 0)), Turn::Quarter);
        assert_eq!(Turn::from_display_matrix(&matrix(-one, 0, 0, -one)), Turn::Half);
        assert_eq!(Turn::from_display_matrix(&matrix(0, -one, one, 0)), Turn::ThreeQuarters);
        assert_eq!(Turn::from_display_matrix(&matrix(0, 0, 0, 0)), Turn::None);
        assert_eq!(Turn::from_display_matrix(&[1, 2]), Turn::None);
    }

    #[test]
    fn a_quarter_turn_moves_the_left_column_to_the_top() {
        let pixels = RgbArray::from_shape_fn((2, 3, 3), |(y, x, _)| (y * 3 + x) as u8);
        let turned = Turn::Quarter.apply(pixels.clone());
        assert_eq!(turned.dim(), (3, 2, 3));
        // Clockwise: what was at the bottom left is now at the top left.
        assert_eq!([turned[[0, 0, 0]], turned[[0, 1, 0]], turned[[2, 1, 0]]], [3, 0, 2]);
        let back = Turn::ThreeQuarters.apply(turned);
        assert_eq!(back, pixels);
        assert_eq!(Turn::Half.apply(Turn::Half.apply(pixels.clone())), pixels);
    }
}
