//! Every extractor through the real runner: what it gives, and what a file that is not what it should be does to its
//! own task and to no other.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

#[path = "extract/broken.rs"]
mod broken;
#[path = "extract/download.rs"]
mod download;
#[path = "extract/given.rs"]
mod given;
mod maker;

use std::path::{Path, PathBuf};
use std::time::Duration;

use encord_client::{Client, PrivateKey, Project, RetryPolicy};
use encord_runner::{RunReport, Runner};
use encord_sandbox::Sandbox;
use maker::Maker;
use serde_json::{Value, json};

/// A project with one agent stage, and the files behind its data.
struct World {
    sandbox: Sandbox,
    project: Project,
}

impl World {
    async fn start(items: impl IntoIterator<Item = Value>) -> Self {
        let builder = Sandbox::builder().project("p").stage_agent("Agent 1", ["complete"]);
        let builder = items.into_iter().fold(builder, |builder, item| builder.item(item));
        let sandbox = builder.start().await.unwrap();
        let key = PrivateKey::from_openssh(sandbox.private_key_openssh().unwrap(), None).unwrap();
        let quick = RetryPolicy::default().with_delays(Duration::from_millis(1), Duration::from_millis(9));
        let client = Client::builder().private_key(key).domain(sandbox.url()).retry(quick).build().unwrap();
        let project = client.project(sandbox.project("p").unwrap().into()).await.unwrap();
        sandbox.reset_counters();
        Self { sandbox, project }
    }

    fn runner(&self) -> Runner {
        Runner::new().with_project(self.project.clone()).configure(|options| {
            options.retry_backoff = Duration::from_millis(1);
        })
    }

    /// How often files were asked for.
    fn downloads(&self) -> u64 {
        let counts = self.sandbox.requests().endpoints;
        counts.iter().filter(|(name, _)| name.contains("/_blobs/")).map(|(_, endpoint)| endpoint.count).sum()
    }
}

/// An item of one file.
fn item(kind: &str, file: &Path) -> Value {
    json!({"type": kind, "file": file})
}

/// An item of several files.
fn items(kind: &str, name: &str, files: &[PathBuf]) -> Value {
    json!({"type": kind, "name": name, "files": files})
}

/// That all tasks were moved.
fn all_moved(report: &RunReport, tasks: u64) {
    assert_eq!((report.counts().moved, report.counts().failed), (tasks, 0), "{report}");
}

/// The messages of the tasks that failed, each after its first attempt; all others were moved.
fn failures(report: &RunReport, moved: u64) -> Vec<String> {
    assert_eq!(report.counts().moved, moved, "{report}");
    let failed: Vec<_> = report.failures().collect();
    for failure in &failed {
        assert_eq!(failure.attempts, 1, "{report}");
    }
    failed.iter().map(|failure| failure.error().unwrap().to_owned()).collect()
}

/// Pictures of 33 by 21 pixels.
fn pictures(maker: &Maker, count: usize) -> Vec<PathBuf> {
    (0..count).map(|number| maker.picture("rgb24", &format!("picture-{number}.png"))).collect()
}

/// A CT of three slices.
#[cfg(feature = "dicom")]
fn slices(maker: &Maker, series: &str) -> Vec<PathBuf> {
    let slices = [("1.2", 5.0, 200), ("1.1", 2.5, 100), ("1.3", 7.5, 300)];
    let write = |(uid, depth, base)| {
        let path = maker.path(&format!("{series}-{uid}.dcm"));
        std::fs::write(&path, maker::dicom::Slice::new(uid, depth, base).bytes()).unwrap();
        path
    };
    slices.map(write).into()
}

/// Two seconds of a tone.
#[cfg(feature = "audio")]
fn tone(maker: &Maker, name: &str) -> PathBuf {
    maker.ffmpeg("-f lavfi -i sine=frequency=440:duration=2:sample_rate=8000", name)
}

/// A video of 60 frames.
fn clip(maker: &Maker, name: &str) -> PathBuf {
    let case = &maker::VIDEOS[0];
    maker.video(&maker::Case { name: Box::leak(name.to_owned().into_boxed_str()), ..*case })
}
