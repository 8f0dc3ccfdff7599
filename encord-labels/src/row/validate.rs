//! A strict look at a whole row.
//!
//! Reading accepts whatever the platform may hold, such as boxes that stick out of an image, so that no row is lost.
//! This is the check for those who want to know, for example before a row made by a model is saved.

use std::collections::HashMap;

use super::LabelRow;
use super::annotation::Annotation;
use super::object::ObjectInstance;
use crate::error::{Error, Located, Result};
use crate::id::FeatureHash;
use crate::ontology::{Attribute, AttributeKind};
use crate::range::{Frame, FrameSet};
use crate::shape::main_key;

impl LabelRow {
    /// Checks what reading and editing let pass.
    ///
    /// Coordinates lie inside the image, confidences between 0 and 1, masks have the size of their frame, no two
    /// objects of one class have one number, no two classifications of one class share a frame of a space, and
    /// required attributes are answered.
    ///
    /// # Errors
    /// The first problem, with the path of the value in the document; [`Error::NotInitialised`].
    pub fn validate(&self) -> Result<()> {
        let content = self.content()?;
        let mut numbers = HashMap::new();
        for object in content.objects.values() {
            let hash = object.hash.as_str();
            for (frame, annotation) in object.annotations() {
                check_annotation(annotation)
                    .and_then(|()| content.places.root.check_mask(&annotation.shape, frame))
                    .map_err(|error| self.locate(error, object, frame))?;
            }
            for space in object.space_ids() {
                for (frame, annotation) in object.annotations_on(space) {
                    check_annotation(annotation)
                        .under(hash)
                        .under(&frame.to_string())
                        .under("labels")
                        .under(space.as_str())
                        .under("spaces")?;
                }
            }
            if let Some(number) = object.number
                && let Some(other) = numbers.insert((object.class.feature_hash(), number), hash)
            {
                let reason = format!("the objects {other} and {hash} of one class have the number {number}");
                return Err(Error::conflict(reason))
                    .under("objectNumber")
                    .under(hash)
                    .under("object_answers");
            }
            for attribute in object.class.attributes().iter().filter(|attribute| !attribute.is_dynamic()) {
                check_required(attribute, object.answered(attribute)?.is_some())
                    .under(hash)
                    .under("object_answers")?;
            }
        }
        let mut taken: HashMap<(&str, &FeatureHash), FrameSet> = HashMap::new();
        for classification in content.classifications.values() {
            for space in &classification.spaces {
                let frames =
                    taken.entry((space.id.as_str(), classification.class.feature_hash())).or_default();
                if frames.overlaps(&space.ranges) {
                    let class = classification.class.name();
                    let reason = format!("another classification of the class \"{class}\" shares frames");
                    return Err(Error::conflict(reason))
                        .under("range")
                        .under(space.id.as_str())
                        .under("spaces")
                        .under(classification.hash.as_str())
                        .under("classification_answers");
                }
                frames.insert(&space.ranges);
            }
            for attribute in classification.class.attributes() {
                check_required(attribute, classification.answered(attribute)?.is_some())
                    .under(classification.hash.as_str())
                    .under("classification_answers")?;
            }
        }
        Ok(())
    }

    /// Says where in the document an object stands on a frame.
    fn locate(&self, error: Error, object: &ObjectInstance, frame: Frame) -> Error {
        let Ok(content) = self.content() else { return error };
        let flat = content.data_type.is_flat();
        let unit = if flat {
            content.units.iter().find(|unit| unit.sequence == frame)
        } else {
            content.units.first()
        };
        let before = content
            .objects
            .values()
            .take_while(|other| other.hash != object.hash)
            .filter(|other| other.on_frame(frame).is_some());
        let error = error.at(before.count()).under("objects");
        let error = if flat { error } else { error.under(&frame.to_string()) };
        error.under("labels").under(unit.map_or("", |unit| unit.data_hash())).under("data_units")
    }
}

fn check_annotation(annotation: &Annotation) -> Result<()> {
    let key = main_key(annotation.shape.kind()).unwrap_or_default();
    annotation.shape.check_inside().under(key)?;
    match annotation.details.confidence {
        Some(confidence) if !(0.0..=1.0).contains(&confidence) => {
            Err(Error::invalid(format!("the confidence is {confidence}, outside of 0 to 1")))
                .under("confidence")
        }
        _ => Ok(()),
    }
}

fn check_required(attribute: &Attribute, is_answered: bool) -> Result<()> {
    if is_answered || !attribute.is_required() {
        return Ok(());
    }
    let what = match attribute.kind() {
        AttributeKind::Radio => "choose one option",
        AttributeKind::Checklist => "tick options, or none by an empty answer",
        AttributeKind::Text | AttributeKind::Numeric => "answer it",
    };
    Err(Error::invalid(format!("the required attribute \"{}\" is not answered; {what}", attribute.name())))
}
