//! What only a server can do to its clients.

use std::time::{Duration, Instant};

use encord_runner::queue::nats::{NatsOptions, NatsQueue};
use encord_runner::queue::{TaskSpec, WorkOptions};
use futures::TryStreamExt;

use crate::place::Place;
use crate::support::images;

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_the_password() {
    let options = NatsOptions { connect_timeout: Duration::from_millis(600), ..NatsOptions::default() };
    let start = Instant::now();
    let refused = NatsQueue::connect_with("nats://ana:secret@127.0.0.1:1", &options).await;
    let error = refused.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("nats://127.0.0.1:1") && error.contains("is the server running"), "{error}");
    assert!(!error.contains("secret"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_outlasts_the_loss_of_its_server() {
    let Some(mut place) = Place::server() else { return };
    let world = images(60).await;
    let queue = place.open().await;
    let agent = async || {
        tokio::time::sleep(Duration::from_millis(30)).await;
        "complete"
    };
    let runner = world.runner().stage("Agent 1", agent).into_queue().await.unwrap();
    runner.enqueue(&*queue, "Agent 1").await.unwrap();
    let options = WorkOptions {
        concurrency: 2,
        until_empty: true,
        lease: Duration::from_secs(3),
        ..WorkOptions::default()
    };
    let worker = {
        let runner = runner.clone();
        tokio::spawn(async move { runner.work(&*queue, options).await })
    };
    while world.at("Complete") < 10 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let Place::Server(server) = &mut place else { unreachable!("it is a server") };
    server.kill();
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.start_again();
    let report = worker.await.unwrap().unwrap();
    assert!(report.done >= 60 && report.dead == 0, "{report:?}");
    assert!(world.state().tasks.iter().all(|task| task.moved == 1 && task.stage == "Complete"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_gives_up_a_server_that_stays_away() {
    let Some(mut place) = Place::server() else { return };
    let world = images(2).await;
    let queue = place.open().await;
    let runner = world.runner().stage("Agent 1", || async { "complete" }).into_queue().await.unwrap();
    let options = WorkOptions { patience: Duration::from_secs(1), ..WorkOptions::default() };
    let Place::Server(server) = &mut place else { unreachable!("it is a server") };
    let killing = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.kill();
    };
    let (ended, ()) = tokio::join!(runner.work(&*queue, options), killing);
    assert!(ended.unwrap_err().to_string().contains("nats://127.0.0.1"));
}

/// Anybody can publish to the subject, and Python producers do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_are_no_specs_end_among_the_dead() {
    let Some(place) = Place::server() else { return };
    let world = images(2).await;
    let queue = place.open().await;
    let runner = world.runner().stage("Agent 1", || async { "complete" }).into_queue().await.unwrap();
    let id = runner.queue_id("Agent 1").unwrap();
    let stranger = async_nats::connect(place.address()).await.unwrap();
    for (key, payload) in [("a", &b"nonsense"[..]), ("b", b"{}"), ("c", b"\xff\xfe")] {
        let subject = format!("encord.tasks.{}.{}.{key}", id.project, id.stage);
        stranger.publish(subject, payload.into()).await.unwrap();
    }
    stranger.flush().await.unwrap();
    runner.enqueue(&*queue, "Agent 1").await.unwrap();
    let options = WorkOptions { until_empty: true, batch: 10, ..WorkOptions::default() };
    let report = runner.work(&*queue, options).await.unwrap();
    assert_eq!((report.done, report.dead), (2, 3));
    let dead = queue.dead(id, 10).await.unwrap();
    let errors: Vec<_> =
        dead.iter().map(|dead| (dead.key.as_str(), dead.task, dead.error.as_str())).collect();
    assert!(errors[0].2.contains("not JSON") && errors[0].0 == "a", "{errors:?}");
    assert!(errors[1].2.contains("is missing") && errors[2].2.contains("not text"), "{errors:?}");
    assert_eq!(queue.retry_dead(id, Some("a")).await.unwrap(), 1, "also what is no task can be retried");
}

/// Escaped as a text in JSON, such a message is larger than the server allows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_too_large_for_a_dead_letter_is_put_aside_without_its_end() {
    let Some(place) = Place::server() else { return };
    let world = images(1).await;
    let queue = place.open().await;
    let runner = world.runner().stage("Agent 1", || async { "complete" }).into_queue().await.unwrap();
    let id = runner.queue_id("Agent 1").unwrap();
    runner.enqueue(&*queue, "Agent 1").await.unwrap();
    let stranger = async_nats::connect(place.address()).await.unwrap();
    let subject = format!("encord.tasks.{}.{}.large", id.project, id.stage);
    stranger.publish(subject, vec![1_u8; 700_000].into()).await.unwrap();
    stranger.flush().await.unwrap();
    let options =
        WorkOptions { until_empty: true, patience: Duration::from_secs(2), ..WorkOptions::default() };
    let report = runner.work(&*queue, options).await.unwrap();
    assert_eq!((report.done, report.dead), (1, 1), "{report:?}");
    let dead = queue.dead(id, 10).await.unwrap();
    assert!(dead[0].key == "large" && dead[0].error.contains("not JSON"), "{dead:?}");
    assert_eq!(queue.retry_dead(id, Some("large")).await.unwrap(), 0, "half a message is no use");
    assert_eq!(queue.drop_dead(id, Some("large")).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strange_dead_letters_and_keys_do_no_harm() {
    let Some(place) = Place::server() else { return };
    let world = images(2).await;
    let queue = place.open_with(1).await;
    let runner = world.runner().configure(|options| options.num_retries = 0);
    let runner = runner.stage("Agent 1", async || Err::<(), _>("no")).into_queue().await.unwrap();
    let id = runner.queue_id("Agent 1").unwrap();
    let stranger = async_nats::connect(place.address()).await.unwrap();
    let subject = format!("encord.dead.{}.{}.strange", id.project, id.stage);
    stranger.publish(subject, "nonsense".into()).await.unwrap();
    stranger.flush().await.unwrap();
    runner.enqueue(&*queue, "Agent 1").await.unwrap();
    let options = WorkOptions { until_empty: true, ..WorkOptions::default() };
    assert_eq!(runner.work(&*queue, options).await.unwrap().dead, 2);
    let dead = queue.dead(id, 10).await.unwrap();
    assert_eq!((dead.len(), dead[0].key.as_str()), (3, "strange"));
    assert!(dead[0].error.contains("not a dead letter"), "{dead:?}");
    for key in ["*", ">", "", "a b", "x.y", &format!("{}.*", dead[1].key)] {
        assert_eq!(queue.drop_dead(id, Some(key)).await.unwrap(), 0, "{key:?}");
    }
    assert_eq!(queue.retry_dead(id, None).await.unwrap(), 2);
    assert_eq!(queue.drop_dead(id, Some("strange")).await.unwrap(), 1);
    assert_eq!(queue.status(id).await.unwrap().dead, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spec_too_large_for_the_server_is_refused_by_name() {
    let Some(place) = Place::server() else { return };
    let world = images(1).await;
    let queue = place.open().await;
    let runner = world.runner().stage("Agent 1", || async {}).into_queue().await.unwrap();
    let id = runner.queue_id("Agent 1").unwrap();
    let spec: Vec<TaskSpec> = runner.specs("Agent 1").unwrap().try_collect().await.unwrap();
    let text = spec[0].to_string();
    let large = format!("{},\"note\":\"{}\"}}", text.trim_end_matches('}'), "x".repeat(2 << 20));
    let error = queue.push(id, &[large.parse().unwrap()], "").await.unwrap_err().to_string();
    assert!(error.contains(&spec[0].task().to_string()) && error.contains("max_payload"), "{error}");
    assert_eq!(queue.status(id).await.unwrap().waiting, 0);
}
