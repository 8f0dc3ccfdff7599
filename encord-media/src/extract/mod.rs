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

#[cfg(feature = "audio")]
mod audio;
#[cfg(feature = "dicom")]
mod dicom;
mod still;
mod video;

use std::sync::Arc;

use encord_runner::{Asset, ExtractError, TaskContext};

pub use still::{ImageGroup, SingleFrame};
pub use video::{FrameStream, VideoFrames, VideoSampler};

use crate::error::Error;
use crate::source::Source;

/// Why a task's media could not be given to the agent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The file could not be fetched.
    #[error(transparent)]
    Fetch(#[from] ExtractError),
    /// The file could not be decoded, or a feature or limit is in the way.
    #[error(transparent)]
    Media(#[from] Error),
    /// The task's data is of another type than the extractor reads.
    #[error("{extractor} reads {wanted}, but {name:?} is of type {found}; choose an extractor for that type")]
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
    #[error("decoding was cancelled because the runtime is shutting down")]
    Cancelled,
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
