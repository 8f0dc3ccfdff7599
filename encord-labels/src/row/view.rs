//! Looking at a row: its facts, its frames, and filtered lists.

use serde_json::{Map, Value};

use super::LabelRow;
use super::annotation::Annotation;
use super::classification::ClassificationInstance;
use super::data_type::DataType;
use super::object::ObjectInstance;
use super::space::{Space, SpaceKind};
use crate::error::{Error, Result};
use crate::id::SpaceId;
use crate::range::{Frame, FrameSet};

/// One frame of a row.
#[derive(Debug, Clone, Copy)]
pub struct FrameView<'r> {
    row: &'r LabelRow,
    frame: Frame,
}

impl LabelRow {
    /// The type of the data.
    pub fn data_type(&self) -> DataType {
        self.content.as_deref().map_or(self.metadata.data_type(), |content| content.data_type)
    }

    /// Any field of the document that holds no labels, known or not; `None` also before the labels are there.
    pub fn fact(&self, key: &str) -> Option<&Value> {
        self.content.as_deref()?.head.get(key).filter(|value| !value.is_null())
    }

    /// The label row's hash as the document spells it.
    pub fn label_hash(&self) -> Option<&str> {
        self.fact("label_hash").or_else(|| self.metadata.get("label_hash")).and_then(Value::as_str)
    }

    /// The files of the row in order, each as everything the document says about it but its labels: `data_hash`,
    /// `data_title`, `data_type` (a MIME type), `width`, the `metadata` of a DICOM series, and so on.
    ///
    /// # Errors
    /// [`Error::NotInitialised`].
    pub fn data_units(&self) -> Result<impl Iterator<Item = &Map<String, Value>>> {
        Ok(self.content()?.units.iter().map(|unit| &unit.facts))
    }

    /// Objects of one class, named by feature hash.
    ///
    /// # Errors
    /// [`Error::NotInitialised`].
    pub fn objects_of(&self, feature_hash: impl AsRef<str>) -> Result<impl Iterator<Item = &ObjectInstance>> {
        Ok(self.objects()?.filter(move |object| *object.class.feature_hash() == *feature_hash.as_ref()))
    }

    /// Objects on any of some frames; objects of spaces are not among them.
    ///
    /// # Errors
    /// [`Error::NotInitialised`].
    pub fn objects_on(&self, frames: impl Into<FrameSet>) -> Result<impl Iterator<Item = &ObjectInstance>> {
        let frames = frames.into();
        Ok(self.objects()?.filter(move |object| object.is_on_any(&frames)))
    }

    /// Classifications of one class, named by feature hash.
    ///
    /// # Errors
    /// [`Error::NotInitialised`].
    pub fn classifications_of(
        &self,
        feature_hash: impl AsRef<str>,
    ) -> Result<impl Iterator<Item = &ClassificationInstance>> {
        Ok(self
            .classifications()?
            .filter(move |instance| *instance.class.feature_hash() == *feature_hash.as_ref()))
    }

    /// One frame.
    ///
    /// # Errors
    /// [`Error::NotInitialised`]; [`Error::OutOfBounds`]; [`Error::Conflict`] for data without frames.
    pub fn frame(&self, frame: Frame) -> Result<FrameView<'_>> {
        let root = &self.content()?.places.root;
        if !root.has_frames() || root.continuous {
            return Err(Error::conflict(format!("data of the type {} has no frames", self.data_type())));
        }
        root.check(frame)?;
        Ok(FrameView { row: self, frame })
    }

    /// Every frame the data has, as many as the listing states; one if it states no number, as for images.
    ///
    /// # Errors
    /// As [`LabelRow::frame`].
    pub fn frames(&self) -> Result<impl Iterator<Item = FrameView<'_>>> {
        if self.metadata.number_of_frames() != Some(0) {
            self.frame(0)?;
        }
        let count = self.metadata.number_of_frames().unwrap_or(1);
        Ok((0..count).map(|frame| FrameView { row: self, frame }))
    }

    /// The frame of an image group's image.
    ///
    /// # Errors
    /// [`Error::NotInitialised`]; [`Error::NotFound`].
    pub fn frame_of_image(&self, data_hash: &str) -> Result<Frame> {
        let units = &self.content()?.units;
        units
            .iter()
            .find(|unit| unit.data_hash() == data_hash)
            .map(|unit| unit.sequence)
            .ok_or_else(|| Error::not_found("image", data_hash, units.iter().map(|unit| unit.data_hash())))
    }

    /// The space with an id.
    ///
    /// # Errors
    /// [`Error::NotInitialised`]; [`Error::NotFound`].
    pub fn space(&self, id: impl AsRef<str>) -> Result<&Space> {
        let spaces = &self.content()?.spaces;
        spaces
            .get(id.as_ref())
            .ok_or_else(|| Error::not_found("space", id.as_ref(), spaces.keys().map(SpaceId::as_str)))
    }

    /// The space of a group by its name in the layout.
    ///
    /// # Errors
    /// [`Error::NotInitialised`]; [`Error::NotFound`].
    pub fn space_by_layout_key(&self, layout_key: &str) -> Result<&Space> {
        self.find_space("space with the layout key", layout_key, Space::layout_key)
    }

    /// The first space by the name of its file.
    ///
    /// # Errors
    /// [`Error::NotInitialised`]; [`Error::NotFound`].
    pub fn space_by_file_name(&self, file_name: &str) -> Result<&Space> {
        self.find_space("space with the file name", file_name, Space::file_name)
    }

    /// The image or point cloud of a scene, by its stream and its position there.
    ///
    /// # Errors
    /// [`Error::NotInitialised`]; [`Error::NotFound`].
    pub fn scene_space(&self, kind: SpaceKind, stream_id: &str, event_index: u64) -> Result<&Space> {
        let wanted = |space: &&Space| {
            space.kind() == kind
                && space.stream_id() == Some(stream_id)
                && space.event_index().unwrap_or(0) == event_index
        };
        self.spaces()?.find(wanted).ok_or_else(|| {
            let streams: Vec<&str> =
                self.spaces().into_iter().flatten().filter_map(Space::stream_id).collect();
            Error::not_found("space of the stream", stream_id, streams)
        })
    }

    /// Objects on a space.
    ///
    /// # Errors
    /// [`Error::NotInitialised`].
    pub fn objects_on_space(&self, id: &SpaceId) -> Result<impl Iterator<Item = &ObjectInstance>> {
        Ok(self.objects()?.filter(move |object| object.space_ids().any(|other| other == id)))
    }

    /// Classifications of a space.
    ///
    /// # Errors
    /// [`Error::NotInitialised`].
    pub fn classifications_on_space(
        &self,
        id: &SpaceId,
    ) -> Result<impl Iterator<Item = &ClassificationInstance>> {
        Ok(self.classifications()?.filter(move |instance| instance.space_ids().any(|other| other == id)))
    }

    fn find_space(
        &self,
        what: &'static str,
        name: &str,
        named: impl Fn(&Space) -> Option<&str>,
    ) -> Result<&Space> {
        let spaces = &self.content()?.spaces;
        spaces
            .values()
            .find(|space| named(space) == Some(name))
            .ok_or_else(|| Error::not_found(what, name, spaces.values().filter_map(&named)))
    }
}

