//! One labelled object of a row: its class, where it is, and its answers.

use std::sync::Arc;

use indexmap::IndexMap;

use super::annotation::{Annotation, Details, Track};
use super::answer::AnswerEntry;
use super::dynamic::DynamicAnswers;
use super::html::HtmlRange;
use super::place::Places;
use crate::extra::Extra;
use crate::id::{ObjectHash, SpaceId};
use crate::ontology::ObjectClass;
use crate::range::{Frame, FrameSet};

/// One thing that is labelled: the same car over many frames, or a word in a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectInstance {
    pub(crate) class: Arc<ObjectClass>,
    pub(crate) hash: ObjectHash,
    pub(crate) number: Option<u64>,
    pub(crate) root: Extent,
    pub(crate) spaces: IndexMap<SpaceId, Extent>,
    /// Who made it when, for objects that are ranges. Others say it on every frame.
    pub(crate) details: Details,
    pub(crate) answers: Vec<AnswerEntry>,
    pub(crate) dynamic: DynamicAnswers,
    /// Whether to write an entry in `object_answers` even if it says nothing.
    pub(crate) always_answered: bool,
    /// Unknown keys of the object's entry in `object_actions`; its other unknown keys are among the details.
    pub(crate) action_extra: Extra,
    /// What the row allows, once the object is part of one.
    pub(crate) places: Option<Arc<Places>>,
}

/// Where an object is within one file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Extent {
    Frames(Track),
    Ranges { ranges: FrameSet, extra: Extra },
    Html { ranges: Vec<HtmlRange>, extra: Extra },
}

impl Extent {
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Frames(track) => track.is_empty(),
            Self::Ranges { ranges, .. } => ranges.is_empty(),
            Self::Html { ranges, .. } => ranges.is_empty(),
        }
    }

    pub(crate) fn track(&self) -> Option<&Track> {
        match self {
            Self::Frames(track) => Some(track),
            _ => None,
        }
    }

    /// The track of an extent that is one, or was not used yet.
    pub(crate) fn track_mut(&mut self) -> Option<&mut Track> {
        if self.is_empty() && !matches!(self, Self::Frames(_)) {
            *self = Self::Frames(Track::default());
        }
        match self {
            Self::Frames(track) => Some(track),
            _ => None,
        }
    }
}

impl Default for Extent {
    fn default() -> Self {
        Self::Frames(Track::default())
    }
}

impl ObjectInstance {
    /// A new object of a class, on no frame yet.
    pub fn new(class: &Arc<ObjectClass>) -> Self {
        Self::with_hash(class, ObjectHash::random())
    }

    /// A new object with a hash of one's own choice, which must not be used twice in a row.
    pub fn with_hash(class: &Arc<ObjectClass>, hash: impl Into<ObjectHash>) -> Self {
        let mut object = Self::bare(class, hash.into());
        object.always_answered = true;
        if class.shape().is_range() {
            object.details = Details::by_hand();
        }
        object
    }

    /// An object about which nothing is known but its class and hash.
    pub(crate) fn bare(class: &Arc<ObjectClass>, hash: ObjectHash) -> Self {
        Self {
            class: class.clone(),
            hash,
            number: None,
            root: Extent::default(),
            spaces: IndexMap::new(),
            details: Details::default(),
            answers: Vec::new(),
            dynamic: DynamicAnswers::default(),
            always_answered: false,
            action_extra: Extra::default(),
            places: None,
        }
    }

    /// Its class.
    pub fn class(&self) -> &Arc<ObjectClass> {
        &self.class
    }

    /// Its identity within the row.
    pub fn hash(&self) -> &ObjectHash {
        &self.hash
    }

    /// The number people see beside the title, if it has one.
    pub fn number(&self) -> Option<u64> {
        self.number
    }

    /// Sets or removes the number people see beside the title.
    pub fn set_number(&mut self, number: Option<u64>) {
        self.number = number;
    }

    /// What it looks like on a frame.
    pub fn on_frame(&self, frame: Frame) -> Option<&Annotation> {
        self.root.track()?.get(frame)
    }

    /// Frames and what it looks like on them, in order. Objects on spaces have none here.
    pub fn annotations(&self) -> impl Iterator<Item = (Frame, &Annotation)> {
        self.root.track().into_iter().flat_map(|track| track.entries()).map(|(frame, on)| (*frame, on))
    }

    /// The frames it is on.
    pub fn frames(&self) -> FrameSet {
        self.annotations().map(|(frame, _)| frame).collect()
    }

    /// Ranges of the file, for objects of audio, time series and plain text.
    pub fn ranges(&self) -> Option<&FrameSet> {
        match &self.root {
            Extent::Ranges { ranges, .. } => Some(ranges),
            _ => None,
        }
    }

    /// Ranges of an HTML file.
    pub fn html_ranges(&self) -> Option<&[HtmlRange]> {
        match &self.root {
            Extent::Html { ranges, .. } => Some(ranges),
            _ => None,
        }
    }

    /// Who made it when, for objects that are ranges. Others say it on every frame.
    pub fn details(&self) -> &Details {
        &self.details
    }

    /// The spaces it lies on.
    pub fn space_ids(&self) -> impl Iterator<Item = &SpaceId> {
        self.spaces.keys()
    }

    /// Whether there is anything to write: an object whose last frame was removed is left out. Ranges of a file may be
    /// none and are written even so.
    pub(crate) fn is_somewhere(&self) -> bool {
        !matches!(&self.root, Extent::Frames(track) if track.is_empty()) || !self.spaces.is_empty()
    }

    pub(crate) fn space_extent_mut(&mut self, space: &SpaceId) -> &mut Extent {
        self.spaces.entry(space.clone()).or_default()
    }
}
