//! Tasks, label rows, items and downloads, also when the server is shaky.

use encord_client::{
    Client, DataRowFilter, Download, Error, InitialiseArgs, ItemType, ItemUpdate, LabelRowFilter, PrivateKey,
    TaskAction, TaskFilter, TaskStatus,
};
use encord_labels::LabelRow;
use encord_labels::id::ProjectHash;
use encord_sandbox::{DropWhen, FaultRule, Sandbox};
use futures::TryStreamExt;
use serde_json::json;

use super::{World, cats, fault};

#[tokio::test]
async fn three_hundred_tasks_take_at_most_ten_requests() {
    let world = World::images(300).await;
    let stage = &world.project.stages()[0];
    assert_eq!(stage.title, "Agent 1");
    world.sandbox.reset_counters();

    let tasks = world.tasks().await;
    assert_eq!(tasks.len(), 300);
    assert!(tasks.iter().all(|task| task.status == TaskStatus::New));
    let mut rows = world.rows(tasks.iter().map(|task| task.data_hash)).await;
    world.project.initialise_labels(&mut rows, &InitialiseArgs::default()).await.unwrap();
    let items: Vec<_> = rows.iter().map(|row| row.metadata().backing_item_uuid().unwrap()).collect();
    let items = world.client.storage_items(&items, true).await.unwrap();
    assert!(items.iter().all(|item| item.as_ref().unwrap().signed_url.is_some()));
    world.project.save_labels(&rows.iter().collect::<Vec<_>>(), false).await.unwrap();
    let priorities: Vec<_> = tasks.iter().map(|task| (task.data_hash, 0.25)).collect();
    world.project.set_priorities(&priorities).await.unwrap();
    world.proceed(&tasks).await.unwrap();

    let requests = world.sandbox.requests();
    assert!(requests.total.count <= 10, "{requests:?}");
    let state = world.state();
    assert_eq!(state.tasks_per_stage["Agent 1"], 0);
    assert!(state.tasks.iter().all(|task| task.moved == 1 && task.priority == Some(0.25)));
    assert!(state.rows.len() == 300 && state.rows.iter().all(|row| row.saves == 1));
    assert!(world.tasks().await.is_empty());
}

#[tokio::test]
async fn labels_come_back_as_they_were_saved() {
    let world = World::images(2).await;
    let tasks = world.tasks().await;
    let mut rows = world.rows([tasks[0].data_hash]).await;
    let project = &world.project;
    project.initialise_labels(&mut rows, &InitialiseArgs::default()).await.unwrap();
    let saved = rows[0].to_document().unwrap();
    project.save_labels(&[&rows[0]], true).await.unwrap();

    let mut again = world.rows([tasks[0].data_hash]).await;
    assert_eq!(again[0].metadata().label_hash(), rows[0].metadata().label_hash());
    project.initialise_labels(&mut again, &InitialiseArgs::default()).await.unwrap();
    let read = again[0].to_document().unwrap();
    for key in ["label_hash", "data_hash", "data_units", "object_answers", "classification_answers"] {
        assert_eq!(read[key], saved[key], "{key}");
    }
}

#[tokio::test]
async fn branches_keep_their_own_labels() {
    let world = World::images(1).await;
    let data = world.tasks().await[0].data_hash;
    let mut rows = world.rows([data]).await;
    let filter = LabelRowFilter::new().with_data_hashes([data]).with_branch_name("second");
    rows.extend(world.project.label_rows(&filter).await.unwrap());
    assert_eq!(rows.iter().map(|row| row.metadata().branch_name()).collect::<Vec<_>>(), ["main", "second"]);
    world.project.initialise_labels(&mut rows, &InitialiseArgs::default()).await.unwrap();
    assert_ne!(rows[0].metadata().label_hash(), rows[1].metadata().label_hash());
    let state = world.state();
    let mut branches: Vec<_> = state.rows.iter().map(|row| row.branch_name.as_str()).collect();
    branches.sort_unstable();
    assert_eq!(branches, ["main", "second"]);
}

