//! A transport that changes answers on their way: how the platform could answer, but the sandbox never does.

use std::fmt;

use bytes::Bytes;
use encord_client::transport::{
    HttpBody, HttpRequest, HttpResponse, Transport, TransportError, TransportErrorKind,
};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Gets an endpoint (`POST /public labelrowmetadata`, `GET /v2/public/..`) and its answer, which it may change.
type Change = Box<dyn Fn(&str, &mut Value) + Send + Sync>;

pub(crate) struct Tamper(Change);

impl Tamper {
    pub(crate) fn new(change: impl Fn(&str, &mut Value) + Send + Sync + 'static) -> Self {
        Tamper(Box::new(change))
    }
}

impl fmt::Debug for Tamper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tamper")
    }
}

impl Transport for Tamper {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        let sent = async move {
            let (endpoint, status, body) = exchange(request).await.ok()?;
            let body = match serde_json::from_slice::<Value>(&body) {
                Ok(mut answer) => {
                    (self.0)(&endpoint, &mut answer);
                    answer.to_string().into()
                }
                Err(_) => body,
            };
            let body = stream::iter([Ok(body)]).boxed();
            Some(HttpResponse { status: status.try_into().ok()?, headers: Default::default(), body })
        };
        sent.map(|answer| answer.ok_or_else(|| TransportError::new(TransportErrorKind::Dropped, "no answer")))
            .boxed()
    }
}

/// One exchange over a connection of its own, in the oldest HTTP there is: the answer ends with the connection.
async fn exchange(request: HttpRequest) -> std::io::Result<(String, u16, Bytes)> {
    let invalid = || std::io::Error::from(std::io::ErrorKind::InvalidData);
    let HttpBody::Bytes(body) = request.body else { return Err(invalid()) };
    let (host, path) =
        request.url.strip_prefix("http://").and_then(|url| url.split_once('/')).ok_or_else(invalid)?;
    let mut head =
        format!("{} /{path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {}\r\n", request.method, body.len());
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().map_err(|_| invalid())?));
    }
    head.push_str("\r\n");
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(invalid)?;
    let status = answer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    let status = status.ok_or_else(invalid)?;
    let query_type = serde_json::from_slice::<Value>(&body).ok();
    let query_type = query_type.as_ref().and_then(|body| body["query_type"].as_str()).unwrap_or_default();
    let endpoint = format!("{} /{path} {query_type}", request.method).trim_end().to_owned();
    Ok((endpoint, status, Bytes::from(answer).slice(end + 4..)))
}