impl ObjectInstance {
    /// Whether the object is on any of some frames.
    pub fn is_on_any(&self, frames: &FrameSet) -> bool {
        let Some(track) = self.root.track() else { return frames.contains(0) };
        frames.ranges().iter().any(|range| {
            let next = match track.position(range.start) {
                Ok(_) => return true,
                Err(after) => after,
            };
            track.entries().get(next).is_some_and(|(frame, _)| *frame <= range.end)
        })
    }

    /// Frames of a space and what the object looks like on them, in order.
    pub fn annotations_on(&self, space: &SpaceId) -> impl Iterator<Item = (Frame, &Annotation)> {
        let track = self.extent(Some(space)).and_then(|extent| extent.track());
        track.into_iter().flat_map(|track| track.entries()).map(|(frame, on)| (*frame, on))
    }

    /// Ranges of a space's file that are this object.
    pub fn ranges_on(&self, space: &SpaceId) -> Option<&FrameSet> {
        match self.extent(Some(space))? {
            super::object::Extent::Ranges { ranges, .. } => Some(ranges),
            _ => None,
        }
    }

    /// Ranges of a space's HTML file that are this object.
    pub fn html_ranges_on(&self, space: &SpaceId) -> Option<&[super::HtmlRange]> {
        match self.extent(Some(space))? {
            super::object::Extent::Html { ranges, .. } => Some(ranges),
            _ => None,
        }
    }
}

impl<'r> FrameView<'r> {
    /// Its number, counted from 0.
    pub fn number(&self) -> Frame {
        self.frame
    }

    /// Objects on it, with what they look like here.
    pub fn objects(&self) -> impl Iterator<Item = (&'r ObjectInstance, &'r Annotation)> + use<'r> {
        let frame = self.frame;
        self.row.content.as_deref().into_iter().flat_map(move |content| content.objects_on(frame))
    }

    /// Classifications that are about it.
    pub fn classifications(&self) -> impl Iterator<Item = &'r ClassificationInstance> + use<'r> {
        let frame = self.frame;
        self.row.content.as_deref().into_iter().flat_map(move |content| content.classifications_on(frame))
    }

    /// Height and width in pixels, if known.
    pub fn size(&self) -> Option<(u64, u64)> {
        let content = self.row.content.as_deref()?;
        let root = &content.places.root;
        let listed = self.row.metadata.height().zip(self.row.metadata.width());
        root.frame_sizes.get(&self.frame).copied().or(root.size).or(listed)
    }

    /// The hash of the image, for images and image groups.
    pub fn image_hash(&self) -> Option<&'r str> {
        self.image_fact("data_hash")
    }

    /// The title of the image, for images and image groups.
    pub fn image_title(&self) -> Option<&'r str> {
        self.image_fact("data_title")
    }

    /// The MIME type of the image, for images and image groups.
    pub fn file_type(&self) -> Option<&'r str> {
        self.image_fact("data_type")
    }

    /// Where the image is stored, for images and image groups.
    pub fn data_link(&self) -> Option<&'r str> {
        self.image_fact("data_link")
    }

    /// What the document says about the frame beside its labels, such as the metadata of a DICOM slice.
    pub fn metadata(&self) -> Option<&'r Value> {
        let content = self.row.content.as_deref()?;
        let unit = match content.data_type {
            DataType::ImageGroup => content.units.iter().find(|unit| unit.sequence == self.frame),
            _ => content.units.first(),
        };
        unit?.labels.frames.get(&self.frame)?.get("metadata")
    }

    fn image_fact(&self, key: &str) -> Option<&'r str> {
        let content = self.row.content.as_deref()?;
        match content.data_type {
            DataType::Image => content.units.first(),
            DataType::ImageGroup => content.units.iter().find(|unit| unit.sequence == self.frame),
            _ => None,
        }?
        .text(key)
    }
}
