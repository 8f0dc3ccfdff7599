//! Sets of frames, pages, milliseconds or characters, as sorted ranges.
//!
//! An answer over 300,000 frames is one range here. Sets are always sorted, and ranges that overlap or touch are
//! one range, so equal sets are equal values.

use std::fmt;
use std::ops::{Range, RangeInclusive};

use crate::error::{Error, Result};
use crate::json::{Cursor, Emitter};

/// The position of a frame, page or slice, counted from 0; in continuous scenes, nanoseconds.
pub type Frame = u64;

/// From a first to a last position, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameRange {
    /// First position.
    pub start: Frame,
    /// Last position, included.
    pub end: Frame,
}

impl FrameRange {
    /// A range; both ends are included.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if it ends before it starts.
    pub fn new(start: Frame, end: Frame) -> Result<Self> {
        if start > end {
            return Err(Error::invalid(format!("the range {start} to {end} ends before it starts")));
        }
        Ok(Self { start, end })
    }
}

/// A set of positions.
///
/// ```
/// use encord_labels::FrameSet;
/// let mut frames = FrameSet::from(0..=4);
/// frames.insert(&FrameSet::from([9, 5, 6]));
/// assert_eq!(frames.to_string(), "0-6, 9");
/// frames.remove(&FrameSet::from(2));
/// assert_eq!(frames.to_string(), "0-1, 3-6, 9");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct FrameSet(Vec<FrameRange>);

