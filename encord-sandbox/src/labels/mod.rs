//! Label documents: how a new one looks for each type of data, what of a saved
//! one comes back, and what a save must satisfy.

mod check;
mod fresh;
mod read;
mod spaces;
mod status;

pub(crate) use self::check::{feature_hashes, stored};
pub(crate) use self::read::{FeatureFilter, read};
pub(crate) use self::spaces::spaces;
pub(crate) use self::status::annotation_status;
