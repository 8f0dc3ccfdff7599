//! How far two rows agree, for instance a person's and a model's.
//!
//! Objects of one class are paired frame by frame where they overlap most. Classifications agree on a frame when
//! their answers are the same. The result is a report that an agent can route on.
//!
//! ```no_run
//! # fn example(row: encord_labels::LabelRow, twin: encord_labels::LabelRow) -> Result<(), encord_labels::Error> {
//! use encord_twin::compare::{CompareOptions, compare};
//!
//! let agreement = compare(&row, &twin, &CompareOptions::new())?;
//! let pathway = if agreement.score() > 0.9 { "complete" } else { "review" };
//! # Ok(())
//! # }
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};

use encord_labels::id::SpaceId;
use encord_labels::row::{Answer, ClassificationInstance, ObjectInstance};
use encord_labels::shape::Shape;
use encord_labels::{Error, Frame, FrameSet, LabelRow};

/// What counts as agreement.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct CompareOptions {
    min_iou: f64,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self { min_iou: 0.5 }
    }
}

impl CompareOptions {
    /// Objects are the same where at least half of their union is shared.
    pub fn new() -> Self {
        Self::default()
    }

    /// How much of their union two objects must share to be the same, from 0 to 1.
    pub fn with_min_iou(mut self, iou: f64) -> Self {
        self.min_iou = iou;
        self
    }
}

/// How far two rows agree.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Agreement {
    /// Objects that are in both rows.
    pub pairs: Vec<Pair>,
    /// Objects that are in the left row only.
    pub only_left: Vec<Lonely>,
    /// Objects that are in the right row only.
    pub only_right: Vec<Lonely>,
    /// Classifications by title of their class.
    pub classifications: BTreeMap<String, ClassAgreement>,
}

/// An object that is in both rows, on one frame.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Pair {
    /// Title of the class.
    pub class: String,
    /// The frame; 0 for objects that are ranges of a file.
    pub frame: Frame,
    /// Hash of the object in the left row.
    pub left: String,
    /// Hash of the object in the right row.
    pub right: String,
    /// How much of their union they share, from 0 to 1.
    pub iou: f64,
}

/// An object without a counterpart, on one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lonely {
    /// Title of the class.
    pub class: String,
    /// The frame; 0 for objects that are ranges of a file.
    pub frame: Frame,
    /// Hash of the object.
    pub hash: String,
}

/// How often the classifications of one class agree, in frames. A classification of a whole file counts once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClassAgreement {
    /// Same answers.
    pub equal: u64,
    /// Other answers.
    pub different: u64,
    /// In the left row only.
    pub only_left: u64,
    /// In the right row only.
    pub only_right: u64,
}

impl Agreement {
    /// The share of objects and classifications on which the rows agree, from 0 to 1: twice what is in both, over
    /// what is in the one plus what is in the other. Two empty rows agree.
    pub fn score(&self) -> f64 {
        let classified =
            |count: fn(&ClassAgreement) -> u64| self.classifications.values().map(count).sum::<u64>();
        let agreed = self.pairs.len() as u64 + classified(|class| class.equal);
        let alone = (self.only_left.len() + self.only_right.len()) as u64
            + classified(|class| class.only_left + class.only_right + 2 * class.different);
        if agreed + alone == 0 { 1.0 } else { 2.0 * agreed as f64 / (2 * agreed + alone) as f64 }
    }

    /// How much objects that are in both rows overlap on average; `None` if there are none.
    pub fn mean_iou(&self) -> Option<f64> {
        let sum: f64 = self.pairs.iter().map(|pair| pair.iou).sum();
        (!self.pairs.is_empty()).then(|| sum / self.pairs.len() as f64)
    }
}

