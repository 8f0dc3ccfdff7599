//! How requests leave the process: one small trait, so that tests and unusual platforms can bring their own.
//!
//! A transport sends exactly one request and hands back whatever answer comes. It does not retry, does not
//! follow redirects and does not judge statuses; all of that is this crate's business.

use std::fmt;
use std::path::PathBuf;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use http::{HeaderMap, Method, StatusCode};

#[cfg(feature = "reqwest")]
mod reqwest;

#[cfg(feature = "reqwest")]
pub(crate) use self::reqwest::ReqwestTransport;

/// Sends HTTP requests. Implement it to replace the built-in transport; see [`ClientBuilder::transport`].
///
/// [`ClientBuilder::transport`]: crate::ClientBuilder::transport
pub trait Transport: Send + Sync + fmt::Debug + 'static {
    /// Sends one request and returns once the head of the answer has arrived.
    ///
    /// Implementations must not follow redirects, must not retry, and must limit the time for connecting to
    /// `connect_timeout` of [`Timeouts`](crate::Timeouts). The time between two pieces of the answer is watched
    /// by the caller.
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>>;
}

/// One HTTP request, ready to send. Its `Debug` form shows neither headers nor query.
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The absolute address, percent-encoded; must be sent unchanged because the signature covers it.
    pub url: String,
    /// All headers except `Host` and `Content-Length`.
    pub headers: HeaderMap,
    /// The body.
    pub body: HttpBody,
}

/// The body of a request.
#[derive(Clone)]
pub enum HttpBody {
    /// Bytes in memory; empty for requests without a body.
    Bytes(Bytes),
    /// The content of a file, to be streamed.
    File {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        length: u64,
    },
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &crate::redact::without_query(&self.url))
            .finish_non_exhaustive()
    }
}

/// The answer to a request, its body still on the way.
pub struct HttpResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body in pieces, as they arrive.
    pub body: BoxStream<'static, Result<Bytes, TransportError>>,
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

/// A request that got no complete answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct TransportError {
    kind: TransportErrorKind,
    message: String,
}

/// At which point a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection was made, so the server has seen nothing of the request.
    Connect,
    /// The connection broke; the server may have acted on the request.
    Dropped,
    /// Nothing arrived for longer than the stall timeout; the server may have acted on the request.
    Stalled,
    /// The overall budget of the call ran out.
    Budget,
    /// The request could not be built or sent for a local reason.
    Local,
    /// The answer is larger than this crate holds in memory.
    Oversized,
}

impl TransportError {
    /// Makes an error; `message` must not contain secrets.
    pub fn new(kind: TransportErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// At which point the request failed.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// True when the server cannot have acted on the request.
    pub fn is_before_send(&self) -> bool {
        matches!(self.kind, TransportErrorKind::Connect | TransportErrorKind::Local)
    }

    pub(crate) fn is_retryable(&self) -> bool {
        !matches!(self.kind, TransportErrorKind::Local | TransportErrorKind::Oversized)
    }
}

impl fmt::Display for TransportErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "cannot connect",
            Self::Dropped => "connection lost",
            Self::Stalled => "no data from the server",
            Self::Budget => "time budget used up",
            Self::Local => "cannot send",
            Self::Oversized => "answer too large",
        })
    }
}