impl FrameSet {
    /// The empty set.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of positions.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|range| (range.end - range.start).saturating_add(1)).fold(0, u64::saturating_add)
    }

    /// The ranges, sorted, none touching another.
    pub fn ranges(&self) -> &[FrameRange] {
        &self.0
    }

    /// Every position in order.
    pub fn iter(&self) -> impl Iterator<Item = Frame> + '_ {
        self.0.iter().flat_map(|range| range.start..=range.end)
    }

    /// First position.
    pub fn first(&self) -> Option<Frame> {
        self.0.first().map(|range| range.start)
    }

    /// Last position.
    pub fn last(&self) -> Option<Frame> {
        self.0.last().map(|range| range.end)
    }

    /// Whether a position is in the set.
    pub fn contains(&self, frame: Frame) -> bool {
        let after = self.0.partition_point(|range| range.start <= frame);
        after > 0 && self.0[after - 1].end >= frame
    }

    /// Whether both sets share a position.
    pub fn overlaps(&self, other: &Self) -> bool {
        let apart = |one: &Self, two: &Self| {
            one.last().is_none_or(|last| two.first().is_none_or(|first| last < first))
        };
        if apart(self, other) || apart(other, self) {
            return false;
        }
        self.intersections(other).next().is_some()
    }

    /// Positions in both sets.
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.intersections(other).collect())
    }

    /// The ranges in both sets, in order.
    fn intersections(&self, other: &Self) -> impl Iterator<Item = FrameRange> {
        let (mut left, mut right) = (self.0.as_slice(), other.0.as_slice());
        std::iter::from_fn(move || {
            while let ([a, ..], [b, ..]) = (left, right) {
                let (start, end) = (a.start.max(b.start), a.end.min(b.end));
                if a.end < b.end {
                    left = &left[1..];
                } else {
                    right = &right[1..];
                }
                if start <= end {
                    return Some(FrameRange { start, end });
                }
            }
            None
        })
    }

    /// Adds the positions of another set.
    pub fn insert(&mut self, other: &Self) {
        if let [range] = other.0.as_slice() {
            return self.insert_range(*range);
        }
        self.0.extend_from_slice(&other.0);
        self.normalise();
    }

    /// Adds one range, which costs a search; at the end of the set not even that is moved.
    fn insert_range(&mut self, range: FrameRange) {
        let first = self.0.partition_point(|other| other.end.saturating_add(1) < range.start);
        let after = self.0.partition_point(|other| other.start <= range.end.saturating_add(1));
        let touched = &self.0[first..after];
        let start = touched.first().map_or(range.start, |other| other.start.min(range.start));
        let end = touched.last().map_or(range.end, |other| other.end.max(range.end));
        self.0.splice(first..after, [FrameRange { start, end }]);
    }

    /// Removes the positions of another set.
    pub fn remove(&mut self, other: &Self) {
        if let [range] = other.0.as_slice() {
            return self.remove_range(*range);
        }
        let mut kept = Vec::with_capacity(self.0.len());
        let mut cuts = other.0.iter().peekable();
        for range in &self.0 {
            let mut rest = Some(*range);
            while let (Some(current), Some(cut)) = (rest, cuts.peek()) {
                if cut.end < current.start {
                    cuts.next();
                } else if cut.start > current.end {
                    break;
                } else {
                    if cut.start > current.start {
                        kept.push(FrameRange { start: current.start, end: cut.start - 1 });
                    }
                    rest =
                        (cut.end < current.end).then(|| FrameRange { start: cut.end + 1, end: current.end });
                }
            }
            kept.extend(rest);
        }
        self.0 = kept;
    }

    /// Removes one range, which costs a search.
    fn remove_range(&mut self, cut: FrameRange) {
        let first = self.0.partition_point(|range| range.end < cut.start);
        let after = self.0.partition_point(|range| range.start <= cut.end);
        let touched = &self.0[first..after];
        let left = touched.first().filter(|range| range.start < cut.start);
        let left = left.map(|range| FrameRange { start: range.start, end: cut.start - 1 });
        let right = touched.last().filter(|range| range.end > cut.end);
        let right = right.map(|range| FrameRange { start: cut.end + 1, end: range.end });
        self.0.splice(first..after, left.into_iter().chain(right));
    }

    fn normalise(&mut self) {
        self.0.sort_unstable();
        let mut merged: Vec<FrameRange> = Vec::with_capacity(self.0.len());
        for range in self.0.drain(..) {
            match merged.last_mut() {
                Some(last) if range.start <= last.end.saturating_add(1) => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        self.0 = merged;
    }

    /// Reads a list of pairs.
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self> {
        let mut ranges = Vec::new();
        cursor.array(|cursor, _| {
            let mut numbers = Vec::with_capacity(2);
            cursor.array(|cursor, _| {
                numbers.push(cursor.whole()?);
                Ok(())
            })?;
            match numbers[..] {
                [start, end] => ranges.push(FrameRange::new(start, end)?),
                _ => {
                    return Err(Error::invalid(format!("a range needs 2 numbers, found {}", numbers.len())));
                }
            }
            Ok(())
        })?;
        Ok(ranges.into_iter().collect())
    }

    pub(crate) fn write(&self, out: &mut Emitter<'_>) -> Result<()> {
        out.array(|out| {
            self.0.iter().try_for_each(|range| {
                out.item().array(|out| {
                    out.item().whole(range.start);
                    out.item().whole(range.end);
                    Ok(())
                })
            })
        })
    }
}

impl fmt::Display for FrameSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            if range.start == range.end {
                write!(f, "{separator}{}", range.start)?;
            } else {
                write!(f, "{separator}{}-{}", range.start, range.end)?;
            }
        }
        Ok(())
    }
}

impl FromIterator<FrameRange> for FrameSet {
    fn from_iter<I: IntoIterator<Item = FrameRange>>(ranges: I) -> Self {
        let mut set = Self(ranges.into_iter().filter(|range| range.start <= range.end).collect());
        set.normalise();
        set
    }
}

impl FromIterator<Frame> for FrameSet {
    fn from_iter<I: IntoIterator<Item = Frame>>(frames: I) -> Self {
        frames.into_iter().map(|frame| FrameRange { start: frame, end: frame }).collect()
    }
}

impl From<Frame> for FrameSet {
    fn from(frame: Frame) -> Self {
        Self(vec![FrameRange { start: frame, end: frame }])
    }
}

impl From<FrameRange> for FrameSet {
    fn from(range: FrameRange) -> Self {
        [range].into_iter().collect()
    }
}

/// An end before the start gives the empty set.
impl From<RangeInclusive<Frame>> for FrameSet {
    fn from(range: RangeInclusive<Frame>) -> Self {
        FrameRange { start: *range.start(), end: *range.end() }.into()
    }
}

