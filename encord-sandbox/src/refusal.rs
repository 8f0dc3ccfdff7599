//! How the platform says no. A route returns one [`Refusal`]; which generation
//! of the API was asked decides how it is spelt: an envelope with HTTP 200 on
//! v1, an HTTP status with a JSON message on v2.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Why a request is not served.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Refusal {
    /// Not signed, or not by a key we know.
    Unauthenticated(String),
    /// Signed by somebody who may not see or do this.
    Forbidden(String),
    /// There is no such thing.
    NotFound(String),
    /// The request is well formed but cannot be served.
    Invalid(String),
    /// The request is not well formed.
    Unprocessable(String),
    /// There is such a thing already.
    Exists(String),
    /// A label document that cannot be stored.
    CorruptedLabel(String),
    /// Too much in one request.
    TooLarge(String),
    /// Too many label rows in one request.
    TooManyLabels(usize),
    /// The operation does not exist here.
    MethodNotAllowed(String),
    /// The sandbox itself is at fault.
    Internal(String),
}

pub(crate) type Answer<T> = Result<T, Refusal>;

impl Refusal {
    /// The v1 form. Only 413 has an HTTP status of its own.
    pub(crate) fn into_v1(self) -> Response {
        if let Self::TooLarge(message) = self {
            return (StatusCode::PAYLOAD_TOO_LARGE, Json(json!({"message": message}))).into_response();
        }
        let (status, code, payload) = self.v1_parts();
        Json(json!({"status": status, "response": [code], "payload": payload})).into_response()
    }

    fn v1_parts(self) -> (u16, &'static str, Value) {
        match self {
            Self::Unauthenticated(text) => (401, "AUTHENTICATION_ERROR", text.into()),
            Self::Forbidden(text) => (403, "AUTHORISATION_ERROR", text.into()),
            Self::NotFound(text) => (404, "RESOURCE_NOT_FOUND_ERROR", text.into()),
            Self::Invalid(text) | Self::Unprocessable(text) => (400, "INVALID_ARGUMENTS_ERROR", text.into()),
            Self::Exists(text) => (409, "RESOURCE_EXISTS_ERROR", text.into()),
            Self::CorruptedLabel(text) => (400, "CORRUPTED_LABEL_ERROR", text.into()),
            Self::TooManyLabels(limit) => {
                (400, "MULTI_LABEL_LIMIT_ERROR", json!({"maximum_labels_allowed": limit}))
            }
            Self::MethodNotAllowed(text) => (405, "METHOD_NOT_ALLOWED_ERROR", text.into()),
            Self::Internal(text) => (500, "UNKNOWN_ERROR", text.into()),
            Self::TooLarge(text) => (413, "INVALID_ARGUMENTS_ERROR", text.into()),
        }
    }
}

/// The v2 form.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::Unauthenticated(text) => (StatusCode::UNAUTHORIZED, text),
            Self::Forbidden(text) => (StatusCode::FORBIDDEN, text),
            Self::NotFound(text) => (StatusCode::NOT_FOUND, text),
            Self::Invalid(text) | Self::CorruptedLabel(text) => (StatusCode::BAD_REQUEST, text),
            Self::Unprocessable(text) => {
                let detail = json!({"detail": [{"msg": text, "type": "value_error"}]});
                return (StatusCode::UNPROCESSABLE_ENTITY, Json(detail)).into_response();
            }
            Self::Exists(text) => (StatusCode::CONFLICT, text),
            Self::TooLarge(text) => (StatusCode::PAYLOAD_TOO_LARGE, text),
            Self::TooManyLabels(limit) => {
                (StatusCode::BAD_REQUEST, format!("at most {limit} entries in one request"))
            }
            Self::MethodNotAllowed(text) => (StatusCode::METHOD_NOT_ALLOWED, text),
            Self::Internal(text) => (StatusCode::INTERNAL_SERVER_ERROR, text),
        };
        (status, Json(json!({"message": message}))).into_response()
    }
}
