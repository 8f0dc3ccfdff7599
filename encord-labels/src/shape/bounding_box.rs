//! Upright and turned rectangles.

use super::wire::read_numbers;
use super::{check_finite, check_fractions};
use crate::error::{Error, Result};
use crate::json::{Cursor, Emitter, Reading};

/// An upright rectangle. All numbers are fractions of the image's width and height.
///
/// ```
/// use encord_labels::shape::BoundingBox;
/// let car = BoundingBox::from_pixels(64.0, 24.0, 32.0, 12.0, 640, 480)?;
/// assert_eq!(car, BoundingBox::new(0.1, 0.05, 0.05, 0.025)?);
/// # Ok::<(), encord_labels::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoundingBox {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl BoundingBox {
    const KEYS: [&str; 4] = ["h", "w", "x", "y"];

    /// A box from its left and top edge, width and height, as fractions.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for numbers far outside the image, and for a negative width or height.
    pub fn new(x: f64, y: f64, w: f64, h: f64) -> Result<Self> {
        check_fractions([("x", x), ("y", y), ("w", w), ("h", h)])?;
        if let Some((field, value)) = [("w", w), ("h", h)].into_iter().find(|(_, value)| *value < 0.0) {
            return Err(Error::invalid(format!("{field} is {value}, but must not be negative")));
        }
        Ok(Self { x, y, w, h })
    }

    /// A box from pixels of an image of `width` × `height`.
    ///
    /// # Errors
    /// As [`BoundingBox::new`]; also for an image without pixels.
    pub fn from_pixels(x: f64, y: f64, w: f64, h: f64, width: u32, height: u32) -> Result<Self> {
        let (width, height) = (f64::from(width), f64::from(height));
        Self::new(x / width, y / height, w / width, h / height)
    }

    pub(crate) fn check(&self) -> Result<()> {
        check_finite([("x", self.x), ("y", self.y), ("w", self.w), ("h", self.h)])
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>, reading: &mut Reading) -> Result<Self> {
        let numbers = read_numbers(cursor, Self::KEYS, reading)?;
        let [h, w, x, y] = numbers.required(Self::KEYS)?;
        Ok(Self { x, y, w, h })
    }

    pub(crate) fn write(&self, out: &mut Emitter<'_>) -> Result<()> {
        out.key("boundingBox").object(|out| {
            out.key("h").number(self.h);
            out.key("w").number(self.w);
            out.key("x").number(self.x);
            out.key("y").number(self.y);
            Ok(())
        })
    }
}

/// A rectangle turned by `theta` degrees about its centre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RotatableBoundingBox {
    /// Left edge before turning, fraction of the width.
    pub x: f64,
    /// Top edge before turning, fraction of the height.
    pub y: f64,
    /// Width before turning, fraction of the width.
    pub w: f64,
    /// Height before turning, fraction of the height.
    pub h: f64,
    /// Degrees, clockwise on screen.
    pub theta: f64,
}

impl RotatableBoundingBox {
    const KEYS: [&str; 5] = ["h", "w", "x", "y", "theta"];

    /// A box turned by `theta` degrees.
    ///
    /// # Errors
    /// As [`BoundingBox::new`]; also for an angle that is not finite.
    pub fn new(upright: BoundingBox, theta: f64) -> Result<Self> {
        let BoundingBox { x, y, w, h } = BoundingBox::new(upright.x, upright.y, upright.w, upright.h)?;
        check_finite([("theta", theta)])?;
        Ok(Self { x, y, w, h, theta })
    }

    /// The rectangle before turning.
    pub fn upright(&self) -> BoundingBox {
        BoundingBox { x: self.x, y: self.y, w: self.w, h: self.h }
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.upright().check()?;
        check_finite([("theta", self.theta)])
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>, reading: &mut Reading) -> Result<Self> {
        let numbers = read_numbers(cursor, Self::KEYS, reading)?;
        let [h, w, x, y, theta] = numbers.required(Self::KEYS)?;
        Ok(Self { x, y, w, h, theta })
    }

    pub(crate) fn write(&self, out: &mut Emitter<'_>) -> Result<()> {
        out.key("rotatableBoundingBox").object(|out| {
            out.key("h").number(self.h);
            out.key("w").number(self.w);
            out.key("x").number(self.x);
            out.key("y").number(self.y);
            out.key("theta").number(self.theta);
            Ok(())
        })
    }
}
