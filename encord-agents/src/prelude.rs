//! The names nearly every agent needs: what to register it with, what to take as parameters, what to return.

#[cfg(all(feature = "extract", feature = "audio"))]
pub use encord_media::audio::Audio;
#[cfg(all(feature = "extract", feature = "dicom"))]
pub use encord_media::dicom::DicomSeries;
#[cfg(feature = "extract")]
pub use encord_media::extract::{ImageGroup, SingleFrame, VideoFrames, VideoSampler};
pub use encord_runner::extract::{FromTask, State};
pub use encord_runner::{
    AgentTask, Asset, Client, ExtractError, LabelRow, LabelRowMetadata, OrTerminal, Outcome, Project,
    RunReport, Runner, Stage, StorageItem, TaskContext, blocking,
};
