//! What the example programs share: sample media made on the spot, so that every example can be tried
//! without anybody's data, and finding the project to work on.
//!
//! The examples themselves are in `src/bin`, one file each.

#[cfg(feature = "celery")]
pub mod celery;
mod project;
mod queue;
pub mod samples;

pub use project::{
    agent_stages, exit_code, first_agent_stage, first_pathway, project, project_from_arguments,
};
pub use queue::run_queue_program;

/// The README's agent compiles like any other.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
