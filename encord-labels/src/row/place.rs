//! What a row allows where: how many frames the file and its spaces have.

use std::collections::HashMap;

use super::data_type::DataType;
use crate::error::{Error, Result};
use crate::id::SpaceId;
use crate::range::Frame;

/// The limits of a row, shared by all its objects.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Places {
    pub(crate) root: Place,
    pub(crate) spaces: HashMap<SpaceId, Place>,
}

/// The limits of one file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Place {
    /// Last frame, if there is a limit.
    pub(crate) last: Option<Frame>,
    /// Whether objects are drawn on frames; if not they are ranges.
    pub(crate) has_frames: bool,
    /// Whether positions are events on a time line.
    pub(crate) continuous: bool,
    /// Whether ranges are those of an HTML file.
    pub(crate) html: bool,
    /// Height and width in pixels.
    pub(crate) size: Option<(u64, u64)>,
}

impl Place {
    /// The limits of a row's own file.
    pub(crate) fn of_row(data_type: DataType, frames: Option<u64>, size: Option<(u64, u64)>) -> Self {
        let limited = data_type.has_frames() && !data_type.is_open_ended();
        Self {
            last: frames.filter(|count| limited && *count > 0).map(|count| count - 1),
            has_frames: data_type.has_frames(),
            continuous: false,
            html: false,
            size,
        }
    }

    /// Checks that a position exists.
    #[inline]
    pub(crate) fn check(&self, frame: Frame) -> Result<()> {
        match self.last {
            Some(last) if frame > last => Err(Error::out_of_bounds(frame, last)),
            _ => Ok(()),
        }
    }
}
