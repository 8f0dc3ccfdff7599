//! What only a server can do to its clients.

use std::time::{Duration, Instant};

use encord_runner::queue::WorkOptions;
use encord_runner::queue::nats::{NatsOptions, NatsQueue};

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
