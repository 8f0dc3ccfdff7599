//! How much a decoder may take before it gives up.
//!
//! A few bytes of header can claim any size. Every entry point of this crate checks what a file
//! claims against these numbers before it allocates, and what it delivers while it decodes.

use crate::error::{Error, Result};

/// Upper bounds for one piece of media.
///
/// The defaults let through what annotation projects hold and stop decompression bombs.
///
/// ```
/// use encord_media::Limits;
///
/// let limits = Limits::default().with_max_pixels(4096 * 4096).with_max_seconds(600.0);
/// assert_eq!(limits.max_pixels, 4096 * 4096);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Width times height of one image, video frame or DICOM frame. Default: 2^28 (16384 x 16384).
    pub max_pixels: u64,
    /// Frames of one video or DICOM series. Default: 2^24 (more than six days at 30 per second).
    pub max_frames: u64,
    /// Length of audio that is decoded into one array, in seconds. Default: 24 hours.
    pub max_seconds: f64,
    /// Size of the file itself, in bytes. Default: 64 GiB. Formats that must be held in memory as a
    /// whole (images) are bound by `max_decoded_bytes` too.
    pub max_input_bytes: u64,
    /// Size of one decoded array, in bytes. Default: 4 GiB.
    pub max_decoded_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pixels: 1 << 28,
            max_frames: 1 << 24,
            max_seconds: 24.0 * 3600.0,
            max_input_bytes: 64 << 30,
            max_decoded_bytes: 4 << 30,
        }
    }
}

impl Limits {
    /// No bounds at all, for files that are trusted.
    pub fn unlimited() -> Self {
        Self {
            max_pixels: u64::MAX,
            max_frames: u64::MAX,
            max_seconds: f64::INFINITY,
            max_input_bytes: u64::MAX,
            max_decoded_bytes: u64::MAX,
        }
    }

    /// Sets [`max_pixels`](Self::max_pixels).
    #[must_use]
    pub fn with_max_pixels(mut self, pixels: u64) -> Self {
        self.max_pixels = pixels;
        self
    }

    /// Sets [`max_frames`](Self::max_frames).
    #[must_use]
    pub fn with_max_frames(mut self, frames: u64) -> Self {
        self.max_frames = frames;
        self
    }

    /// Sets [`max_seconds`](Self::max_seconds).
    #[must_use]
    pub fn with_max_seconds(mut self, seconds: f64) -> Self {
        self.max_seconds = seconds;
        self
    }

    /// Sets [`max_input_bytes`](Self::max_input_bytes).
    #[must_use]
    pub fn with_max_input_bytes(mut self, bytes: u64) -> Self {
        self.max_input_bytes = bytes;
        self
    }

    /// Sets [`max_decoded_bytes`](Self::max_decoded_bytes).
    #[must_use]
    pub fn with_max_decoded_bytes(mut self, bytes: u64) -> Self {
        self.max_decoded_bytes = bytes;
        self
    }

    /// Checks the size of one picture of `channels` times `bytes_per_channel` bytes per pixel.
    pub(crate) fn check_picture(
        &self,
        what: &str,
        width: u64,
        height: u64,
        bytes_per_pixel: u64,
    ) -> Result<()> {
        let pixels = width.saturating_mul(height);
        self.check(what, "max_pixels", pixels, self.max_pixels)?;
        self.check_decoded(what, pixels.saturating_mul(bytes_per_pixel))
    }

    /// Checks the size of the array that is about to be made.
    pub(crate) fn check_decoded(&self, what: &str, bytes: u64) -> Result<()> {
        self.check(what, "max_decoded_bytes", bytes, self.max_decoded_bytes)
    }

    /// Checks the number of frames.
    pub(crate) fn check_frames(&self, what: &str, frames: u64) -> Result<()> {
        self.check(what, "max_frames", frames, self.max_frames)
    }

    /// Checks the size of the file.
    pub(crate) fn check_input(&self, what: &str, bytes: u64) -> Result<()> {
        self.check(what, "max_input_bytes", bytes, self.max_input_bytes)
    }

    fn check(&self, what: &str, limit: &'static str, actual: u64, maximum: u64) -> Result<()> {
        if actual > maximum {
            return Err(Error::Limit { what: what.to_owned(), limit, actual, maximum });
        }
        Ok(())
    }
}
