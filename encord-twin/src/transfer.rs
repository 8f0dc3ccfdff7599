//! Copying labels from one row to another, for instance from a twin to the task's row.
//!
//! Projects often share an ontology, but not always. Classes are matched by feature hash, or as a [`Mapping`]
//! says; whatever has no counterpart stays behind and is listed in the [`TransferReport`] with the reason.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use encord_labels::ontology::{Attribute, AttributeOption, ObjectClass, Ontology};
use encord_labels::row::{Answer, ClassificationInstance, GivenAnswer, ObjectInstance, Overlap};
use encord_labels::{Error as LabelsError, FrameSet, LabelRow};

use crate::present::Present;

/// Which features of the target stand for features of the source. Features that are not mentioned stand for
/// themselves; attributes and options that are
/// not found by hash are looked for by title.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Mapping {
    features: HashMap<String, String>,
}

impl Mapping {
    /// Every feature stands for itself.
    pub fn new() -> Self {
        Self::default()
    }

    /// Translates a feature hash of the source (of an object, classification, attribute or option) to one of the target.
    pub fn with(mut self, source: impl Into<String>, target: impl Into<String>) -> Self {
        self.features.insert(source.into(), target.into());
        self
    }

    fn target<'a>(&'a self, source: &'a str) -> &'a str {
        self.features.get(source).map_or(source, String::as_str)
    }
}

/// What became of the labels of the source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransferReport {
    /// How many objects were copied.
    pub objects: usize,
    /// How many classifications were copied.
    pub classifications: usize,
    /// How many objects and classifications the target had already, so that they were not copied again.
    pub already_there: usize,
    /// What was not copied.
    pub left_behind: Vec<LeftBehind>,
}

impl TransferReport {
    /// Whether everything was copied.
    pub fn is_complete(&self) -> bool {
        self.left_behind.is_empty()
    }
}

/// A label, or the answer of a label, that has no place in the target.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftBehind {
    /// Hash of the object or classification in the source.
    pub hash: String,
    /// Title of its class.
    pub class: String,
    /// Title of the attribute, if only its answer was left behind.
    pub attribute: Option<String>,
    /// Why.
    pub reason: String,
}

