//! Twins on the sandbox: one dataset in several projects.

#![allow(clippy::unwrap_used)]

mod world;

use std::time::Duration;

use encord_labels::id::{DataHash, ProjectHash};
use encord_sandbox::{FaultPlan, FaultRule};
use encord_twin::{DataLookup, Error, TwinOptions, TwinProject, TwinTask};

use crate::world::{DATASET, EXPERTS, OWN, TWIN, data, world};

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
async fn a_lookup_that_began_before_a_save_is_not_remembered() {
    let (sandbox, own, twins) = world(2).await;
    let data = data(&own).await[0];
    let stale = twins.find_one(data).await.unwrap().unwrap();
    twins.forget(data);
    // The labels are on their way for so long that the row is saved meanwhile.
    let slow = FaultRule {
        endpoint: "POST /public labelrow GET".into(),
        latency_ms: 300,
        times: Some(1),
        ..FaultRule::default()
    };
    sandbox.set_faults(FaultPlan { seed: 1, rules: vec![slow] }).unwrap();
    let rows = [&stale.row];
    let (found, saved) = tokio::join!(twins.find_one(data), twins.save(&rows, false));
    saved.unwrap();
    found.unwrap().unwrap();
    sandbox.reset_counters();
    twins.find_one(data).await.unwrap().unwrap();
    assert!(sandbox.requests().total.count > 0, "the lookup from before the save was remembered");
}

#[tokio::test]
async fn tasks_of_twins_are_sent_along_a_pathway() {
    let (sandbox, own, _) = world(3).await;
    let experts = TwinProject::open(own.client(), EXPERTS.parse().unwrap()).await.unwrap();
    let data = data(&own).await;
    let found = experts.find(&data).await.unwrap();
    let stage = &experts.project().stages()[0];
    let pathway = stage.pathways()[0].uuid;
    let twins: Vec<_> = found.into_values().map(Result::unwrap).collect();
    assert!(twins.iter().all(|twin| matches!(twin.task, Some(TwinTask::Agent(_)))));
    let moves: Vec<_> = twins[..2].iter().map(|twin| (twin, pathway)).collect();
    sandbox.reset_counters();
    experts.proceed(stage.uuid, &moves).await.unwrap();
    assert_eq!(sandbox.requests().total.count, 1);
    let state = sandbox.state(EXPERTS.parse().unwrap()).unwrap();
    assert_eq!((state.tasks_per_stage["Agent 1"], state.tasks_per_stage["Complete"]), (1, 2));
    // They are looked up anew, and are elsewhere.
    for twin in &twins[..2] {
        let data = twin.task.as_ref().unwrap().data_hash();
        let again = experts.find_one(data).await.unwrap().unwrap();
        assert!(matches!(again.task, Some(TwinTask::Done(_))), "{:?}", again.task);
    }
    // A task that has moved on is not moved once more.
    let error = experts.proceed(stage.uuid, &moves[..1]).await.unwrap_err();
    assert!(matches!(error, Error::Request { .. }) && !error.is_retryable(), "{error}");
    let state = sandbox.state(EXPERTS.parse().unwrap()).unwrap();
    assert_eq!(state.tasks_per_stage["Complete"], 2);
}

#[tokio::test]
async fn twins_without_a_task_are_left_out_of_a_move() {
    let (sandbox, own, _) = world(1).await;
    let options = TwinOptions::new().without_tasks();
    let experts = TwinProject::open_with(own.client(), EXPERTS.parse().unwrap(), options).await.unwrap();
    let twin = experts.find_one(data(&own).await[0]).await.unwrap().unwrap();
    let stage = experts.project().stages()[0].clone();
    experts.proceed(stage.uuid, &[(&twin, stage.pathways()[0].uuid)]).await.unwrap();
    let state = sandbox.state(EXPERTS.parse().unwrap()).unwrap();
    assert_eq!(state.tasks_per_stage["Agent 1"], 1);
}

#[tokio::test]
async fn rows_that_are_deleted_between_lookup_and_use_are_reported_and_then_gone() {
    let (sandbox, own, twins) = world(2).await;
    let data = data(&own).await;
    let found = twins.find(&data).await.unwrap();
    let (gone, kept) = (data[0], data[1]);
    own.client().remove_data(DATASET.parse().unwrap(), &[gone]).await.unwrap();
    assert!(twins.find_one(gone).await.unwrap().is_some(), "it is remembered for a while");
    let error = twins.save(&[&found[&gone].as_ref().unwrap().row], false).await.unwrap_err();
    assert!(error.to_string().contains(TWIN) && !error.is_retryable(), "{error}");
    assert!(twins.find_one(gone).await.unwrap().is_none(), "what could not be saved is looked up anew");
    twins.save(&[&found[&kept].as_ref().unwrap().row], false).await.unwrap();
    let state = sandbox.state(TWIN.parse().unwrap()).unwrap();
    assert_eq!(state.rows.iter().filter(|row| row.saves == 1).count(), 1);
}

#[tokio::test]
async fn two_projects_can_be_twins_of_each_other() {
    let (_sandbox, own, twins) = world(1).await;
    let back = TwinProject::open(own.client(), OWN.parse().unwrap()).await.unwrap();
    let data = data(&own).await[0];
    let there = twins.clone().beside(own.hash()).unwrap().find_one(data).await.unwrap().unwrap();
    let here = back.beside(TWIN.parse().unwrap()).unwrap().find_one(data).await.unwrap().unwrap();
    assert_eq!(here.row.metadata().data_hash(), there.row.metadata().data_hash());
    assert_ne!(here.row.metadata().label_hash(), there.row.metadata().label_hash());
    assert!(twins.beside(TWIN.parse().unwrap()).is_err());
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
