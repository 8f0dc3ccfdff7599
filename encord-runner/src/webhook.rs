//! The platform's notice that tasks are ready: verified, parsed, and turned into a wake-up of the runner.
//!
//! With it a runner waits for work instead of asking for it every few minutes. [`WebhookVerifier`] is the
//! check alone, for any web framework; [`router`] is a ready-made axum route.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use encord_labels::id::{ProjectHash, StageUuid};
use hmac::{Hmac, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::Notify;
use tracing::{info, warn};
use zeroize::Zeroizing;

const SIGNATURE: &str = "x-encord-signature";
const TIMESTAMP: &str = "x-encord-timestamp";
const EVENT: &str = "agent_stage_work_available_event";
const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);

/// Tasks are waiting at a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TasksReady {
    /// A new id for every delivery; a repeated delivery has another one.
    pub uid: String,
    /// When the event was made, as the platform wrote it.
    pub created_at: String,
    /// The project.
    pub project: ProjectHash,
    /// The stage with waiting tasks.
    pub stage: StageUuid,
    /// How many tasks are waiting.
    pub pending: u64,
    /// Why the notice was sent: `batch_size_reached`, `max_wait_elapsed`, or a text newer than this version.
    pub reason: String,
}

/// Why a request was not accepted as a notice of the platform.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The secret is missing.
    #[error("no webhook secret: set ENCORD_WEBHOOK_SECRET to the signing secret shown by the platform")]
    NoSecret,
    /// The request is not signed by the platform, or too old.
    #[error("not verified: {0}")]
    NotVerified(String),
    /// The body is not what the event should hold.
    #[error("not understood: {0}")]
    Malformed(String),
    /// A verified event of another type.
    #[error("unexpected event type {0}")]
    UnexpectedEvent(String),
    /// A verified event of a newer form.
    #[error("event version {0} is not supported, this version of the library knows version 1")]
    UnsupportedVersion(String),
}

/// Checks that requests come from the platform and reads what they say.
#[derive(Clone)]
pub struct WebhookVerifier {
    secret: Arc<Zeroizing<Vec<u8>>>,
    tolerance: Duration,
}

impl WebhookVerifier {
    /// A verifier with the signing secret that the platform shows when the webhook is set up.
    ///
    /// # Errors
    /// [`WebhookError::NoSecret`] for an empty secret.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, WebhookError> {
        let secret = Zeroizing::new(secret.as_ref().to_vec());
        if secret.is_empty() {
            return Err(WebhookError::NoSecret);
        }
        Ok(WebhookVerifier { secret: Arc::new(secret), tolerance: DEFAULT_TOLERANCE })
    }

    /// A verifier with the secret from `ENCORD_WEBHOOK_SECRET`.
    ///
    /// # Errors
    /// [`WebhookError::NoSecret`] when the variable is unset or empty.
    pub fn from_env() -> Result<Self, WebhookError> {
        let secret = Zeroizing::new(std::env::var("ENCORD_WEBHOOK_SECRET").unwrap_or_default());
        Self::new(secret.as_bytes())
    }

    /// Sets how much the time of a request may differ from this machine's, in both directions. Default: 300 s.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Verifies a request by its headers and raw body, and reads the event.
    ///
    /// # Errors
    /// Everything that [`WebhookError`] lists, in this order: headers, age, signature, form, type, version.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<TasksReady, WebhookError> {
        self.verify_at(headers, body, SystemTime::now())
    }

    fn verify_at(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: SystemTime,
    ) -> Result<TasksReady, WebhookError> {
        let (timestamp, signature) = (header(headers, TIMESTAMP), header(headers, SIGNATURE));
        if signature.is_none() && headers.keys().any(|name| name.as_str().starts_with(SIGNATURE)) {
            return Err(refused("signed in a newer way than this version knows; update the library"));
        }
        let (timestamp, signature) = match (timestamp, signature) {
            (Some(timestamp), Some(signature)) => (timestamp, signature),
            (timestamp, signature) => {
                let missing = [(timestamp, "X-Encord-Timestamp"), (signature, "X-Encord-Signature")];
                let names: Vec<_> =
                    missing.iter().filter(|(value, _)| value.is_none()).map(|(_, name)| *name).collect();
                return Err(refused(format!("missing header {}", names.join(" and "))));
            }
        };
        self.check_age(timestamp, now)?;
        self.check_signature(timestamp, signature, body)?;
        parse(body)
    }

    fn check_age(&self, timestamp: &str, now: SystemTime) -> Result<(), WebhookError> {
        let seconds: i64 = timestamp
            .trim()
            .parse()
            .map_err(|_| refused("X-Encord-Timestamp is not a whole number of seconds"))?;
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let age = now.saturating_sub(seconds);
        if age.unsigned_abs() > self.tolerance.as_secs() {
            let limit = self.tolerance.as_secs();
            return Err(refused(format!(
                "sent {age} s ago, but at most {limit} s are allowed; check the clock"
            )));
        }
        Ok(())
    }

    fn check_signature(&self, timestamp: &str, signature: &str, body: &[u8]) -> Result<(), WebhookError> {
        let differs = || refused("the signature differs; check the secret and that the body was not changed");
        // Upper-case digits are not what the platform sends, so they are not let through.
        if signature.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(differs());
        }
        let expected = hex::decode(signature).map_err(|_| differs())?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).map_err(|_| WebhookError::NoSecret)?;
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        // Compares in constant time.
        mac.verify_slice(&expected).map_err(|_| differs())
    }
}

