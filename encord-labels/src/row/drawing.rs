//! Putting an object on frames, ranges and spaces, and answering its attributes.
//!
//! Every change is checked completely before anything changes. An object that belongs to a row is held to that row's
//! limits; one that does not is checked when it is added.

use std::sync::Arc;

use super::annotation::{Annotation, Details, Track};
use super::answering::*;
use super::given::{Answer, AttributeKey, GivenAnswer};
use super::html::HtmlRange;
use super::object::{Extent, ObjectInstance};
use crate::error::{Error, Result};
use crate::extra::Extra;
use crate::id::{ObjectHash, SpaceId};
use crate::ontology::{Attribute, AttributeOption, ObjectClass};
use crate::range::{Frame, FrameSet};
use crate::shape::Shape;

/// What to do with frames an object is on already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Refuse,
    Reshape,
}

impl ObjectInstance {
    /// Draws the object on frames it is not on yet, by hand and with full confidence.
    ///
    /// ```
    /// # use encord_labels::{FrameSet, ObjectInstance, ontology::{ObjectClass, Ontology}, shape::{BoundingBox, ShapeKind}};
    /// # let ontology = Ontology::new().with_object(ObjectClass::new("Car", ShapeKind::BoundingBox))?;
    /// let mut car = ObjectInstance::new(ontology.object("Car")?);
    /// car.set(0..=4, BoundingBox::new(0.1, 0.1, 0.2, 0.2)?)?;
    /// car.set([7, 9], BoundingBox::new(0.2, 0.1, 0.2, 0.2)?)?;
    /// assert_eq!(car.frames().to_string(), "0-4, 7, 9");
    /// # Ok::<(), encord_labels::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Mismatch`] for a shape that does not fit the class, [`Error::Conflict`] for a frame it is on
    /// already, [`Error::OutOfBounds`] past the end of the data. Nothing changes then.
    pub fn set(&mut self, frames: impl Into<FrameSet>, shape: impl Into<Shape>) -> Result<()> {
        self.draw(None, frames.into(), shape.into(), Some(Details::by_hand()), Taken::Refuse)
    }

    /// As [`ObjectInstance::set`], saying who drew it when and how sure they are.
    ///
    /// # Errors
    /// As [`ObjectInstance::set`].
    pub fn set_with(
        &mut self,
        frames: impl Into<FrameSet>,
        shape: impl Into<Shape>,
        details: Details,
    ) -> Result<()> {
        self.draw(None, frames.into(), shape.into(), Some(details), Taken::Refuse)
    }

    /// Draws the object on frames whether or not it is there; where it is, only its shape changes.
    ///
    /// # Errors
    /// As [`ObjectInstance::set`], except for frames it is on.
    pub fn reshape(&mut self, frames: impl Into<FrameSet>, shape: impl Into<Shape>) -> Result<()> {
        self.draw(None, frames.into(), shape.into(), None, Taken::Reshape)
    }

    /// As [`ObjectInstance::set_with`], on a space.
    ///
    /// # Errors
    /// As [`ObjectInstance::set`]; [`Error::NotFound`] for a space the row does not have.
    pub fn set_on(
        &mut self,
        space: &SpaceId,
        frames: impl Into<FrameSet>,
        shape: impl Into<Shape>,
        details: Details,
    ) -> Result<()> {
        self.draw(Some(space), frames.into(), shape.into(), Some(details), Taken::Refuse)
    }

    /// As [`ObjectInstance::reshape`], on a space.
    ///
    /// # Errors
    /// As [`ObjectInstance::set_on`], except for frames it is on.
    pub fn reshape_on(
        &mut self,
        space: &SpaceId,
        frames: impl Into<FrameSet>,
        shape: impl Into<Shape>,
    ) -> Result<()> {
        self.draw(Some(space), frames.into(), shape.into(), None, Taken::Reshape)
    }

