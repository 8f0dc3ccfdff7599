//! Twins on the sandbox: one dataset in several projects.

#![allow(clippy::unwrap_used)]

mod world;

use std::time::Duration;

use encord_labels::id::{DataHash, ProjectHash};
use encord_sandbox::{FaultPlan, FaultRule};
use encord_twin::{DataLookup, Error, TwinOptions, TwinProject, TwinTask};

use crate::world::{OWN, TWIN, data, world};

#[tokio::test]
async fn a_batch_of_twins_takes_few_requests_and_none_when_asked_again() {
    let (sandbox, own, twins) = world(300).await;
    let data = data(&own).await;
    assert_eq!(data.len(), 302);
    sandbox.reset_counters();
    let found = twins.find(&data).await.unwrap();
    assert_eq!(found.len(), 300, "two data units are not in the twin project");
    for (data, twin) in &found {
        let twin = twin.as_ref().unwrap();
        assert!(twin.row.is_initialised());
        assert_eq!(twin.row.metadata().data_hash(), data.to_string());
        assert!(matches!(&twin.task, Some(TwinTask::Annotation(task)) if task.data_hash == *data));
    }
    let requests = sandbox.requests().total.count;
    assert!(requests <= 6, "{requests}");
    assert_eq!(twins.find(&data[..10]).await.unwrap().len(), 10);
    assert_eq!(sandbox.requests().total.count, requests);
}

#[tokio::test]
async fn saving_a_twin_makes_the_next_lookup_fresh() {
    let (sandbox, own, twins) = world(2).await;
    let data = data(&own).await[0];
    let twin = twins.find_one(data).await.unwrap().unwrap();
    twins.save(&[&twin.row], false).await.unwrap();
    assert_eq!(sandbox.state(TWIN.parse().unwrap()).unwrap().rows[0].saves, 1);
    assert!(sandbox.state(OWN.parse().unwrap()).unwrap().rows.is_empty());
    sandbox.reset_counters();
    twins.find_one(data).await.unwrap().unwrap();
    assert!(sandbox.requests().total.count > 0);
}

#[tokio::test]
async fn what_is_not_asked_for_is_not_fetched() {
    let (sandbox, own, twins) = world(2).await;
    let options = TwinOptions::new().without_labels().without_tasks().with_cache(0, Duration::ZERO);
    let twins = TwinProject::new(twins.project().clone(), options);
    let data = data(&own).await;
    sandbox.reset_counters();
    let twin = twins.find_one(data[0]).await.unwrap().unwrap();
    assert!(!twin.row.is_initialised() && twin.task.is_none());
    assert_eq!(sandbox.requests().total.count, 1);
    twins.find_one(data[0]).await.unwrap().unwrap();
    assert_eq!(sandbox.requests().total.count, 2, "nothing is remembered");
    assert!(twins.find_one(DataHash::random()).await.unwrap().is_none());
    assert!(twins.find(&[]).await.unwrap().is_empty());
    assert_eq!(sandbox.requests().total.count, 3);
}

#[tokio::test]
async fn branches_have_their_own_twins() {
    let (_sandbox, own, twins) = world(1).await;
    let options = TwinOptions::new().with_branch("second");
    let branch = TwinProject::new(twins.project().clone(), options);
    let data = data(&own).await[0];
    let main = twins.find_one(data).await.unwrap().unwrap();
    let second = branch.find_one(data).await.unwrap().unwrap();
    assert_eq!(second.row.metadata().branch_name(), "second");
    assert_ne!(main.row.metadata().label_hash(), second.row.metadata().label_hash());
}

#[tokio::test]
async fn projects_that_cannot_be_twins_are_refused() {
    let (sandbox, own, twins) = world(1).await;
    let nobody = ProjectHash::random();
    let error = TwinProject::open(own.client(), nobody).await.unwrap_err();
    assert!(matches!(error, Error::NoAccess { .. }), "{error}");
    assert!(error.to_string().contains(&nobody.to_string()), "{error}");
    let plan = |status| FaultPlan {
        seed: 1,
        rules: vec![FaultRule {
            endpoint: "GET /v2/public/projects*".into(),
            status: Some(status),
            ..FaultRule::default()
        }],
    };
    sandbox.set_faults(plan(404)).unwrap();
    let error = TwinProject::open(own.client(), TWIN.parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    sandbox.set_faults(plan(422)).unwrap();
    let error = TwinProject::open(own.client(), TWIN.parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::Request { .. }) && !error.is_retryable(), "{error}");
    assert!(twins.clone().beside(own.hash()).is_ok());
    assert!(matches!(twins.beside(TWIN.parse().unwrap()), Err(Error::OwnTwin(_))));
}

#[tokio::test]
async fn data_rows_and_items_are_looked_up_in_bulk() {
    let (sandbox, own, _) = world(120).await;
    let data = data(&own).await;
    let lookup = DataLookup::new(own);
    sandbox.reset_counters();
    let rows = lookup.data_rows(&data).await.unwrap();
    assert!(rows.len() == 122 && data.iter().all(|data| rows[data].data_hash == *data));
    let items = lookup.storage_items(&data, true).await.unwrap();
    assert_eq!(items.len(), 122);
    for (data, item) in &items {
        assert!(item.signed_url.is_some() && rows[data].backing_item_uuid == Some(item.uuid));
    }
    assert_eq!(sandbox.requests().total.count, 5);
    assert!(lookup.storage_items(&[DataHash::random()], false).await.unwrap().is_empty());
    assert!(lookup.data_rows(&[]).await.unwrap().is_empty());
}
