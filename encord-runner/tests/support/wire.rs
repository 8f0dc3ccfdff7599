//! HTTP in plain sight: a transport in which tests see every request, change answers, and panic.

use std::fmt;

use encord_client::Transport;
use encord_client::transport::{HttpBody, HttpRequest, HttpResponse, TransportError, TransportErrorKind};
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type See = Box<dyn Fn(&Seen) + Send + Sync>;
type Change = Box<dyn Fn(&Seen, &mut Value) + Send + Sync>;

/// A request to the sandbox.
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn lists_tasks(&self) -> bool {
        self.method == "GET" && self.path.contains("/tasks")
    }

    /// Whether this is a request of the older interface for this type and method.
    pub(crate) fn is_query(&self, query_type: &str, method: &str) -> bool {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body["query_type"] == query_type && body["query_method"] == method
    }
}

/// Sends requests as they are, one connection each.
#[derive(Default)]
pub(crate) struct Wire {
    see: Option<See>,
    change: Option<Change>,
}

impl Wire {
    /// Is called before a request is sent.
    pub(crate) fn seeing(see: impl Fn(&Seen) + Send + Sync + 'static) -> Self {
        Wire { see: Some(Box::new(see)), change: None }
    }

    /// Is called with each answer that is JSON.
    pub(crate) fn changing(change: impl Fn(&Seen, &mut Value) + Send + Sync + 'static) -> Self {
        Wire { see: None, change: Some(Box::new(change)) }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl Transport for Wire {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        Box::pin(async move {
            let HttpBody::Bytes(body) = &request.body else { panic!("the runner uploads no files") };
            let (host, path) = request.url.trim_start_matches("http://").split_once('/').expect("a full URL");
            let path = format!("/{path}");
            let seen = Seen { method: request.method.to_string(), path, body: body.to_vec() };
            if let Some(see) = &self.see {
                see(&seen);
            }
            let headers = request.headers.iter();
            let headers = headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()));
            let answer = exchange(host, &seen, headers).await;
            let (status, headers, mut body) = answer
                .map_err(|error| TransportError::new(TransportErrorKind::Dropped, error.to_string()))?;
            if let Some(change) = &self.change
                && let Ok(mut json) = serde_json::from_slice(&body)
            {
                change(&seen, &mut json);
                body = serde_json::to_vec(&json).expect("this was JSON before");
            }
            let body = futures::stream::iter([Ok(bytes::Bytes::from(body))]);
            Ok(HttpResponse { status, headers, body: Box::pin(body) })
        })
    }
}

/// Sends a request by HTTP/1.0, where the end of the connection is the end of the answer.
pub(crate) async fn exchange<'a>(
    host: &str,
    request: &Seen,
    headers: impl Iterator<Item = (&'a str, &'a str)>,
) -> std::io::Result<(http::StatusCode, http::HeaderMap, Vec<u8>)> {
    let Seen { method, path, body } = request;
    let mut head = format!("{method} {path} HTTP/1.0\r\nhost: {host}\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers.filter(|(name, _)| *name != "content-length") {
        head += &format!("{name}: {value}\r\n");
    }
    let mut connection = TcpStream::connect(host).await?;
    connection.write_all(head.as_bytes()).await?;
    connection.write_all(b"\r\n").await?;
    connection.write_all(body).await?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await?;
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let body = answer.split_off(end + 4);
    let head = String::from_utf8_lossy(&answer);
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let fields = lines.filter_map(|line| line.split_once(": "));
    // The body may be another one in the end, so its length is not passed on.
    let fields = fields.filter(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
    let headers =
        fields.filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?))).collect();
    Ok((status.unwrap_or(http::StatusCode::BAD_GATEWAY), headers, body))
}
