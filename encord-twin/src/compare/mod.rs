//! How far two rows agree, for instance a person's and a model's.
//!
//! Objects of one class are paired frame by frame where they overlap most. Classifications agree on a frame when
//! their answers are the same. The result is a report that an agent can route on: a score as a whole and one for
//! every class.
//!
//! ```no_run
//! # fn example(row: encord_labels::LabelRow, twin: encord_labels::LabelRow) -> Result<(), encord_labels::Error> {
//! use encord_twin::compare::{CompareOptions, compare};
//!
//! let agreement = compare(&row, &twin, &CompareOptions::new())?;
//! let poor = agreement.scores().into_values().any(|score| score < 0.5);
//! let pathway = if agreement.score() > 0.9 && !poor { "complete" } else { "review" };
//! # Ok(())
//! # }
//! ```

mod classifications;
mod objects;

use std::collections::BTreeMap;

use encord_labels::id::SpaceId;
use encord_labels::{Error, Frame, LabelRow};

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
    /// The space both lie on; `None` for the file itself.
    pub space: Option<SpaceId>,
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
    /// The space it lies on; `None` for the file itself.
    pub space: Option<SpaceId>,
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
        self.tallies().into_values().fold(Tally::default(), Tally::plus).score()
    }

    /// The same share for every class that is in one of the rows, by title. A class of objects and a class of
    /// classifications with one title count together.
    pub fn scores(&self) -> BTreeMap<&str, f64> {
        self.tallies().into_iter().map(|(class, tally)| (class, tally.score())).collect()
    }

    fn tallies(&self) -> BTreeMap<&str, Tally> {
        let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
        for pair in &self.pairs {
            tallies.entry(&pair.class).or_default().agreed += 1.0;
        }
        for lonely in self.only_left.iter().chain(&self.only_right) {
            tallies.entry(&lonely.class).or_default().alone += 1.0;
        }
        for (title, class) in &self.classifications {
            let tally = tallies.entry(title).or_default();
            tally.agreed += class.equal as f64;
            tally.alone += class.only_left as f64 + class.only_right as f64 + 2.0 * class.different as f64;
        }
        tallies
    }

    /// How much objects that are in both rows overlap on average; `None` if there are none.
    pub fn mean_iou(&self) -> Option<f64> {
        let sum: f64 = self.pairs.iter().map(|pair| pair.iou).sum();
        (!self.pairs.is_empty()).then(|| sum / self.pairs.len() as f64)
    }
}

/// What is in both rows, and what is in one of them only. Long ranges can have more frames than a whole number
/// counts.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    agreed: f64,
    alone: f64,
}

impl Tally {
    fn plus(self, other: Self) -> Self {
        Self { agreed: self.agreed + other.agreed, alone: self.alone + other.alone }
    }

    fn score(self) -> f64 {
        let all = 2.0 * self.agreed + self.alone;
        if all == 0.0 { 1.0 } else { 2.0 * self.agreed / all }
    }
}

/// Compares two rows of the same data. Classes are matched by feature hash.
///
/// Boxes, polygons and masks overlap as areas, ranges by their length. Points, lines, skeletons and shapes in space
/// are the same or not, and so are the ranges of HTML files. Time and memory grow with what the rows hold, not with
/// the length of ranges; but every object of a class is compared with every other on its frame.
///
/// # Errors
/// If one of the rows has not been initialised, or masks of one image differ in size.
pub fn compare(left: &LabelRow, right: &LabelRow, options: &CompareOptions) -> Result<Agreement, Error> {
    let mut agreement = Agreement::default();
    objects::compare(left, right, options, &mut agreement)?;
    classifications::compare(left, right, &mut agreement)?;
    Ok(agreement)
}
