//! One classification of a row: answers about frames, or about the whole file.

use std::sync::Arc;

use super::annotation::Details;
use super::answer::AnswerEntry;
use super::place::Places;
use crate::extra::Extra;
use crate::id::{ClassificationHash, SpaceId};
use crate::ontology::ClassificationClass;
use crate::range::FrameSet;

/// A set of answers about some frames or about the whole file.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassificationInstance {
    pub(crate) class: Arc<ClassificationClass>,
    pub(crate) hash: ClassificationHash,
    pub(crate) ranges: FrameSet,
    pub(crate) spaces: Vec<ClassifiedSpace>,
    pub(crate) details: Details,
    pub(crate) answers: Vec<AnswerEntry>,
    pub(crate) places: Option<Arc<Places>>,
}

/// Where a classification holds on one space.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClassifiedSpace {
    pub(crate) id: SpaceId,
    /// Empty for the whole file.
    pub(crate) ranges: FrameSet,
    pub(crate) html: bool,
    pub(crate) extra: Extra,
}

impl ClassificationInstance {
    /// A new classification of a class, on no frame yet.
    pub fn new(class: &Arc<ClassificationClass>) -> Self {
        Self::with_hash(class, ClassificationHash::random())
    }

    /// A new classification with a hash of one's own choice, which must not be used twice in a row.
    pub fn with_hash(class: &Arc<ClassificationClass>, hash: impl Into<ClassificationHash>) -> Self {
        Self { details: Details::by_hand(), ..Self::bare(class, hash.into()) }
    }

    pub(crate) fn bare(class: &Arc<ClassificationClass>, hash: ClassificationHash) -> Self {
        Self {
            class: class.clone(),
            hash,
            ranges: FrameSet::new(),
            spaces: Vec::new(),
            details: Details::default(),
            answers: Vec::new(),
            places: None,
        }
    }

    /// Its class.
    pub fn class(&self) -> &Arc<ClassificationClass> {
        &self.class
    }

    /// Its identity within the row.
    pub fn hash(&self) -> &ClassificationHash {
        &self.hash
    }

    /// The frames it is about; empty for the whole file.
    pub fn frames(&self) -> &FrameSet {
        &self.ranges
    }

    /// Who made it when.
    pub fn details(&self) -> &Details {
        &self.details
    }

    /// The frames of the row itself it is about, empty for the whole file; `None` if it is about spaces only. Beside
    /// spaces, frames of the row count only where the row is a space, too.
    pub(crate) fn root_frames(&self, has_root_space: bool) -> Option<&FrameSet> {
        let on_row = self.spaces.is_empty() || (has_root_space && !self.ranges.is_empty());
        on_row.then_some(&self.ranges)
    }

    /// The spaces it is about.
    pub fn space_ids(&self) -> impl Iterator<Item = &SpaceId> {
        self.spaces.iter().map(|space| &space.id)
    }
}
