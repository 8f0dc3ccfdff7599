//! The answers of one object that change from frame to frame.
//!
//! A document has one entry per answer, with the frames it holds on. Setting answers frame by frame would look through
//! all entries every time, so an index knows which entry holds on which frames. It is made when it is first asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

use super::answer::{AnswerEntry, DynamicEntry};
use super::answering::answer_of;
use super::given::Answer;
use crate::id::FeatureHash;
use crate::ontology::Attribute;
use crate::range::{Frame, FrameRange, FrameSet};

/// Entries in the order of the document, and of their appearance after that.
#[derive(Debug, Clone, Default)]
pub(crate) struct DynamicAnswers {
    /// `None` where an answer lost its last frame.
    entries: Vec<Option<DynamicEntry>>,
    gone: usize,
    index: OnceLock<HashMap<FeatureHash, Spans>>,
}

/// Where the answers to one attribute hold.
#[derive(Debug, Clone, Default)]
struct Spans {
    /// Last frame and entry by first frame; no two share a frame.
    apart: BTreeMap<Frame, (Frame, usize)>,
    /// Entries that share frames with others: documents split checklists into one entry per option.
    shared: BTreeSet<usize>,
    /// Entries by what they answer.
    by_value: HashMap<String, usize>,
}

impl PartialEq for DynamicAnswers {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl DynamicAnswers {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.len() == self.gone
    }

    /// The entries in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &DynamicEntry> {
        self.entries.iter().flatten()
    }

    /// The answers of the entries, to be moved to the attributes of another ontology with the same hashes.
    pub(super) fn answers_mut(&mut self) -> impl Iterator<Item = &mut AnswerEntry> {
        self.entries.iter_mut().flatten().map(|entry| &mut entry.answer)
    }

    /// Adds an entry as a document has it.
    pub(crate) fn push(&mut self, entry: DynamicEntry) {
        self.index = OnceLock::new();
        self.entries.push(Some(entry));
    }

    /// What is said about an attribute on one frame. Of several texts the last counts; ticks add up.
    pub(super) fn on(&self, attribute: &Attribute, frame: Frame) -> Option<Answer> {
        let spans = self.index().get(attribute.feature_hash())?;
        let mut here = spans.shared.clone();
        here.extend(spans.at(frame).map(|(_, _, entry)| entry));
        let holding = here.into_iter().filter_map(|index| self.entries[index].as_ref());
        let holding = holding.filter(|entry| entry.frames.contains(frame));
        answer_of(attribute, holding.map(|entry| &entry.answer))
    }

    /// Every answer to an attribute with the frames it holds on, in the order the answers first appear.
    pub(super) fn by_frames(&self, attribute: &Attribute) -> Vec<(Answer, FrameSet)> {
        let mine = |entry: &&DynamicEntry| entry.answer.attribute.feature_hash() == attribute.feature_hash();
        by_frames(attribute, &self.iter().filter(mine).collect::<Vec<_>>())
    }

    /// Removes what is said about an attribute on some frames.
    pub(super) fn clear(&mut self, attribute: &Attribute, frames: &FrameSet) {
        self.index();
        let Some(spans) = self.index.get_mut().and_then(|index| index.get_mut(attribute.feature_hash()))
        else {
            return;
        };
        let mut emptied = 0;
        for range in frames.ranges() {
            for (cut, index) in spans.cut(*range) {
                emptied += usize::from(remove(&mut self.entries[index], &cut.into()));
            }
        }
        spans.shared.retain(|index| {
            let gone = remove(&mut self.entries[*index], frames);
            emptied += usize::from(gone);
            !gone
        });
        self.gone += emptied;
        if self.gone > 16 && self.gone > self.entries.len() / 2 {
            self.entries.retain(Option::is_some);
            (self.gone, self.index) = (0, OnceLock::new());
        }
    }

    /// Adds an answer on frames in place of what is said there, joining it with an equal one.
    pub(super) fn put(&mut self, answer: AnswerEntry, frames: FrameSet) {
        if frames.is_empty() {
            return;
        }
        self.clear(&answer.attribute, &frames);
        let next = self.entries.len();
        self.index();
        let Some(index) = self.index.get_mut() else { return };
        let spans = index.entry(answer.attribute.feature_hash().clone()).or_default();
        let place = spans.by_value.entry(value_key(&answer)).or_insert(next);
        // An answer that lost its last frame comes back as a new one.
        let index = match self.entries.get_mut(*place) {
            Some(Some(entry)) => {
                entry.frames.insert(&frames);
                *place
            }
            _ => {
                *place = next;
                self.entries.push(Some(DynamicEntry { answer, frames: frames.clone() }));
                next
            }
        };
        if !spans.shared.contains(&index) {
            frames.ranges().iter().for_each(|range| spans.add(*range, index));
        }
    }

    fn index(&self) -> &HashMap<FeatureHash, Spans> {
        self.index.get_or_init(|| {
            let mut index: HashMap<FeatureHash, Spans> = HashMap::new();
            for (number, entry) in self.entries.iter().enumerate() {
                let Some(entry) = entry else { continue };
                let hash = entry.answer.attribute.feature_hash();
                let spans = index.entry(hash.clone()).or_default();
                let frames = entry.frames.ranges();
                if frames.iter().any(|range| spans.overlapping(*range).next().is_some()) {
                    spans.shared.insert(number);
                } else {
                    frames.iter().for_each(|range| spans.add(*range, number));
                }
                spans.by_value.entry(value_key(&entry.answer)).or_insert(number);
            }
            index
        })
    }
}