/// The end is not included, as everywhere in Rust.
impl From<Range<Frame>> for FrameSet {
    fn from(range: Range<Frame>) -> Self {
        if range.is_empty() { Self::new() } else { (range.start..=range.end - 1).into() }
    }
}

/// Every position in order.
impl IntoIterator for FrameSet {
    type Item = Frame;
    type IntoIter = std::iter::Flatten<std::vec::IntoIter<FrameRange>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().flatten()
    }
}

/// Every position in order.
impl<'s> IntoIterator for &'s FrameSet {
    type Item = Frame;
    type IntoIter = std::iter::Flatten<std::iter::Copied<std::slice::Iter<'s, FrameRange>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().copied().flatten()
    }
}

/// Every position of the range in order.
impl IntoIterator for FrameRange {
    type Item = Frame;
    type IntoIter = RangeInclusive<Frame>;

    fn into_iter(self) -> Self::IntoIter {
        self.start..=self.end
    }
}

macro_rules! from_lists {
    ($($item:ty)*) => {$(
        impl From<&[$item]> for FrameSet {
            fn from(items: &[$item]) -> Self {
                items.iter().copied().collect()
            }
        }

        impl From<Vec<$item>> for FrameSet {
            fn from(items: Vec<$item>) -> Self {
                items.into_iter().collect()
            }
        }

        impl<const N: usize> From<[$item; N]> for FrameSet {
            fn from(items: [$item; N]) -> Self {
                items.into_iter().collect()
            }
        }
    )*};
}

from_lists! { Frame FrameRange }

impl From<&FrameSet> for FrameSet {
    fn from(set: &FrameSet) -> Self {
        set.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn sets_behave_as_sets_of_numbers(
            a in proptest::collection::vec((0u64..40, 0u64..6), 0..8),
            b in proptest::collection::vec((0u64..40, 0u64..6), 0..8),
        ) {
            let numbers = |pairs: &[(u64, u64)]| -> BTreeSet<u64> {
                pairs.iter().flat_map(|(start, length)| *start..=start + length).collect()
            };
            let set = |pairs: &[(u64, u64)]| -> FrameSet {
                pairs.iter().map(|(start, length)| FrameRange { start: *start, end: start + length }).collect()
            };
            let (mut left, right) = (set(&a), set(&b));
            let (plain_left, plain_right) = (numbers(&a), numbers(&b));
            prop_assert_eq!(left.iter().collect::<BTreeSet<_>>(), plain_left.clone());
            prop_assert_eq!(left.len() as usize, plain_left.len());
            prop_assert_eq!(
                left.intersection(&right).iter().collect::<BTreeSet<_>>(),
                plain_left.intersection(&plain_right).copied().collect::<BTreeSet<_>>()
            );
            prop_assert_eq!(left.overlaps(&right), !plain_left.is_disjoint(&plain_right));
            for frame in 0..50 {
                prop_assert_eq!(left.contains(frame), plain_left.contains(&frame));
            }
            left.remove(&right);
            prop_assert_eq!(
                left.iter().collect::<BTreeSet<_>>(),
                plain_left.difference(&plain_right).copied().collect::<BTreeSet<_>>()
            );
            left.insert(&right);
            prop_assert_eq!(&left, &set(&[a.clone(), b.clone()].concat()));

            // One range at a time takes another way.
            let mut one_by_one = set(&a);
            right.ranges().iter().for_each(|range| one_by_one.remove(&(*range).into()));
            prop_assert_eq!(
                one_by_one.iter().collect::<BTreeSet<_>>(),
                plain_left.difference(&plain_right).copied().collect::<BTreeSet<_>>()
            );
            b.iter().for_each(|pair| one_by_one.insert(&set(&[*pair])));
            prop_assert_eq!(one_by_one, left);
        }
    }

    #[test]
    fn the_largest_position_does_not_overflow() {
        let set = FrameSet::from(u64::MAX);
        assert!(set.contains(u64::MAX));
        assert_eq!(FrameSet::from(0..=u64::MAX).len(), u64::MAX);
    }
}
