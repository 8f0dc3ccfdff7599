//! What a row allows where: how many frames the file and its spaces have.

use std::collections::HashMap;

use super::data_type::DataType;
use super::metadata::LabelRowMetadata;
use crate::error::{Error, Result};
use crate::id::SpaceId;
use crate::range::{Frame, FrameSet};
use crate::shape::{Shape, ShapeKind};

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
    /// The frames that can be drawn on, where they are not just all up to the last.
    pub(crate) frames: Option<FrameSet>,
    /// What its objects are.
    pub(crate) holds: Holds,
    /// Whether positions are events on a time line.
    pub(crate) continuous: bool,
    /// Whether ranges are those of an HTML file.
    pub(crate) html: bool,
    /// Height and width in pixels.
    pub(crate) size: Option<(u64, u64)>,
    /// Height and width of frames that have their own.
    pub(crate) frame_sizes: HashMap<Frame, (u64, u64)>,
}

/// What the objects of a file are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Shapes on frames.
    #[default]
    Shapes,
    /// Points of a point cloud.
    Points,
    /// Ranges of the file, of one kind of classes.
    Ranges(ShapeKind),
    /// Nothing that is understood: labels are kept as they came, so nothing can be added to them.
    Unknown,
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
        let holds = match data_type {
            DataType::Audio => Holds::Ranges(ShapeKind::Audio),
            DataType::TimeSeries => Holds::Ranges(ShapeKind::TimeRange),
            DataType::PlainText => Holds::Ranges(ShapeKind::Text),
            DataType::DicomStudy => Holds::Unknown,
            _ => Holds::Shapes,
        };
        // Documents have one place for the shapes of these; an image group learns its images when they are read.
        let frames = match data_type {
            DataType::Image | DataType::Group => Some(FrameSet::from(0)),
            DataType::ImageGroup => Some(FrameSet::new()),
            _ => None,
        };
        Self { last, frames, holds, ..Self::default() }
    }

    /// Whether objects lie on frames; if not they are ranges.
    pub(crate) fn has_frames(&self) -> bool {
        !matches!(self.holds, Holds::Ranges(_))
    }

    /// The last frame, for files that have frames.
    pub(crate) fn last_frame(&self) -> Option<Frame> {
        self.last.filter(|_| self.has_frames())
    }

    /// Checks that a position exists.
    #[inline]
    pub(crate) fn check(&self, frame: Frame) -> Result<()> {
        match self.last {
            Some(last) if frame > last => Err(Error::out_of_bounds(frame, last)),
            _ => Ok(()),
        }
    }

    /// Checks that positions exist and that a document has a place for what is drawn there.
    pub(crate) fn check_frames(&self, frames: &FrameSet) -> Result<()> {
        let Some(last) = frames.last() else { return Ok(()) };
        self.check(last)?;
        let Some(drawable) = &self.frames else { return Ok(()) };
        let mut others = frames.clone();
        others.remove(drawable);
        match (others.first(), drawable.last()) {
            (None, _) => Ok(()),
            (Some(frame), Some(last)) if frame > last => Err(Error::out_of_bounds(frame, last)),
            (Some(frame), _) => Err(Error::conflict(format!("there is no image for the frame {frame}"))),
        }
    }

    /// Checks that objects of a kind of classes can lie on the file.
    pub(crate) fn check_kind(&self, kind: ShapeKind) -> Result<()> {
        let (file, expected) = match self.holds {
            Holds::Unknown => {
                return Err(Error::conflict(
                    "labels of DICOM studies are kept as they came, nothing can be added to them",
                ));
            }
            Holds::Ranges(expected) if kind != expected => {
                ("a file without frames", format!("objects of the shape {expected}"))
            }
            Holds::Points if kind != ShapeKind::Segmentation => {
                ("a point cloud", format!("objects of the shape {}", ShapeKind::Segmentation))
            }
            Holds::Shapes if kind.is_range() || kind == ShapeKind::Segmentation => {
                ("a file with frames", "shapes on frames".to_owned())
            }
            _ => return Ok(()),
        };
        Err(Error::mismatch(file, expected, format!("objects of the shape {kind}")))
    }

    /// Height and width of a frame in pixels, if known.
    pub(crate) fn size_on(&self, frame: Frame) -> Option<(u64, u64)> {
        self.frame_sizes.get(&frame).copied().or(self.size)
    }

    /// Checks that a mask has the size of its frame.
    pub(crate) fn check_mask(&self, shape: &Shape, frame: Frame) -> Result<()> {
        let Shape::Bitmask(mask) = shape else { return Ok(()) };
        let size = (u64::from(mask.height()), u64::from(mask.width()));
        match self.size_on(frame) {
            Some(expected) if expected != size => Err(Error::mismatch(
                format!("the frame {frame}"),
                format!("a mask of {} x {} pixels", expected.0, expected.1),
                format!("one of {} x {}", size.0, size.1),
            )),
            _ => Ok(()),
        }
    }
}
