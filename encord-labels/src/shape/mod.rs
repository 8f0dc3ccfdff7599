//! Geometry: what one object looks like on one frame.
//!
//! One file per shape. Coordinates are fractions of the image's width and height with the origin at the top left,
//! unless a shape says otherwise. Reading accepts any finite number, because objects do stick out of images;
//! `new` constructors are strict, since numbers far outside are usually pixels passed by mistake.

mod bitmask;
mod bounding_box;
mod cuboid;
mod cuboid_2d;
mod ellipse;
mod inside;
mod kind;
mod point;
mod polygon;
mod polyline;
mod rle;
mod segmentation;
mod skeleton;
mod wire;

pub use bitmask::{Bitmask, MAX_MASK_PIXELS};
pub use bounding_box::{BoundingBox, RotatableBoundingBox};
pub use cuboid::Cuboid;
pub use cuboid_2d::{Cuboid2d, Projection};
pub use ellipse::{Circle, Ellipse};
pub use kind::ShapeKind;
pub use point::{Point, Point2d, Point3d};
pub use polygon::{Polygon, Ring};
pub use polyline::Polyline;
pub use rle::{Counts, decode_segmentation, encode_counts, encode_segmentation};
pub use segmentation::Segmentation;
pub use skeleton::{Skeleton, Vertex, Visibility};

pub(crate) use wire::{Pieces, ShapeSource, is_key_of, main_key, read_shape, write_shape, zeroed};

use crate::error::{Error, Result};

/// The geometry of one object on one frame.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Shape {
    /// An upright rectangle.
    BoundingBox(BoundingBox),
    /// A rectangle turned about its centre.
    RotatableBoundingBox(RotatableBoundingBox),
    /// One or more areas with or without holes.
    Polygon(Polygon),
    /// An open line in two or three dimensions.
    Polyline(Polyline),
    /// A point in two or three dimensions.
    Point(Point),
    /// Named vertices after a template.
    Skeleton(Skeleton),
    /// A set of pixels.
    Bitmask(Bitmask),
    /// A box in three dimensions.
    Cuboid(Box<Cuboid>),
    /// A box drawn in perspective or isometric projection.
    Cuboid2d(Box<Cuboid2d>),
    /// A circle.
    Circle(Circle),
    /// An ellipse.
    Ellipse(Ellipse),
    /// A set of points of a point cloud.
    Segmentation(Segmentation),
}

impl Shape {
    /// Which kind of object class this belongs to.
    pub fn kind(&self) -> ShapeKind {
        match self {
            Self::BoundingBox(_) => ShapeKind::BoundingBox,
            Self::RotatableBoundingBox(_) => ShapeKind::RotatableBoundingBox,
            Self::Polygon(_) => ShapeKind::Polygon,
            Self::Polyline(_) => ShapeKind::Polyline,
            Self::Point(_) => ShapeKind::Point,
            Self::Skeleton(_) => ShapeKind::Skeleton,
            Self::Bitmask(_) => ShapeKind::Bitmask,
            Self::Cuboid(_) => ShapeKind::Cuboid,
            Self::Cuboid2d(_) => ShapeKind::Cuboid2d,
            Self::Circle(_) => ShapeKind::Circle,
            Self::Ellipse(_) => ShapeKind::Ellipse,
            Self::Segmentation(_) => ShapeKind::Segmentation,
        }
    }

    /// Checks that the numbers can be written and the parts fit together.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] naming the field.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::BoundingBox(shape) => shape.check(),
            Self::RotatableBoundingBox(shape) => shape.check(),
            Self::Polygon(shape) => shape.check(),
            Self::Polyline(shape) => shape.check(),
            Self::Point(shape) => shape.check(),
            Self::Skeleton(shape) => shape.check(),
            Self::Bitmask(shape) => shape.validate(),
            Self::Cuboid(shape) => shape.check(),
            Self::Cuboid2d(shape) => shape.check(),
            Self::Circle(shape) => shape.check(),
            Self::Ellipse(shape) => shape.check(),
            Self::Segmentation(shape) => shape.check(),
        }
    }

    /// As [`Shape::check`], and the whole shape lies inside the image, as far as that can be told without knowing its
    /// size: of turned rectangles, circles and ellipses only what does not depend on it.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] naming the field and its value.
    pub fn check_inside(&self) -> Result<()> {
        self.check()?;
        check_inside(inside::reach(self, None))
    }

    /// As [`Shape::check`], and the whole shape lies inside an image of `width` × `height` pixels. A cuboid drawn in
    /// perspective may have its back and vanishing point anywhere; shapes in space lie on no image.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] naming the field and its value.
    pub fn check_inside_image(&self, width: u64, height: u64) -> Result<()> {
        self.check()?;
        let known = width > 0 && height > 0;
        check_inside(inside::reach(self, known.then(|| width as f64 / height as f64)))
    }
}

fn check_inside(fractions: Vec<(&str, f64)>) -> Result<()> {
    for (field, value) in fractions {
        // Editors write corners like 1.0000000000000002.
        if !(-1e-9..=1.0 + 1e-9).contains(&value) {
            return Err(Error::invalid(format!("{field} reaches {value}, outside of 0 to 1")));
        }
    }
    Ok(())
}

/// Checks that numbers are finite, naming the first that is not.
pub(crate) fn check_finite<'a>(fields: impl IntoIterator<Item = (&'a str, f64)>) -> Result<()> {
    match fields.into_iter().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some((field, value)) => {
            Err(Error::invalid(format!("{field} is {value}, but must be a finite number")))
        }
    }
}

/// Checks fractions given in code: numbers far outside the image are refused as a likely mix-up with pixels.
pub(crate) fn check_fractions<'a>(fields: impl IntoIterator<Item = (&'a str, f64)>) -> Result<()> {
    for (field, value) in fields {
        if !(-1.0..=2.0).contains(&value) {
            return Err(Error::invalid(format!(
                "{field} is {value}, but coordinates are fractions of the image (0 to 1); divide pixels by width and height"
            )));
        }
    }
    Ok(())
}

macro_rules! shapes_from {
    ($($variant:ident($shape:ty))*) => {$(
        impl From<$shape> for Shape {
            fn from(shape: $shape) -> Self {
                Self::$variant(shape.into())
            }
        }
    )*};
}

shapes_from! {
    BoundingBox(BoundingBox) RotatableBoundingBox(RotatableBoundingBox) Polygon(Polygon) Polyline(Polyline)
    Point(Point) Skeleton(Skeleton) Bitmask(Bitmask) Cuboid(Cuboid) Cuboid2d(Cuboid2d) Circle(Circle)
    Ellipse(Ellipse) Segmentation(Segmentation)
}