/// Compares two rows of the same data. Classes are matched by feature hash.
///
/// # Errors
/// If one of the rows has not been initialised, or a mask does not have the size of the image.
pub fn compare(left: &LabelRow, right: &LabelRow, options: &CompareOptions) -> Result<Agreement, Error> {
    let mut agreement = Agreement::default();
    let size = image_size(left);
    let (mut on_left, mut on_right) = (places(left)?, places(right)?);
    let keys: BTreeSet<Place> = on_left.keys().chain(on_right.keys()).cloned().collect();
    for place in keys {
        let left = on_left.remove(&place).unwrap_or_default();
        let right = on_right.remove(&place).unwrap_or_default();
        pair_up(&place, &left, &right, size, options, &mut agreement)?;
    }
    compare_classifications(left, right, &mut agreement)?;
    Ok(agreement)
}

/// Where objects can meet: class, space and frame.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Place {
    feature: String,
    space: Option<String>,
    frame: Frame,
}

/// An object on one frame, or as a whole if it is ranges of a file.
struct Seen<'a> {
    object: &'a ObjectInstance,
    form: Form<'a>,
}

enum Form<'a> {
    Shape(&'a Shape),
    Ranges(&'a FrameSet),
}

fn places(row: &LabelRow) -> Result<HashMap<Place, Vec<Seen<'_>>>, Error> {
    let mut places: HashMap<Place, Vec<Seen<'_>>> = HashMap::new();
    for object in row.objects()? {
        let feature = object.class().feature_hash().as_str();
        let mut put = |space: Option<&SpaceId>, frame, form| {
            let space = space.map(|space| space.as_str().to_owned());
            let place = Place { feature: feature.to_owned(), space, frame };
            places.entry(place).or_default().push(Seen { object, form });
        };
        for (frame, annotation) in object.annotations() {
            put(None, frame, Form::Shape(annotation.shape()));
        }
        if let Some(ranges) = object.ranges() {
            put(None, 0, Form::Ranges(ranges));
        }
        for space in object.space_ids() {
            for (frame, annotation) in object.annotations_on(space) {
                put(Some(space), frame, Form::Shape(annotation.shape()));
            }
            if let Some(ranges) = object.ranges_on(space) {
                put(Some(space), 0, Form::Ranges(ranges));
            }
        }
    }
    Ok(places)
}

/// Pairs objects that overlap most first, each at most once.
fn pair_up(
    place: &Place,
    left: &[Seen<'_>],
    right: &[Seen<'_>],
    size: (u32, u32),
    options: &CompareOptions,
    agreement: &mut Agreement,
) -> Result<(), Error> {
    let mut overlaps = Vec::new();
    for (l, on_left) in left.iter().enumerate() {
        for (r, on_right) in right.iter().enumerate() {
            let iou = overlap(&on_left.form, &on_right.form, size)?;
            if iou > 0.0 && iou >= options.min_iou {
                overlaps.push((iou, l, r));
            }
        }
    }
    overlaps.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut free_left, mut free_right) = (vec![true; left.len()], vec![true; right.len()]);
    for (iou, l, r) in overlaps {
        if free_left[l] && free_right[r] {
            (free_left[l], free_right[r]) = (false, false);
            agreement.pairs.push(Pair {
                class: left[l].object.class().name().to_owned(),
                frame: place.frame,
                left: left[l].object.hash().to_string(),
                right: right[r].object.hash().to_string(),
                iou,
            });
        }
    }
    let lonely = |seen: &Seen<'_>| Lonely {
        class: seen.object.class().name().to_owned(),
        frame: place.frame,
        hash: seen.object.hash().to_string(),
    };
    let still = |free: Vec<bool>, seen: &[Seen<'_>]| -> Vec<Lonely> {
        free.iter().zip(seen).filter(|(free, _)| **free).map(|(_, seen)| lonely(seen)).collect()
    };
    agreement.only_left.extend(still(free_left, left));
    agreement.only_right.extend(still(free_right, right));
    Ok(())
}

