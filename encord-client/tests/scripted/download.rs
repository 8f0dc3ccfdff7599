//! Downloads that break, stall, expire, change or lie.

use std::sync::Mutex;
use std::time::Duration;

use encord_client::{Client, Download, Error, RetryPolicy, SignedUrl, Timeouts};

use crate::server::{Reply, Request, Server};

fn content() -> Vec<u8> {
    (0..100_000u32).map(|index| (index * 7 % 251) as u8).collect()
}

/// The part of the content that the request asks for, the connection cut after so many bytes.
fn part(request: &Request, after: usize) -> Reply {
    let all = content();
    let etag = ("ETag", "\"one\"".to_owned());
    match request.header("range") {
        None => Reply::Cut { status: 200, headers: vec![etag], after: after.min(all.len()), body: all },
        Some(range) => {
            let start: usize = range.strip_prefix("bytes=").unwrap().trim_end_matches('-').parse().unwrap();
            let range = format!("bytes {start}-{}/{}", all.len() - 1, all.len());
            let body = all[start..].to_vec();
            let headers = vec![etag, ("Content-Range", range)];
            Reply::Cut { status: 206, headers, after: after.min(body.len()), body }
        }
    }
}

fn url(server: &Server) -> SignedUrl {
    SignedUrl::new(format!("{}/file.bin?signature=secret", server.url))
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> std::path::PathBuf {
        self.0.path().join("file.bin")
    }

    fn is_empty(&self) -> bool {
        std::fs::read_dir(self.0.path()).unwrap().next().is_none()
    }
}

async fn fails(client: &Client, download: Download<'_>, expected: &str) -> Error {
    let folder = Folder::new();
    let error = client.download(download, folder.file()).await.unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
    assert!(folder.is_empty());
    error
}

#[tokio::test]
async fn broken_connections_are_resumed_where_they_broke() {
    let server =
        Server::start(|request, count| part(request, if count < 6 { 15_000 } else { usize::MAX })).await;
    let folder = Folder::new();
    let length = server.client().download(Download::new(url(&server)), folder.file()).await.unwrap();
    assert_eq!(length, 100_000);
    assert!(std::fs::read(folder.file()).unwrap() == content());
    let requests = server.requests();
    assert_eq!(requests.len(), 7, "progress renews the patience");
    assert_eq!(requests[6].header("range"), Some("bytes=90000-"));
    assert_eq!(requests[6].header("if-range"), Some("\"one\""));
    for request in &requests {
        assert!(request.header("authorization").is_none() && request.header("signature").is_none());
        assert!(request.header("x-cloud-trace-context").is_none());
    }
}

#[tokio::test]
async fn a_server_without_ranges_starts_again_from_the_beginning() {
    let server = Server::start(|_, count| match count {
        0 => Reply::Cut { status: 200, headers: Vec::new(), body: vec![1; 5000], after: 4000 },
        _ => Reply::body(200, vec![2; 3000]),
    })
    .await;
    let folder = Folder::new();
    let length = server.client().download(Download::new(url(&server)), folder.file()).await.unwrap();
    assert_eq!(length, 3000);
    assert!(std::fs::read(folder.file()).unwrap() == vec![2; 3000]);
}

#[tokio::test]
async fn a_file_that_changes_meanwhile_is_fetched_anew() {
    let server = Server::start(|request, count| match (count, request.header("range")) {
        (0, _) => Reply::Cut { status: 200, headers: Vec::new(), body: vec![1; 5000], after: 4000 },
        (_, Some(_)) => Reply::body(206, vec![2; 10]).with("Content-Range", "bytes 4000-4009/4010"),
        (_, None) => Reply::body(200, vec![2; 1000]),
    })
    .await;
    let folder = Folder::new();
    server.client().download(Download::new(url(&server)), folder.file()).await.unwrap();
    assert!(std::fs::read(folder.file()).unwrap() == vec![2; 1000]);
}

