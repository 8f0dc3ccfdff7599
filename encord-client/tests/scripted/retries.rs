//! When requests are repeated, and when they must not be.

use std::time::Duration;

use encord_client::{Error, Project, RetryPolicy, Timeouts};
use serde_json::json;

use crate::server::{Reply, Request, Server};

const ITEM: &str = "00000000-0000-0000-0000-000000000002";
const PROJECT: &str = "566bf9d7-c55a-45f8-91a6-e55e9b9b1325";
pub(crate) const STAGE: &str = "aed09b82-4ca8-4fc2-bfb6-37dd5bae2d26";

/// Answers to the two requests that opening a project takes.
pub(crate) fn project_reply(request: &Request) -> Option<Reply> {
    let time = "2025-03-04T10:20:30.123456+00:00";
    if request.target == format!("/v2/public/projects/{PROJECT}") {
        return Some(Reply::json(
            json!({"projectHash": PROJECT, "projectType": "workflow", "status": "inProgress",
            "title": "Demo", "description": "", "createdAt": time, "lastEditedAt": time,
            "ontologyHash": "5e6a0a2e-dd70-434d-81d7-7cffb7decc0c", "editorOntology": {},
            "workflow": {"stages": [
                {"stageType": "AGENT", "uuid": STAGE, "title": "Agent 1", "pathways": [
                    {"uuid": "699f071a-5fd8-4665-a9df-dec6baecde5b", "title": "complete",
                     "destinationUuid": "af5d8bb0-9f2e-4ea4-b658-90e0f94855d0"}]},
                {"stageType": "NEW_KIND", "uuid": "af5d8bb0-9f2e-4ea4-b658-90e0f94855d0", "title": "?"}]}}),
        ));
    }
    request.target.starts_with("/v2/public/ontologies/").then(|| {
        Reply::json(
            json!({"ontologyUuid": "5e6a0a2e-dd70-434d-81d7-7cffb7decc0c", "title": "o", "description": "",
            "editor": {"objects": [], "classifications": []}, "createdAt": time, "lastEditedAt": time}),
        )
    })
}

pub(crate) async fn project(server: &Server) -> Project {
    server.client().project(PROJECT.parse().unwrap()).await.unwrap()
}

async fn read(server: &Server) -> Result<(), Error> {
    server.client().storage_item(ITEM.parse().unwrap(), false).await.map(drop)
}

async fn act(server: &Server) -> Result<(), Error> {
    let task = "26ad41ef-88c2-49d9-b7c9-90fad57dcafd".parse().unwrap();
    let pathway = "699f071a-5fd8-4665-a9df-dec6baecde5b".parse().unwrap();
    project(server).await.proceed(STAGE.parse().unwrap(), &[(task, pathway)]).await
}

/// A server that lets projects be opened and leaves all other requests to the closure.
async fn actions_server(script: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |request, count| project_reply(request).unwrap_or_else(|| script(count - 2))).await
}

#[tokio::test]
async fn transient_statuses_and_lost_connections_are_retried_with_fresh_signatures() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        let server = Server::start(move |_, count| match count {
            0 => Reply::body(status, ""),
            1 => Reply::Drop,
            _ => Reply::body(404, ""),
        })
        .await;
        assert!(matches!(read(&server).await, Err(Error::NotFound(_))), "{status}");
        assert_eq!(server.requests().len(), 3, "{status}");
    }
}

