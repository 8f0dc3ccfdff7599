//! Frames of videos.

use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use encord_runner::{FromTask, Needs, TaskContext};
use futures::Stream;
use tokio::task::JoinHandle;

use super::{Rejection, blocking, expect_type, source};
use crate::error::{Error, Result};
use crate::source::Source;
use crate::video::{Backend, Frame, Frames, Sampling, Video};

/// Every frame of the task's video or image sequence, in order.
///
/// It is an iterator for blocking code and, through [`VideoFrames::into_stream`], a stream for async code. Needs the
/// storage item, its file and one of the video backends.
///
/// ```
/// use encord_media::extract::{Rejection, VideoFrames};
/// use futures::TryStreamExt;
///
/// async fn agent(frames: VideoFrames) -> Result<&'static str, Rejection> {
///     let mut frames = frames.into_stream();
///     while let Some(frame) = frames.try_next().await? {
///         assert_eq!(frame.pixels.dim().2, 3);
///     }
///     Ok("complete")
/// }
/// # let runner = encord_runner::Runner::new().stage("Agent 1", agent);
/// ```
#[derive(Debug)]
pub struct VideoFrames(Frames);

impl VideoFrames {
    /// The frames as a stream that never blocks the async runtime.
    pub fn into_stream(self) -> FrameStream {
        FrameStream::new(self.0)
    }
}

impl Iterator for VideoFrames {
    type Item = Result<Frame>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl<S: Sync> FromTask<S> for VideoFrames {
    const NEEDS: Needs = Needs::ASSET;
    type Rejection = Rejection;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self, Rejection> {
        let source = video_source(ctx, "VideoFrames").await?;
        blocking(move || open(&source)?.frames()).await.map(Self)
    }
}

/// The task's video or image sequence, to take some frames of.
///
/// Dereferences to [`Video`]. Needs the storage item, its file and one of the video backends.
///
/// ```
/// use encord_media::extract::{Rejection, VideoSampler};
/// use encord_media::video::Sampling;
/// use futures::TryStreamExt;
///
/// async fn agent(video: VideoSampler) -> Result<&'static str, Rejection> {
///     let frames: Vec<_> = video.stream(Sampling::Rate(0.1)).await?.try_collect().await?;
///     Ok(if frames.is_empty() { "reject" } else { "complete" })
/// }
/// # let runner = encord_runner::Runner::new().stage("Agent 1", agent);
/// ```
#[derive(Debug, Clone)]
pub struct VideoSampler {
    video: Video,
    stated_frame_count: Option<u64>,
}

impl VideoSampler {
    /// Some frames as a stream that never blocks the async runtime.
    ///
    /// # Errors
    ///
    /// As [`Video::sample`].
    pub async fn stream(&self, sampling: Sampling) -> Result<FrameStream, Rejection> {
        let video = self.video.clone();
        blocking(move || video.sample(&sampling)).await.map(FrameStream::new)
    }

    /// How many frames the platform says there are. Labels are numbered by it, so if it differs from
    /// [`Video::frame_count`] labels and frames do not match.
    pub fn stated_frame_count(&self) -> Option<u64> {
        self.stated_frame_count
    }
}

impl Deref for VideoSampler {
    type Target = Video;

    fn deref(&self) -> &Video {
        &self.video
    }
}

impl<S: Sync> FromTask<S> for VideoSampler {
    const NEEDS: Needs = Needs::ASSET;
    type Rejection = Rejection;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self, Rejection> {
        let source = video_source(ctx, "VideoSampler").await?;
        let stated_frame_count = ctx.storage_item()?.frame_count;
        let video = blocking(move || open(&source)).await?;
        Ok(Self { video, stated_frame_count })
    }
}

/// Frames as a stream. Each is waited for on a blocking thread.
#[derive(Debug)]
pub struct FrameStream {
    frames: Option<Frames>,
    waiting: Option<JoinHandle<(Frames, Option<Result<Frame>>)>>,
}

impl FrameStream {
    fn new(frames: Frames) -> Self {
        Self { frames: Some(frames), waiting: None }
    }
}

impl Stream for FrameStream {
    type Item = Result<Frame, Rejection>;

    fn poll_next(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(mut frames) = self.frames.take() {
            self.waiting = Some(tokio::task::spawn_blocking(move || {
                let next = frames.next();
                (frames, next)
            }));
        }
        let Some(waiting) = &mut self.waiting else { return Poll::Ready(None) };
        let done = std::task::ready!(Pin::new(waiting).poll(ctx));
        self.waiting = None;
        match done {
            Ok((frames, Some(frame))) => {
                self.frames = Some(frames);
                Poll::Ready(Some(frame.map_err(Rejection::Media)))
            }
            Ok((_, None)) => Poll::Ready(None),
            Err(_) => Poll::Ready(Some(Err(Rejection::Cancelled))),
        }
    }
}

async fn video_source(ctx: &TaskContext, extractor: &'static str) -> Result<Source, Rejection> {
    expect_type(ctx, extractor, &["video", "imageSequence"], "videos and image sequences")?;
    Ok(source(&ctx.asset().await?))
}

/// Opens the file with the fastest backend; the video keeps it on disk.
pub(super) fn open(source: &Source) -> Result<Video> {
    let Some(path) = source.path() else {
        return Err(Error::InvalidArgument {
            argument: "source",
            reason: "a video is read from a file".into(),
        });
    };
    Ok(Video::open(path, Backend::best()?)?.keeping(source.clone()))
}
