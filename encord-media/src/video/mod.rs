//! Exact frames of a video, whichever way they are asked for.
//!
//! Frame *i* is the *i*-th frame that decoding from the start shows, and it is bit for bit the same whether it
//! comes from [`Video::frames`], [`Video::sample`] or [`Video::frame`]. Files for which a jump into the middle
//! can't promise that are decoded from the start instead.
//!
//! Two backends do the decoding and are chosen at run time: [`Backend::Ffmpeg`] (exact and fast) and
//! [`Backend::OpenCv`] (exact, and as fast as decoding everything). Both give what OpenCV gives: rotated as the
//! file says, converted to eight-bit RGB.
//!
//! ```no_run
//! use encord_media::video::{Backend, Sampling, Video};
//!
//! let video = Video::open("clip.mp4", Backend::best()?)?;
//! for frame in video.sample(&Sampling::Rate(0.2))? {
//!     let frame = frame?;
//!     println!("{} at {:.3} s: {:?}", frame.index, frame.time, frame.pixels.dim());
//! }
//! # Ok::<(), encord_media::Error>(())
//! ```

#[cfg(feature = "video-ffmpeg")]
mod ffmpeg;
#[cfg_attr(
    not(all(feature = "video-ffmpeg", feature = "video-opencv")),
    allow(dead_code, reason = "each backend needs a part")
)]
mod lanes;
#[cfg(feature = "video-opencv")]
mod opencv;
mod sampling;
#[cfg_attr(
    not(feature = "video-ffmpeg"),
    allow(dead_code, reason = "display matrices are read by one backend only")
)]
mod turn;

use std::path::Path;
use std::sync::Arc;

pub use lanes::Frames;
pub use sampling::Sampling;

use crate::RgbArray;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::source::Source;

/// Which library decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// FFmpeg, feature `video-ffmpeg`.
    Ffmpeg,
    /// OpenCV, feature `video-opencv`.
    OpenCv,
}

impl Backend {
    /// The backends that were compiled in, the faster first.
    pub fn available() -> &'static [Backend] {
        &[
            #[cfg(feature = "video-ffmpeg")]
            Backend::Ffmpeg,
            #[cfg(feature = "video-opencv")]
            Backend::OpenCv,
        ]
    }

    /// The fastest backend that was compiled in.
    ///
    /// # Errors
    ///
    /// [`Error::MissingFeature`] if there is none.
    pub fn best() -> Result<Backend> {
        let none = || Error::MissingFeature { what: "decoding video".into(), feature: "video-ffmpeg" };
        Self::available().first().copied().ok_or_else(none)
    }
}

impl std::str::FromStr for Backend {
    type Err = Error;

    /// Reads `ffmpeg` or `opencv`.
    fn from_str(name: &str) -> Result<Self> {
        match name {
            "ffmpeg" => Ok(Self::Ffmpeg),
            "opencv" => Ok(Self::OpenCv),
            other => Err(Error::InvalidArgument {
                argument: "backend",
                reason: format!("{other:?} is neither \"ffmpeg\" nor \"opencv\""),
            }),
        }
    }
}

/// What the header of a video says. Frames are counted by [`Video::frame_count`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct VideoFacts {
    /// Width of the frames as delivered, in pixels.
    pub width: u32,
    /// Height of the frames as delivered, in pixels.
    pub height: u32,
    /// Frames per second on average, as the container states or estimates it.
    pub frame_rate: Option<f64>,
    /// Length in seconds, as the container states it.
    pub duration: Option<f64>,
    /// Short name of the codec, for example `h264`.
    pub codec: String,
}

/// What is known about a video from elsewhere, for [`Video::check`]; `None` is not compared.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stated {
    /// The number of frames.
    pub frame_count: Option<u64>,
    /// Frames per second.
    pub frame_rate: Option<f64>,
}

/// How far rates may lie apart, relative to each other: some round 29.97 to 30.
const RATE_TOLERANCE: f64 = 0.01;

/// One decoded frame.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Frame {
    /// Number of the frame, counted from zero in the order of presentation.
    pub index: u64,
    /// When it is shown, in seconds after the first frame.
    pub time: f64,
    /// The picture, `[height, width, 3]` RGB.
    pub pixels: RgbArray,
}

/// A video file, opened. Cheap to clone; holds no decoder until frames are asked for.
#[derive(Clone)]
pub struct Video {
    engine: Arc<dyn Engine>,
    path: Arc<Path>,
    /// Keeps the file where it is.
    keeper: Option<Source>,
}

impl Video {
    /// Opens a video with the default [`Limits`].
    ///
    /// # Errors
    ///
    /// [`Error::MissingFeature`] if the backend was not compiled in, [`Error::Io`], [`Error::Decode`] or
    /// [`Error::Unsupported`] if the file is missing, damaged or no video, [`Error::Limit`] if its frames are
    /// larger than the limits allow.
    pub fn open(path: impl AsRef<Path>, backend: Backend) -> Result<Self> {
        Self::open_with(path, backend, &Limits::default())
    }

    /// Opens a video with limits of your own.
    ///
    /// # Errors
    ///
    /// As [`Video::open`].
    pub fn open_with(path: impl AsRef<Path>, backend: Backend, limits: &Limits) -> Result<Self> {
        let path: Arc<Path> = path.as_ref().into();
        // A missing file should say so, whatever the library makes of it.
        drop(Source::from(&*path).open(limits)?);
        let engine = engine(&path, backend, limits)?;
        Ok(Self { engine, path, keeper: None })
    }

    /// The same video, holding on to a source (see [`Source::keeping`]) until it and all its frames are dropped.
    #[must_use]
    pub fn keeping(mut self, source: Source) -> Self {
        self.keeper = Some(source);
        self
    }