#[tokio::test]
async fn lasting_refusals_are_not_retried() {
    for status in [400, 401, 403, 404, 405, 409, 413, 422, 501] {
        let server = Server::start(move |_, _| Reply::body(status, "")).await;
        let error = read(&server).await.unwrap_err();
        assert_eq!(error.status(), Some(status));
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn retries_end_and_the_error_says_how_many_there_were() {
    let server = Server::start(|_, _| Reply::body(503, r#"{"message":"busy"}"#)).await;
    let error = read(&server).await.unwrap_err();
    assert_eq!(server.requests().len(), 4);
    assert_eq!(error.refusal().unwrap().attempts(), 4);
    assert!(error.is_retryable() && error.to_string().contains("busy"), "{error}");

    let server = Server::start(|_, _| Reply::Drop).await;
    let error = read(&server).await.unwrap_err();
    assert!(matches!(error, Error::Transport { attempts: 4, .. }), "{error}");
}

#[tokio::test]
async fn retry_after_is_obeyed_and_one_beyond_the_budget_ends_the_call() {
    let server = Server::start(|_, count| match count {
        0 => Reply::body(429, "").with("Retry-After", "0"),
        _ => Reply::body(429, "").with("Retry-After", "7200"),
    })
    .await;
    let error = read(&server).await.unwrap_err();
    assert_eq!(server.requests().len(), 2);
    let wait = Duration::from_secs(7200);
    assert!(
        matches!(&error, Error::RateLimited { retry_after, .. } if *retry_after == Some(wait)),
        "{error}"
    );
    assert!(error.to_string().contains("7200 s"), "{error}");
}

#[tokio::test]
async fn a_connection_that_cannot_be_made_is_a_transport_error() {
    let server = Server::start(|_, _| Reply::Drop).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = server.builder().domain(format!("http://{address}")).build().unwrap();
    let error = client.storage_item(ITEM.parse().unwrap(), false).await.unwrap_err();
    assert!(matches!(error, Error::Transport { attempts: 4, .. }), "{error}");
    assert!(error.to_string().contains("cannot connect"), "{error}");
}

#[tokio::test]
async fn silence_is_noticed() {
    let server = Server::start(|_, _| Reply::Stall { body: vec![b' '; 10], after: 5 }).await;
    let timeouts = Timeouts::default().with_stall(Duration::from_millis(50));
    let client = server.builder().timeouts(timeouts).retry(RetryPolicy::never()).build().unwrap();
    let error = client.storage_item(ITEM.parse().unwrap(), false).await.unwrap_err();
    assert!(error.to_string().contains("nothing arrived for 0.05 s"), "{error}");
}

#[tokio::test]
async fn the_budget_ends_a_call_that_does_not_stall() {
    let server = Server::start(|_, _| Reply::Stall { body: vec![b' '; 10], after: 5 }).await;
    let timeouts = Timeouts::default().with_budget(Duration::from_millis(60));
    let client = server.builder().timeouts(timeouts).build().unwrap();
    let error = client.storage_item(ITEM.parse().unwrap(), false).await.unwrap_err();
    assert!(error.to_string().contains("time budget used up"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_action_with_a_lost_answer_is_not_sent_again() {
    for reply in [|| Reply::Drop, || Reply::body(503, ""), || Reply::body(500, ""), || Reply::body(504, "")] {
        let server = actions_server(move |_| reply()).await;
        let error = act(&server).await.unwrap_err();
        assert!(error.is_outcome_unknown() && !error.is_retryable() && !error.is_rejected(), "{error}");
        assert_eq!(server.requests().len(), 3);
    }
}

#[tokio::test]
async fn an_action_the_server_has_not_started_on_is_sent_again() {
    let server = actions_server(|count| match count {
        0 => Reply::body(429, "").with("Retry-After", "0"),
        _ => Reply::body(204, ""),
    })
    .await;
    act(&server).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    assert_eq!(
        requests[3].json(),
        json!([{"taskUuid": "26ad41ef-88c2-49d9-b7c9-90fad57dcafd", "action": "PATHWAY_ACTION",
            "pathwayUuid": "699f071a-5fd8-4665-a9df-dec6baecde5b"}])
    );
}

#[tokio::test]
async fn a_rejected_action_is_told_apart() {
    let server = actions_server(|_| Reply::body(400, r#"{"message":"task not in stage"}"#)).await;
    let error = act(&server).await.unwrap_err();
    assert!(error.is_rejected() && error.to_string().contains("task not in stage"), "{error}");
    assert_eq!(server.requests().len(), 3);
}
