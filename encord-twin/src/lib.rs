//! The same data in another project: label rows and tasks of the twin.
//!
//! Data units often live in two projects, for instance one where people label and one where a model does. A
//! [`TwinProject`] finds, for data units of the one, the label rows and tasks of the other. It never lists the
//! whole project: a batch of data units costs a handful of requests, however large the project is.
//!
//! ```no_run
//! # async fn example(client: encord_client::Client, tasks: Vec<encord_client::AgentTask>) -> Result<(), Box<dyn std::error::Error>> {
//! use encord_twin::TwinProject;
//!
//! let twins = TwinProject::open(&client, "566bf9d7-c55a-45f8-91a6-e55e9b9b1325".parse()?).await?;
//! let data: Vec<_> = tasks.iter().map(|task| task.data_hash).collect();
//! for (data, twin) in twins.find(&data).await? {
//!     let twin = twin?;
//!     println!("{data}: {} objects, task {:?}", twin.row.objects()?.count(), twin.task.map(|task| task.uuid()));
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//! | Feature | Default | Adds |
//! |---|---|---|
//! | `compare` | no | agreement of two label rows; brings in geometry libraries |
//! | `extract` | no | twins as parameters of agents, see the module `extract` |

#![cfg_attr(docsrs, feature(doc_cfg))]

mod cache;
#[cfg(feature = "compare")]
pub mod compare;
mod error;
#[cfg(feature = "extract")]
pub mod extract;
mod lookup;
mod present;
mod project;
mod task;
mod transfer;

pub use error::{Error, Result};
pub use lookup::DataLookup;
pub use project::{Twin, TwinOptions, TwinProject};
pub use task::TwinTask;
pub use transfer::{LeftBehind, Mapping, TransferReport, transfer};
