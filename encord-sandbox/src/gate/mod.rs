//! What every request passes through: the signature check, reading its body within
//! limits, faults and counting.
//!
//! What headers tell is checked before the body is read, so that a stranger cannot
//! make us keep or parse anything.

mod body;
mod faulty;
mod own;

use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Frame;

use self::faulty::{after, before};
pub use self::own::ControlToken;
use crate::auth::{self, Generation, Head, Principal};
use crate::blobs;
use crate::clock::Moment;
use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};
use crate::routes::{Caller, Envelope};
use crate::server::Connection;

/// The part of the interface a request belongs to, which decides whether and
/// how it is signed and how refusals are spelt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Area {
    Api(Generation),
    Blobs,
    /// The sandbox's own endpoints.
    Own,
}

impl Area {
    fn of(path: &str) -> Self {
        if path.starts_with("/v2/") {
            Self::Api(Generation::V2)
        } else if path == "/public" || path.starts_with("/public/") {
            Self::Api(Generation::V1)
        } else if path.starts_with("/_blobs/") {
            Self::Blobs
        } else {
            Self::Own
        }
    }

    fn refuse(self, refusal: Refusal) -> Response {
        match self {
            Self::Api(Generation::V1) => refusal.into_v1(),
            _ => refusal.into_response(),
        }
    }
}

/// The middleware around all routes.
pub(crate) async fn gate(State(platform): State<Arc<Platform>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let area = Area::of(parts.uri.path());
    let generation = match area {
        Area::Api(generation) => generation,
        Area::Blobs => return blob(&platform, parts, body, next).await,
        Area::Own => return own::serve(&platform, parts, body, next).await,
    };
    let (who, body) = match authenticated(&platform, generation, &parts, body).await {
        Ok(known) => known,
        Err(refusal) => {
            let response = area.refuse(refusal);
            platform.journal.count(&endpoint(&parts), response.status().as_u16(), 0, size(&response));
            return response;
        }
    };
    let mut name = endpoint(&parts);
    if generation == Generation::V1
        && let Ok(envelope) = serde_json::from_slice::<Envelope>(&body)
    {
        name = format!("{name} {} {}", envelope.query_type, envelope.query_method);
        parts.extensions.insert(Arc::new(envelope));
    }
    let length = body.len() as u64;
    let fault = platform.faults.strike(&name);
    if let Some(answer) = before(&platform, &parts, &name, fault.as_ref(), length).await {
        return answer;
    }
    parts.extensions.insert(caller(who, &parts));
    let connection = parts.extensions.get::<Connection>().cloned();
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    if platform.is_broken() {
        return area.refuse(Refusal::Internal("the sandbox could not store a change".into()));
    }
    let response = after(&platform, &name, fault.as_ref(), connection, length, response).await;
    platform.journal.count(&name, response.status().as_u16(), length, size(&response));
    if known_size(&response).is_some() { response } else { counted(platform, name, response) }
}

/// Who signed the request, and its body, which is not read for strangers.
async fn authenticated(
    platform: &Platform,
    generation: Generation,
    parts: &Parts,
    body: Body,
) -> Answer<(Principal, Bytes)> {
    let head = Head {
        method: parts.method.as_str(),
        target: parts.uri.path_and_query().map_or("/", |target| target.as_str()),
        headers: &parts.headers,
    };
    let now = Moment::now().unix_seconds();
    let window = platform.limits.signature_window.as_secs();
    let claim = platform.read(|store| auth::claim(generation, &head, store, &platform.tokens, now, window));
    let claim = match claim {
        Ok(claim) => claim,
        Err(refusal) => {
            body::drain(body, platform.limits.request_time).await;
            return Err(refusal);
        }
    };
    let body = body::read(body, platform.limits.api_body, platform.limits.request_time).await?;
    Ok((claim.confirm(&body)?, body))
}

/// Counts the bytes of an answer whose size nobody knows before its end.
fn counted(platform: Arc<Platform>, name: String, response: Response) -> Response {
    response.map(|body| {
        let count = move |frame: Frame<Bytes>| {
            platform.journal.add_bytes_out(&name, frame.data_ref().map_or(0, |data| data.len() as u64));
            frame
        };
        Body::new(body.map_frame(count))
    })
}

/// Uploads and downloads: not signed by header, and never read into memory here.
async fn blob(platform: &Platform, parts: Parts, body: Body, next: Next) -> Response {
    let name = endpoint(&parts);
    let fault = platform.faults.strike(&name);
    let length = body.size_hint().exact().unwrap_or(0);
    if let Some(answer) = before(platform, &parts, &name, fault.as_ref(), length).await {
        return answer;
    }
    let response = if fault.as_ref().is_some_and(|fault| fault.expired) {
        blobs::refuse(StatusCode::FORBIDDEN, "ExpiredToken")
    } else {
        let connection = parts.extensions.get::<Connection>().cloned();
        let response = next.run(Request::from_parts(parts, body)).await;
        after(platform, &name, fault.as_ref(), connection, length, response).await
    };
    platform.journal.count(&name, response.status().as_u16(), length, size(&response));
    response
}

/// The name an endpoint is counted under.
fn endpoint(parts: &Parts) -> String {
    let path = parts.extensions.get::<MatchedPath>().map_or("(no such endpoint)", MatchedPath::as_str);
    format!("{} {path}", parts.method)
}

fn caller(who: Principal, parts: &Parts) -> Caller {
    // Links lead to where the client reached us, which need not be the address we listen on.
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    Caller { who, base: format!("http://{host}") }
}

fn known_size(response: &Response) -> Option<u64> {
    let announced = response.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse().ok());
    announced.or(response.body().size_hint().exact())
}

fn size(response: &Response) -> u64 {
    known_size(response).unwrap_or(0)
}
