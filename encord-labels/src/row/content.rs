//! What an initialised row holds.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::classification::ClassificationInstance;
use super::data_type::DataType;
use super::object::ObjectInstance;
use super::place::Places;
use super::space::Space;
use super::unit::DataUnit;
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
        for unit in &mut self.units {
            unit.labels.forget_legacy(hash, &keeps);
        }
    }
}
