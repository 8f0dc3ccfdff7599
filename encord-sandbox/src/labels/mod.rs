//! Label documents: how a new one looks for each type of data, what of a saved
//! one comes back, and what a save must satisfy.

mod check;
mod filter;
mod fresh;
mod read;
mod reviews;
mod spaces;
mod status;

pub(crate) use self::check::{checked, feature_hashes};
pub(crate) use self::filter::{FeatureFilter, archived_features};
pub(crate) use self::read::read;
pub(crate) use self::reviews::add_reviews;
pub(crate) use self::spaces::spaces;
pub(crate) use self::status::annotation_status;