#[tokio::test]
async fn silence_breaks_a_connection_too() {
    let server = Server::start(|request, count| match count {
        0 => Reply::Stall { body: content(), after: 20_000 },
        _ => part(request, usize::MAX),
    })
    .await;
    let timeouts = Timeouts::default().with_stall(Duration::from_millis(300));
    let client = server.builder().timeouts(timeouts).build().unwrap();
    let folder = Folder::new();
    client.download(Download::new(url(&server)), folder.file()).await.unwrap();
    assert!(std::fs::read(folder.file()).unwrap() == content());
}

#[tokio::test]
async fn expired_links_are_made_anew_once_per_progress() {
    let server = Server::start(|request, count| match (count, request.target.as_str()) {
        (0, _) => part(request, 40_000),
        (_, "/file.bin?signature=secret") => Reply::body(403, "<Error>expired</Error>"),
        _ => part(request, usize::MAX),
    })
    .await;
    let folder = Folder::new();
    let fresh = format!("{}/file.bin?signature=secret2", server.url);
    let signed = Mutex::new(0);
    let download = Download::new(url(&server)).with_resign(|| {
        *signed.lock().unwrap() += 1;
        let fresh = SignedUrl::new(fresh.clone());
        async move { Ok(fresh) }
    });
    server.client().download(download, folder.file()).await.unwrap();
    assert!(std::fs::read(folder.file()).unwrap() == content());
    assert_eq!(*signed.lock().unwrap(), 1);

    let server = Server::start(|_, _| Reply::body(403, "")).await;
    let again = url(&server);
    let download = Download::new(url(&server)).with_resign(|| async { Ok(again.clone()) });
    let error = fails(&server.client(), download, "may have expired (status 403)").await;
    assert_eq!(error.status(), Some(403));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn limits_and_lengths_are_checked_before_the_body() {
    let server = Server::start(|request, _| part(request, usize::MAX)).await;
    let client = server.client();
    let error = fails(&client, Download::new(url(&server)).with_limit(99_999), "the limit is 99999").await;
    assert!(matches!(error, Error::TooLarge { size: 100_000, .. }));
    fails(&client, Download::new(url(&server)).with_length(5), "expected 5 bytes, but the server has 100000")
        .await;
    let folder = Folder::new();
    let exact = Download::new(url(&server)).with_length(100_000).with_limit(100_000);
    client.download(exact, folder.file()).await.unwrap();
}

#[tokio::test]
async fn refusals_and_endless_trouble_end_the_download() {
    let server = Server::start(|_, _| Reply::body(404, "")).await;
    let error =
        fails(&server.client(), Download::new(url(&server)), "the file does not exist (status 404)").await;
    assert!(!error.is_retryable());

    let server = Server::start(|_, _| Reply::body(503, "")).await;
    let error = fails(&server.client(), Download::new(url(&server)), "failed (status 503)").await;
    assert!(error.is_retryable());
    assert_eq!(server.requests().len(), 4);

    let server = Server::start(|_, _| Reply::Drop).await;
    let client = server.builder().retry(RetryPolicy::never()).build().unwrap();
    let error = fails(&client, Download::new(url(&server)), "connection lost").await;
    assert!(error.is_retryable());
}

#[tokio::test]
async fn redirects_stay_within_the_server() {
    let server = Server::start(|request, _| match request.target.as_str() {
        "/there?secret" => part(request, usize::MAX),
        _ => Reply::body(302, "").with("Location", "/there?secret"),
    })
    .await;
    let folder = Folder::new();
    server.client().download(Download::new(url(&server)), folder.file()).await.unwrap();

    let target = format!("{}/there?secret", server.url);
    let other = Server::start(move |_, _| Reply::body(302, "").with("Location", target.clone())).await;
    fails(&other.client(), Download::new(url(&other)), "redirected to another server").await;
    let circle = Server::start(|_, _| Reply::body(302, "").with("Location", "/file.bin")).await;
    fails(&circle.client(), Download::new(url(&circle)), "too many redirects").await;
}

#[tokio::test]
async fn a_download_that_is_given_up_leaves_nothing_behind() {
    let server = Server::start(|_, _| Reply::Stall { body: content(), after: 20_000 }).await;
    let folder = Folder::new();
    let client = server.client();
    let download = client.download(Download::new(url(&server)), folder.file());
    let given_up = tokio::time::timeout(Duration::from_millis(200), download).await;
    assert!(given_up.is_err() && folder.is_empty());
}
