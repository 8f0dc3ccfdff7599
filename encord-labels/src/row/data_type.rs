//! The types of data a label row can be about.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// The type of a data row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataType {
    /// A video, or an image sequence stored as one.
    Video,
    /// A single image.
    Image,
    /// Several images, one frame each.
    ImageGroup,
    /// A DICOM series.
    Dicom,
    /// Several DICOM series.
    DicomStudy,
    /// A NIfTI volume.
    Nifti,
    /// An audio file.
    Audio,
    /// A time series.
    TimeSeries,
    /// A plain text or HTML file.
    PlainText,
    /// A PDF; frames are pages.
    Pdf,
    /// A group of other files, each in a space.
    Group,
    /// A scene of point clouds and images.
    Scene,
}

impl DataType {
    const ALL: [Self; 12] = [
        Self::Video,
        Self::Image,
        Self::ImageGroup,
        Self::Dicom,
        Self::DicomStudy,
        Self::Nifti,
        Self::Audio,
        Self::TimeSeries,
        Self::PlainText,
        Self::Pdf,
        Self::Group,
        Self::Scene,
    ];

    /// The name in label documents. Listings use upper case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Image => "image",
            Self::ImageGroup => "img_group",
            Self::Dicom => "dicom",
            Self::DicomStudy => "dicom_study",
            Self::Nifti => "nifti",
            Self::Audio => "audio",
            Self::TimeSeries => "time_series",
            Self::PlainText => "plain_text",
            Self::Pdf => "pdf",
            Self::Group => "group",
            Self::Scene => "scene",
        }
    }

    /// Whether objects are drawn on frames; if not, they are ranges of the file.
    pub const fn has_frames(self) -> bool {
        !matches!(self, Self::Audio | Self::TimeSeries | Self::PlainText)
    }

    /// Whether a unit's labels are one set instead of one per frame.
    pub(crate) const fn is_flat(self) -> bool {
        matches!(self, Self::Image | Self::ImageGroup | Self::Group)
    }

    /// Whether frames past the stated number are allowed.
    pub(crate) const fn is_open_ended(self) -> bool {
        matches!(self, Self::Dicom | Self::DicomStudy | Self::Scene | Self::Group)
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DataType {
    type Err = Error;

    /// Reads the name in lower or upper case.
    fn from_str(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|data_type| data_type.as_str().eq_ignore_ascii_case(name))
            .ok_or_else(|| Error::unsupported("data type", name))
    }
}
