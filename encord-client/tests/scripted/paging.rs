//! Listings: laziness, filters, ends.

use encord_client::{Error, TaskFilter, TaskStatus};
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

use crate::retries::{STAGE, project, project_reply};
use crate::server::{Reply, Server};

fn task(number: usize) -> Value {
    json!({"uuid": format!("26ad41ef-88c2-49d9-b7c9-{number:012}"), "createdAt": "2025-03-04T10:20:30.5+02:00",
        "updatedAt": "2025-03-04 10:20:30", "status": if number == 0 { "FROM_THE_FUTURE" } else { "NEW" },
        "dataHash": format!("0e46c215-b5fa-4b0c-9b18-{number:012}"), "dataTitle": "clip.mp4",
        "labelBranchName": "main", "assignee": null, "lastActionedBy": null, "extra": {}})
}

fn page(numbers: std::ops::Range<usize>, token: Value) -> Reply {
    Reply::json(json!({"results": numbers.map(task).collect::<Vec<_>>(), "nextPageToken": token}))
}

#[tokio::test]
async fn pages_are_fetched_only_when_needed() {
    let server = Server::start(|request, _| {
        project_reply(request).unwrap_or_else(|| match request.target.split_once("pageToken=") {
            None => page(0..2, json!("a/b+c")),
            Some((_, "a%2Fb%2Bc")) => page(0..0, json!("second")),
            Some((_, "second")) => page(2..3, json!(null)),
            Some((_, other)) => Reply::body(400, other),
        })
    })
    .await;
    let project = project(&server).await;
    let mut tasks = std::pin::pin!(project.agent_tasks(STAGE.parse().unwrap(), &TaskFilter::new()));
    let first = tasks.try_next().await.unwrap().unwrap();
    assert_eq!(first.status, TaskStatus::Unknown);
    assert_eq!(first.created_at.to_string(), "2025-03-04T10:20:30.500000+02:00");
    tasks.try_next().await.unwrap().unwrap();
    assert_eq!(server.requests().len(), 3, "the next page is not asked for early");
    let rest: Vec<_> = tasks.try_collect().await.unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(server.requests().len(), 5);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn every_filter_reaches_the_address() {
    let server =
        Server::start(|request, _| project_reply(request).unwrap_or_else(|| page(0..0, json!("")))).await;
    let filter = TaskFilter::new()
        .with_user_emails(["a@x.io".into(), "b@x.io".into()])
        .with_data_hashes(["0e46c215-b5fa-4b0c-9b18-bd763f20134c".parse().unwrap()])
        .with_dataset_hashes(["b37523a5-3b4a-4ee2-8463-513755ac0ecd".parse().unwrap()])
        .with_data_title_contains("clip & co")
        .with_statuses([TaskStatus::New, TaskStatus::Assigned]);
    let tasks = project(&server).await.agent_tasks(STAGE.parse().unwrap(), &filter);
    assert!(tasks.try_collect::<Vec<_>>().await.unwrap().is_empty());
    assert_eq!(
        server.requests().last().unwrap().target.split_once('?').unwrap().1,
        "userEmails=a%40x.io&userEmails=b%40x.io&dataHashes=0e46c215-b5fa-4b0c-9b18-bd763f20134c\
         &datasetHashes=b37523a5-3b4a-4ee2-8463-513755ac0ecd&dataTitleContains=clip+%26+co&statuses=NEW&statuses=ASSIGNED"
    );
}

#[tokio::test]
async fn an_empty_list_matches_nothing_and_long_lists_are_split() {
    let server = Server::start(|request, _| {
        project_reply(request)
            .unwrap_or_else(|| page(0..request.target.matches("dataHashes=").count(), json!(null)))
    })
    .await;
    let project = project(&server).await;
    let count = async |hashes: usize| {
        let hashes = (0..hashes).map(|_| encord_labels::id::DataHash::random());
        let tasks = project.agent_tasks(STAGE.parse().unwrap(), &TaskFilter::new().with_data_hashes(hashes));
        tasks.try_collect::<Vec<_>>().await.unwrap().len()
    };
    assert_eq!(count(0).await, 0);
    assert_eq!(server.requests().len(), 2);
    assert_eq!(count(250).await, 250);
    assert_eq!(server.requests().len(), 5);
    assert!(server.requests().iter().all(|request| request.target.len() < 8000));
    let once: Vec<_> = (0..100).map(|_| encord_labels::id::DataHash::random()).collect();
    let twice = TaskFilter::new().with_data_hashes(once.iter().chain(&once).copied());
    let tasks = project.agent_tasks(STAGE.parse().unwrap(), &twice);
    assert_eq!(tasks.try_collect::<Vec<_>>().await.unwrap().len(), 100);
}

#[tokio::test]
async fn listings_that_do_not_end_are_errors() {
    let check = async |token: fn(usize) -> Value, size: usize, expected: &str| {
        let server = Server::start(move |request, count| {
            project_reply(request).unwrap_or_else(|| page(0..size, token(count)))
        })
        .await;
        let tasks = project(&server).await.agent_tasks(STAGE.parse().unwrap(), &TaskFilter::new());
        let error = tasks.try_collect::<Vec<_>>().await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(|_| json!("same"), 1, "the same page token twice").await;
    check(|count| json!(["a", "b"][count % 2]), 1, "the same page token twice").await;
    check(|count| json!(count.to_string()), 0, "one empty page after another").await;
}

#[tokio::test]
async fn filters_that_a_kind_of_stage_lacks_are_refused() {
    let server = Server::start(|request, _| project_reply(request).unwrap()).await;
    let project = project(&server).await;
    let filter = TaskFilter::new().with_statuses([TaskStatus::New]);
    let first = project.done_tasks(STAGE.parse().unwrap(), &filter).boxed().next().await.unwrap();
    assert!(matches!(first, Err(Error::InvalidInput(_))));
    assert_eq!(server.requests().len(), 2);
}
