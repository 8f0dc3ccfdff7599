//! What an initialised row holds.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::classification::ClassificationInstance;
use super::data_type::DataType;
use super::lookup::Lookup;
use super::object::ObjectInstance;
use super::place::Places;
use super::space::{Layout, Space};
use super::unit::DataUnit;
use crate::error::Error;
use crate::id::{ClassificationHash, FeatureHash, ObjectHash, SpaceId};
use crate::range::{Frame, FrameSet};

/// The labels of a row and everything else its document says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Content {
    /// Keys of the document that hold no labels, in order.
    pub(crate) head: Map<String, Value>,
    pub(crate) data_type: DataType,
    pub(crate) units: Vec<DataUnit>,
    pub(crate) spaces: IndexMap<SpaceId, Space>,
    /// Whether spaces exist by being mentioned.
    pub(crate) spaces_by_mention: bool,
    pub(crate) objects: IndexMap<ObjectHash, ObjectInstance>,
    pub(crate) classifications: IndexMap<ClassificationHash, ClassificationInstance>,
    /// Entries about objects the document does not hold, kept as they are.
    pub(crate) orphan_object_answers: Map<String, Value>,
    pub(crate) orphan_object_actions: Map<String, Value>,
    pub(crate) orphan_classification_answers: Map<String, Value>,
    pub(crate) places: Arc<Places>,
    /// Frames on which a class has classifications, for classes that were asked about; forgotten when any moves.
    pub(crate) covered: HashMap<FeatureHash, FrameSet>,
    /// What is on which frame of the row itself; forgotten when anything may change.
    pub(crate) lookup: Lookup,
}

impl Content {
    /// The frames on which a class has classifications.
    pub(crate) fn covered_by(&mut self, class: &FeatureHash) -> &mut FrameSet {
        let classifications = &self.classifications;
        self.covered.entry(class.clone()).or_insert_with(|| {
            let mine = classifications.values().filter(|instance| instance.class.feature_hash() == class);
            mine.flat_map(|instance| instance.ranges.ranges()).copied().collect()
        })
    }

    /// Tells all instances that they belong to this row.
    pub(crate) fn attach_all(&mut self) {
        for object in self.objects.values_mut() {
            object.places = Some(self.places.clone());
        }
        for classification in self.classifications.values_mut() {
            classification.places = Some(self.places.clone());
        }
    }

    /// Forgets the entries older documents repeat on frames, where a classification no longer is.
    pub(crate) fn forget_legacy(&mut self, hash: &str, keeps: impl Fn(Frame) -> bool) {
        self.forget_legacy_if(|other, frame| other == hash && !keeps(frame));
    }

    /// Forgets the entries older documents repeat on frames, by the hash of the classification and the frame.
    pub(crate) fn forget_legacy_if(&mut self, gone: impl Fn(&str, Frame) -> bool) {
        for unit in &mut self.units {
            unit.labels.forget_legacy(&gone);
        }
    }

    /// Says where in the document an object of the row stands on a frame.
    pub(crate) fn locate(&self, error: Error, object: &ObjectInstance, frame: Frame) -> Error {
        let flat = self.data_type.is_flat();
        let unit =
            if flat { self.units.iter().find(|unit| unit.sequence == frame) } else { self.units.first() };
        let error = error.at(self.position_on(None, object, frame)).under("objects");
        let error = if flat { error } else { error.under(&frame.to_string()) };
        error.under("labels").under(unit.map_or("", |unit| unit.data_hash())).under("data_units")
    }

    /// Says where in the document an object of a space stands on a frame.
    pub(crate) fn locate_on(
        &self,
        error: Error,
        space: &SpaceId,
        object: &ObjectInstance,
        frame: Frame,
    ) -> Error {
        let error = error.at(self.position_on(Some(space), object, frame)).under("objects");
        let flat = self.spaces.get(space).is_some_and(|space| space.kind.layout() == Layout::Flat);
        let error = if flat { error } else { error.under(&frame.to_string()) };
        error.under("labels").under(space.as_str()).under("spaces")
    }

    /// The position of an object among those on a frame.
    fn position_on(&self, space: Option<&SpaceId>, object: &ObjectInstance, frame: Frame) -> usize {
        let before = self.objects.values().take_while(|other| other.hash != object.hash);
        before
            .filter_map(|other| other.extent(space)?.track())
            .filter(|track| track.get(frame).is_some())
            .count()
    }
}
