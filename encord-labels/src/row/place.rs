//! What a row allows where: how many frames the file and its spaces have.

use std::collections::HashMap;

use super::data_type::DataType;
use super::metadata::LabelRowMetadata;
use crate::error::{Error, Result};
use crate::id::SpaceId;
use crate::range::Frame;
use crate::shape::Shape;

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
    /// Height and width of frames that have their own.
    pub(crate) frame_sizes: HashMap<Frame, (u64, u64)>,
}

/// The id of the space that is the row itself, in rows that have one.
pub(crate) const ROOT_SPACE: &str = "root";

impl Places {
    /// Whether the row itself is one of its spaces, as in images of several layers.
    pub(crate) fn has_root_space(&self) -> bool {
        self.spaces.contains_key(ROOT_SPACE)
    }
}

impl Place {
    /// The limits of a row's own file.
    pub(crate) fn of_row(data_type: DataType, metadata: &LabelRowMetadata) -> Self {
        let frames = metadata.number_of_frames().filter(|count| *count > 0).map(|count| count - 1);
        let last = match data_type {
            // Positions are milliseconds. Some listings count samples as frames, which is never less.
            DataType::Audio => metadata
                .duration()
                .filter(|seconds| *seconds > 0.0)
                .map(|seconds| ((seconds * 1000.0).ceil() as Frame).max(frames.unwrap_or(0))),
            _ if data_type.has_frames() && !data_type.is_open_ended() => frames,
            _ => None,
        };
        Self { last, has_frames: data_type.has_frames(), ..Self::default() }
    }

    /// The last frame, for files that have frames.
    pub(crate) fn last_frame(&self) -> Option<Frame> {
        self.last.filter(|_| self.has_frames)
    }

    /// Checks that a position exists.
    #[inline]
    pub(crate) fn check(&self, frame: Frame) -> Result<()> {
        match self.last {
            Some(last) if frame > last => Err(Error::out_of_bounds(frame, last)),
            _ => Ok(()),
        }
    }

    /// Checks that a mask has the size of its frame.
    pub(crate) fn check_mask(&self, shape: &Shape, frame: Frame) -> Result<()> {
        let Shape::Bitmask(mask) = shape else { return Ok(()) };
        let size = (u64::from(mask.height()), u64::from(mask.width()));
        match self.frame_sizes.get(&frame).copied().or(self.size) {
            Some(expected) if expected != size => Err(Error::mismatch(
                format!("the frame {frame}"),
                format!("a mask of {} x {} pixels", expected.0, expected.1),
                format!("one of {} x {}", size.0, size.1),
            )),
            _ => Ok(()),
        }
    }
}
