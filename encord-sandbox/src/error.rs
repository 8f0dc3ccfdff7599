//! What can go wrong before the sandbox answers requests: a seed that does not
//! make sense, a file that cannot be read, a port that is taken. Refusals of
//! requests are not errors of the sandbox; they live in [`crate::refusal`].

use std::io;
use std::path::PathBuf;

/// Why a sandbox could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The seed is not JSON.
    #[error("the seed is not valid JSON: {0}")]
    SeedSyntax(#[source] serde_json::Error),
    /// The seed is JSON but something in it does not make sense.
    #[error("seed error at {path}: {reason}")]
    Seed {
        /// JSON path of the value, for example `$.datasets[0].items[2].file`.
        path: String,
        /// What is wrong with it and what would be right.
        reason: String,
    },
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file with the state of an earlier run cannot be used.
    #[error("cannot use {} as database: {reason}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file with certificates cannot be used.
    #[error("cannot use {} as certificates: {reason}; PEM is expected", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The address could not be listened on.
    #[error("cannot listen on {address}: {source}; choose another --port, or 0 for any free one")]
    Listen {
        /// The address.
        address: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// A public key is not an OpenSSH Ed25519 key.
    #[error("not a usable public key: {0}")]
    PublicKey(String),
    /// The faults given to [`crate::Sandbox::set_faults`] do not make sense.
    #[error("invalid fault: {0}")]
    Fault(String),
}

impl Error {
    pub(crate) fn seed(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Seed { path: path.into(), reason: reason.into() }
    }
}