/// How much of their union two forms share. Forms without area, like points, share all or nothing.
fn overlap(left: &Form<'_>, right: &Form<'_>, (width, height): (u32, u32)) -> Result<f64, Error> {
    match (left, right) {
        (Form::Shape(left), Form::Shape(right)) if left == right => Ok(1.0),
        (Form::Shape(left), Form::Shape(right)) => {
            left.on_image(width, height)?.iou(&right.on_image(width, height)?)
        }
        (Form::Ranges(left), Form::Ranges(right)) => {
            let shared = left.intersection(right).len();
            let union = left.len() + right.len() - shared;
            Ok(if union == 0 { 1.0 } else { shared as f64 / union as f64 })
        }
        _ => Ok(0.0),
    }
}

/// Pixels of the data. Shapes are in fractions, so where the size is unknown any will do but for masks.
fn image_size(row: &LabelRow) -> (u32, u32) {
    let known = |pixels: Option<u64>| {
        pixels.and_then(|pixels| u32::try_from(pixels).ok()).filter(|pixels| *pixels > 0)
    };
    let metadata = row.metadata();
    known(metadata.width()).zip(known(metadata.height())).unwrap_or((1000, 1000))
}

/// The answers of the classifications of one class, frame by frame; frame `None` for the whole file.
type Classified = BTreeMap<(String, String, Option<String>), BTreeMap<Option<Frame>, Vec<(String, String)>>>;

fn compare_classifications(
    left: &LabelRow,
    right: &LabelRow,
    agreement: &mut Agreement,
) -> Result<(), Error> {
    let (left, right) = (classified(left)?, classified(right)?);
    let keys: BTreeSet<_> = left.keys().chain(right.keys()).cloned().collect();
    let nothing = BTreeMap::new();
    for key in keys {
        let (on_left, on_right) = (left.get(&key).unwrap_or(&nothing), right.get(&key).unwrap_or(&nothing));
        let frames: BTreeSet<_> = on_left.keys().chain(on_right.keys()).copied().collect();
        let class = agreement.classifications.entry(key.1.clone()).or_default();
        for frame in frames {
            match (on_left.get(&frame), on_right.get(&frame)) {
                (Some(left), Some(right)) if left == right => class.equal += 1,
                (Some(_), Some(_)) => class.different += 1,
                (Some(_), None) => class.only_left += 1,
                _ => class.only_right += 1,
            }
        }
    }
    Ok(())
}

fn classified(row: &LabelRow) -> Result<Classified, Error> {
    let mut classified = Classified::new();
    for classification in row.classifications()? {
        let class = classification.class();
        let answers = answers(classification);
        let mut put = |space: Option<&SpaceId>, frames: &FrameSet| {
            let space = space.map(|space| space.as_str().to_owned());
            let key = (class.feature_hash().as_str().to_owned(), class.name().to_owned(), space);
            let by_frame = classified.entry(key).or_default();
            if frames.is_empty() {
                by_frame.insert(None, answers.clone());
            }
            by_frame.extend(frames.iter().map(|frame| (Some(frame), answers.clone())));
        };
        let spaces: Vec<&SpaceId> = classification.space_ids().collect();
        if spaces.is_empty() {
            put(None, classification.frames());
        }
        for space in spaces {
            put(Some(space), classification.frames_on(space).unwrap_or(&FrameSet::default()));
        }
    }
    Ok(classified)
}

/// Attribute and answer in one spelling, so that the order of options and answers does not matter.
fn answers(classification: &ClassificationInstance) -> Vec<(String, String)> {
    let spelled = classification.answers().into_iter().map(|(attribute, answer)| {
        let answer = match answer {
            Answer::Text(text) => text,
            Answer::Number(number) => number.to_string(),
            choice => {
                let mut labels: Vec<_> =
                    choice.choices().iter().map(|choice| choice.label.as_str()).collect();
                labels.sort_unstable();
                labels.join("\u{1f}")
            }
        };
        (attribute.name().to_owned(), answer)
    });
    let mut spelled: Vec<_> = spelled.collect();
    spelled.sort();
    spelled
}
