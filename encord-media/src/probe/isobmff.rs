//! Facts about mp4, mov and m4a.

use super::{MediaFacts, MediaKind};
use crate::error::Result;
use crate::isobmff;
use crate::limits::Limits;
use crate::source::Source;

pub(super) fn probe(source: &Source, limits: &Limits) -> Result<MediaFacts> {
    let isobmff::Header { brand, movie } = isobmff::read(source, limits)?;
    let quick_time = &brand == b"qt  " || brand == [0; 4];
    let mut facts = match movie.video(source, limits)? {
        Some(video) => {
            MediaFacts::new(MediaKind::Video, if quick_time { "video/quicktime" } else { "video/mp4" })
                .with_video(video)
        }
        None if movie.has_audio() => MediaFacts::new(MediaKind::Audio, "audio/mp4"),
        None => return Err(source.broken("MP4", "it has neither a video nor an audio track")),
    };
    if movie.has_audio() {
        match crate::audio::facts(source, limits) {
            Ok(audio) => facts = facts.with_audio(audio),
            // A video stays a video if nobody knows its sound.
            Err(_) if facts.kind == MediaKind::Video => {}
            Err(error) => return Err(error),
        }
    }
    Ok(facts)
}
