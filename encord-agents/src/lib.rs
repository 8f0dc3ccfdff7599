//! Task agents for [Encord](https://encord.com) in Rust: one async function per workflow stage.
//!
//! ```no_run
//! use encord_agents::prelude::*;
//!
//! async fn by_title(task: AgentTask) -> &'static str {
//!     if task.data_title.contains("urgent") { "expert" } else { "standard" }
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let report = Runner::new()
//!     .with_project_hash("566bf9d7-c55a-45f8-91a6-e55e9b9b1325".parse()?)
//!     .stage("Agent 1", by_title)
//!     .run()
//!     .await?;
//! # Ok(()) }
//! ```
//!
//! This crate only re-exports. Each part is a crate of its own and can be used alone:
//!
//! | Module | Crate | Holds |
//! |---|---|---|
//! | [`runner`] | `encord-runner` | extractors, stages, sequential and queue runners, reports |
//! | [`client`] | `encord-client` | the signed HTTP client: projects, tasks, label rows, storage |
//! | [`labels`] | `encord-labels` | ontologies, label rows, shapes, answers |
//! | [`media`] | `encord-media` | images, video, audio, DICOM to arrays |
//! | [`twin`] | `encord-twin` | the same data in another project |
//!
//! # Features
//! | Feature | Default | Adds |
//! |---|---|---|
//! | `http` | yes | the client's own HTTP transport |
//! | `cli`, `progress` | yes | `Runner::run_cli` with options, logs and progress bars |
//! | `image`, `audio`, `dicom` | yes | decoders of these media; none needs a system library |
//! | `video-ffmpeg`, `video-opencv` | | video frames; both need system libraries |
//! | `resample`, `probe` | | another sample rate; facts about media files without decoding them |
//! | `extract`, `twin` | yes | media and twins as parameters of agents |
//! | `compare` | | agreement of two label rows |
//! | `bin` | yes | the program `encord-agents`; libraries want `default-features = false` |
//! | `queue-embedded` | | a durable queue in one file, for workers on one machine |
//! | `queue-nats` | | a durable queue on NATS JetStream, for workers on many machines |
//! | `metrics` | | an observer that counts through the `metrics` facade, for Prometheus and others |
//! | `webhook` | | a receiver for the platform's task-ready notices |
//! | `geometry`, `ndarray` | | shapes as geometry, bitmasks as arrays |
//! | `coco`, `schema` | | COCO files; structured answers of language models |

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod prelude;

#[doc(inline)]
pub use encord_client as client;
#[doc(inline)]
pub use encord_labels as labels;
#[doc(inline)]
pub use encord_media as media;
#[doc(inline)]
pub use encord_runner as runner;
#[doc(inline)]
pub use encord_twin as twin;
