//! Sets of points of a point cloud.

use std::ops::RangeInclusive;

use super::rle;
use crate::error::Result;

/// Which points of a point cloud belong to an object, kept as the run-length string of documents.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Segmentation(Box<str>);

impl Segmentation {
    /// From sorted, separate, inclusive ranges of point indices.
    ///
    /// # Errors
    /// [`Error::InvalidValue`](crate::Error::InvalidValue) if the ranges are not in order or overlap.
    pub fn from_ranges(ranges: impl IntoIterator<Item = RangeInclusive<u64>>) -> Result<Self> {
        let ranges: Vec<_> = ranges.into_iter().collect();
        rle::encode_segmentation(&ranges).map(Self::from_rle)
    }

    /// From the string of a document; use [`Segmentation::ranges`] to find out whether it can be decoded.
    pub fn from_rle(rle: impl Into<Box<str>>) -> Self {
        Self(rle.into())
    }

    /// The run-length string.
    pub fn rle(&self) -> &str {
        &self.0
    }

    /// The inclusive ranges of point indices.
    ///
    /// # Errors
    /// [`Error::InvalidValue`](crate::Error::InvalidValue) if the string is malformed.
    pub fn ranges(&self) -> Result<Vec<RangeInclusive<u64>>> {
        rle::decode_segmentation(&self.0)
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.ranges().map(|_| ())
    }
}
