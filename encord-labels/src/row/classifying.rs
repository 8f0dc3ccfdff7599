//! Changing classifications: their frames, spaces and answers.

use std::sync::Arc;

use super::answering::*;
use super::classification::{ClassificationInstance, ClassifiedSpace};
use super::given::{Answer, AttributeKey, GivenAnswer};
use crate::error::{Error, Result};
use crate::extra::Extra;
use crate::id::{ClassificationHash, SpaceId};
use crate::ontology::{Attribute, AttributeOption, ClassificationClass};
use crate::range::FrameSet;

impl ClassificationInstance {
    /// Adds frames the classification is about, while it is part of no row.
    ///
    /// Whether other classifications of its class are there is known to the row only, so a classification that is
    /// part of one is moved with [`LabelRow::set_classification_frames`](super::LabelRow::set_classification_frames).
    ///
    /// # Errors
    /// [`Error::Conflict`] if it is part of a row or about the whole file.
    pub fn set(&mut self, frames: impl Into<FrameSet>) -> Result<()> {
        self.check_free()?;
        if self.class.is_global() {
            return Err(Error::conflict(format!(
                "the class \"{}\" is about the whole file and has no frames",
                self.class.name()
            )));
        }
        self.ranges.insert(&frames.into());
        Ok(())
    }

    /// Adds a space the classification is about, with frames, or about all of it with the empty set; while it is
    /// part of no row.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it is part of a row, or if its class is about whole files and frames are given.
    pub fn set_on(&mut self, space: &SpaceId, frames: impl Into<FrameSet>) -> Result<()> {
        self.check_free()?;
        let frames = frames.into();
        if self.class.is_global() && !frames.is_empty() {
            return Err(Error::conflict(format!(
                "the class \"{}\" is about the whole file and has no frames",
                self.class.name()
            )));
        }
        match self.spaces.iter_mut().find(|other| other.id == *space) {
            Some(other) => other.ranges.insert(&frames),
            None => self.spaces.push(ClassifiedSpace {
                id: space.clone(),
                ranges: frames,
                html: false,
                extra: Extra::default(),
            }),
        }
        Ok(())
    }

    /// The frames it is about on a space; empty for the whole file, `None` if it is not about that space.
    pub fn frames_on(&self, space: &SpaceId) -> Option<&FrameSet> {
        self.spaces.iter().find(|other| other.id == *space).map(|other| &other.ranges)
    }

    /// Whether it is part of a row.
    pub fn is_attached(&self) -> bool {
        self.places.is_some()
    }

    /// The same classification with a new hash, part of no row.
    #[must_use]
    pub fn copy(&self) -> Self {
        self.copy_as(ClassificationHash::random())
    }

    /// As [`ClassificationInstance::copy`], with a hash of one's own choice, which must not be used twice in a row.
    #[must_use]
    pub fn copy_as(&self, hash: impl Into<ClassificationHash>) -> Self {
        Self { hash: hash.into(), places: None, ..self.clone() }
    }

    /// Makes the classification one of a class of the same hash in the ontology of a row.
    pub(super) fn adopt(&mut self, class: &Arc<ClassificationClass>) -> Result<()> {
        if !Arc::ptr_eq(&self.class, class) {
            adopt(class.attributes(), self.answers.iter_mut())?;
            self.class = class.clone();
        }
        Ok(())
    }

    fn check_free(&self) -> Result<()> {
        if self.places.is_none() {
            return Ok(());
        }
        Err(Error::conflict(format!(
            "the classification {} is part of a row; move it with set_classification_frames of the row",
            self.hash
        )))
    }

    /// Classifications have one set of answers, whatever the ontology's flags say.
    fn check_static(&self, _: &Attribute) -> Result<()> {
        Ok(())
    }

    fn is_chosen(&self, radio: &Attribute, option: &AttributeOption) -> bool {
        chooses(&self.answers, radio, option)
    }
}

static_answers!(ClassificationInstance, "classification");
