//! Where the classifications of two rows agree.
//!
//! A classification can be about any number of frames with one set of answers, so frames stay ranges throughout.

use std::collections::{BTreeMap, BTreeSet};

use encord_labels::id::SpaceId;
use encord_labels::row::{Answer, ClassificationInstance};
use encord_labels::{Error, FrameSet, LabelRow};

use super::Agreement;

pub(super) fn compare(left: &LabelRow, right: &LabelRow, agreement: &mut Agreement) -> Result<(), Error> {
    let (on_left, on_right) = (classified(left)?, classified(right)?);
    let keys: BTreeSet<&Key<'_>> = on_left.keys().chain(on_right.keys()).collect();
    let nothing = Classified::default();
    for key in keys {
        let (left, right) = (on_left.get(key), on_right.get(key));
        let name = left.or(right).map_or("", |side| side.name);
        let (left, right) = (left.unwrap_or(&nothing), right.unwrap_or(&nothing));
        let class = agreement.classifications.entry(name.to_owned()).or_default();
        let equal: FrameSet = left
            .answers
            .iter()
            .filter_map(|(answers, frames)| Some(frames.intersection(right.answers.get(answers)?)))
            .flat_map(|frames| frames.ranges().to_vec())
            .collect();
        let (mine, theirs) = (left.frames(), right.frames());
        let both = mine.intersection(&theirs).len();
        let add = |count: &mut u64, frames: u64| *count = count.saturating_add(frames);
        add(&mut class.equal, equal.len());
        add(&mut class.different, both - equal.len());
        add(&mut class.only_left, mine.len() - both);
        add(&mut class.only_right, theirs.len() - both);
        match (&left.whole, &right.whole) {
            (Some(left), Some(right)) if left == right => add(&mut class.equal, 1),
            (Some(_), Some(_)) => add(&mut class.different, 1),
            (Some(_), None) => add(&mut class.only_left, 1),
            (None, Some(_)) => add(&mut class.only_right, 1),
            (None, None) => {}
        }
    }
    Ok(())
}

/// Feature hash of the class, and the space.
type Key<'a> = (&'a str, Option<&'a SpaceId>);

/// Attribute and answer in one spelling, so that the order of options and answers does not matter.
type Answers = Vec<(String, Vec<String>)>;

/// What the classifications of one class say in one place.
#[derive(Default)]
struct Classified<'a> {
    name: &'a str,
    /// About the file as a whole.
    whole: Option<Answers>,
    /// About frames.
    answers: BTreeMap<Answers, FrameSet>,
}

impl Classified<'_> {
    fn frames(&self) -> FrameSet {
        self.answers.values().flat_map(|frames| frames.ranges()).copied().collect()
    }
}

fn classified(row: &LabelRow) -> Result<BTreeMap<Key<'_>, Classified<'_>>, Error> {
    let mut classified: BTreeMap<Key<'_>, Classified<'_>> = BTreeMap::new();
    let whole = FrameSet::new();
    for classification in row.classifications()? {
        let class = classification.class();
        let answers = answers(classification);
        let mut put = |space, frames: &FrameSet| {
            let here = classified.entry((class.feature_hash().as_str(), space)).or_default();
            here.name = class.name();
            if frames.is_empty() {
                here.whole = Some(answers.clone());
            } else {
                here.answers.entry(answers.clone()).or_default().insert(frames);
            }
        };
        let mut spaces = classification.space_ids().peekable();
        if spaces.peek().is_none() {
            put(None, classification.frames());
        }
        for space in spaces {
            put(Some(space), classification.frames_on(space).unwrap_or(&whole));
        }
    }
    Ok(classified)
}

fn answers(classification: &ClassificationInstance) -> Answers {
    let spelled = classification.answers().into_iter().map(|(attribute, answer)| {
        let answer = match answer {
            Answer::Text(text) => vec![text],
            // One number can be spelled in several ways.
            Answer::Number(number) => {
                vec![number.as_f64().map_or_else(|| number.to_string(), |value| value.to_string())]
            }
            choice => {
                let mut labels: Vec<_> = choice.choices().iter().map(|choice| choice.label.clone()).collect();
                labels.sort_unstable();
                labels
            }
        };
        (attribute.name().to_owned(), answer)
    });
    let mut spelled: Answers = spelled.collect();
    spelled.sort();
    spelled
}
