//! Circles and ellipses.

use super::wire::read_numbers;
use super::{check_finite, check_fractions};
use crate::error::{Error, Result};
use crate::json::{Cursor, Emitter, Reading};

/// A circle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circle {
    /// Centre, fraction of the width.
    pub x: f64,
    /// Centre, fraction of the height.
    pub y: f64,
    /// Radius, fraction of the width.
    pub r: f64,
    /// Vertical stretch; 1 is a circle.
    pub stretch: f64,
    /// Degrees.
    pub theta: f64,
}

impl Circle {
    const KEYS: [&str; 5] = ["x", "y", "r", "stretch", "theta"];

    /// A circle about a centre. The radius is a fraction of the image's width.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for numbers far outside the image or a negative radius.
    pub fn new(x: f64, y: f64, r: f64) -> Result<Self> {
        check_fractions([("x", x), ("y", y), ("r", r)])?;
        check_radius("r", r)?;
        Ok(Self { x, y, r, stretch: 1.0, theta: 0.0 })
    }

    pub(crate) fn check(&self) -> Result<()> {
        let Self { x, y, r, stretch, theta } = *self;
        check_finite([("x", x), ("y", y), ("r", r), ("stretch", stretch), ("theta", theta)])
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>, reading: &mut Reading) -> Result<Self> {
        let numbers = read_numbers(cursor, Self::KEYS, reading)?.or(3, 1.0).or(4, 0.0);
        let [x, y, r, stretch, theta] = numbers.required(Self::KEYS)?;
        Ok(Self { x, y, r, stretch, theta })
    }

    pub(crate) fn write(&self, out: &mut Emitter<'_>) -> Result<()> {
        out.key("circle").object(|out| {
            out.key("x").number(self.x);
            out.key("y").number(self.y);
            out.key("r").number(self.r);
            out.key("stretch").number(self.stretch);
            out.key("theta").number(self.theta);
            Ok(())
        })
    }
}

/// An ellipse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ellipse {
    /// Centre, fraction of the width.
    pub x: f64,
    /// Centre, fraction of the height.
    pub y: f64,
    /// Horizontal radius before turning.
    pub rx: f64,
    /// Vertical radius before turning.
    pub ry: f64,
    /// Degrees.
    pub theta: f64,
}

impl Ellipse {
    const KEYS: [&str; 5] = ["x", "y", "rx", "ry", "theta"];

    /// An ellipse about a centre, turned by `theta` degrees.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for numbers far outside the image or negative radii.
    pub fn new(x: f64, y: f64, rx: f64, ry: f64, theta: f64) -> Result<Self> {
        check_fractions([("x", x), ("y", y), ("rx", rx), ("ry", ry)])?;
        check_radius("rx", rx)?;
        check_radius("ry", ry)?;
        check_finite([("theta", theta)])?;
        Ok(Self { x, y, rx, ry, theta })
    }

    pub(crate) fn check(&self) -> Result<()> {
        let Self { x, y, rx, ry, theta } = *self;
        check_finite([("x", x), ("y", y), ("rx", rx), ("ry", ry), ("theta", theta)])
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>, reading: &mut Reading) -> Result<Self> {
        let numbers = read_numbers(cursor, Self::KEYS, reading)?.or(4, 0.0);
        let [x, y, rx, ry, theta] = numbers.required(Self::KEYS)?;
        Ok(Self { x, y, rx, ry, theta })
    }

    pub(crate) fn write(&self, out: &mut Emitter<'_>) -> Result<()> {
        out.key("ellipse").object(|out| {
            out.key("x").number(self.x);
            out.key("y").number(self.y);
            out.key("rx").number(self.rx);
            out.key("ry").number(self.ry);
            out.key("theta").number(self.theta);
            Ok(())
        })
    }
}

fn check_radius(field: &str, value: f64) -> Result<()> {
    if value >= 0.0 {
        Ok(())
    } else {
        Err(Error::invalid(format!("{field} is {value}, but must not be negative")))
    }
}
