//! Boxes drawn on an image in projection.

use super::point::Point2d;
use super::wire::read_numbers;
use super::{check_finite, check_fractions};
use crate::error::{Error, Result};
use crate::json::{Cursor, Emitter, Reading};

/// A box drawn on an image: its front face and how its depth is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Cuboid2d {
    /// Corners of the front face, as fractions.
    pub front: Vec<Point2d>,
    /// How the back face follows from the front.
    pub projection: Projection,
}

/// How the depth of a [`Cuboid2d`] is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Projection {
    /// Edges run to a vanishing point.
    Perspective {
        /// Where the edges meet.
        vanishing_point: Point2d,
        /// Size of the back face relative to the front.
        scale_ratio: f64,
    },
    /// The back face is the front moved.
    Isometric {
        /// By how much.
        offset: Point2d,
    },
}

impl Cuboid2d {
    /// A box from its front face and projection.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for corners far outside the image or numbers that are not finite.
    pub fn new(front: impl Into<Vec<Point2d>>, projection: Projection) -> Result<Self> {
        let cuboid = Self { front: front.into(), projection };
        check_fractions(cuboid.front.iter().flat_map(|point| [("front", point.x), ("front", point.y)]))?;
        cuboid.check()?;
        Ok(cuboid)
    }

    pub(crate) fn check(&self) -> Result<()> {
        check_finite(self.front.iter().flat_map(|point| [("front", point.x), ("front", point.y)]))?;
        match self.projection {
            Projection::Perspective { vanishing_point: point, scale_ratio } => check_finite([
                ("vanishingPoint.x", point.x),
                ("vanishingPoint.y", point.y),
                ("scaleRatio", scale_ratio),
            ]),
            Projection::Isometric { offset } => {
                check_finite([("offset.x", offset.x), ("offset.y", offset.y)])
            }
        }
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>, reading: &mut Reading) -> Result<Self> {
        let (mut front, mut vanishing, mut scale, mut offset) = (None, None, None, None);
        cursor.object(|cursor, key| {
            match &*key {
                "front" => {
                    let mut numbers = Vec::with_capacity(8);
                    cursor.array(|cursor, _| {
                        numbers.push(cursor.number()?);
                        Ok(())
                    })?;
                    let (pairs, rest) = numbers.as_chunks::<2>();
                    if !rest.is_empty() {
                        return Err(Error::invalid("front has an odd number of coordinates"));
                    }
                    front = Some(pairs.iter().map(|[x, y]| Point2d { x: *x, y: *y }).collect());
                }
                "vanishingPoint" => vanishing = cursor.nullable(|cursor| read_point(cursor, reading))?,
                "scaleRatio" => scale = cursor.nullable(Cursor::number)?,
                "offset" => offset = cursor.nullable(|cursor| read_point(cursor, reading))?,
                _ => {
                    reading.found_oddity();
                    cursor.skip()?;
                }
            }
            Ok(())
        })?;
        let projection = match (vanishing, offset) {
            (Some(vanishing_point), offset) => {
                if offset.is_some() {
                    reading.found_oddity();
                }
                let scale_ratio = scale.ok_or_else(|| Error::missing("scaleRatio"))?;
                Projection::Perspective { vanishing_point, scale_ratio }
            }
            (None, Some(offset)) => {
                if scale.is_some() {
                    reading.found_oddity();
                }
                Projection::Isometric { offset }
            }
            (None, None) => return Err(Error::missing("vanishingPoint")),
        };
        Ok(Self { front: front.ok_or_else(|| Error::missing("front"))?, projection })
    }

    pub(crate) fn write(&self, out: &mut Emitter<'_>) -> Result<()> {
        out.key("cuboid_2d").object(|out| {
            out.key("front").array(|out| {
                for point in &self.front {
                    out.item().number(point.x);
                    out.item().number(point.y);
                }
                Ok(())
            })?;
            match self.projection {
                Projection::Perspective { vanishing_point, scale_ratio } => {
                    write_point(out.key("vanishingPoint"), vanishing_point)?;
                    out.key("scaleRatio").number(scale_ratio);
                    Ok(())
                }
                Projection::Isometric { offset } => write_point(out.key("offset"), offset),
            }
        })
    }
}

fn read_point(cursor: &mut Cursor<'_>, reading: &mut Reading) -> Result<Point2d> {
    let [x, y] = read_numbers(cursor, ["x", "y"], reading)?.required(["x", "y"])?;
    Ok(Point2d { x, y })
}

fn write_point(out: &mut Emitter<'_>, point: Point2d) -> Result<()> {
    super::Point::Flat(point).write_bare(out)
}