impl fmt::Debug for WebhookVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookVerifier").field("tolerance", &self.tolerance).finish_non_exhaustive()
    }
}

fn refused(problem: impl Into<String>) -> WebhookError {
    WebhookError::NotVerified(problem.into())
}

/// A header that is there and not empty. Text that is not ASCII can't be right and counts as there.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get(name)?;
    let text = value.to_str().unwrap_or("not ASCII");
    (!text.is_empty()).then_some(text)
}

fn parse(body: &[u8]) -> Result<TasksReady, WebhookError> {
    #[derive(Deserialize)]
    struct Event {
        uid: String,
        event_created_timestamp: String,
        payload: Payload,
    }
    #[derive(Deserialize)]
    struct Payload {
        project_hash: ProjectHash,
        stage_uuid: StageUuid,
        pending_count: u64,
        reason: String,
    }
    let malformed = |error: serde_json::Error| WebhookError::Malformed(error.to_string());
    let value: Value = serde_json::from_slice(body).map_err(malformed)?;
    let Value::Object(fields) = &value else {
        return Err(WebhookError::Malformed("the body is not a JSON object".to_owned()));
    };
    let event_type = fields.get("event_type").unwrap_or(&Value::Null);
    if event_type.as_str() != Some(EVENT) {
        return Err(WebhookError::UnexpectedEvent(event_type.to_string()));
    }
    let version = fields.get("version").unwrap_or(&Value::Null);
    if version.as_f64() != Some(1.0) {
        return Err(WebhookError::UnsupportedVersion(version.to_string()));
    }
    let event: Event = serde_json::from_value(value).map_err(malformed)?;
    Ok(TasksReady {
        uid: event.uid,
        created_at: event.event_created_timestamp,
        project: event.payload.project_hash,
        stage: event.payload.stage_uuid,
        pending: event.payload.pending_count,
        reason: event.payload.reason,
    })
}

/// An axum router with one route, `POST /`, that wakes a polling runner when tasks are ready.
///
/// Answers: 200 for a notice and for events of other types, 401 for what is not verified, 501 for a newer
/// version, 400 for a verified body that cannot be read.
///
/// ```no_run
/// use encord_runner::{Runner, webhook::{self, WebhookVerifier}};
/// use std::time::Duration;
///
/// # async fn agent() {}
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let runner = Runner::new()
///     .configure(|options| options.refresh_every = Some(Duration::from_secs(3600)))
///     .stage("Agent 1", agent);
/// let app = webhook::router(WebhookVerifier::from_env()?, runner.wake_handle());
/// let listener = tokio::net::TcpListener::bind("0.0.0.0:8080").await?;
/// tokio::spawn(async move { axum::serve(listener, app).await });
/// runner.run().await?;
/// # Ok(()) }
/// ```
pub fn router(verifier: WebhookVerifier, wake: Arc<Notify>) -> Router {
    Router::new().route("/", post(receive)).with_state(Receiver { verifier, wake })
}

#[derive(Clone)]
struct Receiver {
    verifier: WebhookVerifier,
    wake: Arc<Notify>,
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    match receiver.verifier.verify(&headers, &body) {
        Ok(ready) => {
            info!(stage = %ready.stage, pending = ready.pending, reason = %ready.reason, "tasks are ready");
            receiver.wake.notify_one();
            answer(StatusCode::OK, "ok")
        }
        Err(error) => {
            warn!("webhook: {error}");
            refuse(&error)
        }
    }
}

