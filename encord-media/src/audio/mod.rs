//! Sound as arrays of samples.
//!
//! [`Audio`] opens a file once and then gives all of it, a stretch of it, or one chunk after the other, always as
//! [`Samples`]: `[channels, samples]`, `f32` between -1 and 1. The silence that encoders put before and after is
//! cut off where the file says how much it is, as FFmpeg does: samples and their number are those of `ffmpeg`.
//!
//! Opus is not decoded and gives [`Error::Unsupported`]: the decoders in Rust are young, and the others link a C
//! library.

pub(crate) mod container;
mod decode;
#[cfg(feature = "resample")]
mod resample;

use ndarray::{Array1, Array2, Axis};

pub use container::{AudioFacts, facts};
pub use decode::Chunks;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::source::Source;
use decode::Reader;

/// Samples before the wanted ones that are decoded and thrown away after a jump, in seconds: codecs need a few
/// packets to settle.
const RUN_UP: f64 = 0.5;

/// A file with sound.
///
/// ```
/// use encord_media::{Limits, audio::Audio};
///
/// # fn main() -> Result<(), encord_media::Error> {
/// # let wav = [b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x04\0\0\0".as_slice(), &[0, 0, 0, 64]].concat();
/// let audio = Audio::open(wav, &Limits::default())?;
/// let samples = audio.samples()?;
/// assert_eq!(samples.data.dim(), (1, 2));
/// assert_eq!(samples.data[[0, 1]], 0.5);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Audio {
    source: Source,
    limits: Limits,
    facts: AudioFacts,
}

/// A stretch of sound.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Samples {
    /// Samples per second.
    pub sample_rate: u32,
    /// Which sample of the file the first of these is.
    pub start: u64,
    /// `[channels, samples]`, between -1 and 1.
    pub data: Array2<f32>,
}

impl Samples {
    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.data.ncols() as f64 / f64::from(self.sample_rate)
    }

    /// The mean of all channels.
    pub fn mono(&self) -> Array1<f32> {
        self.data.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(0))
    }
}

impl Audio {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if the content is no known container or has no sound, [`Error::MissingFeature`] if
    /// its codec needs a feature of this crate, [`Error::Decode`] if it is damaged.
    pub fn open(source: impl Into<Source>, limits: &Limits) -> Result<Self> {
        let source = source.into();
        let facts = facts(&source, limits)?;
        Ok(Self { source, limits: *limits, facts })
    }

    /// What the header says.
    pub fn facts(&self) -> &AudioFacts {
        &self.facts
    }

    /// All samples.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] if the file is longer than [`Limits::max_seconds`] or its samples take more than
    /// [`Limits::max_decoded_bytes`], and the errors of decoding. A truncated file gives the samples it still has.
    pub fn samples(&self) -> Result<Samples> {
        self.slice(0.0, f64::INFINITY)
    }

    /// The samples from one moment up to another, in seconds.
    ///
    /// Where the container keeps exact time, what comes before is skipped, not decoded. An end after the end of
    /// the file means its end.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] if the stretch begins before zero or ends before it begins, and as
    /// [`Audio::samples`].
    pub fn slice(&self, from: f64, to: f64) -> Result<Samples> {
        if !(from >= 0.0 && from.is_finite() && to >= from) {
            return Err(Error::InvalidArgument {
                argument: "slice",
                reason: format!(
                    "{from} to {to} seconds is not a stretch that begins at 0 or later and ends after that"
                ),
            });
        }
        let rate = f64::from(self.facts.sample_rate);
        let (first, end) = ((from * rate).round() as u64, (to * rate).round() as u64);
        self.source.contain("audio", || {
            let mut reader = Reader::open(&self.source, &self.limits)?;
            if from > 2.0 * RUN_UP {
                reader.skip_to(((from - RUN_UP) * rate) as u64)?;
            }
            reader.read(first, end)
        })
    }

    /// The whole file in chunks of so many samples per channel; the last may be shorter. Memory stays at one chunk
    /// however long the file is.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for chunks of no samples, and if decoding can't start.
    pub fn chunks(&self, samples: usize) -> Result<Chunks> {
        if samples == 0 {
            return Err(Error::InvalidArgument {
                argument: "samples",
                reason: "a chunk has at least one".into(),
            });
        }
        Chunks::new(&self.source, &self.limits, samples)
    }
}
