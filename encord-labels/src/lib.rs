//! Ontologies and label rows of Encord projects.

pub mod error;
pub mod extra;
#[cfg(feature = "geometry")]
pub mod geometry;
pub mod id;
mod json;
pub mod shape;

pub use error::{Error, JsonPath, Result};