impl Spans {
    /// The span a frame lies in: its first and last frame, and its entry.
    fn at(&self, frame: Frame) -> Option<(Frame, Frame, usize)> {
        let (start, (end, entry)) = self.apart.range(..=frame).next_back()?;
        (*end >= frame).then_some((*start, *end, *entry))
    }

    /// The spans that share a frame with a range.
    fn overlapping(&self, range: FrameRange) -> impl Iterator<Item = (Frame, Frame, usize)> {
        let first = self.at(range.start);
        let from = first.map_or(range.start, |(start, ..)| start);
        self.apart.range(from..=range.end).map(|(start, (end, entry))| (*start, *end, *entry))
    }

    /// Takes the frames of a range out of all spans; gives back which were taken from which entry.
    fn cut(&mut self, range: FrameRange) -> Vec<(FrameRange, usize)> {
        let found: Vec<_> = self.overlapping(range).collect();
        let mut taken = Vec::with_capacity(found.len());
        for (start, end, entry) in found {
            #[cfg(test)]
            tests::VISITS.with(|visits| visits.set(visits.get() + 1));
            self.apart.remove(&start);
            if start < range.start {
                self.apart.insert(start, (range.start - 1, entry));
            }
            if end > range.end {
                self.apart.insert(range.end + 1, (end, entry));
            }
            taken.push((FrameRange { start: start.max(range.start), end: end.min(range.end) }, entry));
        }
        taken
    }

    /// Adds a span where there is none, joined with the one before it if that is the same answer.
    fn add(&mut self, range: FrameRange, entry: usize) {
        let before = range.start.checked_sub(1).and_then(|frame| self.at(frame));
        let start = before.filter(|(.., other)| *other == entry).map_or(range.start, |(start, ..)| start);
        self.apart.insert(start, (range.end, entry));
    }
}

/// Takes frames from an entry; says whether it has none left, and makes it `None` then.
fn remove(slot: &mut Option<DynamicEntry>, frames: &FrameSet) -> bool {
    let Some(entry) = slot.as_mut().filter(|entry| entry.frames.overlaps(frames)) else { return false };
    entry.frames.remove(frames);
    let gone = entry.frames.is_empty();
    if gone {
        *slot = None;
    }
    gone
}

/// What makes two answers to one attribute equal, as text: numbers have no order or hash of their own.
fn value_key(answer: &AnswerEntry) -> String {
    format!("{:?} {:?}", answer.manual, answer.value)
}

