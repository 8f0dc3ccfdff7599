//! One notification on its way: signed, sent, and sent again when refused.

use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, Mac};
use http_body_util::Full;
use hyper::Request;
use hyper_util::rt::TokioIo;
use serde_json::json;
use sha2::Sha256;
use url::Url;

use super::Webhook;
use super::connect::Trust;
use crate::clock::Moment;
use crate::platform::Platform;

/// How long the platform waits for an answer.
const PATIENCE: Duration = Duration::from_secs(180);
/// Pauses before the second, third and fourth attempt.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(9)];

/// Delivers one notification; every attempt lands in the journal.
pub(super) async fn deliver(platform: &Platform, webhook: &Webhook, body: &str) {
    for attempt in 0..=PAUSES.len() {
        let outcome = tokio::time::timeout(PATIENCE, send(&platform.trust, webhook, body)).await;
        let outcome = outcome.unwrap_or_else(|_| Err("no answer in time".into()));
        let (status, error) = match &outcome {
            Ok(status) => (Some(*status), None),
            Err(error) => (None, Some(error)),
        };
        let details = json!({
            "project": webhook.project, "stage": webhook.stage, "attempt": attempt + 1,
            "status": status, "error": error,
        });
        platform.journal.record("platform", "webhook", details);
        if status == Some(200) {
            return;
        }
        tracing::warn!(attempt = attempt + 1, ?status, ?error, "a webhook was not accepted");
        if let Some(pause) = PAUSES.get(attempt) {
            tokio::time::sleep(*pause).await;
        }
    }
}

async fn send(trust: &Trust, webhook: &Webhook, body: &str) -> Result<u16, String> {
    let url = Url::parse(&webhook.url).map_err(|error| format!("the URL is not valid: {error}"))?;
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let stream = trust.connect(&url).await?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| text(&error))?;
    let timestamp = Moment::now().unix_seconds().to_string();
    let request = Request::post(&url[url::Position::BeforePath..url::Position::AfterQuery])
        .header("host", &url[url::Position::BeforeHost..url::Position::AfterPort])
        .header("content-type", "application/json")
        .header("x-encord-signature", signature(&webhook.secret, &timestamp, body))
        .header("x-encord-timestamp", timestamp)
        .body(Full::new(Bytes::from(body.to_owned())))
        .map_err(|error| text(&error))?;
    let answer = async { sender.send_request(request).await.map(|response| response.status().as_u16()) };
    tokio::pin!(connection);
    tokio::select! {
        answer = answer => answer.map_err(|error| text(&error)),
        ended = connection.as_mut() => Err(ended.err().map_or("the connection ended".into(), |error| text(&error))),
    }
}

/// Hex HMAC-SHA256 over `timestamp.body`.
fn signature(secret: &str, timestamp: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::signature;

    #[test]
    fn signs_as_the_platform_does() {
        let body = r#"{"uid": "00000000-0000-0000-0000-000000000001", "version": 1, "source": "encord", "event_type": "agent_stage_work_available_event", "event_created_timestamp": "2025-03-04T10:20:30Z", "payload": {"project_hash": "00000000-0000-0000-0000-00000000000b", "stage_uuid": "00000000-0000-0000-0000-00000000000c", "pending_count": 4, "reason": "batch_size_reached"}}"#;
        let expected = "b856a9ad07d2fd3c0d6d766de349bfc4fe01330a361d4a1f823a4113568939d8";
        assert_eq!(signature("whsec_demo", "1700000000", body), expected);
    }
}
