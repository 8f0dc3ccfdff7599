//! Downloads through signed URLs, without any Encord header.

use std::io::SeekFrom;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes as Buffer;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use super::range::{Part, part};
use super::sign::METADATA;
use crate::clock::Moment;
use crate::platform::Platform;
use crate::routes::UuidPath;
use crate::store::Bytes;

/// `GET /_blobs/{object}`
pub(crate) async fn download(
    State(platform): State<Arc<Platform>>,
    UuidPath([object]): UuidPath<1>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let now = Moment::now().unix_seconds();
    if let Err(code) = platform.urls.check(&query.unwrap_or_default(), "GET", object, now) {
        return refuse(StatusCode::FORBIDDEN, code);
    }
    let found = platform
        .read(|store| store.items.get(&object).map(|item| (item.bytes.clone(), item.facts.mime.clone())));
    let Some((bytes, mime)) = found else { return refuse(StatusCode::NOT_FOUND, "NoSuchKey") };
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let mut response = match bytes {
        Bytes::None | Bytes::Remote(_) => refuse(StatusCode::NOT_FOUND, "NoSuchKey"),
        Bytes::GeneratedImage { width, height, number } => {
            from_memory(super::png(width, height, number).into(), range)
        }
        Bytes::File(path) => match from_file(&path, range).await {
            Ok(response) => response,
            Err(error) => {
                tracing::warn!(object = %object, path = %path.display(), %error, "a file of the seed cannot be read");
                refuse(StatusCode::NOT_FOUND, "NoSuchKey")
            }
        },
    };
    if response.status().is_success() {
        let mime = mime.and_then(|mime| HeaderValue::from_str(&mime).ok());
        let mime = mime.unwrap_or(HeaderValue::from_static("application/octet-stream"));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, mime);
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(header::ETAG, etag(object));
    }
    response
}

/// `GET /_blobs/{object}/client-metadata`
pub(crate) async fn client_metadata(
    State(platform): State<Arc<Platform>>,
    UuidPath([object]): UuidPath<1>,
    RawQuery(query): RawQuery,
) -> Response {
    let now = Moment::now().unix_seconds();
    if let Err(code) = platform.urls.check(&query.unwrap_or_default(), METADATA, object, now) {
        return refuse(StatusCode::FORBIDDEN, code);
    }
    let found = platform.read(|store| store.items.get(&object).and_then(|item| item.client_metadata.clone()));
    match found {
        Some(text) => ([(header::CONTENT_TYPE, "application/json")], text.to_string()).into_response(),
        None => refuse(StatusCode::NOT_FOUND, "NoSuchKey"),
    }
}

/// The answer to a URL that is not, or no longer, good for its object, in the
/// XML of object stores.
pub(crate) fn refuse(status: StatusCode, code: &str) -> Response {
    let body = format!("<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code></Error>");
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

fn etag(object: Uuid) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{object}\"")).expect("a uuid in quotes is a valid header")
}

fn from_memory(bytes: Buffer, range: Option<&str>) -> Response {
    let size = bytes.len() as u64;
    let whole = part(range, size);
    respond(whole, size, |start, length| Body::from(bytes.slice(start as usize..(start + length) as usize)))
}

async fn from_file(path: &std::path::Path, range: Option<&str>) -> std::io::Result<Response> {
    let mut file = tokio::fs::File::open(path).await?;
    let size = file.metadata().await?.len();
    let wanted = part(range, size);
    if let Part::Some { start, .. } = wanted {
        file.seek(SeekFrom::Start(start)).await?;
    }
    Ok(respond(wanted, size, |_, length| {
        Body::from_stream(ReaderStream::with_capacity(file.take(length), 64 << 10))
    }))
}

fn respond(part: Part, size: u64, body: impl FnOnce(u64, u64) -> Body) -> Response {
    let (status, start, length) = match part {
        Part::Whole => (StatusCode::OK, 0, size),
        Part::Some { start, length } => (StatusCode::PARTIAL_CONTENT, start, length),
        Part::Unsatisfiable => {
            let mut response = refuse(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange");
            if let Ok(value) = HeaderValue::from_str(&format!("bytes */{size}")) {
                response.headers_mut().insert(header::CONTENT_RANGE, value);
            }
            return response;
        }
    };
    let mut response = Response::new(body(start, length));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(value) = HeaderValue::from_str(&format!("bytes {start}-{}/{size}", start + length - 1))
    {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    response
}
