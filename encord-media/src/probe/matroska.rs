//! Facts about mkv and webm. Blocks of the video track are counted, as no header tells how many there are.

use std::collections::BTreeSet;

use std::io::Read;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::video::VideoCodecId;
use symphonia::core::codecs::video::well_known::*;
use symphonia::core::formats::TrackType;

use super::{MediaFacts, MediaKind, VideoTrack};
use crate::audio::container;
use crate::error::Result;
use crate::limits::Limits;
use crate::source::Source;

pub(super) fn probe(source: &Source, limits: &Limits) -> Result<MediaFacts> {
    let mut head = Vec::new();
    source.open(limits)?.take(64).read_to_end(&mut head).map_err(|error| source.io(error))?;
    let web = head.windows(4).any(|word| word == b"webm");
    let mut format = container::open(source, limits)?;
    let audio = container::audio_track(format.as_ref()).is_some();
    let mut facts = match video_track(source, limits, format.as_mut())? {
        Some(video) => MediaFacts::new(MediaKind::Video, if web { "video/webm" } else { "video/x-matroska" })
            .with_video(video),
        None => MediaFacts::new(MediaKind::Audio, if web { "audio/webm" } else { "audio/x-matroska" }),
    };
    if audio {
        facts = facts.with_audio(crate::audio::facts(source, limits)?);
    }
    Ok(facts)
}

fn video_track(
    source: &Source,
    limits: &Limits,
    format: &mut dyn symphonia::core::formats::FormatReader,
) -> Result<Option<VideoTrack>> {
    let Some(track) = format.first_track(TrackType::Video) else { return Ok(None) };
    let Some(CodecParameters::Video(parameters)) = &track.codec_params else { return Ok(None) };
    let (id, time_base) = (track.id, track.time_base);
    let (width, height) = (parameters.width.unwrap_or(0).into(), parameters.height.unwrap_or(0).into());
    let codec = codec_name(parameters.codec).to_owned();
    let mut frames = 0u64;
    let mut first = i64::MAX;
    let mut last = i64::MIN;
    let mut steps = BTreeSet::new();
    loop {
        match format.next_packet() {
            Ok(Some(packet)) if packet.track_id == id => {
                frames += 1;
                limits.check_frames(&source.to_string(), frames)?;
                let pts = packet.pts.get();
                if packet.dur.get() > 0 && steps.len() < 16 {
                    steps.insert(packet.dur.get());
                }
                first = first.min(pts);
                last = last.max(pts);
            }
            Ok(Some(_)) => {}
            // A cut file has the frames it still has.
            Ok(None) | Err(_) => break,
        }
    }
    let shown = last.saturating_sub(first).max(0) as u64;
    // The last frame is shown for as long as its block says, or else for an average time.
    let tail = steps.first().copied().unwrap_or_else(|| if frames > 1 { shown / (frames - 1) } else { 0 });
    let ticks = if frames == 0 { 0 } else { shown.saturating_add(tail) };
    let seconds =
        time_base.and_then(|base| base.calc_duration(ticks.into())).map_or(0.0, |time| time.as_secs_f64());
    Ok(Some(VideoTrack { width, height, turned: false, codec, frames, seconds }))
}

fn codec_name(id: VideoCodecId) -> &'static str {
    match id {
        CODEC_ID_H264 => "h264",
        CODEC_ID_HEVC => "hevc",
        CODEC_ID_VP8 => "vp8",
        CODEC_ID_VP9 => "vp9",
        CODEC_ID_AV1 => "av1",
        CODEC_ID_MPEG4 => "mpeg4",
        CODEC_ID_MPEG2 => "mpeg2video",
        CODEC_ID_MPEG1 => "mpeg1video",
        CODEC_ID_MJPEG => "mjpeg",
        CODEC_ID_THEORA => "theora",
        _ => "unknown",
    }
}
