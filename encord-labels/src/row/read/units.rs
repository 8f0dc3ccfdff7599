//! Data units and spaces.

use std::collections::HashSet;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::frames::Target;
use super::{Reader, part};
use crate::error::{Error, Located, Result};
use crate::id::{ClassificationHash, SpaceId};
use crate::json::{Cursor, Kind, describe, expect_object};
use crate::range::Frame;
use crate::row::classification::ClassificationInstance;
use crate::row::data_type::DataType;
use crate::row::space::{Layout, Space, SpaceKind};
use crate::row::unit::{DataUnit, Labels, size_of};

impl<'r> Reader<'r> {
    pub(super) fn read_units(&mut self, text: &'r str) -> Result<()> {
        self.read_units_at(&mut part(text))
    }

    pub(super) fn read_units_at(&mut self, cursor: &mut Cursor<'r>) -> Result<()> {
        let mut sequences = HashSet::new();
        cursor.object(|cursor, _| self.read_unit(cursor, &mut sequences))?;
        if self.units.is_empty() && self.data_type != DataType::ImageGroup {
            return Err(Error::invalid(format!("a row of the type {} needs a data unit", self.data_type)));
        }
        if self.data_type == DataType::ImageGroup {
            self.root.frames = Some(self.units.iter().map(|unit| unit.sequence).collect());
        }
        Ok(())
    }

    fn read_unit(&mut self, cursor: &mut Cursor<'r>, sequences: &mut HashSet<Frame>) -> Result<()> {
        let modelled = self.units.is_empty() || self.data_type == DataType::ImageGroup;
        let mut facts = Map::new();
        let (mut labels, mut later) = (Labels::default(), None);
        cursor.object(|cursor, key| {
            if key != "labels" {
                facts.insert(key.into_owned(), cursor.value()?);
                return Ok(());
            }
            // The frame of an image is its sequence number, which may come after its labels.
            let sequence = match facts.get("data_sequence").map(read_sequence) {
                Some(Ok(sequence)) => sequence,
                _ if self.data_type != DataType::ImageGroup => 0,
                _ => {
                    later = Some(cursor.set_aside()?);
                    return Ok(());
                }
            };
            labels = self.read_unit_labels(cursor, sequence, modelled)?;
            Ok(())
        })?;
        for key in ["data_hash", "data_title", "data_type"] {
            match facts.get(key) {
                Some(Value::String(_)) => {}
                Some(other) => return Err(Error::wrong_type("a string", describe(other))).under(key),
                None => return Err(Error::missing(key)),
            }
        }
        let sequence = match facts.get("data_sequence") {
            None => return Err(Error::missing("data_sequence")),
            Some(value) => read_sequence(value).under("data_sequence")?,
        };
        if !sequences.insert(sequence) {
            let reason = format!("another data unit has the sequence number {sequence} too");
            return Err(Error::conflict(reason)).under("data_sequence");
        }
        let mut unit = DataUnit { facts, sequence, labels };
        if self.units.is_empty() {
            self.root.html = unit.text("data_type") == Some("text/html");
        }
        match (self.data_type, unit.size()) {
            (DataType::ImageGroup, Some(size)) => {
                self.root.frame_sizes.insert(sequence, size);
            }
            // Slices of a series may differ in size, PDFs have none.
            (DataType::Video | DataType::Image | DataType::Nifti, Some(size)) => self.root.size = Some(size),
            _ => {}
        }
        if let Some(text) = later {
            unit.labels = self.read_unit_labels(&mut part(text), sequence, modelled).under("labels")?;
        }
        if self.data_type == DataType::Dicom {
            // Only slices that say their size are known to have it.
            let slices = unit.labels.frames.iter();
            let sizes = slices
                .filter_map(|(frame, extra)| Some((*frame, size_of(extra.get("metadata")?.as_object()?)?)));
            self.root.frame_sizes.extend(sizes);
        }
        self.units.push(unit);
        Ok(())
    }

    fn read_unit_labels(
        &mut self,
        cursor: &mut Cursor<'r>,
        sequence: Frame,
        modelled: bool,
    ) -> Result<Labels> {
        if cursor.kind()? != Kind::Object {
            return Err(cursor.expected("an object"));
        }
        // Units beyond the first have no frames of their own to be addressed by; DICOM studies have no geometry.
        if !modelled || self.data_type == DataType::DicomStudy || !self.data_type.has_frames() {
            let value = cursor.value()?;
            let opaque = value.as_object().is_some_and(|map| !map.is_empty()).then_some(value);
            return Ok(Labels { opaque, ..Labels::default() });
        }
        let target = Target::new(None, &self.root);
        if self.data_type.is_flat() {
            let frame = if self.data_type == DataType::ImageGroup { sequence } else { 0 };
            let mut labels = Labels::default();
            self.read_frame(cursor, frame, &target, false, &mut labels)?;
            return Ok(labels);
        }
        let scene = self.data_type == DataType::Scene;
        let mut kept = crate::extra::Extra::default();
        let mut labels = self.read_frames(cursor, &target, &mut |reader, key, cursor| {
            if !scene {
                return Ok(false);
            }
            if !reader.read_scene_member(key, cursor)? {
                kept.insert(key, cursor.value()?);
            }
            Ok(true)
        })?;
        labels.other = kept;
        Ok(labels)
    }