#[tokio::test]
async fn strangers_and_unknown_projects_are_refused() {
    let world = World::images(1).await;
    let other = Sandbox::builder().images(1).start().await.unwrap();
    let key = PrivateKey::from_openssh(other.private_key_openssh().unwrap(), None).unwrap();
    let stranger = Client::builder().private_key(key).domain(world.sandbox.url()).build().unwrap();
    let error = stranger.project(world.project.hash()).await.unwrap_err();
    assert!(matches!(error, Error::Authentication(_)), "{error}");
    let dataset = world.project.datasets().await.unwrap()[0].hash;
    let error = stranger.dataset(dataset).await.unwrap_err();
    assert!(matches!(error, Error::Authentication(_)), "{error}");
    let error = world.client.project(ProjectHash::random()).await.unwrap_err();
    assert!(error.is_access_denied(), "{error}");
}

#[tokio::test]
async fn a_task_that_has_left_spoils_the_whole_request() {
    let world = World::images(3).await;
    let tasks = world.tasks().await;
    world.proceed(&tasks[..1]).await.unwrap();
    let error = world.proceed(&tasks).await.unwrap_err();
    assert!(error.is_rejected(), "{error}");
    assert_eq!(world.state().tasks_per_stage["Agent 1"], 2);
    world.proceed(&tasks[1..]).await.unwrap();
    assert!(world.state().tasks.iter().all(|task| task.moved == 1));
}

#[tokio::test]
async fn lost_answers_to_actions_are_reported_and_not_repeated() {
    for (drop, left) in [(DropWhen::After, 0), (DropWhen::Before, 2)] {
        let world = World::images(2).await;
        let tasks = world.tasks().await;
        world.faults([FaultRule { drop: Some(drop), ..fault("POST */actions") }]);
        let error = world.proceed(&tasks).await.unwrap_err();
        assert!(error.is_outcome_unknown(), "{error}");
        world.faults([]);
        assert_eq!(world.tasks().await.len(), left);
        assert!(world.state().tasks.iter().all(|task| task.moved <= 1));
    }
}

#[tokio::test]
async fn lost_answers_to_creations_are_made_good() {
    let world = World::images(5).await;
    let mut rows = world.project.label_rows(&LabelRowFilter::new()).await.unwrap();
    world.faults([FaultRule {
        drop: Some(DropWhen::After),
        times: Some(1),
        ..fault("POST /public labelrow PUT")
    }]);
    world.project.initialise_labels(&mut rows, &InitialiseArgs::default()).await.unwrap();
    assert!(rows.iter().all(LabelRow::is_initialised));
    assert_eq!(world.state().rows.len(), 5);
}

#[tokio::test]
async fn a_shaky_server_is_survived() {
    let world = World::images(20).await;
    world.faults([
        FaultRule { rate: 0.1, drop: Some(DropWhen::Before), ..fault("GET *") },
        FaultRule { rate: 0.2, status: Some(503), retry_after: Some(0), ..fault("GET *") },
        FaultRule { rate: 0.2, status: Some(429), retry_after: Some(0), ..fault("POST /public*") },
        FaultRule { rate: 0.1, truncate: true, ..fault("GET *") },
    ]);
    for _ in 0..5 {
        let tasks = world.tasks().await;
        assert_eq!(tasks.len(), 20);
        let mut rows = world.rows(tasks.iter().map(|task| task.data_hash)).await;
        world.project.initialise_labels(&mut rows, &InitialiseArgs::default()).await.unwrap();
        world.project.save_labels(&rows.iter().collect::<Vec<_>>(), false).await.unwrap();
    }
    assert!(world.state().rows.iter().all(|row| row.saves >= 5));
}

#[tokio::test]
async fn pages_that_are_no_json_are_explained() {
    let world = World::images(1).await;
    world.faults([FaultRule { html: true, ..fault("*") }]);
    let error = world.client.storage_item(world.tasks_item().await, false).await.unwrap_err();
    assert!(error.to_string().contains("HTML page"), "{error}");
}

impl World {
    /// The item behind the first row, found without the faults in force.
    async fn tasks_item(&self) -> encord_labels::id::ItemUuid {
        self.faults([]);
        let rows = self.project.label_rows(&LabelRowFilter::new()).await.unwrap();
        self.faults([FaultRule { html: true, ..fault("*") }]);
        rows[0].metadata().backing_item_uuid().unwrap()
    }
}