/// Every answer to an attribute with the frames it holds on, in the order the answers first appear.
fn by_frames(attribute: &Attribute, entries: &[&DynamicEntry]) -> Vec<(Answer, FrameSet)> {
    // Where an entry begins (true) and where it has ended; between two such edges nothing changes.
    let mut edges: Vec<(Frame, bool, usize)> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        for range in entry.frames.ranges() {
            edges.push((range.start, true, index));
            edges.extend(range.end.checked_add(1).map(|end| (end, false, index)));
        }
    }
    edges.sort_unstable();
    let mut holding: BTreeSet<usize> = BTreeSet::new();
    let mut pieces: Vec<(Answer, FrameRange)> = Vec::new();
    let mut edges = edges.into_iter().peekable();
    while let Some((start, begins, index)) = edges.next() {
        if begins {
            holding.insert(index)
        } else {
            holding.remove(&index)
        };
        let next = edges.peek().map(|(next, ..)| *next);
        if next == Some(start) {
            continue;
        }
        let end = next.map_or(Frame::MAX, |next| next - 1);
        let held = holding.iter().map(|index| &entries[*index].answer);
        if let Some(answer) = answer_of(attribute, held) {
            pieces.push((answer, FrameRange { start, end }));
        }
    }
    // Equal answers are found by their spelling, as numbers have no order of their own.
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut grouped: Vec<(Answer, Vec<FrameRange>)> = Vec::new();
    for (answer, range) in pieces {
        let place = *places.entry(format!("{answer:?}")).or_insert(grouped.len());
        if place == grouped.len() {
            grouped.push((answer, Vec::new()));
        }
        grouped[place].1.push(range);
    }
    grouped.into_iter().map(|(answer, ranges)| (answer, ranges.into())).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::answer::AnswerValue;
    use super::*;
    use crate::extra::Extra;

    thread_local! {
        /// How many spans were looked at to make room for others.
        pub(super) static VISITS: Cell<usize> = const { Cell::new(0) };
    }

    fn said(attribute: &Arc<Attribute>, text: &str) -> AnswerEntry {
        let value = AnswerValue::Text(text.into());
        AnswerEntry { attribute: attribute.clone(), value, manual: Some(true), extra: Extra::default() }
    }

    #[test]
    fn answering_frame_by_frame_looks_at_what_is_there_once() {
        let attribute = Arc::new(Attribute::text("Speed").dynamic());
        for count in [100, 10_000] {
            let mut answers = DynamicAnswers::default();
            VISITS.set(0);
            for round in 0..2 {
                for frame in 0..count {
                    answers.put(said(&attribute, &format!("{round} {frame}")), frame.into());
                }
            }
            assert_eq!(VISITS.get() as u64, count, "the second round meets every answer of the first once");
            assert!(answers.entries.len() as u64 <= 2 * count + 16);
            assert_eq!(answers.on(&attribute, 7).unwrap().as_text(), Some("1 7"));
        }
    }

    proptest! {
        #[test]
        fn edits_do_what_they_do_frame_by_frame(
            read in proptest::collection::vec((0u64..12, 0u64..5, 0u8..4), 0..4),
            edits in proptest::collection::vec((0u64..12, 0u64..5, 0u8..5), 0..12),
        ) {
            let attribute = Arc::new(Attribute::text("Speed").dynamic());
            let other = Arc::new(Attribute::text("Other").dynamic());
            let mut answers = DynamicAnswers::default();
            let mut expected: BTreeMap<Frame, String> = BTreeMap::new();
            answers.push(DynamicEntry { answer: said(&other, "kept"), frames: (0..=20).into() });
            for (start, length, value) in read {
                let frames = FrameSet::from(start..=start + length);
                expected.extend(frames.iter().map(|frame| (frame, value.to_string())));
                answers.push(DynamicEntry { answer: said(&attribute, &value.to_string()), frames });
            }
            for (start, length, value) in edits {
                let frames = FrameSet::from(start..=start + length);
                if value == 4 {
                    expected.retain(|frame, _| !frames.contains(*frame));
                    answers.clear(&attribute, &frames);
                } else {
                    expected.extend(frames.iter().map(|frame| (frame, value.to_string())));
                    answers.put(said(&attribute, &value.to_string()), frames);
                }
                for frame in 0..20 {
                    let found = answers.on(&attribute, frame);
                    prop_assert_eq!(
                        found.as_ref().and_then(Answer::as_text),
                        expected.get(&frame).map(String::as_str),
                        "frame {}", frame
                    );
                    let kept = answers.on(&other, frame);
                    prop_assert_eq!(kept.as_ref().and_then(Answer::as_text), Some("kept"));
                }
                let mut listed: BTreeMap<Frame, String> = BTreeMap::new();
                for (answer, frames) in answers.by_frames(&attribute) {
                    let text = answer.as_text().unwrap_or_default().to_owned();
                    listed.extend(frames.iter().map(|frame| (frame, text.clone())));
                }
                prop_assert_eq!(&listed, &expected);
            }
        }
    }
}
