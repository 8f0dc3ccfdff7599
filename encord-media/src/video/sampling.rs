//! Which frames of a video to take.

use crate::error::{Error, Result};

/// Which frames [`Video::sample`](super::Video::sample) delivers.
///
/// ```
/// use encord_media::video::Sampling;
///
/// assert_eq!(Sampling::Rate(0.3).numbers(10), [0, 3, 6]);
/// assert_eq!(Sampling::Every(4).numbers(10), [0, 4, 8]);
/// assert_eq!(Sampling::Indices(vec![3, 1, 1]).numbers(10), [1, 1, 3]);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Sampling {
    /// Every frame.
    All,
    /// This share of the frames, more than 0 and at most 1: the frames whose numbers are `k / rate` cut to a
    /// whole number, for `k` = 0, 1, 2 and so on. The first frame is always among them.
    Rate(f64),
    /// The first of every so many frames.
    Every(u64),
    /// The frames of these numbers. They come in ascending order, a number that is there twice comes twice, and
    /// a number past the end is [`Error::OutOfRange`] after the frames that exist.
    Indices(Vec<u64>),
}

impl Sampling {
    /// The numbers of the frames taken from a video of `frame_count` frames, ascending.
    ///
    /// Numbers past the end are left out; a rate or step that makes no sense takes nothing.
    pub fn numbers(&self, frame_count: u64) -> Vec<u64> {
        match self {
            Self::All => (0..frame_count).collect(),
            Self::Every(0) => Vec::new(),
            Self::Every(step) => {
                (0..frame_count).step_by(usize::try_from(*step).unwrap_or(usize::MAX)).collect()
            }
            Self::Rate(rate) => (0..frame_count)
                .map(|k| (k as f64 / rate) as u64)
                .take_while(|number| *number < frame_count)
                .collect(),
            Self::Indices(indices) => {
                let mut numbers: Vec<_> =
                    indices.iter().copied().filter(|index| *index < frame_count).collect();
                numbers.sort_unstable();
                numbers
            }
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        match self {
            // Written so that NaN is refused as well.
            Self::Rate(rate) if !(*rate > 0.0 && *rate <= 1.0) => Err(Error::InvalidArgument {
                argument: "rate",
                reason: format!("{rate} is not more than 0 and at most 1"),
            }),
            Self::Every(0) => Err(Error::InvalidArgument {
                argument: "step",
                reason: "0 would never move on; the least is 1".into(),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_cut_to_whole_numbers() {
        let cases: [(f64, &[u64]); 6] = [
            (1.0, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
            (0.5, &[0, 2, 4, 6, 8]),
            (1.0 / 3.0, &[0, 3, 6, 9]),
            (0.2, &[0, 5]),
            (0.1, &[0]),
            (1e-9, &[0]),
        ];
        for (rate, numbers) in cases {
            assert_eq!(Sampling::Rate(rate).numbers(10), numbers, "{rate}");
        }
    }

    #[test]
    fn senseless_rates_are_refused() {
        for rate in [0.0, -0.5, 1.1, f64::NAN, f64::INFINITY] {
            assert!(Sampling::Rate(rate).check().is_err(), "{rate}");
        }
        assert!(Sampling::Every(0).check().is_err());
    }
}
