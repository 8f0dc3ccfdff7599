//! Doing to a request what a fault rule asks for.

use axum::Json;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use serde_json::json;

use crate::faults::{DropWhen, FaultRule};
use crate::platform::Platform;
use crate::server::Connection;

/// Faults that keep a request from having an effect.
pub(super) async fn before(
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
    platform.journal.count(name, response.status().as_u16(), length, super::size(&response));
    Some(response)
}

/// Faults that hit a request after its effect.
pub(super) async fn after(
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
