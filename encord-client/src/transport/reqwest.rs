//! The default transport: HTTP/1.1 with kept-alive connections over rustls.
//!
//! `ring` is chosen as the TLS provider because it needs no more than a C compiler. Root certificates come from
//! the system (and from `SSL_CERT_FILE`/`SSL_CERT_DIR`), or from Mozilla's list where the system has none.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};

use super::{HttpBody, HttpRequest, HttpResponse, Transport, TransportError, TransportErrorKind};
use crate::error::{Error, Result};

#[derive(Debug)]
pub(crate) struct ReqwestTransport {
    client: reqwest::Client,
}

impl ReqwestTransport {
    pub(crate) fn new(connect_timeout: Duration) -> Result<Self> {
        let failed =
            |error: &dyn std::fmt::Display| Error::Configuration(format!("no TLS available: {error}"));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_root_certificates(root_certificates())
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(connect_timeout)
            .pool_idle_timeout(Duration::from_secs(50))
            .tcp_nodelay(true)
            .http1_only()
            .build()
            .map_err(|error| failed(&flatten(error)))?;
        Ok(Self { client })
    }
}

impl Transport for ReqwestTransport {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        Box::pin(async move {
            let HttpRequest { method, url, headers, body } = request;
            let builder = self.client.request(method, &url).headers(headers);
            let builder = match body {
                HttpBody::Bytes(bytes) if bytes.is_empty() => builder,
                HttpBody::Bytes(bytes) => builder.body(bytes),
                HttpBody::File { path, length } => {
                    builder.header(http::header::CONTENT_LENGTH, length).body(file_body(path))
                }
            };
            let response =
                builder.send().await.map_err(|error| convert(error, TransportErrorKind::Dropped))?;
            let status = response.status();
            let headers = response.headers().clone();
            let body =
                response.bytes_stream().map_err(|error| convert(error, TransportErrorKind::Dropped)).boxed();
            Ok(HttpResponse { status, headers, body })
        })
    }
}

/// Opens the file when the body is first asked for, so that building a request does no I/O.
fn file_body(path: std::path::PathBuf) -> reqwest::Body {
    const CHUNK: usize = 64 * 1024;
    let stream = futures::stream::try_unfold(None, move |file| {
        let path = path.clone();
        async move {
            use tokio::io::AsyncReadExt;
            let mut file = match file {
                Some(file) => file,
                None => tokio::fs::File::open(&path).await?,
            };
            let mut chunk = bytes::BytesMut::with_capacity(CHUNK);
            let read = file.read_buf(&mut chunk).await?;
            Ok::<_, std::io::Error>((read > 0).then(|| (chunk.freeze(), Some(file))))
        }
    });
    reqwest::Body::wrap_stream(stream)
}

fn root_certificates() -> rustls::RootCertStore {
    let mut roots = rustls::RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(native.certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

fn convert(error: reqwest::Error, otherwise: TransportErrorKind) -> TransportError {
    let kind = if error.is_connect() {
        TransportErrorKind::Connect
    } else if error.is_builder() {
        TransportErrorKind::Local
    } else if error.is_timeout() {
        TransportErrorKind::Stalled
    } else {
        otherwise
    };
    TransportError::new(kind, flatten(error))
}

/// The innermost messages of an error chain, without the address (which may carry a signature).
fn flatten(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    crate::refusal::clean(&text)
}
