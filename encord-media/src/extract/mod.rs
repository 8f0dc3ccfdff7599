//! Extractors: media as parameters of an agent.
//!
//! Every extractor of a task shares one download, which [`encord_runner::Asset`] keeps until the last value made
//! from it is dropped. Files are opened and decoded on blocking threads, never on the async runtime.
//!
//! | extractor | data types | gives |
//! |---|---|---|
//! | [`SingleFrame`] | image, video, image sequence, image group, DICOM | the first picture as RGB |
//! | [`ImageGroup`] | image group | its pictures, one at a time |
//! | [`VideoFrames`] | video, image sequence | every frame in order |
//! | [`VideoSampler`] | video, image sequence | the frames of a rate or of a list |
//! | [`Audio`](crate::audio::Audio) | audio, video | samples |
//! | [`DicomSeries`](crate::dicom::DicomSeries) | DICOM series and files | a volume |
//!
//! A file that is damaged, of another type than its item says, or beyond a limit fails its task after one attempt,
//! because no other attempt would find another file: such a [`Rejection`] is [`Terminal`]. Downloads that break are
//! retried. Values that decode later than the call, such as `Audio`, give an [`Error`]; an agent says with
//! [`OrTerminal`](encord_runner::OrTerminal) that it is final as well:
//!
//! ```
//! # #[cfg(feature = "audio")] {
//! use encord_media::audio::Audio;
//! use encord_runner::{BoxError, OrTerminal};
//!
//! async fn agent(audio: Audio) -> Result<&'static str, BoxError> {
//!     let samples = tokio::task::spawn_blocking(move || audio.samples()).await?.terminal()?;
//!     Ok(if samples.seconds() > 60.0 { "long" } else { "short" })
//! }
//! # let runner = encord_runner::Runner::new().stage("Agent 1", agent);
//! # }
//! ```

#[cfg(feature = "audio")]
mod audio;
#[cfg(feature = "dicom")]
mod dicom;
mod still;
mod video;

use std::fmt;
use std::sync::{Arc, LazyLock};

use encord_runner::{Asset, ExtractError, TaskContext, Terminal};

pub use still::{ImageGroup, SingleFrame};
pub use video::{FrameStream, VideoFrames, VideoSampler};

use crate::error::Error;
use crate::source::Source;

/// Why a task's media could not be given to the agent.
///
/// All but broken downloads, files that can't be read just now and a runtime that shuts down carry the mark of
/// [`Terminal`] among their causes.
#[derive(Debug)]
#[non_exhaustive]
pub enum Rejection {
    /// The file could not be fetched.
    Fetch(ExtractError),
    /// The file could not be decoded, or a feature or limit is in the way.
    Media(Error),
    /// The task's data is of another type than the extractor reads.
    WrongType {
        /// The extractor.
        extractor: &'static str,
        /// The types it reads.
        wanted: &'static str,
        /// The name of the storage item.
        name: String,
        /// Its type.
        found: String,
    },
    /// The runtime shut down while a file was being decoded.
    Cancelled,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(_) => f.write_str("the task's file is not there"),
            Self::Media(error) => error.fmt(f),
            Self::WrongType { extractor, wanted, name, found } => write!(
                f,
                "{extractor} reads {wanted}, but {name:?} is of type {found}; choose an extractor for that type"
            ),
            Self::Cancelled => f.write_str("decoding was cancelled because the runtime is shutting down"),
        }
    }
}

impl std::error::Error for Rejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        /// What the runner looks for among the causes of a failure.
        static FINAL: LazyLock<Terminal> =
            LazyLock::new(|| Terminal::new("another attempt would end in the same way"));
        match self {
            // This error knows whether it can be retried.
            Self::Fetch(error) => Some(error),
            Self::Media(error) if error.is_retryable() => std::error::Error::source(error),
            Self::Media(_) | Self::WrongType { .. } => Some(&*FINAL),
            Self::Cancelled => None,
        }
    }
}

impl From<ExtractError> for Rejection {
    fn from(error: ExtractError) -> Self {
        Self::Fetch(error)
    }
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        Self::Media(error)
    }
}

/// Refuses tasks whose data is of another type than these.
fn expect_type(
    ctx: &TaskContext,
    extractor: &'static str,
    types: &[&str],
    wanted: &'static str,
) -> Result<String, Rejection> {
    let item = ctx.storage_item()?;
    let found = item.item_type.to_string();
    if types.contains(&found.as_str()) {
        return Ok(found);
    }
    Err(Rejection::WrongType { extractor, wanted, name: item.name.clone(), found })
}

/// Runs blocking work where it harms nobody.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Rejection> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Rejection::Cancelled)?.map_err(Rejection::Media)
}

/// The file as a source that keeps it on disk.
fn source(asset: &Asset) -> Source {
    Source::from(asset.path()).keeping(Arc::new(asset.clone()))
}
