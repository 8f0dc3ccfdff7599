//! The server itself: the program, hostile clients, the status page.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use encord_sandbox::{Options, Sandbox};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::wire::{http, images};

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
    assert!(answers[1].contains("INVALID_ARGUMENTS_ERROR"), "{}", answers[1]);
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
