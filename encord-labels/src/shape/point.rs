//! Points, alone and as parts of other shapes.

use super::wire::read_numbers;
use super::{check_finite, check_fractions};
use crate::error::{Error, Result};
use crate::json::{Cursor, Emitter, Reading};

/// A point on an image, in fractions of its width and height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point2d {
    /// Fraction of the width.
    pub x: f64,
    /// Fraction of the height.
    pub y: f64,
}

impl Point2d {
    /// A point from fractions.
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }
}

/// A point in space, in the units of the scene.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point3d {
    /// First coordinate.
    pub x: f64,
    /// Second coordinate.
    pub y: f64,
    /// Third coordinate.
    pub z: f64,
}

impl Point3d {
    /// A point from its coordinates.
    pub const fn new(x: f64, y: f64, z: f64) -> Self {
        Self { x, y, z }
    }
}

/// A labelled point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Point {
    /// On an image.
    Flat(Point2d),
    /// In space.
    Spatial(Point3d),
}

impl Point {
    /// A point on an image, from fractions.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for numbers far outside the image.
    pub fn new(x: f64, y: f64) -> Result<Self> {
        check_fractions([("x", x), ("y", y)])?;
        Ok(Self::Flat(Point2d { x, y }))
    }

    /// A point in space.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for numbers that are not finite.
    pub fn spatial(x: f64, y: f64, z: f64) -> Result<Self> {
        let point = Self::Spatial(Point3d { x, y, z });
        point.check()?;
        Ok(point)
    }

    pub(crate) fn check(&self) -> Result<()> {
        match *self {
            Self::Flat(Point2d { x, y }) => check_finite([("x", x), ("y", y)]),
            Self::Spatial(Point3d { x, y, z }) => check_finite([("x", x), ("y", y), ("z", z)]),
        }
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>, reading: &mut Reading) -> Result<Self> {
        let mut point = None;
        cursor.object(|cursor, key| {
            if key == "0" {
                point = Some(Self::read_bare(cursor, reading)?);
            } else {
                reading.found_oddity();
                cursor.skip()?;
            }
            Ok(())
        })?;
        point.ok_or_else(|| Error::missing("0"))
    }

    /// Reads `{"x":…, "y":…}` with or without `"z"`.
    pub(crate) fn read_bare(cursor: &mut Cursor<'_>, reading: &mut Reading) -> Result<Self> {
        let numbers = read_numbers(cursor, ["x", "y", "z"], reading)?;
        if numbers.has(2) {
            let [x, y, z] = numbers.required(["x", "y", "z"])?;
            return Ok(Self::Spatial(Point3d { x, y, z }));
        }
        let [x, y, _] = numbers.or(2, 0.0).required(["x", "y", "z"])?;
        Ok(Self::Flat(Point2d { x, y }))
    }

    pub(crate) fn write_bare(&self, out: &mut Emitter<'_>) -> Result<()> {
        out.object(|out| {
            let (x, y, z) = match *self {
                Self::Flat(Point2d { x, y }) => (x, y, None),
                Self::Spatial(Point3d { x, y, z }) => (x, y, Some(z)),
            };
            out.key("x").number(x);
            out.key("y").number(y);
            if let Some(z) = z {
                out.key("z").number(z);
            }
            Ok(())
        })
    }

    pub(crate) fn write(&self, out: &mut Emitter<'_>) -> Result<()> {
        out.key("point").object(|out| self.write_bare(out.key("0")))
    }
}
