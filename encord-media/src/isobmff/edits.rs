//! Edit lists: which samples of a track are shown.
//!
//! Cutting without re-encoding leaves samples in the file that are decoded but never shown. Players and
//! decoders drop them, so a frame count that includes them would be wrong.

use super::track::be32;

/// One entry of `elst`: a piece of the media that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edit {
    /// In units of the movie; 0 means until the end.
    duration: u64,
    /// Where in the media it begins, in units of the media; -1 is a pause.
    start: i64,
}

/// Reads the body of an `elst` box.
pub(super) fn parse(body: &[u8]) -> Vec<Edit> {
    let wide = body.first() == Some(&1);
    let count = be32(body, 4).unwrap_or(0) as usize;
    let entries = body.get(8..).unwrap_or(&[]).chunks_exact(if wide { 20 } else { 12 }).take(count);
    entries
        .filter_map(|entry| {
            let (first, second) = (be32(entry, 0)?, be32(entry, 4)?);
            Some(if wide {
                let start = u64::from(be32(entry, 8)?) << 32 | u64::from(be32(entry, 12)?);
                Edit { duration: u64::from(first) << 32 | u64::from(second), start: start as i64 }
            } else {
                Edit { duration: first.into(), start: (second as i32).into() }
            })
        })
        .collect()
}

/// The presentation time of every sample, from its duration (`stts`) and offset (`ctts`) tables.
pub(super) fn times(
    samples: u64,
    durations: impl Iterator<Item = (u32, u32)>,
    offsets: impl Iterator<Item = (u32, u32)>,
) -> Vec<i64> {
    let expand = |(count, value): (u32, u32)| std::iter::repeat_n(value, count as usize);
    // Offsets are signed in practice whatever the version of the table says.
    let offsets = offsets.flat_map(expand).map(|offset| i64::from(offset as i32)).chain(std::iter::repeat(0));
    let mut clock = 0i64;
    durations
        .flat_map(expand)
        .zip(offsets)
        .take(usize::try_from(samples).unwrap_or(usize::MAX))
        .map(|(duration, offset)| {
            let time = clock.saturating_add(offset);
            clock = clock.saturating_add(duration.into());
            time
        })
        .collect()
}

/// The first piece that is not a pause: where it begins and how long it is, in units of the media. No length means
/// until the end.
pub(super) fn first(edits: &[Edit], timescale: u32, movie_timescale: u32) -> Option<(u64, Option<u64>)> {
    let edit = edits.iter().find(|edit| edit.start >= 0)?;
    Some((edit.start.unsigned_abs(), edit.length(timescale, movie_timescale)))
}

impl Edit {
    /// The duration in units of the media.
    fn length(&self, timescale: u32, movie_timescale: u32) -> Option<u64> {
        if self.duration == 0 || movie_timescale == 0 {
            return None;
        }
        // Rounded to the coarser clock of the movie when it was written: allow for that.
        u64::try_from(u128::from(self.duration) * u128::from(timescale) / u128::from(movie_timescale)).ok()
    }
}

/// How many of the samples no edit shows.
#[cfg(feature = "probe")]
pub(super) fn hidden(times: &[i64], edits: &[Edit], timescale: u32, movie_timescale: u32) -> u64 {
    let shown: Vec<_> = edits
        .iter()
        .filter(|edit| edit.start >= 0)
        .map(|edit| {
            let length = edit.length(timescale, movie_timescale);
            let length = length.and_then(|length| i64::try_from(length).ok()).unwrap_or(i64::MAX);
            (edit.start, edit.start.saturating_add(length))
        })
        .collect();
    if shown.is_empty() {
        return 0;
    }
    let visible = |time: &i64| shown.iter().any(|(start, end)| (*start..*end).contains(time));
    times.iter().filter(|time| !visible(time)).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_hides_what_stands_before_and_after_it() {
        let times = times(10, [(10, 512)].into_iter(), std::iter::empty());
        assert_eq!(times[9], 9 * 512);
        let edits = [Edit { duration: 160, start: 1024 }];
        // 160 ms at 12800 ticks per second are four samples of 512.
        assert_eq!(hidden(&times, &edits, 12800, 1000), 6);
    }

    #[test]
    fn a_pause_hides_nothing() {
        let edits = [Edit { duration: 500, start: -1 }];
        assert_eq!(hidden(&[0, 1, 2], &edits, 25, 1000), 0);
    }

    #[test]
    fn claimed_counts_do_not_cost_memory() {
        assert_eq!(times(3, [(u32::MAX, 1)].into_iter(), [(u32::MAX, 7)].into_iter()), [7, 8, 9]);
    }
}
