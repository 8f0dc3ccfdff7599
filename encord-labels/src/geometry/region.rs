//! One shape on one image, in pixels.

use std::ops::Range;

use geo::{Area, BooleanOps, BoundingRect, Coord, CoordsIter, Intersects, LineString, MultiPolygon, Rect};

use super::outline::Scale;
use super::raster;
use crate::error::{Error, Result};
use crate::shape::{Bitmask, Point, Point2d, Polyline, Shape};

/// A shape on an image of known size.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    width: u32,
    height: u32,
    extent: Extent,
}

#[derive(Debug, Clone, PartialEq)]
enum Extent {
    Areas(MultiPolygon),
    Line(LineString),
    Points(Vec<Coord>),
    Mask(Bitmask),
}

/// An upright rectangle in pixels; it may reach beyond the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rectangle {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// Rows and columns of an image, ready to slice an array with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PixelBox {
    /// Rows, from the top.
    pub rows: Range<u32>,
    /// Columns, from the left.
    pub columns: Range<u32>,
}

/// Coordinates above this many pixels are refused.
const FARTHEST: f64 = 1e9;

impl Region {
    pub(super) fn new(shape: &Shape, width: u32, height: u32) -> Result<Self> {
        let scale = Scale { width: f64::from(width), height: f64::from(height) };
        let extent = match shape {
            Shape::BoundingBox(b) => Extent::Areas(scale.upright(b)),
            Shape::RotatableBoundingBox(b) => Extent::Areas(scale.turned(b)),
            Shape::Polygon(polygon) => Extent::Areas(scale.areas(polygon.areas())),
            Shape::Circle(circle) => Extent::Areas(scale.circle(circle)),
            Shape::Ellipse(ellipse) => Extent::Areas(scale.ellipse(ellipse)),
            Shape::Cuboid2d(cuboid) => Extent::Areas(scale.cuboid(cuboid)),
            Shape::Polyline(Polyline::Flat(points)) => Extent::Line(scale.line(points)),
            Shape::Point(Point::Flat(point)) => Extent::Points(vec![scale.point(*point)]),
            Shape::Skeleton(skeleton) => Extent::Points(
                skeleton.vertices.iter().map(|v| scale.point(Point2d { x: v.x, y: v.y })).collect(),
            ),
            Shape::Bitmask(mask) => Extent::Mask(checked_mask(mask, width, height)?),
            _ => return Err(Error::invalid(format!("a {} does not lie on an image", shape.kind()))),
        };
        let region = Self { width, height, extent };
        // Beyond this, differences between neighbouring floats outgrow pixels and sums outgrow floats.
        let far = region.coordinates().find(|c| !(c.x.abs() <= FARTHEST && c.y.abs() <= FARTHEST));
        match far {
            None => Ok(region),
            Some(Coord { x, y }) => Err(Error::invalid(format!(
                "the corner at ({x}, {y}) is too far outside of the image of {width} x {height} pixels"
            ))),
        }
    }