    fn draw(
        &mut self,
        space: Option<&SpaceId>,
        frames: FrameSet,
        shape: Shape,
        details: Option<Details>,
        taken: Taken,
    ) -> Result<()> {
        self.check_shape(&shape)?;
        if let Some(details) = &details {
            details.check()?;
        }
        self.check_side(space)?;
        self.check_frames(space, &frames, &shape)?;
        if frames.is_empty() {
            // An object that lies on a space lies somewhere on it.
            return match space {
                Some(space) => Err(nowhere(space)),
                None => Ok(()),
            };
        }
        let existing = self.extent(space);
        if let Some(extent) = existing.filter(|extent| !extent.is_empty() && extent.track().is_none()) {
            return Err(Error::conflict(format!(
                "the object {} is {} already",
                self.hash,
                extent.describe()
            )));
        }
        if taken == Taken::Refuse
            && let Some(track) = existing.and_then(Extent::track)
            && let Some(frame) = frames.iter_within(track).next()
        {
            return Err(Error::conflict(format!(
                "the object {} is on the frame {frame} already; use reshape to change it there",
                self.hash
            )));
        }
        let Some(track) = self.extent_mut(space).track_mut() else { return Ok(()) };
        let mut added = Vec::with_capacity(usize::try_from(frames.len()).unwrap_or(0));
        let new_details = details.unwrap_or_else(Details::by_hand);
        for frame in frames.iter() {
            let annotation = match track.get(frame) {
                Some(old) => Annotation::new(shape.clone(), old.details.clone()),
                None => Annotation::new(shape.clone(), new_details.clone()),
            };
            added.push((frame, annotation));
        }
        track.merge(added);
        Ok(())
    }

    /// Takes the object off frames. An object on no frame is left out when its row is written.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a frame it is not on; nothing changes then.
    pub fn remove_frames(&mut self, frames: impl Into<FrameSet>) -> Result<()> {
        self.remove_drawn(None, &frames.into())
    }

    /// Takes the object off frames of a space.
    ///
    /// # Errors
    /// As [`ObjectInstance::remove_frames`].
    pub fn remove_frames_on(&mut self, space: &SpaceId, frames: impl Into<FrameSet>) -> Result<()> {
        self.remove_drawn(Some(space), &frames.into())
    }

    fn remove_drawn(&mut self, space: Option<&SpaceId>, frames: &FrameSet) -> Result<()> {
        let on = self.extent(space).and_then(Extent::track);
        let there = on.map_or(0, |track| frames.iter_within(track).count() as u64);
        if there < frames.len() {
            let hash = self.hash.as_str().to_owned();
            return Err(Error::not_found("object on all of the given frames with the hash", hash, []));
        }
        if there == 0 {
            return Ok(());
        }
        let extent = self.extent_mut(space);
        if let Some(track) = extent.track_mut() {
            track.retain(|frame| !frames.contains(frame));
        }
        if let Some(space) = space.filter(|_| extent.is_empty()) {
            self.spaces.shift_remove(space);
        }
        Ok(())
    }

    /// Takes the object off a space altogether, be it drawn there or ranges of it. An object on no space is left out
    /// when its row is written.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not on the space; nothing changes then.
    pub fn remove_from_space(&mut self, space: &SpaceId) -> Result<()> {
        if self.spaces.shift_remove(space).is_some() {
            if self.spaces.is_empty() && self.root.is_empty() {
                self.root = Extent::default();
            }
            return Ok(());
        }
        let spaces = self.spaces.keys().map(SpaceId::as_str);
        Err(Error::not_found("space of the object with the id", space.as_str(), spaces))
    }

    /// Sets the ranges of the file that are this object, replacing those before.
    ///
    /// Milliseconds for audio, characters for text, positions for time series.
    ///
    /// # Errors
    /// [`Error::Mismatch`] unless the class is one of ranges, [`Error::OutOfBounds`] past the end of the data.
    pub fn set_ranges(&mut self, ranges: impl Into<FrameSet>) -> Result<()> {
        self.put_ranges(None, Extent::Ranges { ranges: ranges.into(), extra: Extra::default() })
    }