    /// What the header says.
    pub fn facts(&self) -> &VideoFacts {
        self.engine.facts()
    }

    /// The number of frames, counted.
    ///
    /// The first call reads the file once; of irregular files it has to decode every frame.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] if there are more than the limits allow, and the errors of decoding.
    pub fn frame_count(&self) -> Result<u64> {
        Ok(self.engine.times()?.len() as u64)
    }

    /// When each frame is shown, in seconds after the first one.
    ///
    /// # Errors
    ///
    /// As [`Video::frame_count`].
    pub fn timestamps(&self) -> Result<Arc<[f64]>> {
        self.engine.times()
    }

    /// Holds the number and rate of the frames against what is known from elsewhere, for example from the storage
    /// item: frames are counted, and rates may differ by one percent from the average of the file or the rate in its
    /// header.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] if one of them differs, and as [`Video::frame_count`].
    pub fn check(&self, stated: &Stated) -> Result<()> {
        if let Some(stated) = stated.frame_count {
            let found = self.frame_count()?;
            if stated != found {
                return Err(frame_counts_differ(&self.name(), stated, found));
            }
        }
        let Some(stated) = stated.frame_rate else { return Ok(()) };
        let header = self.facts().frame_rate;
        let fits = |rate: f64| (rate - stated).abs() <= RATE_TOLERANCE * stated.abs();
        let times = self.timestamps()?;
        let average = match times.last() {
            Some(last) if *last > 0.0 => Some((times.len() - 1) as f64 / last),
            _ => None,
        };
        if header.is_some_and(fits) || average.is_some_and(fits) || (header, average) == (None, None) {
            return Ok(());
        }
        Err(Error::Mismatch {
            what: self.name(),
            fact: "frame rate",
            stated: format!("{stated} per second"),
            found: format!("{:.3} per second", header.or(average).unwrap_or(0.0)),
        })
    }

    /// What messages call this video.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// All frames in order.
    ///
    /// # Errors
    ///
    /// If decoding can't start. Later trouble is an item of the iterator, and its last.
    pub fn frames(&self) -> Result<Frames> {
        Ok(Arc::clone(&self.engine).all()?.keeping(self.keeper.clone()))
    }

    /// Some frames in ascending order; see [`Sampling`] for which.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] if the rate or step makes no sense, and as [`Video::frames`].
    pub fn sample(&self, sampling: &Sampling) -> Result<Frames> {
        sampling.check()?;
        match sampling {
            Sampling::All => self.frames(),
            Sampling::Indices(indices) => {
                let mut numbers = indices.clone();
                numbers.sort_unstable();
                self.pick(numbers)
            }
            _ => {
                let numbers = sampling.numbers(self.frame_count()?);
                self.pick(numbers)
            }
        }
    }

    fn pick(&self, numbers: Vec<u64>) -> Result<Frames> {
        Ok(Arc::clone(&self.engine).pick(numbers)?.keeping(self.keeper.clone()))
    }

    /// One frame.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if there is no such frame, and the errors of decoding.
    pub fn frame(&self, index: u64) -> Result<Frame> {
        let mut frames = if index == 0 { self.frames()? } else { self.pick(vec![index])? };
        frames.next().unwrap_or_else(|| Err(out_of_range(&self.path, index, 0)))
    }
}

impl std::fmt::Debug for Video {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Video").field("path", &self.path).field("facts", self.facts()).finish()
    }
}

/// What a backend has to be able to do.
pub(crate) trait Engine: Send + Sync {
    fn facts(&self) -> &VideoFacts;
    /// The time of every frame, in seconds after the first.
    fn times(&self) -> Result<Arc<[f64]>>;
    /// Every frame in order.
    fn all(self: Arc<Self>) -> Result<Frames>;
    /// The frames of these numbers, which ascend and may repeat. A number past the end is an error after the
    /// frames that exist.
    fn pick(self: Arc<Self>, numbers: Vec<u64>) -> Result<Frames>;
}

#[cfg_attr(
    not(any(feature = "video-ffmpeg", feature = "video-opencv")),
    allow(unused_variables, reason = "there is nothing to open it with")
)]
fn engine(path: &Path, backend: Backend, limits: &Limits) -> Result<Arc<dyn Engine>> {
    match backend {
        #[cfg(feature = "video-ffmpeg")]
        Backend::Ffmpeg => Ok(ffmpeg::open(path, limits)?),
        #[cfg(not(feature = "video-ffmpeg"))]
        Backend::Ffmpeg => Err(missing("FFmpeg", "video-ffmpeg")),
        #[cfg(feature = "video-opencv")]
        Backend::OpenCv => Ok(opencv::open(path, limits)?),
        #[cfg(not(feature = "video-opencv"))]
        Backend::OpenCv => Err(missing("OpenCV", "video-opencv")),
    }
}

pub(crate) fn frame_counts_differ(what: &str, stated: u64, found: u64) -> Error {
    Error::Mismatch {
        what: what.to_owned(),
        fact: "number of frames",
        stated: stated.to_string(),
        found: found.to_string(),
    }
}

pub(crate) fn out_of_range(path: &Path, index: u64, available: u64) -> Error {
    Error::OutOfRange {
        what: path.display().to_string(),
        wanted: format!("frame {index}"),
        available: format!("{available} frames, numbered from 0"),
    }
}

#[cfg(not(all(feature = "video-ffmpeg", feature = "video-opencv")))]
fn missing(library: &str, feature: &'static str) -> Error {
    Error::MissingFeature { what: format!("decoding video with {library}"), feature }
}
