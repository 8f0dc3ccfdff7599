//! The kinds of object classes an ontology can have.

use std::fmt;

use crate::error::{Error, Result};

/// What objects of a class look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ShapeKind {
    /// An upright rectangle.
    BoundingBox,
    /// A rectangle turned about its centre.
    RotatableBoundingBox,
    /// Areas with or without holes.
    Polygon,
    /// An open line.
    Polyline,
    /// A point.
    Point,
    /// Named vertices after a template.
    Skeleton,
    /// A set of pixels.
    Bitmask,
    /// A box in three dimensions.
    Cuboid,
    /// A box drawn in projection.
    Cuboid2d,
    /// A circle.
    Circle,
    /// An ellipse.
    Ellipse,
    /// A set of points of a point cloud.
    Segmentation,
    /// Ranges of an audio file, in milliseconds.
    Audio,
    /// Ranges of a time series.
    TimeRange,
    /// Ranges of a plain text or HTML file.
    Text,
}

impl ShapeKind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::BoundingBox,
        Self::RotatableBoundingBox,
        Self::Polygon,
        Self::Polyline,
        Self::Point,
        Self::Skeleton,
        Self::Bitmask,
        Self::Cuboid,
        Self::Cuboid2d,
        Self::Circle,
        Self::Ellipse,
        Self::Segmentation,
        Self::Audio,
        Self::TimeRange,
        Self::Text,
    ];

    /// The name in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BoundingBox => "bounding_box",
            Self::RotatableBoundingBox => "rotatable_bounding_box",
            Self::Polygon => "polygon",
            Self::Polyline => "polyline",
            Self::Point => "point",
            Self::Skeleton => "skeleton",
            Self::Bitmask => "bitmask",
            Self::Cuboid => "cuboid",
            Self::Cuboid2d => "cuboid_2d",
            Self::Circle => "circle",
            Self::Ellipse => "ellipse",
            Self::Segmentation => "segmentation",
            Self::Audio => "audio",
            Self::TimeRange => "time_range",
            Self::Text => "text",
        }
    }

    /// Whether objects of this kind are ranges of a file instead of shapes on frames.
    pub const fn is_range(self) -> bool {
        matches!(self, Self::Audio | Self::TimeRange | Self::Text)
    }

    pub(crate) fn parse(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| Error::unsupported("shape", name))
    }
}

impl fmt::Display for ShapeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for ShapeKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::parse(name)
    }
}
