//! Signed HTTP client for the Encord platform: projects, workflows, tasks, label rows, storage.
//!
//! Start with [`Client`]: [`Client::from_env`] takes key and domain from the environment, [`Client::builder`]
//! from your code. From there, [`Client::project`] leads to stages, tasks and label rows, and the storage methods
//! lead to files.
//!
//! ```no_run
//! use encord_client::{Client, InitialiseArgs, LabelRowFilter, TaskFilter};
//! use futures::TryStreamExt;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::from_env()?;
//! let project = client.project("566bf9d7-c55a-45f8-91a6-e55e9b9b1325".parse()?).await?;
//! let stage = project.stages().iter().find(|stage| stage.is_agent()).ok_or("no agent stage")?;
//! let pathway = stage.pathways().first().ok_or("no pathway")?;
//!
//! // Tasks come page by page; everything else goes in bundles.
//! let mut pages = std::pin::pin!(project.agent_task_pages(stage.uuid, &TaskFilter::new()));
//! while let Some(tasks) = pages.try_next().await? {
//!     let data = tasks.iter().map(|task| task.data_hash);
//!     let mut rows = project.label_rows(&LabelRowFilter::new().with_data_hashes(data)).await?;
//!     project.initialise_labels(&mut rows, &InitialiseArgs::default()).await?;
//!     // ... change the labels ...
//!     project.save_labels(&rows.iter().collect::<Vec<_>>(), false).await?;
//!     let moves: Vec<_> = tasks.iter().map(|task| (task.uuid, pathway.uuid)).collect();
//!     project.proceed(stage.uuid, &moves).await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # How it behaves
//! * Requests are signed with an Ed25519 key (or carry a bearer token); each attempt gets a fresh signature.
//! * Failed requests are repeated with growing random pauses, but only where that is safe. Where it is not, and
//!   the answer was lost, the error is [`Error::OutcomeUnknown`].
//! * Connecting, silence and the whole call each have their own limit, see [`Timeouts`].
//! * Redirects are never followed with a signature.
//! * Keys, tokens and the queries of signed links never appear in messages.
//!
//! # Features
//! | Feature | Default | Adds |
//! |---|---|---|
//! | `reqwest` | yes | the built-in transport: HTTP/1.1 over rustls with `ring`; without it give the builder a [`Transport`] |

#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod environment;
mod key;
mod redact;
pub mod sign;

mod call;
mod query;
mod refusal;
mod retry;
mod timeout;
pub mod transport;
mod v1;
mod v2;

mod bundle;
mod error;
mod lenient;
mod page;
mod time;

mod action;
mod dataset;
mod download;
mod issue;
mod label_row;
mod ontology;
mod project;
mod review;
mod storage;
mod task;
mod user;
mod workflow;

pub use action::TaskAction;
pub use client::{Client, ClientBuilder, DEFAULT_DOMAIN};
pub use dataset::{CreatedDataset, DataRow, DataRowFilter, Dataset, Duplicates};
pub use download::Download;
pub use error::{Error, Result};
pub use issue::{Issue, IssueAnchor, IssueComment, NewIssue};
pub use key::{BearerToken, KeyError, PrivateKey};
pub use label_row::{AnnotationStatus, InitialiseArgs, LabelRowFilter, RowFailure, ShadowData};
pub use ontology::{OntologyFilter, OntologyInfo};
pub use project::{
    NewProject, Project, ProjectDataset, ProjectFilter, ProjectKind, ProjectStatus, ProjectSummary,
};
pub use redact::SignedUrl;
pub use refusal::Refusal;
pub use retry::RetryPolicy;
pub use review::{LabelReview, ReviewAction, ReviewStatus};
pub use storage::{
    FolderFilter, ItemFilter, ItemType, ItemUpdate, NewFolder, SeriesKind, StorageFolder, StorageItem,
    UploadKind,
};
pub use task::{
    AgentTask, AnnotationTask, ConsensusAnnotationTask, ConsensusOption, ConsensusReviewTask, DoneTask,
    ReviewTask, TaskFilter, TaskStatus,
};
pub use time::{DateTime, ParseDateTimeError};
pub use timeout::Timeouts;
pub use transport::Transport;
pub use workflow::{Pathway, Stage, StageKind};
