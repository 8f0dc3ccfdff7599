//! What every API request passes through: reading its body within limits,
//! faults, the signature check and counting.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Frame;
use serde_json::json;

use crate::auth::{self, Generation, Principal, Signed};
use crate::blobs;
use crate::clock::Moment;
use crate::faults::{DropWhen, FaultRule};
use crate::platform::Platform;
use crate::refusal::Refusal;
use crate::routes::{Caller, Envelope};
use crate::server::Connection;

/// The part of the interface a request belongs to, which decides whether and
/// how it is signed and how refusals are spelt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Area {
    Api(Generation),
    Blobs,
    /// The sandbox's own endpoints: never faulty, not counted, not signed.
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
    let Area::Api(generation) = area else {
        if area == Area::Own {
            return next.run(Request::from_parts(parts, body)).await;
        }
        return blob(&platform, parts, body, next).await;
    };

    let body = match read(&platform, body).await {
        Ok(body) => body,
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

    let fault = platform.faults.strike(&name);
    if let Some(answer) = before(&platform, &parts, &name, fault.as_ref(), body.len() as u64).await {
        return answer;
    }
    let signed = Signed {
        method: parts.method.as_str(),
        target: parts.uri.path_and_query().map_or("/", |target| target.as_str()),
        headers: &parts.headers,
        body: &body,
    };
    let now = Moment::now().unix_seconds();
    let window = platform.limits.signature_window.as_secs();
    let who =
        platform.read(|store| auth::authenticate(generation, &signed, store, &platform.tokens, now, window));
    let length = body.len() as u64;
    let response = match who {
        Err(refusal) => area.refuse(refusal),
        Ok(who) => {
            parts.extensions.insert(caller(who, &parts));
            let connection = parts.extensions.get::<Connection>().cloned();
            let response = next.run(Request::from_parts(parts, Body::from(body))).await;
            if platform.is_broken() {
                return area.refuse(Refusal::Internal("the sandbox could not store a change".into()));
            }
            after(&platform, &name, fault.as_ref(), connection, length, response).await
        }
    };
    platform.journal.count(&name, response.status().as_u16(), length, size(&response));
    if known_size(&response).is_some() { response } else { counted(platform, name, response) }
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

async fn read(platform: &Platform, body: Body) -> Result<Bytes, Refusal> {
    let limit = platform.limits.api_body;
    let collected =
        tokio::time::timeout(platform.limits.request_time, Limited::new(body, limit).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Refusal::TooLarge(format!("the body is larger than {limit} bytes")))
        }
        Ok(Err(_)) => Err(Refusal::Unprocessable("the body ended early".into())),
        Err(_) => Err(Refusal::Unprocessable("the body took too long to arrive".into())),
    }
}

/// Faults that keep a request from having an effect.
async fn before(
    platform: &Platform,
    parts: &Parts,
    name: &str,
    fault: Option<&FaultRule>,
    length: u64,
) -> Option<Response> {
    let fault = fault?;
    tokio::time::sleep(fault.latency()).await;
    if fault.drop == Some(DropWhen::Before) {
        platform.journal.count(name, 0, length, 0);
        return Some(hang_up(parts.extensions.get::<Connection>().cloned()).await);
    }
    if fault.status.is_none() && fault.code.is_none() && !fault.html {
        return None;
    }
    let response = faulty_answer(fault);
    platform.journal.count(name, response.status().as_u16(), length, size(&response));
    Some(response)
}

/// Faults that hit a request after its effect.
async fn after(
    platform: &Platform,
    name: &str,
    fault: Option<&FaultRule>,
    connection: Option<Connection>,
    length: u64,
    response: Response,
) -> Response {
    let Some(fault) = fault else { return response };
    if fault.drop == Some(DropWhen::After) {
        platform.journal.count(name, 0, length, 0);
        return hang_up(connection).await;
    }
    if fault.truncate { truncated(response).await } else { response }
}

async fn hang_up(connection: Option<Connection>) -> Response {
    if let Some(connection) = connection {
        connection.close();
        // The connection takes this request down with it.
        std::future::pending::<()>().await;
    }
    StatusCode::BAD_GATEWAY.into_response()
}

fn faulty_answer(fault: &FaultRule) -> Response {
    let status = fault.status.and_then(|status| StatusCode::from_u16(status).ok());
    let mut response = if fault.html {
        let page =
            "<html><head><title>Error</title></head><body><h1>Temporarily unavailable</h1></body></html>";
        ([(header::CONTENT_TYPE, "text/html")], page).into_response()
    } else if let Some(code) = &fault.code {
        Json(json!({"status": 400, "response": [code], "payload": null})).into_response()
    } else {
        Json(json!({"message": "a fault was asked for"})).into_response()
    };
    *response.status_mut() = status.unwrap_or(StatusCode::OK);
    if let Some(seconds) = fault.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Announces the whole answer and sends half of it.
async fn truncated(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(body) = body.collect().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let whole = body.to_bytes();
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let half = whole.slice(..whole.len() / 2);
    let broken = futures::stream::iter([Ok(half), Err(std::io::Error::other("truncated on demand"))]);
    // The error must come after the bytes were sent, or hyper drops both.
    let slow = broken.then(|part| async move {
        if part.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        part
    });
    Response::from_parts(parts, Body::from_stream(slow))
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
