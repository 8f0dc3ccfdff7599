//! A local stand-in for the Encord platform: the same wire protocol, the same
//! workflow semantics, on your machine.
//!
//! Agents can be written, run and tested against it without an account. It
//! checks signatures with code of its own, keeps projects, tasks, label rows
//! and storage items, and serves file bytes through signed URLs.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), encord_sandbox::Error> {
//! use encord_sandbox::Sandbox;
//!
//! let sandbox = Sandbox::builder().project("cats").stage_agent("Agent 1", ["complete"]).images(3).start().await?;
//! println!("ENCORD_DOMAIN={}", sandbox.url());
//! println!("ENCORD_SSH_KEY_FILE={}", sandbox.private_key_path().expect("the sandbox made a key").display());
//! sandbox.stop().await;
//! # Ok(()) }
//! ```
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `cli` | yes | the program `encord-sandbox` |

mod auth;
mod blobs;
mod builder;
mod clock;
mod error;
mod faults;
mod files;
mod gate;
mod journal;
mod keyfile;
mod labels;
mod media_facts;
mod origin;
mod patient;
mod pattern;
mod persist;
mod platform;
mod prune;
mod refusal;
mod routes;
mod sandbox;
mod scenes;
mod seed;
mod server;
mod state;
mod store;
mod uploads;
mod webhooks;
mod workflow;

pub use self::builder::SandboxBuilder;
pub use self::error::Error;
pub use self::faults::{DropWhen, FaultPlan, FaultRule};
pub use self::gate::ControlToken;
pub use self::journal::{EndpointCounts, RequestCounts};
pub use self::platform::Limits;
pub use self::sandbox::{Options, Sandbox};
pub use self::seed::Seed;
pub use self::state::{ProjectState, RowState, StageState, TaskState};
