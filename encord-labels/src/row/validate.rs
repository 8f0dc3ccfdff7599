//! A strict look at a whole row.
//!
//! Reading accepts whatever the platform may hold, such as boxes that stick out of an image, so that no row is lost.
//! This is the check for those who want to know, for example before a row made by a model is saved.

use std::collections::HashMap;
use std::sync::Arc;

use super::LabelRow;
use super::annotation::Annotation;
use super::classification::ClassificationInstance;
use super::content::Content;
use super::event;
use super::given::Answer;
use super::object::{Extent, ObjectInstance};
use super::place::Place;
use crate::error::{Error, Located, Result};
use crate::id::{FeatureHash, SpaceId};
use crate::ontology::{Attribute, AttributeKind};
use crate::range::{Frame, FrameSet};
use crate::shape::main_key;

impl LabelRow {
    /// Checks what reading and editing let pass.
    ///
    /// On the row itself and on every space: shapes lie inside the image (turned ones only where its size is known,
    /// cuboids and points in space nowhere), confidences between 0 and 1, masks have the size of their frame, frames and
    /// ranges lie inside the data and are of the kind the file holds, and no object is on a space without being anywhere
    /// on it. No two objects of one class have one number, no two classifications of one class share a frame,
    /// objects of continuous scenes end, and required attributes are answered, also nested ones whose option is
    /// chosen. Attributes that are answered per frame are not looked at.
    ///
    /// # Errors
    /// The first problem, with the path of the value in the document; [`Error::NotInitialised`].
    pub fn validate(&self) -> Result<()> {
        let content = self.content()?;
        event::check_ends(content)?;
        let mut numbers = HashMap::new();
        for object in content.objects.values() {
            let hash = object.hash.as_str();
            check_places(content, object)?;
            if let Some(number) = object.number
                && let Some(other) = numbers.insert((object.class.feature_hash(), number), hash)
            {
                let reason = format!("the objects {other} and {hash} of one class have the number {number}");
                return Err(Error::conflict(reason))
                    .under("objectNumber")
                    .under(hash)
                    .under("object_answers");
            }
            check_confidence(object.details.confidence)
                .and_then(|()| check_required(object.class.attributes(), &|it| object.answered(it)))
                .under(hash)
                .under("object_answers")?;
        }
        let mut taken = HashMap::new();
        for classification in content.classifications.values() {
            check_classified(content, classification, &mut taken)
                .and_then(|()| check_confidence(classification.details.confidence))
                .and_then(|()| {
                    check_required(classification.class.attributes(), &|it| classification.answered(it))
                })
                .under(classification.hash.as_str())
                .under("classification_answers")?;
        }
        Ok(())
    }
}

/// Checks everything an object is on.
fn check_places(content: &Content, object: &ObjectInstance) -> Result<()> {
    let places = &content.places;
    check_extent(object, &object.root, &places.root, |error, frame| match frame {
        Some(frame) => content.locate(error, object, frame),
        None => error.under("range").under(object.hash.as_str()).under("object_answers"),
    })?;
    for (id, extent) in &object.spaces {
        let in_answers = |error: Error| {
            error.under(id.as_str()).under("spaces").under(object.hash.as_str()).under("object_answers")
        };
        let Some(place) = places.spaces.get(id) else {
            let spaces = places.spaces.keys().map(SpaceId::as_str);
            return Err(in_answers(Error::not_found("space", id.as_str(), spaces)));
        };
        if extent.is_empty() {
            let reason = format!("the object {} is nowhere on the space", object.hash);
            return Err(in_answers(Error::conflict(reason).under("range")));
        }
        check_extent(object, extent, place, |error, frame| match frame {
            Some(frame) => content.locate_on(error, id, object, frame),
            None => in_answers(error.under("range")),
        })?;
    }
    object.dynamic.iter().enumerate().try_for_each(|(index, entry)| {
        let last = entry.frames.last();
        last.map_or(Ok(()), |last| object.check_answered(last, &places.root, |id| places.spaces.get(id)))
            .under("range")
            .at(index)
            .under("actions")
            .under(object.hash.as_str())
            .under("object_actions")
    })
}

