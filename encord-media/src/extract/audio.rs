//! Sound of audio files and videos.

use encord_runner::{FromTask, Needs, TaskContext};

use super::{Rejection, blocking, expect_type, source};
use crate::audio::Audio;
use crate::limits::Limits;

/// The sound of the task's audio file or video.
///
/// Needs the storage item and its file. Opening reads the header only; decode with
/// [`blocking`](encord_runner::blocking) agents or `spawn_blocking`.
impl<S: Sync> FromTask<S> for Audio {
    const NEEDS: Needs = Needs::ASSET;
    type Rejection = Rejection;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self, Rejection> {
        expect_type(ctx, "Audio", &["audio", "video"], "audio files and videos with sound")?;
        let source = source(&ctx.asset().await?);
        blocking(move || Audio::open(source, &Limits::default())).await
    }
}
