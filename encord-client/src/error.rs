//! What can go wrong, sorted by what the caller can do about it.
//!
//! The platform speaks two dialects: the older one answers HTTP 200 with an error code inside, the newer one
//! uses HTTP statuses. Both end up in the same variants here, so that callers never need to know which
//! generation of the interface an operation uses. [`Refusal`] keeps the server's own words and the context
//! that support staff ask for.

use std::path::PathBuf;
use std::time::Duration;

use crate::key::KeyError;
use crate::refusal::Refusal;
use crate::transport::TransportError;

/// The result of every call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that a call of this crate can report.
///
/// Messages are one line and contain no secrets: no keys, no tokens and no query strings of signed URLs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The private key is missing, unreadable or of the wrong kind.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The client cannot be built as configured (domain, user agent, token, environment).
    #[error("{0}")]
    Configuration(String),
    /// An argument was refused before any request was sent.
    #[error("{0}")]
    InvalidInput(String),
    /// The platform does not know this key or token (401). Check the key and the region of the domain.
    #[error(
        "not authenticated: {0}; check that the key is registered, and that the domain is the one of your region"
    )]
    Authentication(Box<Refusal>),
    /// The key is known but may not do this (403); also the answer for projects that do not exist.
    #[error(
        "not authorised: {0}; check the id, and that the user of this key is a member with the rights this needs"
    )]
    Authorisation(Box<Refusal>),
    /// The thing asked for does not exist (404).
    #[error("not found: {0}; check the id and the domain, or it has been deleted")]
    NotFound(Box<Refusal>),
    /// The platform refused the arguments (400). For task actions: at least one task has left the stage.
    #[error("refused as invalid: {0}")]
    InvalidArguments(Box<Refusal>),
    /// Something with this identity exists already (409).
    #[error("exists already: {0}")]
    AlreadyExists(Box<Refusal>),
    /// The operation is not available for this resource (405 and similar codes).
    #[error("operation not allowed: {0}")]
    NotAllowed(Box<Refusal>),
    /// The request body is too large (413). Send fewer things at once.
    #[error("request too large: {0}; send fewer items per request")]
    PayloadTooLarge(Box<Refusal>),
    /// The rate limit was hit and stayed hit through all retries (429).
    #[error("rate limit exceeded{}: {refusal}; try again later or with fewer clients at once", retry_hint(*.retry_after))]
    RateLimited {
        /// How long the server asked to wait, if it said so.
        retry_after: Option<Duration>,
        /// What the server answered.
        refusal: Box<Refusal>,
    },
    /// The labels do not fit the ontology or are broken.
    #[error("labels refused: {0}")]
    InvalidLabels(Box<Refusal>),
    /// More label rows in one request than the server accepts.
    #[error("at most {maximum} label rows per request: {refusal}")]
    LabelLimit {
        /// The largest number of label rows the server accepts.
        maximum: u64,
        /// What the server answered.
        refusal: Box<Refusal>,
    },
    /// The file's type or size is not supported by the platform.
    #[error("file not supported: {0}")]
    UnsupportedFile(Box<Refusal>),
    /// The project is of another kind than the operation needs.
    #[error("wrong kind of project: {0}")]
    WrongProjectType(Box<Refusal>),
    /// The platform failed on its side (5xx, or its code for unknown errors).
    #[error("server error: {0}; try again later, and quote the trace id to support if it stays")]
    Server(Box<Refusal>),
    /// A status or code this version does not know.
    #[error("unexpected answer: {0}")]
    Unexpected(Box<Refusal>),
    /// The server answered, but not with what the protocol promises: HTML, nothing, broken JSON, a redirect.
    #[error("{endpoint}: {problem}")]
    Protocol {
        /// Method and path of the request.
        endpoint: String,
        /// What was wrong with the answer.
        problem: String,
    },
    /// The network failed: connection refused, dropped, timed out.
    #[error("{endpoint}, attempt {attempts}, check the network and the domain: {source}")]
    Transport {
        /// Method and path of the request, and the domain it went to.
        endpoint: String,
        /// How many times the request was sent.
        attempts: u32,
        /// The failure of the last attempt.
        source: TransportError,
    },
    /// A request that must not be repeated failed in a way that leaves open whether it took effect.
    ///
    /// For task actions: list the tasks of the stage again to see which of them moved.
    #[error("unknown whether this took effect, look before repeating it: {0}")]
    OutcomeUnknown(Box<Error>),
    /// Several requests were needed and one of them failed; the ones before it took effect.
    #[error("the first {done} were done, then: {source}")]
    Incomplete {
        /// How many of the things in the call were dealt with.
        done: usize,
        /// Why the next ones were not.
        source: Box<Error>,
    },
    /// The server left out some of the things asked for.
    #[error("{operation}: the server returned nothing for {} of the requested ids: {}", .missing.len(), shorten(.missing))]
    MissingResults {
        /// The operation.
        operation: &'static str,
        /// The ids without a result.
        missing: Vec<String>,
    },
    /// A label row or ontology could not be read or written.
    #[error("{context}: {source}")]
    Labels {
        /// Which row or ontology.
        context: String,
        /// What the label model said.
        source: Box<encord_labels::Error>,
    },
    /// Reading or writing a local file failed.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file could not be downloaded or uploaded.
    #[error("{file}: {problem}")]
    Transfer {
        /// The file's location, without its query.
        file: String,
        /// What went wrong.
        problem: String,
        /// HTTP status of the storage server, if it answered.
        status: Option<u16>,
        /// Whether trying again later may help.
        retryable: bool,
    },
    /// A file is larger than the caller allows.
    #[error("{file}: {size} bytes or more, but the limit is {limit}; raise the byte limit to download it")]
    TooLarge {
        /// The file's location, without its query.
        file: String,
        /// How large the file is, as far as is known.
        size: u64,
        /// The limit in force.
        limit: u64,
    },
}

