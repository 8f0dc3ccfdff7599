//! What a row has already, so that a transfer that is repeated adds nothing twice.
//!
//! A run can be killed after the target was saved and before the task moved; the next run copies the same labels to
//! the same row. Copies have new hashes, so it is what labels say that tells them apart. Rows can have hundreds of
//! thousands of labels, which is why each is remembered as a number and not compared with every other.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::hash::{BuildHasher, DefaultHasher, Hasher, RandomState};

use encord_labels::row::{ClassificationInstance, ObjectInstance};

/// Labels of one kind; each is there so many times.
#[derive(Default)]
pub(crate) struct Present {
    labels: HashMap<(u64, u64), usize>,
    keys: (RandomState, RandomState),
}

impl Present {
    pub(crate) fn of<'a, T: Distinct + 'a>(labels: impl Iterator<Item = &'a T>) -> Self {
        let mut present = Self::default();
        for label in labels {
            let fingerprint = present.fingerprint(label);
            *present.labels.entry(fingerprint).or_default() += 1;
        }
        present
    }

    /// Whether the label is there; if so it counts once less.
    pub(crate) fn take(&mut self, label: &impl Distinct) -> bool {
        let fingerprint = self.fingerprint(label);
        match self.labels.get_mut(&fingerprint) {
            Some(times) if *times > 0 => {
                *times -= 1;
                true
            }
            _ => false,
        }
    }

    /// Two hashes with secret keys, so that no two labels share both by chance or on purpose.
    fn fingerprint(&self, label: &impl Distinct) -> (u64, u64) {
        let mut text = Text(self.keys.0.build_hasher(), self.keys.1.build_hasher());
        // Hashing cannot fail.
        let _ = label.describe(&mut text);
        (text.0.finish(), text.1.finish())
    }
}

/// Hashes text instead of keeping it.
struct Text(DefaultHasher, DefaultHasher);

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        self.1.write(text.as_bytes());
        Ok(())
    }
}

/// A label that is told from others by what it says.
pub(crate) trait Distinct {
    /// Writes down what makes it the label it is.
    fn describe(&self, text: &mut impl Write) -> fmt::Result;
}

/// Objects are the same if they are of one class and look the same in the same places, whatever their answers.
impl Distinct for ObjectInstance {
    fn describe(&self, text: &mut impl Write) -> fmt::Result {
        write!(text, "{:?}", self.class().feature_hash())?;
        for (frame, annotation) in self.annotations() {
            write!(text, "{frame}{:?}", annotation.shape())?;
        }
        write!(text, "{:?}{:?}", self.ranges(), self.html_ranges())?;
        let mut spaces: Vec<_> = self.space_ids().collect();
        spaces.sort_unstable();
        for space in spaces {
            write!(text, "{space:?}")?;
            for (frame, annotation) in self.annotations_on(space) {
                write!(text, "{frame}{:?}", annotation.shape())?;
            }
            write!(text, "{:?}{:?}", self.ranges_on(space), self.html_ranges_on(space))?;
        }
        Ok(())
    }
}

/// Classifications are the same if they are of one class, are about the same frames, and answer the same.
impl Distinct for ClassificationInstance {
    fn describe(&self, text: &mut impl Write) -> fmt::Result {
        write!(text, "{:?}{:?}", self.class().feature_hash(), self.frames())?;
        let mut spaces: Vec<_> = self.space_ids().map(|space| (space, self.frames_on(space))).collect();
        spaces.sort_unstable_by_key(|(space, _)| *space);
        let mut answers: Vec<_> = self
            .answers()
            .into_iter()
            .map(|(attribute, answer)| (attribute.feature_hash().clone(), answer))
            .collect();
        answers.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        write!(text, "{spaces:?}{answers:?}")
    }
}
