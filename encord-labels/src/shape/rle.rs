//! The run-length strings that carry bitmasks and point-cloud segmentations.
//!
//! A mask is a list of run counts that alternate between absent and present, starting with absent.
//! The counts are written as printable characters: five bits each, least significant group first, and
//! from the fourth count on only the difference to the count two places back. This is the compressed
//! form COCO uses, applied here to row-major data.
//!
//! Everything reads the string once, from left to right, and holds no more than two counts in memory.

use std::ops::RangeInclusive;

use crate::error::{Error, Result};

/// Reads the counts of a run-length string, one at a time.
///
/// ```
/// use encord_labels::shape::Counts;
/// let counts: encord_labels::Result<Vec<u64>> = Counts::new("5220O").collect();
/// assert_eq!(counts.unwrap(), [5, 2, 2, 2, 1]);
/// ```
#[derive(Debug, Clone)]
pub struct Counts<'a> {
    bytes: &'a [u8],
    offset: usize,
    index: usize,
    // The two counts before the next one: [two back, one back].
    previous: [i64; 2],
    failed: bool,
}

impl<'a> Counts<'a> {
    /// Starts at the first count of `rle`.
    pub fn new(rle: &'a str) -> Self {
        Self { bytes: rle.as_bytes(), offset: 0, index: 0, previous: [0, 0], failed: false }
    }

    fn next_signed(&mut self) -> Result<i64> {
        let start = self.offset;
        let mut value: i64 = 0;
        let mut shift = 0u32;
        loop {
            let byte = *self.bytes.get(self.offset).ok_or_else(truncated)?;
            let group = match byte {
                48..=111 => i64::from(byte - 48),
                _ => return Err(foreign_byte(byte, self.offset)),
            };
            self.offset += 1;
            // Twelve groups hold 60 bits: more than any mask needs, and shifts stay in range.
            if shift >= 60 {
                return Err(overflow(start));
            }
            value |= (group & 31) << shift;
            shift += 5;
            if group & 32 == 0 {
                if group & 16 != 0 {
                    value |= -1i64 << shift;
                }
                return Ok(value);
            }
        }
    }
}

impl Iterator for Counts<'_> {
    type Item = Result<u64>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.offset == self.bytes.len() {
            return None;
        }
        let start = self.offset;
        let count = self.next_signed().and_then(|signed| {
            let base = if self.index > 2 { self.previous[0] } else { 0 };
            let count = base.checked_add(signed).ok_or_else(|| overflow(start))?;
            if count < 0 {
                return Err(negative(count, start));
            }
            self.previous = [self.previous[1], count];
            self.index += 1;
            Ok(count.unsigned_abs())
        });
        self.failed = count.is_err();
        Some(count)
    }
}

/// Writes counts as a run-length string, the inverse of [`Counts`].
///
/// Counts of 2⁵⁹ and more cannot be written and are cut; no mask in memory reaches them.
///
/// ```
/// use encord_labels::shape::encode_counts;
/// assert_eq!(encode_counts([403, 6, 194, 6, 194, 6, 19191]), "c<6R6000eab0");
/// ```
pub fn encode_counts(counts: impl IntoIterator<Item = u64>) -> String {
    let mut encoder = Encoder::default();
    for count in counts {
        encoder.push(count);
    }
    encoder.finish()
}

/// Builds a run-length string count by count.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    out: String,
    index: usize,
    previous: [i64; 2],
}

impl Encoder {
    /// The largest count whose differences still fit the twelve groups a reader accepts.
    const LARGEST: i64 = (1 << 59) - 1;

    pub(crate) fn push(&mut self, count: u64) {
        let count = i64::try_from(count).unwrap_or(Self::LARGEST).min(Self::LARGEST);
        let mut rest = if self.index > 2 { count - self.previous[0] } else { count };
        self.previous = [self.previous[1], count];
        self.index += 1;
        loop {
            // The mask keeps five bits, so the cast cannot lose any.
            let group = (rest & 31) as u8;
            rest >>= 5;
            let last = if group & 16 != 0 { rest == -1 } else { rest == 0 };
            self.out.push(char::from(48 + if last { group } else { group | 32 }));
            if last {
                break;
            }
        }
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }
}

