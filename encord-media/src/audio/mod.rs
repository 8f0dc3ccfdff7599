//! Sound as arrays of samples.

pub(crate) mod container;

pub use container::{AudioFacts, facts};