    /// As [`ObjectInstance::set_ranges`], on a space.
    ///
    /// # Errors
    /// As [`ObjectInstance::set_ranges`]; [`Error::NotFound`] for a space the row does not have; [`Error::Conflict`]
    /// for no ranges (see [`ObjectInstance::remove_from_space`]).
    pub fn set_ranges_on(&mut self, space: &SpaceId, ranges: impl Into<FrameSet>) -> Result<()> {
        self.put_ranges(Some(space), Extent::Ranges { ranges: ranges.into(), extra: Extra::default() })
    }

    /// Sets the ranges of an HTML file that are this object, replacing those before.
    ///
    /// # Errors
    /// [`Error::Mismatch`] unless the class is one of texts.
    pub fn set_html_ranges(&mut self, ranges: impl Into<Vec<HtmlRange>>) -> Result<()> {
        self.put_ranges(None, Extent::Html { ranges: ranges.into(), extra: Extra::default() })
    }

    /// As [`ObjectInstance::set_html_ranges`], on a space.
    ///
    /// # Errors
    /// As [`ObjectInstance::set_ranges_on`].
    pub fn set_html_ranges_on(&mut self, space: &SpaceId, ranges: impl Into<Vec<HtmlRange>>) -> Result<()> {
        self.put_ranges(Some(space), Extent::Html { ranges: ranges.into(), extra: Extra::default() })
    }

    fn put_ranges(&mut self, space: Option<&SpaceId>, mut extent: Extent) -> Result<()> {
        self.check_side(space)?;
        if let Some(space) = space.filter(|_| extent.is_empty()) {
            return Err(nowhere(space));
        }
        if let Some(place) = self.place(space)? {
            self.check_extent(&extent, place)?;
        } else {
            self.check_extent_kind(&extent)?;
        }
        let old = self.extent_mut(space);
        if let (
            Extent::Ranges { extra: old, .. } | Extent::Html { extra: old, .. },
            Extent::Ranges { extra, .. } | Extent::Html { extra, .. },
        ) = (&mut *old, &mut extent)
        {
            *extra = std::mem::take(old);
        }
        *old = extent;
        if space.is_none() {
            // Ranges that a document had beside those of an HTML file go with these.
            self.details.extra.remove("range");
        }
        Ok(())
    }

    /// Whether it is part of a row; one that is cannot be added to another, but a [`copy`](ObjectInstance::copy) can.
    pub fn is_attached(&self) -> bool {
        self.places.is_some()
    }

    /// The same object with a new hash and no number, part of no row.
    #[must_use]
    pub fn copy(&self) -> Self {
        self.copy_as(ObjectHash::random())
    }

    /// As [`ObjectInstance::copy`], with a hash of one's own choice, which must not be used twice in a row.
    #[must_use]
    pub fn copy_as(&self, hash: impl Into<ObjectHash>) -> Self {
        let mut copy = self.clone();
        copy.hash = hash.into();
        copy.number = None;
        copy.places = None;
        copy.always_answered = true;
        copy
    }

    /// Makes the object one of a class of the same hash in the ontology of a row.
    pub(super) fn adopt(&mut self, class: &Arc<ObjectClass>) -> Result<()> {
        if !Arc::ptr_eq(&self.class, class) {
            adopt(class.attributes(), self.answers.iter_mut())?;
            adopt(class.attributes(), self.dynamic.answers_mut())?;
            self.class = class.clone();
        }
        Ok(())
    }

    fn check_static(&self, attribute: &Attribute) -> Result<()> {
        if attribute.is_dynamic() {
            let what = format!("the attribute \"{}\"", attribute.name());
            return Err(Error::mismatch(what, "frames (use answer_on)", "none"));
        }
        Ok(())
    }

