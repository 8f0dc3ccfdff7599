//! Spaces: the member files of groups and scenes.

use std::collections::HashMap;
use std::fmt;

use serde_json::{Map, Value};

use super::place::{Holds, Place};
use super::unit::{Labels, size_of};
use crate::error::{Error, Located, Result};
use crate::id::SpaceId;
use crate::json::describe;
use crate::range::FrameSet;
use crate::redact::RedactedMap;
use crate::shape::ShapeKind;

/// One member file of a group or scene.
///
/// The `Debug` form shows links without their queries, which may be signatures.
#[derive(Clone, PartialEq)]
pub struct Space {
    pub(crate) id: SpaceId,
    pub(crate) kind: SpaceKind,
    /// Everything but `labels`, in order, as it is written.
    pub(crate) facts: Map<String, Value>,
    /// What the row's metadata says about it; not written.
    pub(crate) metadata: Map<String, Value>,
    pub(crate) labels: Labels,
    /// For images of scenes: the key of its labels among those of the data unit.
    pub(crate) unit_key: Option<String>,
    /// Whether nobody declares the space: labels of a continuous scene mention it, and that is enough.
    pub(crate) implicit: bool,
}

/// The type of a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpaceKind {
    /// A video.
    Video,
    /// Images in sequence, stored as a video.
    ImageSequence,
    /// A single image.
    Image,
    /// A medical file with slices.
    MedicalFile,
    /// Several medical files, one slice each.
    MedicalStack,
    /// A PDF; frames are pages.
    Pdf,
    /// An audio file.
    Audio,
    /// A plain text file.
    Text,
    /// An HTML file.
    Html,
    /// A time series.
    TimeSeries,
    /// An image of a scene.
    SceneImage,
    /// A point cloud of a scene.
    PointCloud,
}

/// How the labels of a space are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One entry per frame.
    Frames,
    /// One set of labels.
    Flat,
    /// None: objects are ranges and live elsewhere.
    Ranges,
}

impl SpaceKind {
    const ALL: [Self; 12] = [
        Self::Video,
        Self::ImageSequence,
        Self::Image,
        Self::MedicalFile,
        Self::MedicalStack,
        Self::Pdf,
        Self::Audio,
        Self::Text,
        Self::Html,
        Self::TimeSeries,
        Self::SceneImage,
        Self::PointCloud,
    ];

    /// The name in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::ImageSequence => "image_sequence",
            Self::Image => "image",
            Self::MedicalFile => "medical_file",
            Self::MedicalStack => "medical_stack",
            Self::Pdf => "pdf",
            Self::Audio => "audio",
            Self::Text => "text",
            Self::Html => "html",
            Self::TimeSeries => "time_series",
            Self::SceneImage => "scene_image",
            Self::PointCloud => "point_cloud",
        }
    }

    pub(crate) const fn layout(self) -> Layout {
        match self {
            Self::Audio | Self::Text | Self::Html | Self::TimeSeries => Layout::Ranges,
            Self::SceneImage | Self::PointCloud => Layout::Flat,
            _ => Layout::Frames,
        }
    }

    /// Keys of the metadata that are written with the space, in order.
    const fn written(self) -> &'static [&'static str] {
        match self {
            Self::Video => &["number_of_frames", "width", "height", "data_duration", "data_fps"],
            Self::ImageSequence => &["number_of_frames", "width", "height", "frames"],
            Self::Image => &["width", "height"],
            Self::MedicalFile => &["number_of_frames", "width", "height"],
            Self::MedicalStack => &["frames"],
            Self::Pdf => &["number_of_pages"],
            Self::Audio => &["duration_ms"],
            Self::TimeSeries => &["root_info"],
            Self::Text | Self::Html => &[],
            Self::SceneImage | Self::PointCloud => &["scene_info"],
        }
    }
}

impl fmt::Display for SpaceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Space")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("facts", &RedactedMap(&self.facts))
            .field("metadata", &RedactedMap(&self.metadata))
            .finish_non_exhaustive()
    }
}

impl Space {
    /// A space from what is known about it: `facts` from the document, or else from the metadata.
    pub(crate) fn new(
        id: SpaceId,
        facts: Option<Map<String, Value>>,
        metadata: Map<String, Value>,
    ) -> Result<Self> {
        let named =
            facts.as_ref().and_then(|facts| facts.get("space_type")).or_else(|| metadata.get("space_type"));
        let kind = match named {
            Some(Value::String(name)) => SpaceKind::ALL
                .into_iter()
                .find(|kind| kind.as_str() == name)
                .ok_or_else(|| Error::unsupported("space type", name))
                .under("space_type")?,
            Some(other) => return Err(Error::wrong_type("a string", describe(other))).under("space_type"),
            None => return Err(Error::missing("space_type")),
        };
        let facts = facts.unwrap_or_else(|| {
            let mut facts = Map::new();
            facts.insert("space_type".into(), kind.as_str().into());
            for key in kind.written() {
                if let Some(value) = metadata.get(*key) {
                    facts.insert((*key).into(), value.clone());
                }
            }
            facts
        });
        Ok(Self { id, kind, facts, metadata, labels: Labels::default(), unit_key: None, implicit: false })
    }

