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

/// The Rust in the README and in the guides compiles, and runs where it can without a platform.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/first-agent.md")]
    struct FirstAgent;
    #[doc = include_str!("../../docs/extractors.md")]
    struct Extractors;
    #[doc = include_str!("../../docs/labels.md")]
    struct Labels;
    #[doc = include_str!("../../docs/media.md")]
    struct Media;
    #[doc = include_str!("../../docs/sandbox.md")]
    struct Sandbox;
    #[doc = include_str!("../../docs/twins.md")]
    struct Twins;
    #[doc = include_str!("../../docs/migration.md")]
    struct Migration;
}
