//! The sandbox's own endpoints, `/_sandbox` and the status page: never faulty, not
//! counted, and not signed, since whoever reaches them made the sandbox. That is
//! true of this machine only, so everybody else has to show a token.

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::body;
use crate::platform::Platform;
use crate::refusal::Refusal;
use crate::server::Connection;

/// Lets machines other than this one use the sandbox's own endpoints and its status
/// page: as `Authorization: Bearer TOKEN`, or as the password in a browser.
#[derive(Clone)]
pub struct ControlToken([u8; 32]);

impl ControlToken {
    /// A token of your choice; make it long and random.
    pub fn new(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    fn is_in(&self, headers: &HeaderMap) -> bool {
        let Some(shown) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
            return false;
        };
        if let Some(token) = shown.strip_prefix("Bearer ") {
            return self.fits(token);
        }
        let pair = shown.strip_prefix("Basic ").and_then(|pair| STANDARD.decode(pair).ok());
        let pair = pair.and_then(|pair| String::from_utf8(pair).ok());
        pair.as_deref().and_then(|pair| pair.split_once(':')).is_some_and(|(_, password)| self.fits(password))
    }

    /// Compares digests, so that the time it takes tells nothing about the token.
    fn fits(&self, token: &str) -> bool {
        Self::new(token).0 == self.0
    }
}

impl std::fmt::Debug for ControlToken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("ControlToken(..)")
    }
}

/// Largest body of a request here, in bytes: plans of faults and lists of webhooks.
const LARGEST: usize = 1 << 20;

/// Serves a request to one of the sandbox's own endpoints.
pub(super) async fn serve(platform: &Platform, parts: Parts, body: Body, next: Next) -> Response {
    if !may_enter(platform, &parts) {
        body::drain(body, platform.limits.request_time).await;
        let why = "the sandbox's own endpoints are for its own machine; others need the control token";
        let mut response = Refusal::Unauthenticated(why.into()).into_response();
        let challenge = header::HeaderValue::from_static("Basic realm=\"encord-sandbox\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        return response;
    }
    match body::read(body, LARGEST, platform.limits.request_time).await {
        Ok(body) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn may_enter(platform: &Platform, parts: &Parts) -> bool {
    parts.extensions.get::<Connection>().is_some_and(Connection::is_local)
        || platform.control_token.as_ref().is_some_and(|token| token.is_in(&parts.headers))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::ControlToken;

    #[test]
    fn a_token_is_shown_as_bearer_or_as_password() {
        let token = ControlToken::new("s3cret");
        let shown = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            token.is_in(&headers)
        };
        assert!(shown("Bearer s3cret"));
        assert!(shown("Basic YW55Ym9keTpzM2NyZXQ="), "anybody:s3cret");
        assert!(!shown("Bearer s3cre") && !shown("Basic s3cret") && !shown("s3cret"));
        assert!(!token.is_in(&HeaderMap::new()));
        assert!(!format!("{token:?}").contains("s3cret"));
    }
}
