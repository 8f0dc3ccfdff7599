//! What can go wrong between bytes and arrays, sorted by what the caller can do about it.
//!
//! No codec's own error type appears here: codecs come and go behind features, the meaning stays.

use std::io;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate, by meaning.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened or read.
    #[error("cannot read {what}")]
    Io {
        /// The file or buffer that was read.
        what: String,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The content is damaged, truncated, or not what it claims to be.
    #[error("cannot decode {what} as {format}: {reason}")]
    Decode {
        /// The file or buffer that was read.
        what: String,
        /// The format it was read as.
        format: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The content is a format, codec or variant that no compiled-in decoder knows.
    #[error("{what} is not supported: {reason}")]
    Unsupported {
        /// The file or buffer that was read.
        what: String,
        /// What is not supported, and what to do instead.
        reason: String,
    },
    /// The work needs a feature of this crate that was not compiled in.
    #[error(
        "{what} needs the feature \"{feature}\": enable it in Cargo.toml with `encord-media = {{ features = [\"{feature}\"] }}`"
    )]
    MissingFeature {
        /// What was asked for.
        what: String,
        /// The name of the feature of `encord-media`.
        feature: &'static str,
    },
    /// A limit of [`Limits`](crate::Limits) would be passed.
    #[error(
        "{what} passes the limit {limit}: {actual} is more than {maximum}; raise it in `Limits` if the file is trusted"
    )]
    Limit {
        /// The file or buffer that was read.
        what: String,
        /// The name of the field of [`Limits`](crate::Limits).
        limit: &'static str,
        /// What the content asks for, in the unit of the limit.
        actual: u64,
        /// What the limit allows.
        maximum: u64,
    },
    /// An argument makes no sense, whatever the file holds.
    #[error("invalid {argument}: {reason}")]
    InvalidArgument {
        /// The name of the argument.
        argument: &'static str,
        /// What is wrong with its value, and what is allowed.
        reason: String,
    },
    /// A frame, slice or moment that the content does not have.
    #[error("{what} has no {wanted}: it has {available}")]
    OutOfRange {
        /// The file or buffer that was read.
        what: String,
        /// What was asked for.
        wanted: String,
        /// What there is.
        available: String,
    },
    /// The file says something else than is known about it from elsewhere.
    #[error("{what} has another {fact} than stated: {found} instead of {stated}")]
    Mismatch {
        /// The file that was read.
        what: String,
        /// What differs.
        fact: &'static str,
        /// What is known from elsewhere.
        stated: String,
        /// What the file says.
        found: String,
    },
}

impl Error {
    /// Whether the same call may succeed later: only reading can fail for a reason that passes.
    ///
    /// ```
    /// use encord_media::{RgbArray, crop};
    ///
    /// let error = crop::to_polygon(&RgbArray::zeros((4, 4, 3)), &[]).unwrap_err();
    /// assert!(!error.is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Io { .. })
    }
}