/// Encodes a sequence of cells, with the closing run always written, as the platform's own encoder does.
pub(crate) fn encode_cells(cells: impl IntoIterator<Item = bool>) -> String {
    let mut encoder = Encoder::default();
    let (mut run, mut present, mut any) = (0u64, false, false);
    for cell in cells {
        any = true;
        if cell == present {
            run += 1;
        } else {
            encoder.push(run);
            (run, present) = (1, cell);
        }
    }
    if any {
        encoder.push(run);
    }
    encoder.finish()
}

/// The present runs of a string as inclusive index ranges, each checked against `capacity`.
#[derive(Debug, Clone)]
pub(crate) struct Runs<'a> {
    counts: Counts<'a>,
    position: u64,
    present: bool,
    capacity: u64,
}

impl<'a> Runs<'a> {
    pub(crate) fn new(rle: &'a str, capacity: u64) -> Self {
        Self { counts: Counts::new(rle), position: 0, present: false, capacity }
    }
}

impl Iterator for Runs<'_> {
    type Item = Result<RangeInclusive<u64>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let count = match self.counts.next()? {
                Ok(count) => count,
                Err(error) => return Some(Err(error)),
            };
            let start = self.position;
            let end = match start.checked_add(count).filter(|end| *end <= self.capacity) {
                Some(end) => end,
                None => {
                    self.counts.failed = true;
                    return Some(Err(too_long(self.capacity)));
                }
            };
            let present = self.present;
            self.present = !present;
            self.position = end;
            if present && count > 0 {
                return Some(Ok(start..=end - 1));
            }
        }
    }
}

/// Encodes point indices, given as sorted and disjoint inclusive ranges, into a segmentation string.
///
/// Ranges that are reversed, out of order or overlapping are an error naming the range.
///
/// ```
/// use encord_labels::shape::{decode_segmentation, encode_segmentation};
/// let text = encode_segmentation(&[3..=4, 8..=10]).unwrap();
/// assert_eq!(text, "3231");
/// assert_eq!(decode_segmentation(&text).unwrap(), [3..=4, 8..=10]);
/// ```
pub fn encode_segmentation(ranges: &[RangeInclusive<u64>]) -> Result<String> {
    let mut encoder = Encoder::default();
    let mut next = 0u64;
    for range in ranges {
        let (start, end) = (*range.start(), *range.end());
        if start < next || end < start || end >= Encoder::LARGEST.unsigned_abs() {
            return Err(Error::invalid(format!(
                "point range {start}..={end} is reversed, too large, or does not come after the range before it"
            )));
        }
        encoder.push(start - next);
        encoder.push(end - start + 1);
        next = end + 1;
    }
    Ok(encoder.finish())
}

/// Reads a segmentation string into sorted, inclusive ranges of point indices.
///
/// The result never has more ranges than the string has characters.
pub fn decode_segmentation(rle: &str) -> Result<Vec<RangeInclusive<u64>>> {
    let mut ranges: Vec<RangeInclusive<u64>> = Vec::new();
    for run in Runs::new(rle, Encoder::LARGEST.unsigned_abs()) {
        let run = run?;
        match ranges.last_mut() {
            // A gap of zero joins two runs.
            Some(last) if *last.end() + 1 == *run.start() => *last = *last.start()..=*run.end(),
            _ => ranges.push(run),
        }
    }
    Ok(ranges)
}

#[cold]
fn truncated() -> Error {
    Error::invalid("run-length string ends in the middle of a count; it was probably cut off")
}