    fn coordinates(&self) -> Box<dyn Iterator<Item = Coord> + '_> {
        match &self.extent {
            Extent::Areas(areas) => Box::new(areas.coords_iter()),
            Extent::Line(line) => Box::new(line.coords_iter()),
            Extent::Points(points) => Box::new(points.iter().copied()),
            Extent::Mask(_) => Box::new(std::iter::empty()),
        }
    }

    /// Width and height of the image, in pixels.
    pub fn image_size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Area in square pixels. Holes do not count, parts outside of the image do; lines and points have none.
    pub fn area(&self) -> f64 {
        match &self.extent {
            Extent::Areas(areas) => areas.unsigned_area(),
            Extent::Line(_) | Extent::Points(_) => 0.0,
            // The mask was checked when the region was made.
            Extent::Mask(mask) => mask.area().map_or(0.0, |pixels| pixels as f64),
        }
    }

    /// The smallest upright rectangle around the shape; `None` if there is nothing to surround.
    pub fn bounding_box(&self) -> Option<Rectangle> {
        let rectangle = |extent: Rect| Rectangle {
            x: extent.min().x,
            y: extent.min().y,
            width: extent.width(),
            height: extent.height(),
        };
        match &self.extent {
            Extent::Areas(areas) => areas.bounding_rect().map(rectangle),
            Extent::Line(line) => line.bounding_rect().map(rectangle),
            Extent::Points(points) => LineString(points.clone()).bounding_rect().map(rectangle),
            Extent::Mask(mask) => mask.bounding_box().ok().flatten().map(|(rows, columns)| Rectangle {
                x: f64::from(columns.start),
                y: f64::from(rows.start),
                width: f64::from(columns.end - columns.start),
                height: f64::from(rows.end - rows.start),
            }),
        }
    }

    /// The whole pixels around the shape, cut to the image: what to slice out of it. `None` if the shape is empty
    /// or lies outside. Lines and points get the pixels they lie in.
    pub fn crop(&self) -> Option<PixelBox> {
        self.crop_with_margin(0)
    }

    /// As [`Region::crop`], with `margin` more pixels on every side where the image has them.
    pub fn crop_with_margin(&self, margin: u32) -> Option<PixelBox> {
        let b = self.bounding_box()?;
        let columns = whole(b.x, b.x + b.width, self.width)?;
        let rows = whole(b.y, b.y + b.height, self.height)?;
        let wider = |range: Range<u32>, limit: u32| {
            range.start.saturating_sub(margin)..range.end.saturating_add(margin).min(limit)
        };
        Some(PixelBox { rows: wider(rows, self.height), columns: wider(columns, self.width) })
    }

    /// Whether the point is inside or on the edge. Masks look at the pixel the point lies in; lines and points
    /// contain nothing but their own points.
    pub fn contains(&self, x: f64, y: f64) -> bool {
        let point = Coord { x, y };
        match &self.extent {
            Extent::Areas(areas) => areas.intersects(&point),
            Extent::Line(line) => line.intersects(&point),
            Extent::Points(points) => points.contains(&point),
            Extent::Mask(mask) => {
                let inside = x >= 0.0 && y >= 0.0 && x < f64::from(self.width) && y < f64::from(self.height);
                inside && mask.contains(y as u32, x as u32).unwrap_or(false)
            }
        }
    }

    /// Intersection over union of the areas, between 0 and 1. As soon as one of the two is a mask, both are
    /// compared pixel by pixel. Regions without area have 0.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if the images differ in size.
    pub fn iou(&self, other: &Self) -> Result<f64> {
        if self.image_size() != other.image_size() {
            return Err(Error::invalid(format!(
                "the regions lie on images of {:?} and {:?} pixels (width, height)",
                self.image_size(),
                other.image_size()
            )));
        }
        match (&self.extent, &other.extent) {
            (Extent::Areas(a), Extent::Areas(b)) => {
                let shared = a.intersection(b).unsigned_area();
                let union = a.union(b).unsigned_area();
                Ok(if union > 0.0 { (shared / union).clamp(0.0, 1.0) } else { 0.0 })
            }
            (Extent::Areas(_) | Extent::Mask(_), Extent::Areas(_) | Extent::Mask(_)) => {
                Ok(self.rasterise().iou(&other.rasterise())?)
            }
            _ => Ok(0.0),
        }
    }

    /// The pixels of the shape: those whose centre is inside, for lines those it passes through, for points those
    /// they lie in. Needs memory for the runs only, not for the picture.
    pub fn rasterise(&self) -> Bitmask {
        match &self.extent {
            Extent::Areas(areas) => raster::fill(areas, self.width, self.height),
            Extent::Line(line) => raster::draw([line], self.width, self.height),
            Extent::Points(points) => {
                let dots: Vec<LineString> = points.iter().map(|point| LineString(vec![*point])).collect();
                raster::draw(&dots, self.width, self.height)
            }
            Extent::Mask(mask) => mask.clone(),
        }
    }
}

fn checked_mask(mask: &Bitmask, width: u32, height: u32) -> Result<Bitmask> {
    if (mask.width(), mask.height()) != (width, height) {
        return Err(Error::invalid(format!(
            "the mask has {} x {} pixels, the image {width} x {height}",
            mask.width(),
            mask.height()
        )));
    }
    mask.validate()?;
    Ok(mask.clone())
}

/// The pixels between two edges, at least one, cut to `0..limit`.
fn whole(from: f64, to: f64, limit: u32) -> Option<Range<u32>> {
    // Edges that should be whole come out of fractions like 49.99999999999999.
    const ROUNDING: f64 = 1e-6;
    let start = (from + ROUNDING).floor();
    let end = (to - ROUNDING).ceil().max(start + 1.0);
    // Casting clamps to the range of the integer.
    let range = (start.max(0.0) as u32)..(end.max(0.0) as u32).min(limit);
    (range.start < range.end).then_some(range)
}
