//! Answers without end, links that lead elsewhere, and servers that nobody vouches for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use encord_client::transport::{HttpRequest, HttpResponse, TransportError};
use encord_client::{Client, Download, Error, LabelRowFilter, RetryPolicy, SignedUrl, Timeouts, Transport};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use crate::retries::{project, project_reply};
use crate::server::{Reply, Server, key};

const PIECE: usize = 64 << 10;

/// Answers everything with one head and a body that never ends, and counts what is taken of it.
#[derive(Debug, Default)]
struct Endless {
    status: u16,
    headers: Vec<(&'static str, String)>,
    taken: Arc<AtomicU64>,
    requests: AtomicU64,
}

impl Transport for Endless {
    fn send(&self, _: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        let taken = self.taken.clone();
        let body = stream::repeat_with(move || {
            taken.fetch_add(PIECE as u64, Ordering::SeqCst);
            Ok(Bytes::from_static(&[b' '; PIECE]))
        });
        let status = StatusCode::from_u16(self.status).unwrap();
        async move { Ok(HttpResponse { status, headers, body: body.boxed() }) }.boxed()
    }
}

fn endless(status: u16, headers: Vec<(&'static str, String)>) -> (Arc<Endless>, Client) {
    let transport = Arc::new(Endless { status, headers, ..Endless::default() });
    let builder = Client::builder().private_key(key()).transport(transport.clone());
    let client = builder.answer_limit(1 << 20).retry(RetryPolicy::never()).build().unwrap();
    (transport, client)
}

fn link() -> SignedUrl {
    SignedUrl::new("https://files.example.org/a/b.bin?signature=secret")
}

#[tokio::test]
async fn an_answer_without_end_is_given_up_at_the_limit() {
    let (transport, client) = endless(200, Vec::new());
    let error = client.bearer_token().await.unwrap_err();
    assert!(error.to_string().contains("more than 1048576 bytes"), "{error}");
    assert!(transport.taken.load(Ordering::SeqCst) <= (1 << 20) + 2 * PIECE as u64);
    assert_eq!(transport.requests.load(Ordering::SeqCst), 1, "asking again would give as much");
}

#[tokio::test]
async fn a_refusal_without_end_is_still_that_refusal() {
    let (transport, client) = endless(403, Vec::new());
    let error = client.bearer_token().await.unwrap_err();
    assert!(error.is_access_denied() && error.status() == Some(403), "{error}");
    assert!(error.to_string().len() < 2000);
    assert!(transport.taken.load(Ordering::SeqCst) <= (1 << 20) + 2 * PIECE as u64);
}

#[tokio::test]
async fn a_file_without_end_is_given_up_at_the_limit_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let (transport, client) = endless(200, Vec::new());
    let error = client.download(Download::new(link()).with_limit(1 << 20), &file).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 1_048_576, .. }), "{error}");
    let error = client.download(Download::new(link()).with_length(1 << 20), &file).await.unwrap_err();
    assert!(error.to_string().contains("expected 1048576 bytes"), "{error}");
    assert!(transport.taken.load(Ordering::SeqCst) <= 2 * ((1 << 20) + 2 * PIECE as u64));
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none());
}

