//! How routes read a request, with the platform's answers when they cannot.

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::auth::Principal;
use crate::refusal::Refusal;

/// Who is asking, and under which address they reached us.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) who: Principal,
    pub(crate) base: String,
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Refusal::Unauthenticated("the request is not signed".into()))
    }
}

/// The ids in the path, in order. Anything but UUIDs is refused with 422.
pub(crate) struct UuidPath<const N: usize>(pub(crate) [Uuid; N]);

impl<S: Send + Sync, const N: usize> FromRequestParts<S> for UuidPath<N> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|error| Refusal::Unprocessable(error.to_string()))?;
        let mut ids = [Uuid::nil(); N];
        for (id, (name, value)) in ids.iter_mut().zip(&params) {
            *id = value.parse().map_err(|_| {
                Refusal::Unprocessable(format!("path segment {name} is not a UUID: \"{value}\""))
            })?;
        }
        Ok(Self(ids))
    }
}

/// A query string; keys may repeat.
pub(crate) struct Query(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()))
    }
}

impl Query {
    #[cfg(test)]
    pub(crate) fn of(text: &str) -> Self {
        Self(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    pub(crate) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub(crate) fn one<'a>(&'a self, key: &'a str) -> Option<&'a str> {
        self.all(key).next()
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        self.one(key).is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
    }

    /// All values of a key as UUIDs; 422 when one is not.
    pub(crate) fn uuids(&self, key: &str) -> Result<Vec<Uuid>, Refusal> {
        let parse = |value: &str| {
            value.parse().map_err(|_| Refusal::Unprocessable(format!("{key} is not a UUID: \"{value}\"")))
        };
        self.all(key).map(parse).collect()
    }

    pub(crate) fn number(&self, key: &str) -> Result<Option<u64>, Refusal> {
        let parse = |value: &str| {
            value
                .parse()
                .map_err(|_| Refusal::Unprocessable(format!("{key} is not a whole number: \"{value}\"")))
        };
        self.one(key).map(parse).transpose()
    }
}

/// A JSON body; 422 when it does not fit.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|error| Refusal::Unprocessable(error.body_text()))?;
        let body = serde_json::from_slice(&bytes);
        body.map(Self).map_err(|error| Refusal::Unprocessable(format!("the body does not fit: {error}")))
    }
}
