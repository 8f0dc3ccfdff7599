//! One download per task, resumed when it breaks, complete or not at all, gone when the task is over.
#![cfg(feature = "image")]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use encord_media::extract::SingleFrame;
use encord_runner::Asset;
use encord_sandbox::{FaultPlan, FaultRule};

use super::maker::Maker;
use super::{World, all_moved, failures, item};

/// A picture of about a megabyte.
fn large(maker: &Maker) -> PathBuf {
    maker.ffmpeg("-f lavfi -i nullsrc=size=640x480:duration=0.04,geq=random(1)*255 -frames:v 1", "noise.png")
}

fn faults(world: &World, rule: FaultRule) {
    let rule = FaultRule { endpoint: "GET /_blobs/*".into(), ..rule };
    world.sandbox.set_faults(FaultPlan { seed: 1, rules: vec![rule] }).unwrap();
}

#[tokio::test]
async fn one_download_serves_every_extractor_and_is_removed() {
    let maker = Maker::new();
    let world = World::start([item("image", &large(&maker))]).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let paths = Arc::clone(&seen);
    let agent = move |asset: Asset, frame: SingleFrame, again: SingleFrame| {
        assert_eq!(frame, again);
        assert!(asset.path().exists());
        paths.lock().unwrap().push(asset.path().to_owned());
        async { "complete" }
    };
    let report = world.runner().stage("Agent 1", agent).run().await.unwrap();
    all_moved(&report, 1);
    assert_eq!(world.downloads(), 1);
    let paths = seen.lock().unwrap().clone();
    assert!(!paths[0].exists() && !paths[0].parent().unwrap().exists(), "{paths:?}");
}

#[tokio::test]
async fn a_broken_connection_is_resumed() {
    let maker = Maker::new();
    let file = large(&maker);
    let length = std::fs::metadata(&file).unwrap().len();
    let world = World::start([item("image", &file)]).await;
    faults(&world, FaultRule { truncate: true, times: Some(3), ..FaultRule::default() });
    let agent = move |asset: Asset, frame: SingleFrame| {
        assert_eq!(std::fs::metadata(asset.path()).unwrap().len(), length);
        assert_eq!(frame.dim(), (480, 640, 3));
        async { "complete" }
    };
    let report = world.runner().stage("Agent 1", agent).run().await.unwrap();
    all_moved(&report, 1);
    assert_eq!(report.counts().retries, 0, "{report}");
    assert_eq!(world.downloads(), 4);
    // Each broken answer brought half of what was missing, and none of it twice.
    let sent: u64 = world.sandbox.requests().endpoints.values().map(|endpoint| endpoint.bytes_out).sum();
    assert!(sent < length * 2, "{sent} bytes for a file of {length}");
}

#[tokio::test]
async fn a_download_that_stays_broken_is_retried_and_leaves_nothing() {
    let maker = Maker::new();
    let world = World::start([item("image", &large(&maker))]).await;
    faults(&world, FaultRule { status: Some(404), ..FaultRule::default() });
    let agent = async |_: SingleFrame| "complete";
    let report = world.runner().stage("Agent 1", agent).run().await.unwrap();
    assert!(failures(&report, 0)[0].contains("the file does not exist"), "{report}");
    faults(&world, FaultRule { truncate: true, ..FaultRule::default() });
    let report = world.runner().stage("Agent 1", agent).run().await.unwrap();
    let failure = report.failures().next().unwrap();
    assert!(failure.attempts > 1, "{report}");
}
