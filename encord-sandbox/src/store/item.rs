//! Storage items: files and the things made of several files.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::clock::Moment;

/// What a storage item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ItemKind {
    Image,
    ImageGroup,
    ImageSequence,
    Video,
    Audio,
    PlainText,
    Pdf,
    DicomFile,
    DicomSeries,
    Nifti,
    #[serde(alias = "timeseries")]
    TimeSeries,
    Group,
    Scene,
}

impl ItemKind {
    const WIRE: [(Self, &'static str); 13] = [
        (Self::Image, "image"),
        (Self::ImageGroup, "imageGroup"),
        (Self::ImageSequence, "imageSequence"),
        (Self::Video, "video"),
        (Self::Audio, "audio"),
        (Self::PlainText, "plainText"),
        (Self::Pdf, "pdf"),
        (Self::DicomFile, "dicomFile"),
        (Self::DicomSeries, "dicomSeries"),
        (Self::Nifti, "nifti"),
        (Self::TimeSeries, "timeseries"),
        (Self::Group, "group"),
        (Self::Scene, "scene"),
    ];

    /// The spelling of the storage API.
    pub(crate) fn wire(self) -> &'static str {
        Self::WIRE.iter().find(|(kind, _)| *kind == self).map_or("image", |(_, wire)| wire)
    }

    pub(crate) fn from_wire(text: &str) -> Option<Self> {
        Self::WIRE.iter().find(|(_, wire)| *wire == text).map(|(kind, _)| *kind)
    }

    /// The spelling of label documents; listings spell it in upper case.
    /// An image sequence is a video as far as labels are concerned.
    pub(crate) fn data_type(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::ImageGroup => "img_group",
            Self::ImageSequence | Self::Video => "video",
            Self::Audio => "audio",
            Self::PlainText => "plain_text",
            Self::Pdf => "pdf",
            Self::DicomFile | Self::DicomSeries => "dicom",
            Self::Nifti => "nifti",
            Self::TimeSeries => "time_series",
            Self::Group => "group",
            Self::Scene => "scene",
        }
    }

    /// Whether the item itself has bytes to download. A scene's files are asked
    /// for in another way.
    pub(crate) fn has_bytes(self) -> bool {
        !matches!(self, Self::ImageGroup | Self::DicomSeries | Self::Group | Self::Scene)
    }
}

/// What is known about the bytes of an item.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Facts {
    pub(crate) mime: Option<String>,
    /// Bytes.
    pub(crate) size: Option<u64>,
    /// Pixels.
    pub(crate) width: Option<u32>,
    /// Pixels.
    pub(crate) height: Option<u32>,
    /// Seconds.
    pub(crate) duration: Option<f64>,
    pub(crate) fps: Option<f64>,
    /// Frames of a video, pages of a document, slices of a volume.
    pub(crate) frames: Option<u64>,
    /// Hertz.
    pub(crate) sample_rate: Option<u32>,
    pub(crate) channels: Option<u32>,
    pub(crate) bit_depth: Option<u32>,
    pub(crate) codec: Option<String>,
    pub(crate) dicom_study: Option<String>,
    pub(crate) dicom_series: Option<String>,
    pub(crate) dicom_instance: Option<String>,
}

/// Where the bytes of an item are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bytes {
    /// Nowhere: a group of other items, or an upload that has not happened.
    None,
    /// A file that belongs to the user.
    File(PathBuf),
    /// In a cloud, where nobody here looks.
    Remote(String),
    /// Made when asked for; always the same for the same numbers.
    GeneratedImage { width: u32, height: u32, number: u64 },
}

/// One storage item.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) uuid: Uuid,
    pub(crate) folder: Uuid,
    pub(crate) kind: ItemKind,
    pub(crate) name: String,
    pub(crate) description: Arc<str>,
    /// A JSON object as text. Shared, since generated items all have the same.
    pub(crate) client_metadata: Option<Arc<str>>,
    /// Shared, since generated items all have the same.
    pub(crate) facts: Arc<Facts>,
    pub(crate) bytes: Bytes,
    /// Frames of a group, slices of a series, members of a data group, in order.
    pub(crate) children: Vec<Uuid>,
    /// Names of the places of a data group's members, parallel to `children`.
    pub(crate) layout_keys: Vec<String>,
    pub(crate) owner: Arc<str>,
    /// Boxed, since hardly any item has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) extras: Option<Box<Extras>>,
    pub(crate) created_at: Moment,
    pub(crate) last_edited_at: Moment,
}

impl Item {
    /// The unsigned name of the item's bytes.
    pub(crate) fn plain_link(&self) -> String {
        match &self.bytes {
            Bytes::Remote(url) => url.clone(),
            _ => format!("encord-store/{}", self.uuid),
        }
    }

    /// The extras, to change them.
    pub(crate) fn extras_mut(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    pub(crate) fn scene(&self) -> Option<&Value> {
        self.extras.as_ref()?.scene.as_ref()
    }
}

/// What only few kinds of items have, as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Extras {
    /// The cloud integration through which the item was registered.
    pub(crate) integration: Option<Uuid>,
    /// How a data group is arranged: the layout, its settings and the timeline.
    pub(crate) layout: Option<Value>,
    pub(crate) layout_settings: Option<Value>,
    pub(crate) timeline: Vec<String>,
    /// How a time series is drawn.
    pub(crate) timeseries_settings: Option<Value>,
    /// The description of a scene.
    pub(crate) scene: Option<Value>,
}