#[cold]
fn foreign_byte(byte: u8, offset: usize) -> Error {
    Error::invalid(format!(
        "run-length string has the byte {byte:#04x} at offset {offset}; allowed are the characters '0' to 'o'"
    ))
}

#[cold]
fn overflow(offset: usize) -> Error {
    Error::invalid(format!("run-length string has a count at offset {offset} that is too large"))
}

#[cold]
fn negative(count: i64, offset: usize) -> Error {
    Error::invalid(format!("run-length string has the negative count {count} at offset {offset}"))
}

#[cold]
fn too_long(capacity: u64) -> Error {
    Error::invalid(format!("run-length string covers more than the {capacity} cells of the mask"))
}

/// Whether a string is well formed and its runs fit into `capacity` cells: one tight pass, for reading documents with
/// thousands of masks. What is wrong with a string that does not fit is for [`Runs`] to say.
pub(crate) fn fits(rle: &str, capacity: u64) -> bool {
    // Larger sums could wrap; no mask is that large.
    if capacity >= 1 << 60 {
        return false;
    }
    let mut rest = rle.as_bytes();
    let (mut before, mut last, mut total, mut read) = (0u64, 0u64, 0u64, 0);
    while !rest.is_empty() {
        // Nearly all differences have one group, so eight at once often do.
        if let Some((chunk, more)) = rest.split_first_chunk::<8>()
            && read > 2
            && chunk.iter().fold(0, |groups, byte| groups | byte.wrapping_sub(b'0')) < 32
        {
            let differences = chunk.map(|byte| i32::from(((byte.wrapping_sub(b'0') << 3) as i8) >> 3));
            // Four differences of at most 16 cannot make a count of 64 or more negative, so the sums alone matter.
            if before >= 64 && last >= 64 {
                let weighted = |index: usize| differences[index] * (4 - index as i32 / 2);
                let sums: i32 = (0..8).map(weighted).sum();
                let evens: i32 = differences.iter().step_by(2).sum();
                let odds: i32 = differences.iter().skip(1).step_by(2).sum();
                total = total.wrapping_add(4 * (before + last)).wrapping_add_signed(sums.into());
                before = before.wrapping_add_signed(evens.into());
                last = last.wrapping_add_signed(odds.into());
                if total > capacity {
                    return false;
                }
                rest = more;
                continue;
            }
            // A value below zero has its sign bit set.
            let mut signs = 0;
            for difference in differences {
                let value = before.wrapping_add_signed(difference.into());
                signs |= value;
                total = total.wrapping_add(value);
                (before, last) = (last, value);
            }
            if signs >> 63 != 0 || total > capacity {
                return false;
            }
            rest = more;
            continue;
        }
        let Some((difference, more)) = first_signed(rest) else { return false };
        rest = more;
        // From the fourth count on, the difference to the count two places back is written.
        let base = if read > 2 { before } else { 0 };
        let value = base.wrapping_add_signed(difference);
        total = total.wrapping_add(value);
        if value > capacity || total > capacity {
            return false;
        }
        (before, last, read) = (last, value, read + 1);
    }
    true
}

