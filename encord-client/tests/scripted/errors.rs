//! Answers that are not what the protocol promises, and refusals of the older interface.

use encord_client::{Client, Error};
use serde_json::json;

use crate::server::{Reply, Server};

const ID: &str = "00000000-0000-0000-0000-000000000002";

enum Operation {
    /// Newer interface, with a result.
    Read,
    /// Newer interface, without a result.
    Command,
    /// Older interface.
    Legacy,
}

async fn call(client: &Client, operation: &Operation) -> Result<(), Error> {
    match operation {
        Operation::Read => client.storage_item(ID.parse().unwrap(), false).await.map(drop),
        Operation::Command => client.delete_folder(ID.parse().unwrap()).await,
        Operation::Legacy => client.dataset(ID.parse().unwrap()).await.map(drop),
    }
}

async fn message(operation: Operation, status: u16, body: &'static str) -> String {
    let server = Server::start(move |_, _| Reply::body(status, body)).await;
    let error = call(&server.client(), &operation).await.unwrap_err();
    assert_eq!(server.requests().len(), 1, "{error}");
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text}");
    assert!(text.contains(&server.url), "{text}");
    text
}

#[tokio::test]
async fn answers_that_are_no_answers_are_explained() {
    let check = |text: String, expected: &str| assert!(text.contains(expected), "{text}");
    use Operation::*;
    check(message(Read, 200, "<html>sign in</html>").await, "an HTML page: is the domain right");
    check(message(Legacy, 200, "\n <!doctype html>").await, "an HTML page");
    check(message(Command, 200, "<html></html>").await, "an HTML page");
    check(message(Read, 200, "").await, "the answer is empty");
    check(message(Legacy, 200, "").await, "the answer is empty");
    check(message(Command, 200, "").await, "the answer is empty");
    check(message(Read, 204, "").await, "the answer is empty");
    check(message(Read, 200, "[]").await, "unexpected answer");
    check(message(Read, 200, r#"{"uuid":"x"}"#).await, "unexpected answer");
    check(message(Legacy, 200, "[]").await, "not an answer of the platform");
    check(message(Legacy, 200, r#"{"message":"hello"}"#).await, "not an answer of the platform");
    check(message(Legacy, 200, r#"{"status":200,"response":17}"#).await, "unexpected result");
    check(message(Read, 200, r#"{"uuid": "#).await, "unexpected answer");
}

#[tokio::test]
async fn redirects_are_refused_without_following_them() {
    let other = Server::start(|_, _| Reply::json(json!({}))).await;
    let location = format!("{}/x?secret=1", other.url);
    let server = Server::start(move |_, _| Reply::body(307, "").with("Location", location.clone())).await;
    let error = call(&server.client(), &Operation::Read).await.unwrap_err().to_string();
    assert!(
        error.contains("redirects to") && error.contains(&other.url) && !error.contains("secret"),
        "{error}"
    );
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn codes_of_the_older_interface_become_meanings() {
    async fn refusal(body: serde_json::Value) -> Error {
        let server = Server::start(move |_, _| Reply::json(body.clone())).await;
        call(&server.client(), &Operation::Legacy).await.unwrap_err()
    }
    let envelope = |code: &str, payload: serde_json::Value| json!({"status": 400, "response": [code], "payload": payload});

    let error = refusal(envelope("AUTHENTICATION_ERROR", json!(null))).await;
    assert!(matches!(error, Error::Authentication(_)), "{error}");
    assert!(error.to_string().contains("the domain is the one of your region"), "{error}");
    let error = refusal(envelope("INVALID_ARGUMENTS_ERROR", json!("no such branch"))).await;
    assert!(error.is_rejected() && error.to_string().contains("no such branch"), "{error}");
    let error = refusal(envelope("SOMETHING_NEW", json!({"why": "because"}))).await;
    assert!(error.to_string().contains("because") && error.to_string().contains("SOMETHING_NEW"), "{error}");
    let error = refusal(json!({"status": 500, "response": "BARE"})).await;
    assert_eq!(error.refusal().unwrap().code(), Some("BARE"));
    let error = refusal(json!({"status": 200, "response": null})).await;
    assert!(matches!(error, Error::NotFound(_)), "{error}");
    let error = refusal(json!({"status": 201, "response": {"dataset_hash": ID, "title": "t"}})).await;
    assert!(matches!(error, Error::Unexpected(_)), "{error}");
}

#[tokio::test]
async fn plain_statuses_of_the_older_interface_are_understood_too() {
    let check = |text: String, expected: &str| assert!(text.contains(expected), "{text}");
    check(message(Operation::Legacy, 401, r#"{"message":"who?"}"#).await, "not authenticated: who?");
    check(message(Operation::Legacy, 413, r#"{"message":"too big"}"#).await, "request too large: too big");
    check(message(Operation::Legacy, 403, "<html>").await, "not authorised: Forbidden");
}

#[tokio::test]
async fn rate_limits_in_envelopes_are_waited_for() {
    let limit =
        || Reply::json(json!({"status": 429, "response": ["RATE_LIMIT_ERROR"], "payload": "slow down"}));
    let server = Server::start(move |_, count| match count {
        0 | 1 => limit(),
        _ => Reply::v1(json!({"dataset_hash": ID, "title": "RATE_LIMIT_ERROR"})),
    })
    .await;
    call(&server.client(), &Operation::Legacy).await.unwrap();
    assert_eq!(server.requests().len(), 3);

    let server = Server::start(move |_, _| limit()).await;
    let error = call(&server.client(), &Operation::Legacy).await.unwrap_err();
    assert!(matches!(error, Error::RateLimited { .. }) && error.to_string().contains("slow down"), "{error}");
    assert_eq!(server.requests().len(), 4);
}
