//! Task-ready webhooks: what is sent, when, and again if it was not accepted.

use encord_sandbox::{Options, Sandbox};
use hmac::{Hmac, Mac};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::wire::{Wire, images};

/// Answers one request with a status and returns it as text.
async fn receive(listener: &TcpListener, status: &str) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    while !text.ends_with('}') {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the request ended early: {text}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
    text
}

#[tokio::test]
async fn waiting_tasks_are_announced_until_somebody_listens() {
    let (sandbox, wire, project, stage) = images(3).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?a=b", listener.local_addr().unwrap());
    let webhook =
        json!([{"project": project, "stage": stage, "url": url, "secret": "s3cret", "batch_size": 2}]);
    let set =
        wire.http.put(format!("{}/_sandbox/webhooks", sandbox.url())).body(webhook.to_string()).send().await;
    assert_eq!(set.unwrap().status(), StatusCode::OK);

    let refused = receive(&listener, "500 Internal Server Error").await;
    let accepted = receive(&listener, "200 OK").await;
    let (head, body) = accepted.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /hook?a=b HTTP/1.1\r\n"), "{head}");
    assert!(refused.ends_with(body), "the second attempt sends the same notification");
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    let mut mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
    mac.update(format!("{}.{body}", header("x-encord-timestamp: ")).as_bytes());
    assert_eq!(header("x-encord-signature: "), hex::encode(mac.finalize().into_bytes()));
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        body["payload"],
        json!({"project_hash": project, "stage_uuid": stage, "pending_count": 3, "reason": "batch_size_reached"})
    );
    assert_eq!(
        (&body["event_type"], &body["version"]),
        (&json!("agent_stage_work_available_event"), &json!(1))
    );
}

#[tokio::test]
async fn what_was_not_announced_before_a_restart_is_announced_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.data_dir = Some(folder.path().join("data"));
    let seed = || Sandbox::builder().project("p").images(3).seed();
    let sandbox = Sandbox::start_with(seed(), options.clone()).await.unwrap();
    let (wire, project) = (Wire::new(&sandbox), sandbox.project("p").unwrap());
    let stage = sandbox.state(project).unwrap().stages[0].uuid;
    // Nobody listens there yet, so every attempt fails until the sandbox ends.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let webhook = json!([{"project": project, "stage": stage, "url": format!("http://{address}/hook"),
        "secret": "s3cret", "batch_size": 2}]);
    let set = wire.http.put(format!("{}/_sandbox/webhooks", sandbox.url())).body(webhook.to_string());
    assert_eq!(set.send().await.unwrap().status(), StatusCode::OK);
    let failed = || sandbox.journal().iter().any(|effect| effect["effect"] == "webhook");
    while !failed() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    sandbox.stop().await;

    let listener = TcpListener::bind(address).await.unwrap();
    let sandbox = Sandbox::start_with(seed(), options).await.unwrap();
    let received = receive(&listener, "200 OK").await;
    assert!(received.contains("\"pending_count\":3"), "{received}");
    drop(sandbox);
}
