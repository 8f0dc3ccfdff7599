//! An HTTP server in the test's own process. A closure decides about each request; everything is recorded.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use encord_client::{Client, ClientBuilder, PrivateKey, RetryPolicy, Timeouts};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(crate) enum Reply {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// Closes the connection without a word.
    Drop,
    /// Promises the whole body but closes the connection after so many bytes of it.
    Cut {
        headers: Vec<(&'static str, String)>,
        status: u16,
        body: Vec<u8>,
        after: usize,
    },
    /// Sends the head and so many bytes of the body, then nothing any more.
    Stall {
        body: Vec<u8>,
        after: usize,
    },
}

impl Reply {
    pub(crate) fn json(value: Value) -> Self {
        Self::body(200, value.to_string())
    }

    pub(crate) fn v1(response: Value) -> Self {
        Self::json(serde_json::json!({ "status": 200, "response": response }))
    }

    pub(crate) fn body(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        match self {
            Self::Answer { status, mut headers, body } => {
                headers.push((name, value.into()));
                Self::Answer { status, headers, body }
            }
            other => other,
        }
    }
}

pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    connections: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// `script` gets each request and how many came before it.
    pub(crate) async fn start(script: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let script = Arc::new(script);
        let (recorded, counted) = (requests.clone(), connections.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let (script, recorded) = (script.clone(), recorded.clone());
                tokio::spawn(async move { serve(stream, &*script, &recorded).await });
            }
        });
        Self { url, requests, connections, task }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// A client for this server that does not wait long for anything.
    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        let retry = RetryPolicy::default()
            .with_max_retries(3)
            .with_delays(Duration::from_millis(1), Duration::from_millis(4));
        let timeouts = Timeouts::default().with_stall(Duration::from_secs(20));
        Client::builder().private_key(key()).domain(&self.url).retry(retry).timeouts(timeouts)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn key() -> PrivateKey {
    let keys: Value = serde_json::from_str(include_str!("../golden/keys.json")).unwrap();
    PrivateKey::from_openssh(keys["plain"].as_str().unwrap(), None).unwrap()
}

async fn serve(
    stream: TcpStream,
    script: &(impl Fn(&Request, usize) -> Reply + Send + Sync),
    recorded: &Mutex<Vec<Request>>,
) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream).await {
        let reply = {
            let mut recorded = recorded.lock().unwrap();
            let reply = script(&request, recorded.len());
            recorded.push(request);
            reply
        };
        if !write_reply(stream.get_mut(), reply).await {
            return;
        }
    }
}

async fn read_request(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut request = Request { method, target, headers, body: Vec::new() };
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    request.body.resize(length, 0);
    stream.read_exact(&mut request.body).await.ok()?;
    Some(request)
}

/// True if the connection may be used again.
async fn write_reply(stream: &mut TcpStream, reply: Reply) -> bool {
    let (status, headers, body, after, stall) = match reply {
        Reply::Drop => return false,
        Reply::Answer { status, headers, body } => {
            let all = body.len();
            (status, headers, body, all, false)
        }
        Reply::Cut { status, headers, body, after } => (status, headers, body, after, false),
        Reply::Stall { body, after } => (200, Vec::new(), body, after, true),
    };
    let mut head = format!("HTTP/1.1 {status} Status\r\n");
    if status != 204 {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    for (name, value) in &headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let sent = stream.write_all(head.as_bytes()).await.is_ok()
        && stream.write_all(&body[..after]).await.is_ok()
        && stream.flush().await.is_ok();
    if stall {
        tokio::time::sleep(Duration::from_secs(120)).await;
    }
    sent && after == body.len()
}