#[tokio::test]
async fn files_are_downloaded_through_expiry_and_broken_connections() {
    let world = World::new(cats().images_of(1, 400, 300)).await;
    let rows = world.project.label_rows(&LabelRowFilter::new()).await.unwrap();
    let uuid = rows[0].metadata().backing_item_uuid().unwrap();
    let item = world.client.storage_item(uuid, true).await.unwrap();
    assert_eq!((item.item_type, item.width, item.height), (ItemType::Image, Some(400), Some(300)));
    world.faults([
        FaultRule { expired: true, times: Some(1), ..fault("GET /_blobs*") },
        FaultRule { truncate: true, times: Some(2), ..fault("GET /_blobs*") },
    ]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image");
    let download = Download::new(item.signed_url.unwrap())
        .with_length(item.file_size.unwrap())
        .with_resign(|| async { Ok(world.client.sign_item(uuid).await?.unwrap()) });
    let length = world.client.download(download, &file).await.unwrap();
    assert_eq!(Some(length), item.file_size);
    assert_eq!(std::fs::metadata(&file).unwrap().len(), length);
    let blobs = world.sandbox.requests().endpoints.into_iter().find(|(name, _)| name.contains("_blobs"));
    assert_eq!(blobs.unwrap().1.count, 4);
}

#[tokio::test]
async fn items_are_changed_alone_and_in_bundles() {
    let world = World::images(2).await;
    let rows = world.project.label_rows(&LabelRowFilter::new()).await.unwrap();
    let uuids: Vec<_> = rows.iter().map(|row| row.metadata().backing_item_uuid().unwrap()).collect();
    let item = world.client.storage_item(uuids[0], false).await.unwrap();
    let update = ItemUpdate::new().with_name("renamed");
    let changed = world.client.update_item(item.parent, item.uuid, &update).await.unwrap().unwrap();
    assert_eq!(changed.name, "renamed");

    let metadata = json!({"k": [1, null]});
    let update = ItemUpdate::new().with_client_metadata(metadata.as_object().unwrap().clone());
    world.client.update_items(uuids.iter().map(|uuid| (*uuid, update.clone()))).await.unwrap();
    for item in world.client.storage_items(&uuids, false).await.unwrap() {
        assert_eq!(item.unwrap().client_metadata, metadata);
    }
}

#[tokio::test]
async fn datasets_and_their_rows_are_found() {
    let world = World::images(3).await;
    let dataset = world.project.datasets().await.unwrap().remove(0);
    assert_eq!(world.client.dataset(dataset.hash).await.unwrap().title, dataset.title);
    let rows = world.client.data_rows(dataset.hash, &DataRowFilter::new()).await.unwrap();
    assert_eq!(rows.len(), 3);
    let one = DataRowFilter::new().with_data_hashes([rows[1].data_hash]);
    assert_eq!(world.client.data_rows(dataset.hash, &one).await.unwrap(), rows[1..2]);
    assert!(rows[0].backing_item_uuid.is_some());
}

#[tokio::test]
async fn people_submit_and_approve() {
    let builder = Sandbox::builder()
        .project("cats")
        .stage("ANNOTATION", "Annotate")
        .stage("REVIEW", "Review")
        .images(2);
    let world = World::new(builder).await;
    let [annotate, review] = [0, 1].map(|index| world.project.stages()[index].uuid);
    let filter = TaskFilter::new();
    let tasks: Vec<_> = world.project.annotation_tasks(annotate, &filter).try_collect().await.unwrap();
    assert_eq!(tasks.len(), 2);
    let actions: Vec<_> = tasks.iter().map(|task| TaskAction::submit(task.uuid)).collect();
    world.project.act(annotate, &actions).await.unwrap();
    let tasks: Vec<_> = world.project.review_tasks(review, &filter).try_collect().await.unwrap();
    assert_eq!(tasks.len(), 2);
    world.project.act(review, &[TaskAction::approve(tasks[0].uuid)]).await.unwrap();
    world.project.move_tasks(review, annotate, &[tasks[1].uuid]).await.unwrap();
    let state = world.state();
    assert_eq!((state.tasks_per_stage["Annotate"], state.tasks_per_stage["Review"]), (1, 0));
}

#[tokio::test]
async fn a_token_does_what_the_key_does() {
    let world = World::images(1).await;
    let token = world.client.bearer_token().await.unwrap();
    let bearer = Client::builder().bearer_token(token).domain(world.sandbox.url()).build().unwrap();
    let project = bearer.project(world.project.hash()).await.unwrap();
    assert_eq!(project.title(), "cats");
    assert_eq!(project.label_rows(&LabelRowFilter::new()).await.unwrap().len(), 1);
}
