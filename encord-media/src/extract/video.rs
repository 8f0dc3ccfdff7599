//! Frames of videos, held against what the platform says about them.
//!
//! Labels are numbered by the platform's frames. If a file has more or fewer than its storage item says, labels
//! and pixels no longer match, and that is said instead of passed over.

use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use encord_runner::{FromTask, Needs, TaskContext};
use futures::Stream;
use tokio::task::JoinHandle;

use super::{Rejection, blocking, expect_type, source};
use crate::error::{Error, Result};
use crate::source::Source;
use crate::video::{Backend, Frame, Frames, Sampling, Stated, Video, frame_counts_differ};

/// Every frame of the task's video or image sequence, in order.
///
/// It is an iterator for blocking code and, through [`VideoFrames::into_stream`], a stream for async code. Needs the
/// storage item, its file and one of the video backends.
///
/// If the file turns out to have more or fewer frames than the storage item says, [`Error::Mismatch`] comes after
/// the last frame; [`VideoFrames::without_check`] leaves that out.
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
pub struct VideoFrames(Counted);

impl VideoFrames {
    /// The frames as a stream that never blocks the async runtime.
    pub fn into_stream(self) -> FrameStream {
        FrameStream::new(self.0)
    }

    /// The same frames, however many the storage item says there are.
    #[must_use]
    pub fn without_check(mut self) -> Self {
        self.0.expected = None;
        self
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
        let expected = ctx.storage_item()?.frame_count;
        let what = source.to_string();
        let frames = blocking(move || open(&source)?.frames()).await?;
        Ok(Self(Counted::new(frames, what, expected)))
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
    stated: Stated,
}

impl VideoSampler {
    /// Some frames as a stream that never blocks the async runtime.
    ///
    /// Where the frames that are taken depend on how many there are, that is on all but [`Sampling::Indices`], their
    /// number is held against the storage item's: [`Error::Mismatch`] before the first frame, or after the last one
    /// of [`Sampling::All`]. [`Video::sample`] does not compare.
    ///
    /// # Errors
    ///
    /// As [`Video::sample`], and [`Error::Mismatch`].
    pub async fn stream(&self, sampling: Sampling) -> Result<FrameStream, Rejection> {
        let (video, stated) = (self.video.clone(), self.stated.frame_count);
        let frames = blocking(move || {
            if matches!(sampling, Sampling::Rate(_) | Sampling::Every(_)) {
                video.check(&Stated { frame_count: stated, frame_rate: None })?;
            }
            let expected = stated.filter(|_| matches!(sampling, Sampling::All));
            Ok(Counted::new(video.sample(&sampling)?, video.name(), expected))
        });
        frames.await.map(FrameStream::new)
    }

    /// What the storage item says about the video; [`Video::check`] compares both.
    pub fn stated(&self) -> Stated {
        self.stated
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
        let item = ctx.storage_item()?;
        let stated = Stated { frame_count: item.frame_count, frame_rate: item.fps };
        let video = blocking(move || open(&source)).await?;
        Ok(Self { video, stated })
    }
}

/// All frames, and an error at the end if they are not as many as they should be.
#[derive(Debug)]
struct Counted {
    frames: Frames,
    what: String,
    expected: Option<u64>,
    count: u64,
}

impl Counted {
    fn new(frames: Frames, what: String, expected: Option<u64>) -> Self {
        Self { frames, what, expected, count: 0 }
    }
}

impl Iterator for Counted {
    type Item = Result<Frame>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.frames.next() {
            Some(Ok(frame)) => {
                self.count += 1;
                Some(Ok(frame))
            }
            end => {
                // Asked once: after an error, or after this one, there is nothing more to say.
                let expected = self.expected.take().filter(|_| end.is_none());
                let differs = expected.filter(|expected| *expected != self.count);
                differs
                    .map_or(end, |expected| Some(Err(frame_counts_differ(&self.what, expected, self.count))))
            }
        }
    }
}

/// Frames as a stream. Each is waited for on a blocking thread.
#[derive(Debug)]
pub struct FrameStream {
    frames: Option<Counted>,
    waiting: Option<JoinHandle<(Counted, Option<Result<Frame>>)>>,
}

impl FrameStream {
    fn new(frames: Counted) -> Self {
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
