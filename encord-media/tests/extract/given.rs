//! What extractors give, and what they say about data of another type.

use encord_media::extract::{ImageGroup, Rejection, SingleFrame, VideoFrames, VideoSampler};
use encord_runner::{AgentTask, Asset, BoxError, FromTask};

use super::maker::Maker;
use super::{World, all_moved, clip, failures, item, items, pictures};

/// Runs one agent over some items.
macro_rules! run {
    ($items:expr, $agent:expr) => {{
        let world = World::start($items).await;
        world.runner().stage("Agent 1", $agent).run().await.unwrap()
    }};
}

#[cfg(feature = "image")]
#[tokio::test]
async fn a_single_frame_of_images_and_groups() {
    let maker = Maker::new();
    let files = pictures(&maker, 3);
    let things = [item("image", &files[0]), items("image_group", "group", &files)];
    let report = run!(things, async |frame: SingleFrame| -> Result<&'static str, String> {
        if frame.dim() == (21, 33, 3) { Ok("complete") } else { Err(format!("{:?}", frame.dim())) }
    });
    all_moved(&report, 2);
}

#[cfg(feature = "image")]
#[tokio::test]
async fn an_image_group_picture_by_picture() {
    let maker = Maker::new();
    let files = pictures(&maker, 3);
    let report =
        run!([items("image_group", "group", &files)], async |group: ImageGroup| -> Result<&str, BoxError> {
            let names: Vec<_> = group.items().map(|item| item.name.as_str()).collect();
            assert_eq!(names, ["picture-0.png", "picture-1.png", "picture-2.png"]);
            for index in 0..group.len() {
                assert_eq!(group.image(index).await?.dim(), (21, 33, 3));
            }
            assert!(group.image(3).await.unwrap_err().to_string().contains("3 images"));
            Ok("complete")
        });
    all_moved(&report, 1);
}

#[tokio::test]
async fn the_file_itself() {
    let maker = Maker::new();
    let files = pictures(&maker, 2);
    let things = files.iter().map(|file| item("image", file));
    let report = run!(things, async |task: AgentTask, asset: Asset| -> Result<&'static str, BoxError> {
        assert_eq!(asset.item().name, task.data_title);
        assert!(std::fs::read(asset.path())?.starts_with(b"\x89PNG"));
        Ok("complete")
    });
    all_moved(&report, 2);
}

#[cfg(feature = "audio")]
#[tokio::test]
async fn the_sound_of_audio_and_video() {
    use encord_media::audio::Audio;
    use encord_runner::OrTerminal;

    let maker = Maker::new();
    let with_sound = super::maker::VIDEOS.iter().find(|case| case.name == "h264_with_sound.mp4").unwrap();
    let things = [item("audio", &super::tone(&maker, "a.flac")), item("video", &maker.video(with_sound))];
    let report = run!(things, async |audio: Audio| -> Result<&'static str, BoxError> {
        let samples = audio.samples().terminal()?;
        assert!((1.9..2.6).contains(&samples.seconds()), "{}", samples.seconds());
        assert!(samples.data.iter().any(|value| *value > 0.05));
        Ok("complete")
    });
    all_moved(&report, 2);
}

#[cfg(feature = "dicom")]
#[tokio::test]
async fn a_dicom_series_in_order() {
    use encord_media::dicom::DicomSeries;

    let maker = Maker::new();
    let files = super::slices(&maker, "ct");
    let things = [items("dicom_series", "ct", &files)];
    let report = run!(things, async |series: DicomSeries, frame: SingleFrame| -> Result<&str, BoxError> {
        assert_eq!(series.uids(), [Some("1.1"), Some("1.2"), Some("1.3")]);
        assert_eq!(series.raw()?[[2, 0, 0]], 300);
        assert_eq!(frame.dim(), (2, 3, 3));
        Ok("complete")
    });
    all_moved(&report, 1);
}

#[cfg(any(feature = "video-ffmpeg", feature = "video-opencv"))]
mod video {
    use encord_media::video::Sampling;
    use futures::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn every_frame_and_some_of_them() {
        let maker = Maker::new();
        let file = clip(&maker, "clip.mp4");
        let things = [item("video", &file), item("image_sequence", &file)];
        let report = run!(things, async |all: VideoFrames, some: VideoSampler, first: SingleFrame| {
            let all: Vec<_> = all.into_stream().try_collect().await?;
            assert_eq!(all.len(), 60);
            assert_eq!(all[0].pixels, *first);
            let rate: Vec<_> = some.stream(Sampling::Rate(0.1)).await?.try_collect().await?;
            assert_eq!(rate.len(), 6);
            assert!(rate.iter().all(|frame| *frame == all[frame.index as usize]));
            let picked: Vec<_> = some.stream(Sampling::Indices(vec![31, 2, 2])).await?.try_collect().await?;
            assert_eq!(picked, [all[2].clone(), all[2].clone(), all[31].clone()]);
            some.check(&some.stated())?;
            Ok::<_, Rejection>("complete")
        });
        all_moved(&report, 2);
    }

    #[tokio::test]
    async fn frames_in_blocking_code() {
        let maker = Maker::new();
        let agent = encord_runner::blocking(|frames: VideoFrames| -> Result<&'static str, BoxError> {
            let frames = frames.collect::<Result<Vec<_>, _>>()?;
            assert_eq!(frames.len(), 60);
            Ok("complete")
        });
        let report = run!([item("video", &clip(&maker, "clip.mp4"))], agent);
        all_moved(&report, 1);
    }
}

#[cfg(not(any(feature = "video-ffmpeg", feature = "video-opencv")))]
#[tokio::test]
async fn without_a_backend_the_feature_is_named() {
    let maker = Maker::new();
    let things = [item("video", &clip(&maker, "clip.mp4"))];
    let report = run!(things, async |_: VideoSampler| "complete");
    assert!(failures(&report, 0)[0].contains("video-ffmpeg"), "{report}");
}

/// What an extractor says about a text.
async fn about_a_text<E>(maker: &Maker) -> String
where
    E: FromTask<(), Rejection = Rejection> + Send + 'static,
{
    let path = maker.path("notes.txt");
    std::fs::write(&path, "no picture, no sound").unwrap();
    let report = run!([item("plain_text", &path)], async |_: E| "complete");
    failures(&report, 0).remove(0)
}

#[tokio::test]
async fn data_of_another_type_is_named() {
    let maker = Maker::new();
    let mut messages = vec![
        ("SingleFrame", about_a_text::<SingleFrame>(&maker).await),
        ("ImageGroup", about_a_text::<ImageGroup>(&maker).await),
        ("VideoFrames", about_a_text::<VideoFrames>(&maker).await),
        ("VideoSampler", about_a_text::<VideoSampler>(&maker).await),
    ];
    #[cfg(feature = "audio")]
    messages.push(("Audio", about_a_text::<encord_media::audio::Audio>(&maker).await));
    #[cfg(feature = "dicom")]
    messages.push(("DicomSeries", about_a_text::<encord_media::dicom::DicomSeries>(&maker).await));
    for (extractor, message) in messages {
        assert!(message.contains(&format!("{extractor} reads ")), "{message}");
        assert!(message.contains("\"notes.txt\" is of type plainText"), "{message}");
    }
}
