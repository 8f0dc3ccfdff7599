//! Files that were cut or exchanged in storage after the platform had read their facts.

use std::path::{Path, PathBuf};

use encord_media::extract::{ImageGroup, SingleFrame};
use encord_runner::{BoxError, RunReport};
use serde_json::Value;

use super::maker::Maker;
use super::{World, failures, item, items, pictures};

/// Leaves this share of a file.
fn cut(path: &Path, share: f64) {
    let bytes = std::fs::read(path).unwrap();
    std::fs::write(path, &bytes[..(bytes.len() as f64 * share) as usize]).unwrap();
}

/// Puts a text in place of a file.
fn exchange(path: &Path) {
    std::fs::write(path, "this was a picture, a sound or a scan once").unwrap();
}

/// Four items of which the second is cut and the third exchanged once the sandbox knows them.
async fn half_broken(kind: &str, files: &[PathBuf]) -> World {
    let world = World::start(files.iter().map(|file| item(kind, file))).await;
    cut(&files[1], 0.5);
    exchange(&files[2]);
    world
}

/// That two of four failed for their own reasons.
fn two_failed(report: &RunReport) -> Vec<String> {
    let messages = failures(report, 2);
    assert_eq!(messages.len(), 2, "{report}");
    messages
}

#[cfg(feature = "image")]
#[tokio::test]
async fn images() {
    let maker = Maker::new();
    let world = half_broken("image", &pictures(&maker, 4)).await;
    let report = world.runner().stage("Agent 1", async |_: SingleFrame| "complete").run().await.unwrap();
    let messages = two_failed(&report);
    assert!(messages.iter().any(|message| message.contains("cannot decode")), "{messages:?}");
    assert!(messages.iter().any(|message| message.contains("no image format")), "{messages:?}");
}

#[cfg(feature = "image")]
#[tokio::test]
async fn pictures_of_groups() {
    let maker = Maker::new();
    let files = pictures(&maker, 6);
    let group = |name: &str, files: &[PathBuf]| -> Value { items("image_group", name, files) };
    let world =
        World::start([group("a", &files[..2]), group("b", &files[2..4]), group("c", &files[4..])]).await;
    cut(&files[3], 0.3);
    let agent = async |group: ImageGroup| -> Result<&'static str, BoxError> {
        for index in 0..group.len() {
            group.image(index).await?;
        }
        Ok("complete")
    };
    let report = world.runner().stage("Agent 1", agent).run().await.unwrap();
    assert!(failures(&report, 2)[0].contains("cannot decode"), "{report}");
}

#[cfg(feature = "audio")]
#[tokio::test]
async fn audio() {
    use encord_media::audio::Audio;

    let maker = Maker::new();
    // The table of samples is at the end of this file, so half of it is nothing.
    let files: Vec<_> = (0..4).map(|number| super::tone(&maker, &format!("{number}.m4a"))).collect();
    let world = half_broken("audio", &files).await;
    let report = world.runner().stage("Agent 1", async |_: Audio| "complete").run().await.unwrap();
    two_failed(&report);
}

#[cfg(feature = "dicom")]
#[tokio::test]
async fn dicom() {
    use encord_media::dicom::DicomSeries;
    use encord_runner::OrTerminal;

    let maker = Maker::new();
    let series: Vec<_> = (0..4).map(|number| super::slices(&maker, &format!("ct-{number}"))).collect();
    let things = series.iter().enumerate();
    let world =
        World::start(things.map(|(number, files)| items("dicom_series", &number.to_string(), files))).await;
    cut(&series[1][2], 0.95);
    exchange(&series[2][0]);
    let agent = async |series: DicomSeries| -> Result<&'static str, BoxError> {
        series.rescaled().terminal()?;
        Ok("complete")
    };
    let report = world.runner().stage("Agent 1", agent).run().await.unwrap();
    two_failed(&report);
}

#[cfg(any(feature = "video-ffmpeg", feature = "video-opencv"))]
mod video {
    use encord_media::extract::{Rejection, VideoFrames, VideoSampler};
    use encord_media::video::Sampling;
    use futures::TryStreamExt;

    use super::super::clip;
    use super::*;

    #[tokio::test]
    async fn videos() {
        let maker = Maker::new();
        for extractor in ["VideoFrames", "VideoSampler", "SingleFrame"] {
            let clips: Vec<_> = (0..4).map(|number| clip(&maker, &format!("{number}.mp4"))).collect();
            let world = half_broken("video", &clips).await;
            let runner = world.runner();
            let runner = match extractor {
                "VideoFrames" => runner.stage("Agent 1", async |_: VideoFrames| "complete"),
                "VideoSampler" => runner.stage("Agent 1", async |_: VideoSampler| "complete"),
                _ => runner.stage("Agent 1", async |_: SingleFrame| "complete"),
            };
            two_failed(&runner.run().await.unwrap());
        }
    }

    /// A file whose frames stop before the number the platform knows.
    #[tokio::test]
    async fn missing_frames_are_missed() {
        let maker = Maker::new();
        let files: Vec<_> = (0..2).map(|number| clip(&maker, &format!("{number}.mkv"))).collect();
        let all = async |frames: VideoFrames| -> Result<&'static str, Rejection> {
            let _: Vec<_> = frames.into_stream().try_collect().await?;
            Ok("complete")
        };
        let some = async |video: VideoSampler| -> Result<&'static str, Rejection> {
            let _: Vec<_> = video.stream(Sampling::Every(7)).await?.try_collect().await?;
            Ok("complete")
        };
        let unchecked = async |frames: VideoFrames, video: VideoSampler| -> Result<&str, Rejection> {
            let frames: Vec<_> = frames.without_check().into_stream().try_collect().await?;
            assert!(!frames.is_empty() && frames.len() as u64 <= video.stated().frame_count.unwrap());
            Ok("complete")
        };
        let world = World::start(files.iter().map(|file| item("video", file))).await;
        cut(&files[1], 0.6);
        let all = world.runner().stage("Agent 1", all).run().await.unwrap();
        assert!(failures(&all, 1)[0].contains("another number of frames"), "{all}");
        let some = world.runner().stage("Agent 1", some).run().await.unwrap();
        assert!(failures(&some, 0)[0].contains("instead of 60"), "{some}");
        let rest = world.runner().stage("Agent 1", unchecked).run().await.unwrap();
        assert_eq!(rest.counts().moved, 1, "{rest}");
    }
}
