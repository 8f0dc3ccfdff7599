//! Reading and writing JSON without an intermediate tree.
//!
//! Label documents reach hundreds of megabytes, nearly all of it per-frame geometry. [`Cursor`] walks the text
//! once and hands keys and values to the code that builds the model; [`Emitter`] writes the model to a stream.
//! Small documents (ontologies, row metadata) go through `serde_json::Value` and [`Fields`].

mod cursor;
mod emit;
mod fields;
mod number;
mod reading;
mod spelling;
mod string;

pub(crate) use cursor::{Cursor, Kind};
pub(crate) use emit::Emitter;
pub(crate) use fields::{Fields, describe, expect_object};
pub(crate) use reading::Reading;
pub(crate) use spelling::Spelling;
