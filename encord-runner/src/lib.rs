//! Runs Encord task agents: plain async functions, one per workflow stage.
//!
//! # The path of a task
//! The runner lists the tasks of a stage and fetches in bulk what the agent's parameters [need](Needs). Each task
//! gets a [`TaskContext`]; [extractors](extract) make the agent's parameters from it; the agent returns an
//! [`Outcome`]. Outcomes are committed in bundles: label rows are saved, priorities set, tasks moved.
//!
//! ```no_run
//! use encord_runner::{LabelRow, Outcome, Runner, StorageItem};
//!
//! async fn agent(row: LabelRow, item: StorageItem) -> Result<Outcome, std::io::Error> {
//!     // ... look at the item, change the row ...
//!     Ok(Outcome::to("complete").with_label_row(row))
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let report = Runner::new()
//!     .with_project_hash("566bf9d7-c55a-45f8-91a6-e55e9b9b1325".parse()?)
//!     .stage("Agent 1", agent)
//!     .run()
//!     .await?;
//! print!("{report}");
//! # Ok(()) }
//! ```
//!
//! # What can be relied on
//! * One task never harms another: a failure, a panic, a timeout or a missing row is that task's outcome.
//! * A retry starts fresh: every attempt extracts again. Downloads and rows are fetched once per task.
//! * Labels are saved before tasks move, and a task whose save failed is not moved.
//! * Only what the platform confirmed is reported as done. A lost answer is looked up, not sent again blindly.
//! * A panic in the runner itself is an error of the run, never a stage that looks empty.
//! * Memory is bounded by the batch size, not by the project; files on disk by options.
//!
//! # Features
//! | Feature | Adds |
//! |---|---|
//! | `http` | the client's own transport, so that a runner can make its client from the environment |
//! | `cli` | [`Runner::run_cli`]: options from the command line and the environment |
//! | `progress` | progress bars for the command line |
//! | `metrics` | an observer that counts through the `metrics` facade, for Prometheus and others |
//! | `otlp` | spans of batches, tasks and attempts to an OpenTelemetry collector, see [`telemetry`] |
//! | `webhook` | a receiver for the platform's task-ready notices |
//! | `queue-embedded` | a durable queue in one file, for workers on one machine |
//! | `queue-nats` | a durable queue on NATS JetStream, for workers on many machines |

#![cfg_attr(docsrs, feature(doc_cfg))]

mod scratch;
mod source;

mod asset;
mod context;
mod needs;
mod prefetch;

pub mod extract;

mod agent;
mod beside;
mod outcome;

mod execute;

mod commit;
mod note;

#[cfg(feature = "metrics")]
mod metrics;
mod progress_log;
mod registry;
mod report;
mod report_file;
mod sequential;
mod shutdown;
mod stage;

pub mod queue;

#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "cli")]
mod logs;
#[cfg(feature = "progress")]
mod progress;
#[cfg(feature = "otlp")]
#[cfg_attr(docsrs, doc(cfg(feature = "otlp")))]
pub mod telemetry;
#[cfg(feature = "webhook")]
#[cfg_attr(docsrs, doc(cfg(feature = "webhook")))]
pub mod webhook;

mod error;
pub mod testing;

pub use encord_client::{AgentTask, Client, Pathway, Project, Stage, StorageItem};
pub use encord_labels::{LabelRow, LabelRowMetadata};

pub use agent::{AgentFn, Blocking, blocking};
pub use asset::Asset;
pub use beside::Beside;
pub use context::TaskContext;
pub use error::{BoxError, Error, ExtractError, OrTerminal, Terminal, TimedOut, UnknownPathway};
pub use extract::{FromRef, FromTask, OptionalFromTask, Rejected, State};
#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub use metrics::Metrics;
pub use needs::Needs;
pub use outcome::{IntoOutcome, Outcome, PathwayRef};
#[cfg(feature = "progress")]
#[cfg_attr(docsrs, doc(cfg(feature = "progress")))]
pub use progress::Progress;
pub use progress_log::ProgressLog;
pub use report::{Counts, Observer, RunReport, StageReport, Step, TaskOutcome, TaskRecord};
pub use report_file::ReportFile;
pub use sequential::{RunOptions, Runner, StageOptions};
pub use shutdown::StopHandle;
pub use source::ItemStore;
pub use stage::StageRef;