#[tokio::test]
async fn a_file_that_nobody_can_mean_is_refused_before_its_first_byte() {
    let folder = tempfile::tempdir().unwrap();
    let length = (Download::DEFAULT_LIMIT + 1).to_string();
    let (transport, client) = endless(200, vec![("content-length", length)]);
    let error = client.download(Download::new(link()), folder.path().join("file")).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: Download::DEFAULT_LIMIT, .. }), "{error}");
    assert_eq!(transport.taken.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn redirects_to_another_scheme_host_or_port_are_refused() {
    for to in [
        "http://files.example.org/a/b.bin?signature=secret",
        "https://elsewhere.example.org/a/b.bin?signature=secret",
        "https://files.example.org:8443/a/b.bin?signature=secret",
        "//elsewhere.example.org/?signature=secret",
        "file:///etc/passwd",
        "data:text/plain,secret",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (transport, client) = endless(302, vec![("location", to.to_owned())]);
        let error = client.download(Download::new(link()), folder.path().join("file")).await.unwrap_err();
        assert!(error.to_string().contains("redirected to another server"), "{to}: {error}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert_eq!(transport.requests.load(Ordering::SeqCst), 1, "{to}");
        assert_eq!(transport.taken.load(Ordering::SeqCst), 0, "{to}");
    }
}

#[tokio::test]
async fn a_file_that_changes_again_and_again_is_given_up() {
    let server = Server::start(|request, count| match request.header("range") {
        None => Reply::Cut { status: 200, headers: Vec::new(), body: vec![1; 5000], after: 4000 },
        Some(_) => Reply::body(206, vec![2; 10]).with("Content-Range", format!("bytes 0-9/{}", 6000 + count)),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let url = SignedUrl::new(format!("{}/file.bin?signature=secret", server.url));
    let client = server.client();
    let download = client.download(Download::new(url), folder.path().join("file"));
    let error = tokio::time::timeout(Duration::from_secs(30), download).await.unwrap().unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert!(server.requests().len() <= 8, "{}", server.requests().len());
}

#[tokio::test]
async fn links_to_metadata_get_no_credentials_and_not_for_ever() {
    let slow = Server::start(|_, _| Reply::Stall { body: vec![b' '; 100], after: 50 }).await;
    let address = format!("{}/metadata?signature=secret", slow.url);
    let row = json!({
        "label_hash": null, "branch_name": "main", "data_hash": "0e46c215-b5fa-4b0c-9b18-bd763f20134c",
        "dataset_hash": "b37523a5-3b4a-4ee2-8463-513755ac0ecd", "dataset_title": "d", "data_title": "a.png",
        "data_type": "IMAGE", "data_link": null, "label_status": "NOT_LABELLED", "number_of_frames": 1,
        "spaces": {}, "client_metadata": {"from": "the listing"}, "client_metadata_signed_url": address});
    let server =
        Server::start(move |request, _| project_reply(request).unwrap_or_else(|| Reply::v1(json!([row]))))
            .await;
    let project = project(&server).await;
    let timeouts = Timeouts::default().with_budget(Duration::from_millis(300));
    let hasty = server.builder().timeouts(timeouts).build().unwrap();
    let project = hasty.project(project.hash()).await.unwrap();
    let mut filter = LabelRowFilter::new();
    filter.client_metadata_as_signed_url = true;
    let rows = project.label_rows(&filter).await.unwrap();
    assert_eq!(rows[0].metadata().client_metadata().unwrap()["from"], "the listing");
    let asked = slow.requests();
    assert_eq!(asked.len(), 1);
    for header in ["authorization", "signature", "signature-input", "content-digest", "x-cloud-trace-context"]
    {
        assert!(asked[0].header(header).is_none(), "{header}");
    }
}

#[tokio::test]
async fn redirects_with_a_signature_are_not_followed_whatever_the_credentials() {
    let other = Server::start(|_, _| Reply::json(json!({"token": "t"}))).await;
    let to = format!("{}/v2/public/user/bearer-token", other.url);
    let server = Server::start(move |_, _| Reply::body(307, "").with("Location", to.clone())).await;
    let token = encord_client::BearerToken::new("a-token-nobody-else-may-see");
    let by_token = Client::builder().bearer_token(token).domain(&server.url).build().unwrap();
    for client in [server.client(), by_token] {
        let error = client.bearer_token().await.unwrap_err();
        assert!(error.to_string().contains("redirects to"), "{error}");
    }
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn a_pause_longer_than_time_itself_ends_the_call() {
    let server = Server::start(|_, count| {
        let wait = if count == 0 { "1" } else { "18446744073709551615" };
        Reply::body(503, "").with("Retry-After", wait)
    })
    .await;
    let error = server.client().bearer_token().await.unwrap_err();
    assert!(error.status() == Some(503) && error.is_retryable(), "{error}");
    assert_eq!(server.requests().len(), 2);
}
