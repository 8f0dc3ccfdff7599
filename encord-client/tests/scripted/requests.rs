//! What goes over the wire: headers, signatures, connections.

use encord_client::{BearerToken, PrivateKey, sign};
use serde_json::json;

use crate::server::{Reply, Request, Server, key};

const ITEM: &str = "00000000-0000-0000-0000-000000000002";

fn item() -> serde_json::Value {
    json!({"uuid": ITEM, "parent": "9823beb1-e6ba-4ad7-8de4-5321ad915a36", "itemType": "video", "name": "clip.mp4",
        "clientMetadata": "{\"a\": \"b\"}", "owner": "ann@example.com", "createdAt": "2025-03-04 10:20:30",
        "last_edited_at": "2025-03-04T10:20:30.123456+00:00", "frame_count": "10", "width": 64.0,
        "signedUrl": "https://files/x?secret", "unheard": [1]})
}

fn created(request: &Request) -> u64 {
    let input = request.header("signature-input").unwrap();
    let after = input.split("created=").nth(1).unwrap();
    after.split(';').next().unwrap().parse().unwrap()
}

fn assert_signed(request: &Request, key: &PrivateKey) {
    let expected = sign::v2_signature(key, &request.method, &request.target, &request.body, created(request));
    assert_eq!(request.header("content-digest"), Some(expected.content_digest.as_str()));
    assert_eq!(request.header("signature-input"), Some(expected.signature_input.as_str()));
    assert_eq!(request.header("signature"), Some(expected.signature.as_str()));
    assert_eq!(request.header("authorization"), None);
}

#[tokio::test]
async fn requests_of_the_newer_interface_are_signed_over_one_connection() {
    let server = Server::start(|_, _| Reply::json(item())).await;
    let client = server.builder().user_agent_suffix("tests/1.0").build().unwrap();
    for _ in 0..5 {
        let item = client.storage_item(ITEM.parse().unwrap(), true).await.unwrap();
        assert_eq!(item.frame_count, Some(10));
        assert_eq!(item.width, Some(64));
        assert_eq!(item.client_metadata, json!({"a": "b"}));
        assert!(!format!("{item:?}").contains("secret"));
    }
    assert_eq!(server.connections(), 1);
    let requests = server.requests();
    let first = &requests[0];
    assert_eq!(first.method, "GET");
    assert_eq!(first.target, format!("/v2/public/storage/items/{ITEM}?signUrl=True"));
    assert_signed(first, &key());
    let agent = first.header("user-agent").unwrap();
    assert!(agent.starts_with("encord-client-rust/") && agent.ends_with(" tests/1.0"), "{agent}");
    let traces: std::collections::HashSet<_> =
        requests.iter().map(|request| request.header("x-cloud-trace-context")).collect();
    assert_eq!(traces.len(), 5);
}

#[tokio::test]
async fn requests_of_the_older_interface_carry_the_key_and_the_entity() {
    let dataset = "b37523a5-3b4a-4ee2-8463-513755ac0ecd";
    let server = Server::start(move |_, _| {
        Reply::v1(json!({"dataset_hash": dataset, "title": "t", "description": null}))
    })
    .await;
    let found = server.client().dataset(dataset.parse().unwrap()).await.unwrap();
    assert_eq!(found.title, "t");
    let request = &server.requests()[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/public"));
    assert_eq!(request.header("resourcetype"), Some("dataset"));
    assert_eq!(request.header("resourceid"), Some(dataset));
    assert_eq!(request.header("authorization"), Some(sign::v1_authorization(&key(), &request.body).as_str()));
    assert_eq!(
        request.json(),
        json!({"query_type": "dataset", "query_method": "GET", "values": {"uid": null, "payload":
            {"dataset_access_settings": {"fetch_client_metadata": false, "fetch_rows": false}}}})
    );
}

#[tokio::test]
async fn bearer_tokens_replace_signatures() {
    let server = Server::start(|_, _| Reply::json(item())).await;
    let builder = encord_client::Client::builder().domain(&server.url);
    let client = builder.bearer_token(BearerToken::new("tok")).build().unwrap();
    client.storage_item(ITEM.parse().unwrap(), false).await.unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.header("authorization"), Some("Bearer tok"));
    assert_eq!(request.header("signature"), None);
    assert!(!format!("{client:?}").contains("tok"));
}

#[tokio::test]
async fn the_path_of_the_domain_is_kept_and_signed() {
    let server = Server::start(|_, _| Reply::json(item())).await;
    let client = server.builder().domain(format!("{}/prefix/", server.url)).build().unwrap();
    client.storage_item(ITEM.parse().unwrap(), false).await.unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.target, format!("/prefix/v2/public/storage/items/{ITEM}?signUrl=False"));
    assert_signed(request, &key());
}

#[tokio::test]
async fn a_fixed_trace_id_is_sent_and_reported() {
    let server = Server::start(|_, _| Reply::body(404, "")).await;
    let id = uuid::Uuid::from_u128(0xa7b2e5f5_ff29_466f_a0a7_87cf931106a9);
    let client = server.builder().trace_id(id).build().unwrap();
    for _ in 0..2 {
        let error = client.storage_item(ITEM.parse().unwrap(), false).await.unwrap_err();
        assert_eq!(error.refusal().unwrap().trace_id(), "a7b2e5f5ff29466fa0a787cf931106a9");
    }
    let spans: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.header("x-cloud-trace-context").unwrap().to_owned())
        .collect();
    assert!(spans.iter().all(|span| span.starts_with("a7b2e5f5ff29466fa0a787cf931106a9/")), "{spans:?}");
    assert_ne!(spans[0], spans[1]);
}
