//! The server itself: the program, hostile clients, the status page.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use encord_sandbox::{ControlToken, Options, Sandbox};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::wire::{Wire, http, images};

#[cfg(unix)]
#[test]
fn the_program_says_when_it_is_ready_and_ends_cleanly() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let (seed, key) = (folder.path().join("seed.json"), folder.path().join("key"));
    std::fs::write(&seed, json!({"projects": [{"title": "p"}]}).to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_encord-sandbox"));
    command.args(["serve", "--seed"]).arg(&seed).arg("--key-out").arg(&key);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    assert!(ready["url"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    assert_eq!(ready["private_key_path"].as_str().unwrap(), key.to_str().unwrap());
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "stdout has one line only");
}

#[tokio::test]
async fn many_sandboxes_run_side_by_side() {
    let first = Sandbox::builder().project("a").images(1).start().await.unwrap();
    let second = Sandbox::builder().project("b").images(2).start().await.unwrap();
    assert_ne!(first.url(), second.url());
    assert!(first.project("b").is_none());
    let url = first.url().to_owned();
    first.stop().await;
    assert!(http().get(&url).send().await.is_err(), "a stopped sandbox does not listen");
    assert_eq!(second.state(second.project("b").unwrap()).unwrap().tasks.len(), 2);
}

#[tokio::test]
async fn a_client_that_does_not_go_on_is_cut_off() {
    let mut options = Options::default();
    options.limits.request_time = Duration::from_millis(200);
    let sandbox = Sandbox::builder().project("p").options(options).start().await.unwrap();
    let address = sandbox.url().strip_prefix("http://").unwrap();
    let mut answers = Vec::new();
    for start in ["GET /v2/pub", "POST /public HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(start.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_string(&mut answer)).await;
        read.expect("the connection ends").unwrap();
        answers.push(answer);
    }
    assert!(answers[1].contains("AUTHENTICATION_ERROR"), "{}", answers[1]);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let mut options = Options::default();
    options.limits.stall_time = Duration::from_millis(200);
    // Far more than the buffers of a connection hold.
    let sandbox =
        Sandbox::builder().project("p").images_of(1, 2048, 2048).options(options).start().await.unwrap();
    let (wire, project) = (Wire::new(&sandbox), sandbox.project("p").unwrap());
    let item = wire.rows(project, json!({})).await[0]["backing_item_uuid"].as_str().unwrap().to_owned();
    let item = wire.get(&format!("/storage/items/{item}?signUrl=True")).await.ok();
    assert!(item["fileSize"].as_u64().unwrap() > 8 << 20, "{item}");
    let url = item["signedUrl"].as_str().unwrap().strip_prefix("http://").unwrap();
    let (address, target) = url.split_once('/').unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 << 10).unwrap();
    let mut stream = socket.connect(address.parse().unwrap()).await.unwrap();
    stream.write_all(format!("GET /{target} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut taken = vec![stream.read_u8().await.unwrap()];
    tokio::time::sleep(Duration::from_secs(1)).await;
    let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut taken)).await;
    // The connection was closed, so that only what the buffers held arrives.
    let _ = read.expect("the connection ends");
    assert!((taken.len() as u64) < item["fileSize"].as_u64().unwrap(), "{} bytes arrived", taken.len());
    let whole = wire.http.get(item["signedUrl"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(whole.bytes().await.unwrap().len() as u64, item["fileSize"].as_u64().unwrap());
}

#[tokio::test]
async fn strangers_cannot_make_the_sandbox_read() {
    let (sandbox, wire, project, _) = images(1).await;
    let address = sandbox.url().strip_prefix("http://").unwrap();
    // Refused after the headers: the promised body is far larger than what is sent.
    for path in ["/public".to_owned(), format!("/v2/public/projects/{project}/priorities")] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 200000000\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b' '; 2 << 20]).await.unwrap();
        let mut answer = [0; 12];
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read_exact(&mut answer)).await;
        read.expect("an answer before the end of the body").unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 "), "{answer:?}");
    }
    let faults = format!("{}/_sandbox/faults", sandbox.url());
    let large = wire.http.put(faults).body(" ".repeat(2 << 20)).send().await.unwrap();
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

/// An address of this machine that is not its loopback, if it has one.
fn outside() -> Option<String> {
    // Nothing is sent: a datagram socket only looks up the way.
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then(|| address.to_string())
}

#[tokio::test]
async fn other_machines_need_the_token_for_the_sandboxs_own_endpoints() {
    let Some(host) = outside() else {
        eprintln!("SKIPPED: this machine has no address but its loopback");
        return;
    };
    for token in [None, Some("s3cret")] {
        let mut options = Options::default();
        options.host = "0.0.0.0".into();
        options.control_token = token.map(ControlToken::new);
        let sandbox = Sandbox::builder().project("p").images(1).options(options).start().await.unwrap();
        let port = sandbox.url().rsplit(':').next().unwrap().to_owned();
        for path in ["/", "/_sandbox/requests", "/_sandbox/journal"] {
            let url = |host: &str| format!("http://{host}:{port}{path}");
            let near = http().get(url("127.0.0.1")).send().await.unwrap();
            assert_eq!(near.status(), StatusCode::OK, "{path} from this machine");
            let far = http().get(url(&host)).send().await.unwrap();
            assert_eq!(far.status(), StatusCode::UNAUTHORIZED, "{path} from elsewhere");
            let shown = http().get(url(&host)).bearer_auth("s3cret").send().await.unwrap();
            assert_eq!(shown.status() == StatusCode::OK, token.is_some(), "{path} with a token");
        }
    }
}

#[tokio::test]
async fn hostile_json_is_refused() {
    let (sandbox, wire, project, _) = images(1).await;
    let deep = "[".repeat(100_000);
    let response = wire.http.post(format!("{}/public", sandbox.url())).body(deep).send().await.unwrap();
    assert!(response.status().is_success(), "v1 tells refusals in its envelope");
    let priorities = format!("/projects/{project}/priorities");
    for body in
        [json!(null), json!([]), json!({"priorities": [["x", 1]]}), json!({"priorities": [[project]]})]
    {
        assert_eq!(wire.post(&priorities, body).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(wire.get("/no/such/endpoint").await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        wire.post(&format!("/projects/{project}"), json!({})).await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
    let answer = wire.v1(("", ""), "nonsense", "GET", Value::Null, Value::Null).await;
    assert_eq!(answer["response"], json!(["METHOD_NOT_ALLOWED_ERROR"]));
}

#[tokio::test]
async fn the_status_page_shows_projects_and_requests() {
    let sandbox = Sandbox::builder().project("<cats>").images(4).start().await.unwrap();
    let page = http().get(sandbox.url()).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("&lt;cats&gt;") && page.contains("<td class=\"n\">4</td>"), "{page}");
    assert!(!page.contains("<cats>"));
}