impl fmt::Display for LeftBehind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.hash, self.class)?;
        if let Some(attribute) = &self.attribute {
            write!(f, ", answer to {attribute:?}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Copies all labels of `source` to `target`, which keeps what it has.
///
/// Copies get new hashes. Labels that the target has already are not copied again, so a transfer that was interrupted
/// after the target was saved can simply be repeated: objects of the same class with the same shapes or ranges on the
/// same frames, whatever their answers, and classifications with the same frames and answers. Other classifications
/// of the target give way on frames that a copied one of their class is about. Labels that do not fit (an unknown
/// class, another shape, frames past the end) stay behind.
///
/// # Errors
/// Only if one of the rows has not been initialised.
pub fn transfer(
    source: &LabelRow,
    target: &mut LabelRow,
    mapping: &Mapping,
) -> Result<TransferReport, LabelsError> {
    let ontology = target.ontology().clone();
    let mut report = TransferReport::default();
    // What this transfer adds is not among them: two equal objects of the source are two objects.
    let mut objects = Present::of(target.objects()?);
    let mut classifications = Present::of(target.classifications()?);
    for object in source.objects()? {
        let mut notes = Notes::new(object.hash().as_str(), object.class().name());
        match copy_object(object, &ontology, mapping, &mut notes) {
            Ok(copy) if objects.take(&copy) => report.already_there += 1,
            copied => match copied.and_then(|copy| target.add_object(copy).map(drop)) {
                Ok(()) => report.objects += 1,
                Err(error) => notes.only(&error),
            },
        }
        report.left_behind.append(&mut notes.left);
    }
    for classification in source.classifications()? {
        let mut notes = Notes::new(classification.hash().as_str(), classification.class().name());
        match copy_classification(classification, &ontology, mapping, &mut notes) {
            Ok(copy) if classifications.take(&copy) => report.already_there += 1,
            copied => {
                match copied.and_then(|copy| target.add_classification(copy, Overlap::Replace).map(drop)) {
                    Ok(()) => report.classifications += 1,
                    Err(error) => notes.only(&error),
                }
            }
        }
        report.left_behind.append(&mut notes.left);
    }
    Ok(report)
}

/// Collects what of one label is left behind.
struct Notes<'a> {
    hash: &'a str,
    class: &'a str,
    left: Vec<LeftBehind>,
}

impl<'a> Notes<'a> {
    fn new(hash: &'a str, class: &'a str) -> Self {
        Self { hash, class, left: Vec::new() }
    }

    fn add(&mut self, attribute: Option<&str>, reason: impl fmt::Display) {
        self.left.push(LeftBehind {
            hash: self.hash.to_owned(),
            class: self.class.to_owned(),
            attribute: attribute.map(str::to_owned),
            reason: reason.to_string(),
        });
    }

    /// The label as a whole is left behind, so notes about its parts do not matter.
    fn only(&mut self, error: &LabelsError) {
        self.left.clear();
        self.add(None, error);
    }
}

fn copy_object(
    object: &ObjectInstance,
    ontology: &Ontology,
    mapping: &Mapping,
    notes: &mut Notes<'_>,
) -> Result<ObjectInstance, LabelsError> {
    let source = object.class();
    let class = ontology.object_by_hash(mapping.target(source.feature_hash().as_str()))?;
    if class.feature_hash() == source.feature_hash() && class.attributes() == source.attributes() {
        return Ok(object.copy());
    }
    let mut copy = ObjectInstance::new(class);
    draw(object, &mut copy)?;
    let answers = object.answers().into_iter().map(|(attribute, answer)| (attribute, answer, None));
    let mut given: Vec<Given> = answers.collect();
    for attribute in dynamic_attributes(source) {
        let answers = object.dynamic_answers(&attribute)?;
        given.extend(answers.into_iter().map(|(answer, frames)| (attribute.clone(), answer, Some(frames))));
    }
    answer(given, notes, |attribute, answer, frames| {
        let by_hash = class.attribute_by_hash(mapping.target(attribute.feature_hash().as_str()));
        let found = by_hash.or_else(|_| class.attribute(attribute.name()))?;
        let answer = translate(answer, found, mapping)?;
        match frames {
            Some(frames) => copy.answer_on(frames.clone(), found, answer),
            None => copy.answer(found, answer),
        }
    });
    Ok(copy)
}

fn copy_classification(
    classification: &ClassificationInstance,
    ontology: &Ontology,
    mapping: &Mapping,
    notes: &mut Notes<'_>,
) -> Result<ClassificationInstance, LabelsError> {
    let source = classification.class();
    let class = ontology.classification_by_hash(mapping.target(source.feature_hash().as_str()))?;
    if class.feature_hash() == source.feature_hash() && class.attributes() == source.attributes() {
        return Ok(classification.copy());
    }
    let mut copy = ClassificationInstance::new(class);
    if !classification.frames().is_empty() {
        copy.set(classification.frames().clone())?;
    }
    for space in classification.space_ids() {
        copy.set_on(space, classification.frames_on(space).cloned().unwrap_or_default())?;
    }
    copy.set_details(classification.details().clone())?;
    let given = classification.answers().into_iter().map(|(attribute, answer)| (attribute, answer, None));
    answer(given.collect(), notes, |attribute, answer, _| {
        let by_hash = class.attribute_by_hash(mapping.target(attribute.feature_hash().as_str()));
        let found = by_hash.or_else(|_| class.attribute(attribute.name()))?;
        copy.answer(found, translate(answer, found, mapping)?)
    });
    Ok(copy)
}

/// Where the object is, on the file itself and on its spaces.
fn draw(object: &ObjectInstance, copy: &mut ObjectInstance) -> Result<(), LabelsError> {
    for (frame, annotation) in object.annotations() {
        copy.set_with(frame, annotation.shape().clone(), annotation.details().clone())?;
    }
    if let Some(ranges) = object.ranges() {
        copy.set_ranges(ranges.clone())?;
    }
    if let Some(ranges) = object.html_ranges() {
        copy.set_html_ranges(ranges)?;
    }
    for space in object.space_ids() {
        for (frame, annotation) in object.annotations_on(space) {
            copy.set_on(space, frame, annotation.shape().clone(), annotation.details().clone())?;
        }
        if let Some(ranges) = object.ranges_on(space) {
            copy.set_ranges_on(space, ranges.clone())?;
        }
        if let Some(ranges) = object.html_ranges_on(space) {
            copy.set_html_ranges_on(space, ranges)?;
        }
    }
    if object.class().shape().is_range() {
        copy.set_details(object.details().clone())?;
    }
    Ok(())
}

/// An answer to give, with its frames if the attribute is answered per frame.
type Given = (Arc<Attribute>, Answer, Option<FrameSet>);

/// Gives answers as long as that succeeds for any of them: an answer below an option can only be given once the
/// option is chosen, and the order of answers does not tell.
fn answer(
    mut given: Vec<Given>,
    notes: &mut Notes<'_>,
    mut give: impl FnMut(&Attribute, &Answer, Option<&FrameSet>) -> Result<(), LabelsError>,
) {
    loop {
        let before = given.len();
        let mut errors = Vec::new();
        given.retain(|(attribute, answer, frames)| match give(attribute, answer, frames.as_ref()) {
            Ok(()) => false,
            Err(error) => {
                errors.push((attribute.name().to_owned(), error));
                true
            }
        });
        if given.is_empty() || given.len() == before {
            for (attribute, error) in errors {
                notes.add(Some(&attribute), error);
            }
            return;
        }
    }
}

/// The answer in terms of the target's attribute: options by hash as the mapping says, or else by label.
fn translate(answer: &Answer, attribute: &Attribute, mapping: &Mapping) -> Result<GivenAnswer, LabelsError> {
    let choices = match answer {
        Answer::Radio(choice) => std::slice::from_ref(choice),
        Answer::Checklist(choices) => choices,
        other => return Ok(other.clone().into()),
    };
    let options: Result<Vec<&AttributeOption>, LabelsError> = choices
        .iter()
        .map(|choice| {
            let by_hash = attribute.option_by_hash(mapping.target(choice.feature_hash.as_str()));
            by_hash.or_else(|_| attribute.option(&choice.label))
        })
        .collect();
    Ok(options?.into())
}

/// The attributes of a class that are answered per frame, nested ones included.
fn dynamic_attributes(class: &ObjectClass) -> Vec<Arc<Attribute>> {
    let mut open: Vec<&Arc<Attribute>> = class.attributes().iter().collect();
    let mut found: Vec<Arc<Attribute>> = Vec::new();
    let mut seen = HashSet::new();
    while let Some(attribute) = open.pop() {
        if !seen.insert(attribute.feature_hash().as_str()) {
            continue;
        }
        open.extend(attribute.options().iter().flat_map(|option| option.attributes()));
        if attribute.is_dynamic() {
            found.push(attribute.clone());
        }
    }
    found
}
