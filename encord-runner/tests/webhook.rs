//! The receiver of task-ready notices behind a real server: what it answers, and that it wakes the runner.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use encord_runner::webhook::{WebhookVerifier, router};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use support::images;
use support::wire::{Seen, exchange};
use tokio::sync::Notify;

const SECRET: &str = "whsec_demo";

/// Starts the receiver and returns its host.
async fn serve(wake: Arc<Notify>) -> String {
    let app = router(WebhookVerifier::new(SECRET).unwrap(), wake);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, app).await });
    host
}

fn notice() -> Value {
    json!({
        "uid": "1", "version": 1, "source": "encord", "event_type": "agent_stage_work_available_event",
        "event_created_timestamp": "2025-03-04T10:20:30Z",
        "payload": {
            "project_hash": "00000000-0000-0000-0000-00000000000b",
            "stage_uuid": "00000000-0000-0000-0000-00000000000c",
            "pending_count": 4, "reason": "batch_size_reached",
        },
    })
}

/// Signs a body as the platform does, posts it, and returns the status and the message.
async fn post(host: &str, secret: &str, body: &str) -> (u16, String) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{now}.{body}").as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    let headers = [("X-Encord-Timestamp", now.as_str()), ("X-Encord-Signature", signature.as_str())];
    let request = Seen { method: "POST".into(), path: "/".into(), body: body.into() };
    let (status, _, body) = exchange(host, &request, headers.into_iter()).await.unwrap();
    let answer: Value = serde_json::from_slice(&body).unwrap();
    (status.as_u16(), answer["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn every_kind_of_request_has_its_answer() {
    let wake = Arc::new(Notify::new());
    let host = serve(Arc::clone(&wake)).await;
    let with = |key: &str, value: Value| {
        let mut notice = notice();
        notice[key] = value;
        notice.to_string()
    };
    let good = notice().to_string();
    let check = async |secret: &str, body: &str, status: u16, words: &str| {
        let (answered, message) = post(&host, secret, body).await;
        assert!(answered == status && message.contains(words), "{body}: {answered} {message}");
    };
    check("wrong", &good, 401, "could not be verified").await;
    check(SECRET, &with("version", json!(2)), 501, "version 2 is not supported").await;
    check(SECRET, &with("event_type", json!("other_event")), 200, "other_event").await;
    check(SECRET, &with("payload", json!({})), 400, "not understood").await;
    check(SECRET, "no json", 400, "not understood").await;
    let woken = tokio::time::timeout(Duration::from_millis(50), wake.notified()).await;
    assert!(woken.is_err(), "what is no notice must not wake the runner");
    check(SECRET, &good, 200, "ok").await;
    wake.notified().await;
    let get = Seen { method: "GET".into(), path: "/".into(), body: Vec::new() };
    let (status, ..) = exchange(&host, &get, std::iter::empty()).await.unwrap();
    assert_eq!(status, 405);
}

#[tokio::test]
async fn a_notice_wakes_a_runner_that_would_sleep_for_an_hour() {
    let world = images(1).await;
    let runner = world.runner().configure(|options| options.refresh_every = Some(Duration::from_secs(3600)));
    let (host, stop) = (serve(runner.wake_handle()).await, runner.stop_handle());
    let passes = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&passes);
    let agent = move || {
        let pass = count.fetch_add(1, Ordering::SeqCst) + 1;
        let (host, stop) = (host.clone(), stop.clone());
        async move {
            if pass == 1 {
                assert_eq!(post(&host, SECRET, &notice().to_string()).await.0, 200);
            } else {
                stop.stop();
            }
        }
    };
    let report = runner.stage("Agent 1", agent).run().await.unwrap();
    assert_eq!((passes.load(Ordering::SeqCst), report.counts().stayed), (2, 2), "{report}");
}