fn refuse(error: &WebhookError) -> Response {
    let unverified = "Request could not be verified as coming from Encord.";
    match error {
        WebhookError::NoSecret => answer(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        WebhookError::NotVerified(_) => answer(StatusCode::UNAUTHORIZED, unverified),
        WebhookError::Malformed(_) => answer(StatusCode::BAD_REQUEST, &error.to_string()),
        WebhookError::UnexpectedEvent(_) => answer(StatusCode::OK, &error.to_string()),
        WebhookError::UnsupportedVersion(_) => answer(StatusCode::NOT_IMPLEMENTED, &error.to_string()),
    }
}

fn answer(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({ "message": message }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"uid": "00000000-0000-0000-0000-000000000001", "version": 1, "source": "encord", "event_type": "agent_stage_work_available_event", "event_created_timestamp": "2025-03-04T10:20:30Z", "payload": {"project_hash": "00000000-0000-0000-0000-00000000000b", "stage_uuid": "00000000-0000-0000-0000-00000000000c", "pending_count": 4, "reason": "batch_size_reached"}}"#;
    const GOOD: &str = "b856a9ad07d2fd3c0d6d766de349bfc4fe01330a361d4a1f823a4113568939d8";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn verify(pairs: &[(&'static str, &str)], body: &str, now: u64) -> Result<TasksReady, WebhookError> {
        let now = UNIX_EPOCH + Duration::from_secs(now);
        WebhookVerifier::new("whsec_demo").unwrap().verify_at(&headers(pairs), body.as_bytes(), now)
    }

    #[test]
    fn the_platforms_vector_is_accepted() {
        let ready = verify(&[(TIMESTAMP, "1700000000"), (SIGNATURE, GOOD)], BODY, 1_700_000_300).unwrap();
        assert_eq!((ready.pending, ready.reason.as_str()), (4, "batch_size_reached"));
    }

    #[test]
    fn what_is_not_the_platforms_is_refused() {
        let check = |pairs: &[(&'static str, &str)], now: u64, expected: &str| {
            let error = verify(pairs, BODY, now).unwrap_err().to_string();
            assert!(error.starts_with("not verified") && error.contains(expected), "{error}");
        };
        let now = 1_700_000_000;
        check(&[], now, "X-Encord-Timestamp and X-Encord-Signature");
        check(&[(TIMESTAMP, "1700000000")], now, "missing header X-Encord-Signature");
        check(&[(TIMESTAMP, ""), (SIGNATURE, GOOD)], now, "missing header X-Encord-Timestamp");
        check(&[(TIMESTAMP, "1700000000"), ("x-encord-signature-v2", GOOD)], now, "newer way");
        check(&[(TIMESTAMP, "123.0"), (SIGNATURE, GOOD)], now, "whole number");
        check(&[(TIMESTAMP, "1700000000"), (SIGNATURE, GOOD)], now + 301, "301 s ago");
        check(&[(TIMESTAMP, "1700000000"), (SIGNATURE, GOOD)], now - 301, "-301 s ago");
        for wrong in [GOOD.to_uppercase(), format!("sha256={GOOD}"), GOOD.replace('b', "c")] {
            check(&[(TIMESTAMP, "1700000000"), (SIGNATURE, &wrong)], now, "signature differs");
        }
    }

    #[test]
    fn verified_bodies_are_told_apart() {
        assert!(matches!(parse(b"no json"), Err(WebhookError::Malformed(_))));
        assert!(matches!(parse(b"[]"), Err(WebhookError::Malformed(_))));
        assert!(matches!(parse(b"{}"), Err(WebhookError::UnexpectedEvent(_))));
        let with = |from: &str, to: &str| parse(BODY.replace(from, to).as_bytes());
        assert!(matches!(
            with(r#""version": 1"#, r#""version": "1""#),
            Err(WebhookError::UnsupportedVersion(_))
        ));
        assert!(matches!(
            with(r#""version": 1"#, r#""version": true"#),
            Err(WebhookError::UnsupportedVersion(_))
        ));
        assert!(with(r#""version": 1"#, r#""version": 1.0"#).is_ok());
        assert!(matches!(with("pending_count", "other"), Err(WebhookError::Malformed(_))));
        assert_eq!(with("batch_size_reached", "moon_phase").unwrap().reason, "moon_phase");
    }
}
