//! Spans arrive at a collector: what batch, task and attempt they are of.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::{Arc, Mutex};

use encord_runner::telemetry::Telemetry;
use support::images;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What a collector was sent: the first lines of requests, and their bodies.
type Received = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A collector that takes everything.
async fn collector() -> (String, Received) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let received = Received::default();
    let all = Arc::clone(&received);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(serve(connection, Arc::clone(&all)));
        }
    });
    (url, received)
}

async fn serve(connection: TcpStream, received: Received) -> Option<()> {
    let mut connection = BufReader::new(connection);
    loop {
        let (mut first, mut line, mut length) = (String::new(), String::new(), 0);
        connection.read_line(&mut first).await.ok().filter(|read| *read > 0)?;
        while line != "\r\n" {
            line.clear();
            connection.read_line(&mut line).await.ok()?;
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        connection.read_exact(&mut body).await.ok()?;
        received.lock().unwrap().push((first, body));
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.ok()?;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_task_and_attempt_is_a_span() {
    let (url, received) = collector().await;
    let telemetry = Telemetry::to(&url).unwrap();
    // This program has one test, so it may have one subscriber.
    tracing_subscriber::registry().with(telemetry.layer()).init();
    let world = images(3).await;
    let agent =
        |task: encord_runner::AgentTask| async move { Err::<(), _>(format!("no {}", task.data_title)) };
    let runner = world.runner().configure(|options| options.num_retries = 1);
    let report = runner.stage("Agent 1", agent).run().await.unwrap();
    assert_eq!(report.counts().failed, 3);
    telemetry.finish().await.unwrap();
    let received = received.lock().unwrap();
    assert!(received.iter().all(|(first, _)| first.starts_with("POST /v1/traces ")), "{received:?}");
    let bodies: Vec<u8> = received.iter().flat_map(|(_, body)| body.clone()).collect();
    let count = |text: &str| bodies.windows(text.len()).filter(|window| *window == text.as_bytes()).count();
    for task in world.state().tasks {
        assert!(count(&task.uuid.to_string()) >= 1 && count(&task.data_hash.to_string()) >= 1);
    }
    // Texts are written as they are: a tag for the field, the length, the letters.
    let spans = |name: &str| count(&format!("\u{2a}{}{name}", char::from(name.len() as u8)));
    assert_eq!((spans("stage"), spans("batch"), spans("task"), spans("attempt")), (1, 1, 3, 6));
    assert!(count("encord-runner") >= 1 && count("agent failed: no ") >= 6);
}