    /// A space that exists because labels of a continuous scene mention it: point clouds are named after their
    /// stream and time, like `top@17`; everything else is a time series.
    pub(crate) fn mentioned(id: SpaceId) -> Self {
        let is_moment = |(stream, time): (&str, &str)| {
            !stream.is_empty() && !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_digit())
        };
        let point_cloud = id.as_str().rsplit_once('@').is_some_and(is_moment);
        Self {
            kind: if point_cloud { SpaceKind::PointCloud } else { SpaceKind::TimeSeries },
            facts: Map::new(),
            metadata: Map::new(),
            labels: Labels::default(),
            unit_key: point_cloud.then(|| id.to_string()),
            implicit: true,
            id,
        }
    }

    /// Its identity within the row.
    pub fn id(&self) -> &SpaceId {
        &self.id
    }

    /// Its type.
    pub fn kind(&self) -> SpaceKind {
        self.kind
    }

    /// Any fact about it, known or not, from its labels or from the row's metadata.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.facts.get(key).or_else(|| self.metadata.get(key)).filter(|value| !value.is_null())
    }

    /// Its name in the group's layout.
    pub fn layout_key(&self) -> Option<&str> {
        self.get("child_info")?.get("layout_key")?.as_str()
    }

    /// The name of its file.
    pub fn file_name(&self) -> Option<&str> {
        let named = |key| self.get(key)?.get("file_name")?.as_str();
        named("child_info").or_else(|| named("root_info"))
    }

    /// In scenes, the stream it belongs to.
    pub fn stream_id(&self) -> Option<&str> {
        self.get("scene_info")?.get("stream_id")?.as_str()
    }

    /// In scenes, its position in the stream.
    pub fn event_index(&self) -> Option<u64> {
        self.get("scene_info")?.get("event_index")?.as_u64()
    }

    /// Number of frames or pages; 1 for images, `None` for files without frames.
    pub fn number_of_frames(&self) -> Option<u64> {
        let stated = |key| self.get(key).and_then(Value::as_u64);
        match self.kind {
            SpaceKind::Image | SpaceKind::SceneImage => Some(1),
            SpaceKind::Pdf => stated("number_of_pages"),
            SpaceKind::MedicalStack => Some(self.get("frames")?.as_array()?.len() as u64),
            SpaceKind::Video | SpaceKind::ImageSequence | SpaceKind::MedicalFile => {
                stated("number_of_frames")
            }
            _ => None,
        }
    }

    /// Duration in milliseconds, for audio.
    pub fn duration_ms(&self) -> Option<u64> {
        let duration = self.get("duration_ms")?.as_f64()?;
        (duration >= 0.0).then_some(duration as u64)
    }

    /// Whether labels under this key of a scene's data unit are those of this image.
    pub(crate) fn is_unit_key(&self, key: &str) -> bool {
        if self.kind != SpaceKind::SceneImage {
            return false;
        }
        if self.id == *key {
            return true;
        }
        let Some((stream, position)) = key.rsplit_once('#') else { return false };
        let position = position.parse().ok();
        let stated = |name| self.get("scene_info")?.get(name)?.as_u64();
        self.stream_id() == Some(stream)
            && position.is_some()
            && (stated("start_frame") == position || stated("event_index") == position)
    }

    /// The key under which a scene's data unit holds the labels of this image.
    pub(crate) fn preferred_unit_key(&self) -> Option<String> {
        let info = self.get("scene_info").filter(|_| self.kind == SpaceKind::SceneImage)?;
        let position = info.get("start_frame").or_else(|| info.get("event_index"))?.as_u64()?;
        Some(format!("{}#{position}", self.stream_id()?))
    }

    pub(crate) fn place(&self) -> Place {
        let frames = self.number_of_frames();
        let last = match self.kind {
            SpaceKind::Audio => self.duration_ms(),
            _ => frames.filter(|count| *count > 0).map(|count| count - 1),
        };
        Place {
            last,
            frames: (self.kind == SpaceKind::PointCloud).then(|| FrameSet::from(0)),
            holds: match self.kind {
                SpaceKind::Audio => Holds::Ranges(ShapeKind::Audio),
                SpaceKind::TimeSeries => Holds::Ranges(ShapeKind::TimeRange),
                SpaceKind::Text | SpaceKind::Html => Holds::Ranges(ShapeKind::Text),
                SpaceKind::PointCloud => Holds::Points,
                _ => Holds::Shapes,
            },
            continuous: false,
            html: self.kind == SpaceKind::Html,
            size: size_of(&self.facts).or_else(|| size_of(&self.metadata)),
            frame_sizes: HashMap::new(),
        }
    }
}