/// Checks one extent; `locate` says where a frame of it, or all of it, stands.
fn check_extent(
    object: &ObjectInstance,
    extent: &Extent,
    place: &Place,
    locate: impl Fn(Error, Option<Frame>) -> Error,
) -> Result<()> {
    let Extent::Frames(track) = extent else {
        return object.check_extent(extent, place).map_err(|error| locate(error, None));
    };
    for (frame, annotation) in track.entries() {
        place
            .check_kind(object.class.shape())
            .and_then(|()| if place.continuous { Ok(()) } else { place.check_frames(&(*frame).into()) })
            .and_then(|()| check_annotation(annotation, place.size_on(*frame)))
            .and_then(|()| place.check_mask(&annotation.shape, *frame))
            .map_err(|error| locate(error, Some(*frame)))?;
    }
    Ok(())
}

fn check_annotation(annotation: &Annotation, size: Option<(u64, u64)>) -> Result<()> {
    let key = main_key(annotation.shape.kind()).unwrap_or_default();
    match size {
        Some((height, width)) => annotation.shape.check_inside_image(width, height),
        None => annotation.shape.check_inside(),
    }
    .under(key)?;
    check_confidence(annotation.details.confidence)
}

fn check_confidence(confidence: Option<f64>) -> Result<()> {
    match confidence {
        Some(confidence) if !(0.0..=1.0).contains(&confidence) => {
            Err(Error::invalid(format!("the confidence is {confidence}, outside of 0 to 1")))
                .under("confidence")
        }
        _ => Ok(()),
    }
}

/// Checks where a classification is, among those of its class that came before.
fn check_classified<'c>(
    content: &'c Content,
    classification: &'c ClassificationInstance,
    taken: &mut HashMap<(&'c str, &'c FeatureHash), FrameSet>,
) -> Result<()> {
    if let Some(last) = classification.ranges.last() {
        content.places.root.check(last).under("range")?;
    }
    for space in &classification.spaces {
        let place = content.places.spaces.get(&space.id);
        if let (Some(place), Some(last)) = (place, space.ranges.last()) {
            place.check(last).under("range").under(space.id.as_str()).under("spaces")?;
        }
        let frames = taken.entry((space.id.as_str(), classification.class.feature_hash())).or_default();
        if frames.overlaps(&space.ranges) {
            let class = classification.class.name();
            let reason = format!("another classification of the class \"{class}\" shares frames");
            return Err(Error::conflict(reason)).under("range").under(space.id.as_str()).under("spaces");
        }
        frames.insert(&space.ranges);
    }
    Ok(())
}

/// Checks that required attributes are answered, as far down as options are chosen.
fn check_required(
    attributes: &[Arc<Attribute>],
    answered: &dyn Fn(&Attribute) -> Result<Option<Answer>>,
) -> Result<()> {
    for attribute in attributes.iter().filter(|attribute| !attribute.is_dynamic()) {
        let Some(answer) = answered(attribute)? else {
            if attribute.is_required() {
                return Err(unanswered(attribute));
            }
            continue;
        };
        for option in attribute.options() {
            if answer.choices().iter().any(|choice| choice.feature_hash == *option.feature_hash()) {
                check_required(option.attributes(), answered)?;
            }
        }
    }
    Ok(())
}

fn unanswered(attribute: &Attribute) -> Error {
    let what = match attribute.kind() {
        AttributeKind::Radio => "choose one option",
        AttributeKind::Checklist => "tick options, or none by an empty answer",
        AttributeKind::Text | AttributeKind::Numeric => "answer it",
    };
    Error::invalid(format!("the required attribute \"{}\" is not answered; {what}", attribute.name()))
}
