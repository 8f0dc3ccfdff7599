//! Ontologies, label rows, objects, classifications, shapes and answers of Encord projects.
//!
//! Everything here is plain data: no network, no files. A [`LabelRow`] is made from what a listing says about it and
//! the project's [`Ontology`], is initialised with the label document, read and changed through typed values, and
//! written back.
//!
//! ```
//! use std::sync::Arc;
//! use encord_labels::ontology::{Attribute, ClassificationClass, ObjectClass};
//! use encord_labels::row::{Details, Overlap};
//! use encord_labels::shape::{BoundingBox, ShapeKind};
//! use encord_labels::{LabelRow, LabelRowMetadata, Ontology};
//! # let metadata = LabelRowMetadata::from_json(serde_json::json!({
//! #     "branch_name": "main", "data_hash": "d", "dataset_hash": "s", "dataset_title": "Set", "data_title": "a.mp4",
//! #     "data_type": "VIDEO", "data_link": null, "label_status": "LABELLED", "number_of_frames": 10, "spaces": {},
//! # }))?;
//! # let document = br#"{"label_hash": "l", "branch_name": "main", "created_at": null, "last_edited_at": null,
//! #     "data_hash": "d", "dataset_hash": "s", "dataset_title": "Set", "data_title": "a.mp4", "data_type": "video",
//! #     "label_status": "LABELLED", "object_answers": {}, "classification_answers": {}, "object_actions": {},
//! #     "data_units": {"d": {"data_hash": "d", "data_title": "a", "data_type": "video/mp4", "data_sequence": 0}}}"#;
//!
//! let ontology = Ontology::new()
//!     .with_object(
//!         ObjectClass::new("Car", ShapeKind::BoundingBox)
//!             .with_attribute(Attribute::radio("Colour", ["Red", "Blue"]))
//!             .with_attribute(Attribute::text("Turn signal").dynamic()),
//!     )?
//!     .with_classification(ClassificationClass::new(Attribute::checklist("Weather", ["Rain", "Wind"])))?;
//! let mut row = LabelRow::new(metadata, Arc::new(ontology));
//! row.initialise_from_slice(document)?;
//!
//! let mut car = row.new_object("Car")?;
//! car.set_with(0..=4, BoundingBox::new(0.1, 0.2, 0.3, 0.3)?, Details::predicted(0.8)?)?;
//! car.answer("Colour", "Red")?;
//! car.answer_on(2..=3, "Turn signal", "left")?;
//! row.add_object(car)?;
//!
//! let mut weather = row.new_classification("Weather")?;
//! weather.answer("Weather", ["Rain", "Wind"])?;
//! weather.set(0..=9)?;
//! row.add_classification(weather, Overlap::Refuse)?;
//!
//! for (object, on_frame) in row.frame(2)?.objects() {
//!     assert_eq!(object.answered("Colour")?.unwrap().as_label(), Some("Red"));
//!     assert_eq!(object.answered_on(2, "Turn signal")?.unwrap().as_text(), Some("left"));
//!     assert_eq!(on_frame.details().confidence, Some(0.8));
//! }
//! let document = row.to_document()?;
//! # assert!(document.to_string().contains("\"confidence\":0.8"));
//! # Ok::<(), encord_labels::Error>(())
//! ```
//!
//! # What is promised
//!
//! * **Nothing is lost.** What was not changed is written as it came, including keys this version does not know, old
//!   names of classes, reviews, and answers about objects that are not there. Unknown keys of something stay with
//!   it; those of a shape go when the shape is changed.
//! * **Documents are checked when they are read**, against the ontology and the facts of the data. Errors name the
//!   [JSON path](JsonPath). Numbers may lie outside the image, as objects may; [`LabelRow::validate`] is strict.
//! * **Edits are checked and complete or not made at all.** Nothing is overwritten unless asked for: a frame, an
//!   answer, a classification that is there already is a [`Error::Conflict`].
//! * **Cost is linear** in what is read, written or changed. Adding to a row does not touch what is in it.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `ndarray` | bitmasks from and to two-dimensional arrays |
//! | `geometry` | `geometry`: area, overlap, crops, pixels and outlines of shapes |
//! | `coco` | `coco`: export to and import from COCO files |
//! | `schema` | `schema`: structured answers of language models |

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
mod redact;
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