    /// Whether an option above a nested attribute is chosen, on any frame if the radio is answered per frame.
    fn is_chosen(&self, radio: &Attribute, option: &AttributeOption) -> bool {
        if !radio.is_dynamic() {
            return chooses(&self.answers, radio, option);
        }
        self.dynamic.by_frames(radio).iter().any(|(answer, _)| match answer {
            Answer::Radio(choice) => choice.feature_hash == *option.feature_hash(),
            _ => false,
        })
    }

    /// Answers a dynamic attribute on frames, replacing answers that are there.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown attribute or option, [`Error::Mismatch`] for a value that does not fit
    /// or an attribute that is answered once, [`Error::OutOfBounds`] past the end of the data. Nothing changes then.
    pub fn answer_on<'k>(
        &mut self,
        frames: impl Into<FrameSet>,
        attribute: impl Into<AttributeKey<'k>>,
        answer: impl Into<GivenAnswer>,
    ) -> Result<()> {
        let frames = frames.into();
        let attribute = self.dynamic_attribute(attribute.into())?;
        if let (Some(places), Some(last)) = (&self.places, frames.last()) {
            self.check_answered(last, &places.root, |id| places.spaces.get(id))?;
        }
        let entry = entry(&attribute, answer.into())?;
        self.dynamic.put(entry, frames);
        Ok(())
    }

    /// Answers a dynamic attribute on every frame the object is on now.
    ///
    /// # Errors
    /// As [`ObjectInstance::answer_on`].
    pub fn answer_everywhere<'k>(
        &mut self,
        attribute: impl Into<AttributeKey<'k>>,
        answer: impl Into<GivenAnswer>,
    ) -> Result<()> {
        let on_spaces = self.spaces.values().filter_map(Extent::track);
        let tracks = self.root.track().into_iter().chain(on_spaces);
        let frames: FrameSet = tracks.flat_map(Track::entries).map(|(frame, _)| *frame).collect();
        self.answer_on(frames, attribute, answer)
    }

    /// The answer to a dynamic attribute on a frame.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown attribute, [`Error::Mismatch`] for one that is answered once.
    pub fn answered_on<'k>(
        &self,
        frame: Frame,
        attribute: impl Into<AttributeKey<'k>>,
    ) -> Result<Option<Answer>> {
        let attribute = self.dynamic_attribute(attribute.into())?;
        Ok(self.dynamic.on(&attribute, frame))
    }

    /// Every answer to a dynamic attribute, with the frames it holds on.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown attribute, [`Error::Mismatch`] for one that is answered once.
    pub fn dynamic_answers<'k>(
        &self,
        attribute: impl Into<AttributeKey<'k>>,
    ) -> Result<Vec<(Answer, FrameSet)>> {
        let attribute = self.dynamic_attribute(attribute.into())?;
        Ok(self.dynamic.by_frames(&attribute))
    }

    /// Takes answers to a dynamic attribute back on frames.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown attribute, [`Error::Mismatch`] for one that is answered once.
    pub fn unanswer_on<'k>(
        &mut self,
        frames: impl Into<FrameSet>,
        attribute: impl Into<AttributeKey<'k>>,
    ) -> Result<()> {
        let attribute = self.dynamic_attribute(attribute.into())?;
        self.dynamic.clear(&attribute, &frames.into());
        Ok(())
    }

    fn dynamic_attribute(&self, key: AttributeKey<'_>) -> Result<Arc<Attribute>> {
        let attribute = find(self.class.attributes(), key)?.attribute;
        if !attribute.is_dynamic() {
            let what = format!("the attribute \"{}\"", attribute.name());
            return Err(Error::mismatch(what, "one answer (use answer)", "frames"));
        }
        Ok(attribute.clone())
    }
}

static_answers!(ObjectInstance, "object");

fn nowhere(space: &SpaceId) -> Error {
    Error::conflict(format!(
        "an object cannot lie on no frame or range of the space {space}; use remove_from_space to take it off"
    ))
}