    /// Reads the labels of a scene's image or point cloud that stand among the unit's, under its stream and position.
    fn read_scene_member(&mut self, key: &str, cursor: &mut Cursor<'r>) -> Result<bool> {
        let known = self.spaces.values().find(|space| space.is_unit_key(key)).map(|space| space.id.clone());
        let id = match known {
            Some(id) => id,
            None if self.spaces_by_mention => {
                let space = Space::mentioned(SpaceId::from(key));
                if space.kind != SpaceKind::PointCloud {
                    return Ok(false);
                }
                let id = space.id.clone();
                self.spaces.insert(id.clone(), space);
                id
            }
            None => return Ok(false),
        };
        let target = Target::new(Some(&id), &self.spaces[&id].place());
        let mut labels = Labels::default();
        self.read_frame(cursor, 0, &target, false, &mut labels)?;
        let space = &mut self.spaces[&id];
        space.labels = labels;
        space.unit_key = Some(key.to_owned());
        Ok(true)
    }

    /// Learns which spaces there are, from the metadata and the document.
    pub(super) fn read_spaces_facts(&mut self, text: Option<&str>) -> Result<()> {
        let mut found: Map<String, Value> = Map::new();
        if let Some(text) = text {
            part(text).object(|cursor, id| {
                let mut facts = Map::new();
                cursor.object(|cursor, key| {
                    if key == "labels" {
                        cursor.skip()?;
                    } else {
                        facts.insert(key.into_owned(), cursor.value()?);
                    }
                    Ok(())
                })?;
                found.insert(id.into_owned(), Value::Object(facts));
                Ok(())
            })?;
        }
        // Spaces of the document come first and in its order, so that objects keep theirs.
        let mut metadata = self.metadata.spaces().cloned().unwrap_or_default();
        for (id, facts) in found {
            let facts = expect_object(facts).under(&id)?;
            let about = metadata.shift_remove(&id).map(expect_object).transpose().under(&id)?;
            self.insert_space(&id, Some(facts), about.unwrap_or_default())?;
        }
        for (id, about) in metadata {
            let about = expect_object(about).under(&id)?;
            self.insert_space(&id, None, about)?;
        }
        Ok(())
    }

    fn insert_space(
        &mut self,
        id: &str,
        facts: Option<Map<String, Value>>,
        metadata: Map<String, Value>,
    ) -> Result<()> {
        let space = Space::new(SpaceId::from(id), facts, metadata).under(id)?;
        self.spaces.insert(space.id.clone(), space);
        Ok(())
    }

    /// Adds the spaces that answers mention, where that is enough for a space to exist.
    pub(super) fn add_mentioned_spaces(
        &mut self,
        classifications: &IndexMap<ClassificationHash, ClassificationInstance>,
    ) {
        if !self.spaces_by_mention {
            return;
        }
        let by_objects = self.objects.values().flat_map(|object| object.space_ids());
        let by_classifications = classifications.values().flat_map(|instance| instance.space_ids());
        for id in by_objects.chain(by_classifications) {
            if !self.spaces.contains_key(id.as_str()) {
                self.spaces.insert(id.clone(), Space::mentioned(id.clone()));
            }
        }
    }

    /// Reads the labels of all spaces.
    pub(super) fn read_spaces(&mut self, text: Option<&'r str>) -> Result<()> {
        let Some(text) = text else { return Ok(()) };
        part(text).object(|cursor, id| {
            cursor.object(|cursor, key| {
                if key == "labels" {
                    return self.read_space_labels(&SpaceId::from(&*id), cursor);
                }
                cursor.skip().map(|_| ())
            })
        })
    }

    fn read_space_labels(&mut self, id: &SpaceId, cursor: &mut Cursor<'r>) -> Result<()> {
        let space = &self.spaces[id];
        let (kind, taken) = (space.kind, space.unit_key.is_some());
        let target = Target::new(Some(id), &space.place());
        let labels = match kind.layout() {
            Layout::Frames => self.read_frames(cursor, &target, &mut |_, _, _| Ok(false))?,
            Layout::Flat => {
                let mut labels = Labels::default();
                self.read_frame(cursor, 0, &target, false, &mut labels)?;
                labels
            }
            Layout::Ranges => {
                let value = cursor.value()?;
                let map =
                    value.as_object().ok_or_else(|| Error::wrong_type("an object", describe(&value)))?;
                let opaque = (!map.is_empty()).then(|| value.clone());
                Labels { opaque, ..Labels::default() }
            }
        };
        if !taken {
            self.spaces[id].labels = labels;
        }
        Ok(())
    }
}

fn read_sequence(value: &Value) -> Result<Frame> {
    let number = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| Error::wrong_type("a whole number", describe(value)))
}