/// The first number of a run-length string and what follows it; `None` if it is malformed or has more than 55 bits.
#[inline]
fn first_signed(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (mut number, mut shift) = (0i64, 0);
    for (index, byte) in bytes.iter().enumerate() {
        let group = byte.wrapping_sub(b'0');
        if group > 63 || shift > 50 {
            return None;
        }
        number |= i64::from(group & 31) << shift;
        shift += 5;
        if group & 32 == 0 {
            let sign = if group & 16 != 0 { -1i64 << shift } else { 0 };
            return Some((number | sign, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_quick_check_agrees_with_the_thorough_one(
            rle in "([0-o]{0,12}|[1-3][0-9]{2}[0-4NO]{0,40}[0-o]{0,3})",
            capacity in 0u64..5000,
        ) {
            let thorough = Runs::new(&rle, capacity).all(|run| run.is_ok());
            // Numbers beyond 55 bits are left to the thorough check.
            prop_assert!(!fits(&rle, capacity) || thorough);
            let long = rle.bytes().fold((0, false), |(run, long), byte| {
                let run = if (byte - b'0') & 32 != 0 { run + 1 } else { 0 };
                (run, long || run > 9)
            }).1;
            prop_assert!(long || fits(&rle, capacity) == thorough);
        }
    }

    #[test]
    fn single_counts_have_the_documented_spelling() {
        for (count, text) in
            [(15, "?"), (16, "`0"), (31, "o0"), (32, "P1"), (1000, "Xo0"), (2_073_600, "PPYo1")]
        {
            assert_eq!(encode_counts([count]), text);
            assert_eq!(Counts::new(text).collect::<Result<Vec<_>>>().unwrap(), [count]);
        }
    }

    #[test]
    fn negative_differences_have_the_documented_spelling() {
        // The fourth count is written as a difference to the second one.
        assert_eq!(encode_counts([0, 20, 0, 4]), "0d00@");
        assert_eq!(encode_counts([0, 20, 0, 3]), "0d00_O");
    }

    #[test]
    fn a_cell_sequence_keeps_its_closing_run() {
        assert_eq!(encode_cells([true; 4]), "04");
        assert_eq!(encode_cells([false; 4]), "4");
        assert_eq!(encode_cells([]), "");
    }

    #[test]
    fn damaged_strings_are_named() {
        let failure = |text: &str| Counts::new(text).find_map(Result::err).map(|error| error.to_string());
        let says =
            |text: &str, part: &str| assert!(failure(text).unwrap().contains(part), "{:?}", failure(text));
        says("5 ", "byte 0x20 at offset 1");
        says("5p", "byte 0x70 at offset 1");
        says("5Pé", "byte 0xc3 at offset 2");
        says("5P", "cut off");
        says("@", "negative count -16 at offset 0");
        says(&"o".repeat(40), "count at offset 0 that is too large");
        // Every count is as large as one may be, so the sums must not wrap.
        assert!(failure(&"oooooooooooO".repeat(30)).is_some());
    }

    #[test]
    fn runs_stop_at_the_capacity() {
        let error = Runs::new("05", 4).find_map(Result::err).unwrap();
        assert_eq!(error.to_string(), "run-length string covers more than the 4 cells of the mask");
        assert_eq!(Runs::new("04", 4).collect::<Result<Vec<_>>>().unwrap(), [0..=3]);
    }

    #[test]
    fn unsorted_segmentation_ranges_are_refused() {
        let error = encode_segmentation(&[5..=9, 2..=3]).unwrap_err();
        assert!(error.to_string().contains("point range 2..=3"));
        #[allow(clippy::reversed_empty_ranges)]
        let reversed = encode_segmentation(&[9..=5]);
        assert!(reversed.is_err());
    }

    proptest! {
        #[test]
        fn counts_survive_the_string(counts in prop::collection::vec(0u64..1 << 40, 0..60)) {
            let text = encode_counts(counts.iter().copied());
            prop_assert_eq!(Counts::new(&text).collect::<Result<Vec<_>>>().unwrap(), counts);
        }

        #[test]
        fn any_text_is_read_without_panic(text in ".*") {
            let mut failures = 0;
            for count in Counts::new(&text) {
                failures += usize::from(count.is_err());
            }
            prop_assert!(failures <= 1);
        }

        #[test]
        fn segmentation_survives(lengths in prop::collection::vec((1u64..50, 1u64..50), 0..40)) {
            let (mut next, mut ranges) = (0, Vec::new());
            for (gap, length) in lengths {
                ranges.push(next + gap..=next + gap + length - 1);
                next += gap + length;
            }
            let text = encode_segmentation(&ranges).unwrap();
            prop_assert_eq!(decode_segmentation(&text).unwrap(), ranges);
        }
    }
}