impl Error {
    /// What the server answered, when the error is an answer of the server.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Authentication(refusal)
            | Self::Authorisation(refusal)
            | Self::NotFound(refusal)
            | Self::InvalidArguments(refusal)
            | Self::AlreadyExists(refusal)
            | Self::NotAllowed(refusal)
            | Self::PayloadTooLarge(refusal)
            | Self::RateLimited { refusal, .. }
            | Self::InvalidLabels(refusal)
            | Self::LabelLimit { refusal, .. }
            | Self::UnsupportedFile(refusal)
            | Self::WrongProjectType(refusal)
            | Self::Server(refusal)
            | Self::Unexpected(refusal) => Some(refusal),
            Self::OutcomeUnknown(inner) | Self::Incomplete { source: inner, .. } => inner.refusal(),
            _ => None,
        }
    }

    /// The HTTP status behind the error, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Transfer { status, .. } => *status,
            _ => self.refusal().map(Refusal::status),
        }
    }

    /// True when the platform examined the request and declined it (400).
    ///
    /// For task actions and moves this means: at least one task is no longer in the stage, and nothing of the
    /// request was applied.
    pub fn is_rejected(&self) -> bool {
        matches!(self, Self::InvalidArguments(_))
    }

    /// True when nothing is known about the effect of the request; see [`Error::OutcomeUnknown`].
    pub fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::OutcomeUnknown(_) => true,
            Self::Incomplete { source, .. } => source.is_outcome_unknown(),
            _ => false,
        }
    }

    /// True when the same call may succeed later without any change: network trouble, rate limits, server errors.
    ///
    /// Calls were already retried within their budget when this error was made.
    /// [`Error::OutcomeUnknown`] is not retryable: look first.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Transport { source, .. } => source.is_retryable(),
            Self::RateLimited { .. } => true,
            Self::Server(refusal) => refusal.status() >= 500,
            Self::Unexpected(refusal) => matches!(refusal.status(), 408 | 425),
            Self::Transfer { retryable, .. } => *retryable,
            _ => false,
        }
    }

    /// True when the key or token was refused (401), or may not do this (403).
    pub fn is_access_denied(&self) -> bool {
        matches!(self, Self::Authentication(_) | Self::Authorisation(_))
    }

    pub(crate) fn labels(context: impl Into<String>, source: encord_labels::Error) -> Self {
        Self::Labels { context: context.into(), source: Box::new(source) }
    }

    pub(crate) fn invalid(text: impl Into<String>) -> Self {
        Self::InvalidInput(text.into())
    }
}

fn retry_hint(retry_after: Option<Duration>) -> String {
    retry_after.map_or_else(String::new, |wait| format!(" (the server asks to wait {} s)", wait.as_secs()))
}

/// The first few ids; a bundle may miss a thousand.
fn shorten(ids: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut text = ids.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if ids.len() > SHOWN {
        text.push_str(", ...");
    }
    text
}
