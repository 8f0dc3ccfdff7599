//! Areas with or without holes.

use super::point::{Point, Point2d};
use super::wire::read_point_list;
use super::{check_finite, check_fractions};
use crate::error::{Error, Located, Result};
use crate::json::{Cursor, Emitter, Reading};

/// A closed line; the last point is joined with the first.
pub type Ring = Vec<Point2d>;

/// One or more areas. Each has an outline, its first ring, and any number of holes, its other rings.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon {
    areas: Vec<Vec<Ring>>,
}

impl Polygon {
    /// A single area without holes, from fractions.
    ///
    /// ```
    /// use encord_labels::shape::{Point2d, Polygon};
    /// let triangle = Polygon::new([Point2d::new(0.1, 0.1), Point2d::new(0.9, 0.1), Point2d::new(0.5, 0.9)])?;
    /// assert_eq!(triangle.outline().len(), 3);
    /// # Ok::<(), encord_labels::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidValue`] without points, or for numbers far outside the image.
    pub fn new(outline: impl Into<Ring>) -> Result<Self> {
        Self::with_areas(vec![vec![outline.into()]])
    }

    /// Several areas, each an outline followed by its holes.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if the first outline has no points, or for numbers far outside the image.
    pub fn with_areas(areas: Vec<Vec<Ring>>) -> Result<Self> {
        let polygon = Self { areas };
        check_fractions(polygon.points().flat_map(|point| [("x", point.x), ("y", point.y)]))?;
        polygon.check()?;
        Ok(polygon)
    }

    /// The areas; in each the outline comes first, then the holes.
    pub fn areas(&self) -> &[Vec<Ring>] {
        &self.areas
    }

    /// The outline of the first area.
    pub fn outline(&self) -> &[Point2d] {
        self.areas.first().and_then(|rings| rings.first()).map_or(&[], Vec::as_slice)
    }

    /// Whether there is one area without holes.
    pub fn is_simple(&self) -> bool {
        self.areas.len() == 1 && self.areas[0].len() == 1
    }

    /// All points of all rings.
    pub fn points(&self) -> impl Iterator<Item = Point2d> + '_ {
        self.areas.iter().flatten().flatten().copied()
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.outline().is_empty() {
            return Err(Error::invalid("a polygon needs at least one point in its first outline"));
        }
        check_finite(self.points().flat_map(|point| [("x", point.x), ("y", point.y)]))
    }

    /// Reads the `polygon` form: one ring.
    pub(crate) fn read_ring(cursor: &mut Cursor<'_>, reading: &mut Reading) -> Result<Ring> {
        let points = read_point_list(cursor, reading)?;
        points
            .into_iter()
            .map(|point| match point {
                Point::Flat(point) => Ok(point),
                Point::Spatial(point) => {
                    reading.found_oddity();
                    Ok(Point2d { x: point.x, y: point.y })
                }
            })
            .collect()
    }

    /// Reads the `polygons` form: areas of rings of alternating coordinates.
    pub(crate) fn read_areas(cursor: &mut Cursor<'_>) -> Result<Vec<Vec<Ring>>> {
        let mut areas = Vec::new();
        cursor.array(|cursor, _| {
            let mut rings = Vec::new();
            cursor.array(|cursor, _| {
                let mut ring = Ring::new();
                let mut pending = None;
                cursor.array(|cursor, _| {
                    let number = cursor.number()?;
                    match pending.take() {
                        None => pending = Some(number),
                        Some(x) => ring.push(Point2d { x, y: number }),
                    }
                    Ok(())
                })?;
                if pending.is_some() {
                    return Err(Error::invalid("a ring has an odd number of coordinates"));
                }
                rings.push(ring);
                Ok(())
            })?;
            areas.push(rings);
            Ok(())
        })?;
        Ok(areas)
    }

    /// Joins both wire forms. `areas` wins where they differ.
    pub(crate) fn from_wire(
        ring: Option<Ring>,
        areas: Option<Vec<Vec<Ring>>>,
        reading: &mut Reading,
    ) -> Result<Self> {
        let polygon = match (ring, areas) {
            (ring, Some(areas))
                if areas.first().and_then(|rings| rings.first()).is_some_and(|r| !r.is_empty()) =>
            {
                let polygon = Self { areas };
                if ring.is_none_or(|ring| ring != polygon.outline()) {
                    reading.found_oddity();
                }
                polygon
            }
            (Some(ring), areas) => {
                if areas.is_some_and(|areas| !areas.is_empty()) {
                    return Err(Error::invalid("the first area of a polygon has no points"))
                        .under("polygons");
                }
                reading.found_oddity();
                Self { areas: vec![vec![ring]] }
            }
            (None, Some(_)) => {
                return Err(Error::invalid("the first area of a polygon has no points")).under("polygons");
            }
            (None, None) => return Err(Error::missing("polygon")),
        };
        polygon.check()?;
        Ok(polygon)
    }

    pub(crate) fn write(&self, out: &mut Emitter<'_>) -> Result<()> {
        out.key("polygon").object(|out| {
            for (index, point) in self.outline().iter().enumerate() {
                Point::Flat(*point).write_bare(out.number_key(index as u64))?;
            }
            Ok(())
        })?;
        out.key("polygons").array(|out| {
            for rings in &self.areas {
                out.item().array(|out| {
                    rings.iter().try_for_each(|ring| {
                        out.item().array(|out| {
                            for point in ring {
                                out.item().number(point.x);
                                out.item().number(point.y);
                            }
                            Ok(())
                        })
                    })
                })?;
            }
            Ok(())
        })
    }
}
