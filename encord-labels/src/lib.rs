//! Ontologies, label rows, objects, classifications, shapes and answers of Encord projects.
//!
//! Everything here is plain data: no network, no files. A [`LabelRow`] is made from what a listing says about it and
//! the project's [`Ontology`], is initialised with the label document, read and changed through typed values, and
//! written back. What was not changed is given back as it came, including fields this version does not know.

#[cfg(feature = "coco")]
pub mod coco;
pub mod error;
pub mod extra;
#[cfg(feature = "geometry")]
pub mod geometry;
pub mod id;
mod json;
pub mod ontology;
mod range;
pub mod row;
#[cfg(feature = "schema")]
pub mod schema;
pub mod shape;
mod time;

pub use error::{Error, JsonPath, Result};
pub use extra::Extra;
pub use ontology::Ontology;
pub use range::{Frame, FrameRange, FrameSet};
pub use row::{ClassificationInstance, DataType, LabelRow, LabelRowMetadata, ObjectInstance};
pub use time::Timestamp;
