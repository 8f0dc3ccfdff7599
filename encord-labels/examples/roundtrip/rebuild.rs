//! Making every object and classification of a row anew, with nothing but the public API.

use std::sync::Arc;

use encord_labels::id::SpaceId;
use encord_labels::ontology::{Attribute, AttributeOption};
use encord_labels::row::{Answer, ClassificationInstance, ObjectInstance, Overlap};
use encord_labels::{Error, LabelRow};

/// Takes everything out of a row and puts equal things in.
pub(crate) fn rebuild(row: &mut LabelRow) -> Result<(), Error> {
    let old = row.remove_objects_if(|_| true)?;
    for object in &old {
        let made = remake_object(row, object)?;
        row.add_object(made)?;
    }
    let hashes: Vec<_> = row.classifications()?.map(|classification| classification.hash().clone()).collect();
    let mut old = Vec::with_capacity(hashes.len());
    for hash in hashes {
        old.push(row.remove_classification(&hash)?);
    }
    for classification in &old {
        let made = remake_classification(row, classification)?;
        row.add_classification(made, Overlap::Refuse)?;
    }
    Ok(())
}

fn remake_object(row: &LabelRow, old: &ObjectInstance) -> Result<ObjectInstance, Error> {
    let class = row.ontology().object_by_hash(old.class().feature_hash().as_str())?;
    let mut new = ObjectInstance::with_hash(class, old.hash().clone());
    new.set_number(old.number());
    for (frame, annotation) in old.annotations() {
        let (shape, details) = (annotation.shape().clone(), annotation.details().clone());
        match annotation.event() {
            Some(event) => new.put_event(frame, event, shape, annotation.interpolation(), details)?,
            None => new.set_with(frame, shape, details)?,
        }
    }
    if let Some(ranges) = old.ranges() {
        new.set_ranges(ranges)?;
    }
    if let Some(ranges) = old.html_ranges() {
        new.set_html_ranges(ranges)?;
    }
    let spaces: Vec<SpaceId> = old.space_ids().cloned().collect();
    for space in &spaces {
        for (frame, annotation) in old.annotations_on(space) {
            new.set_on(space, frame, annotation.shape().clone(), annotation.details().clone())?;
        }
        if let Some(ranges) = old.ranges_on(space) {
            new.set_ranges_on(space, ranges)?;
        }
        if let Some(ranges) = old.html_ranges_on(space) {
            new.set_html_ranges_on(space, ranges)?;
        }
    }
    new.set_details(old.details().clone())?;
    for attribute in class.attributes().iter().filter(|attribute| attribute.is_dynamic()) {
        for (answer, frames) in old.dynamic_answers(attribute)? {
            new.answer_on(frames, attribute, answer)?;
        }
    }
    let path =
        |hash: &str| Ok(class.path_to(hash)?.into_iter().map(|(a, o)| (a.clone(), o.clone())).collect());
    answer_all(
        &mut new,
        old.answers(),
        &path,
        |new, attribute, answer| new.change_answer(attribute, answer),
        |new, attribute| new.unanswer(attribute),
    )?;
    Ok(new)
}

fn remake_classification(
    row: &LabelRow,
    old: &ClassificationInstance,
) -> Result<ClassificationInstance, Error> {
    let class = row.ontology().classification_by_hash(old.class().feature_hash().as_str())?;
    let mut new = ClassificationInstance::with_hash(class, old.hash().clone());
    new.set_details(old.details().clone())?;
    if !old.frames().is_empty() {
        new.set(old.frames())?;
    }
    let spaces: Vec<SpaceId> = old.space_ids().cloned().collect();
    for space in &spaces {
        if let Some(frames) = old.frames_on(space) {
            new.set_on(space, frames)?;
        }
    }
    let path =
        |hash: &str| Ok(class.path_to(hash)?.into_iter().map(|(a, o)| (a.clone(), o.clone())).collect());
    answer_all(
        &mut new,
        old.answers(),
        &path,
        |new, attribute, answer| new.change_answer(attribute, answer),
        |new, attribute| new.unanswer(attribute),
    )?;
    Ok(new)
}

type Path = Vec<(Arc<Attribute>, AttributeOption)>;

/// Gives the same answers. A document may keep answers whose option above is not chosen any more; those are given
/// while the option is chosen, and then the choice is changed back, as happened when they were made.
fn answer_all<T>(
    new: &mut T,
    answers: Vec<(Arc<Attribute>, Answer)>,
    path: &dyn Fn(&str) -> Result<Path, Error>,
    change: impl Fn(&mut T, &Arc<Attribute>, Answer) -> Result<(), Error>,
    unanswer: impl Fn(&mut T, &Arc<Attribute>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut by_depth = Vec::with_capacity(answers.len());
    for (attribute, answer) in answers {
        by_depth.push((path(attribute.feature_hash().as_str())?, attribute, answer));
    }
    by_depth.sort_by_key(|(path, ..)| std::cmp::Reverse(path.len()));
    for (path, attribute, answer) in &by_depth {
        let static_path = path.iter().filter(|(radio, _)| !radio.is_dynamic());
        let mut helped = Vec::new();
        for (radio, option) in static_path {
            let choice = encord_labels::row::Choice {
                label: option.label().to_owned(),
                feature_hash: option.feature_hash().clone(),
            };
            change(new, radio, Answer::Radio(choice))?;
            helped.push(radio);
        }
        change(new, attribute, answer.clone())?;
        for radio in helped.into_iter().rev() {
            unanswer(new, radio)?;
        }
    }
    Ok(())
}
