//! Open lines.

use super::point::{Point, Point2d, Point3d};
use super::wire::read_point_list;
use super::{check_finite, check_fractions};
use crate::error::{Error, Result};
use crate::json::{Cursor, Emitter, Reading};

/// An open line through points that all lie on an image, or all in space.
#[derive(Debug, Clone, PartialEq)]
pub enum Polyline {
    /// On an image.
    Flat(Vec<Point2d>),
    /// In space.
    Spatial(Vec<Point3d>),
}

impl Polyline {
    /// A line on an image, from fractions.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for numbers far outside the image.
    pub fn new(points: impl Into<Vec<Point2d>>) -> Result<Self> {
        let points = points.into();
        check_fractions(points.iter().flat_map(|point| [("x", point.x), ("y", point.y)]))?;
        Ok(Self::Flat(points))
    }

    /// A line in space.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for numbers that are not finite.
    pub fn spatial(points: impl Into<Vec<Point3d>>) -> Result<Self> {
        let line = Self::Spatial(points.into());
        line.check()?;
        Ok(line)
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        match self {
            Self::Flat(points) => points.len(),
            Self::Spatial(points) => points.len(),
        }
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Self::Flat(points) => check_finite(points.iter().flat_map(|p| [("x", p.x), ("y", p.y)])),
            Self::Spatial(points) => {
                check_finite(points.iter().flat_map(|p| [("x", p.x), ("y", p.y), ("z", p.z)]))
            }
        }
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>, reading: &mut Reading) -> Result<Self> {
        let points = read_point_list(cursor, reading)?;
        let spatial = matches!(points.first(), Some(Point::Spatial(_)));
        let (mut flat, mut deep) = (Vec::new(), Vec::new());
        for point in &points {
            match *point {
                Point::Flat(point) if !spatial => flat.push(point),
                Point::Spatial(point) if spatial => deep.push(point),
                _ => return Err(Error::invalid("a polyline mixes points with and without z")),
            }
        }
        Ok(if spatial { Self::Spatial(deep) } else { Self::Flat(flat) })
    }

    pub(crate) fn write(&self, out: &mut Emitter<'_>) -> Result<()> {
        let count = self.len();
        out.key("polyline").object(|out| {
            for index in 0..count {
                let point = match self {
                    Self::Flat(points) => Point::Flat(points[index]),
                    Self::Spatial(points) => Point::Spatial(points[index]),
                };
                point.write_bare(out.number_key(index as u64))?;
            }
            Ok(())
        })
    }
}
