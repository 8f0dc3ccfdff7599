//! The tracks of a movie: what they are, how large, how many samples.

use super::edits::{self, Edit};
use crate::error::Result;
use crate::limits::Limits;
#[cfg(feature = "probe")]
use crate::probe::VideoTrack;
use crate::source::Source;

/// The part of `moov` (and of the fragments after it) that facts come from.
pub(crate) struct Movie {
    timescale: u32,
    tracks: Vec<Track>,
    /// Default sample durations of fragments, by track.
    fragment_defaults: Vec<(u32, u32)>,
}

#[derive(Default)]
struct Track {
    id: u32,
    handler: [u8; 4],
    timescale: u32,
    codec: [u8; 4],
    width: u32,
    height: u32,
    turned: bool,
    samples: u64,
    /// Sum of all sample durations, in units of `timescale`.
    ticks: u64,
    /// Presentation times of the samples in the sample tables, kept only if an edit list needs them.
    times: Vec<i64>,
    edits: Vec<Edit>,
}

/// The stretch of a sound track that an edit list leaves.
pub(crate) struct Heard {
    /// Samples before it, such as an encoder's run-up.
    pub(crate) start: u64,
    /// Its length; `None` is to the end.
    pub(crate) length: Option<u64>,
}

impl Movie {
    /// Reads the body of a `moov` box.
    pub(super) fn parse(body: &[u8], source: &Source, limits: &Limits) -> Result<Self> {
        let mut movie = Self { timescale: 0, tracks: Vec::new(), fragment_defaults: Vec::new() };
        for (kind, body) in boxes(body) {
            match &kind {
                b"mvhd" => movie.timescale = versioned(body, 12, 20).unwrap_or(0),
                b"trak" => movie.tracks.push(Track::parse(body, source, limits)?),
                b"mvex" => {
                    for (_, body) in boxes(body).filter(|(kind, _)| kind == b"trex") {
                        if let (Some(id), Some(duration)) = (be32(body, 4), be32(body, 12)) {
                            movie.fragment_defaults.push((id, duration));
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(movie)
    }

    /// Adds the samples of a `moof` box.
    pub(super) fn add_fragment(&mut self, body: &[u8]) {
        for (_, fragment) in boxes(body).filter(|(kind, _)| kind == b"traf") {
            let Some((_, head)) = boxes(fragment).find(|(kind, _)| kind == b"tfhd") else { continue };
            let Some(id) = be32(head, 4) else { continue };
            let flags = be32(head, 0).unwrap_or(0);
            // Optional fields stand in the order of their flags: data offset, description, duration.
            let offset = 8 + if flags & 1 != 0 { 8 } else { 0 } + if flags & 2 != 0 { 4 } else { 0 };
            let default = if flags & 8 != 0 { be32(head, offset) } else { None };
            let default = default.or_else(|| {
                self.fragment_defaults.iter().find(|(track, _)| *track == id).map(|(_, ticks)| *ticks)
            });
            let Some(track) = self.tracks.iter_mut().find(|track| track.id == id) else { continue };
            for (_, run) in boxes(fragment).filter(|(kind, _)| kind == b"trun") {
                track.add_run(run, default.unwrap_or(0));
            }
        }
    }

    #[cfg(feature = "probe")]
    pub(crate) fn has_audio(&self) -> bool {
        self.tracks.iter().any(|track| &track.handler == b"soun")
    }

    /// Which part of a track's sound is heard, in samples per channel of the given rate.
    pub(crate) fn heard(&self, track: u32, sample_rate: u32) -> Option<Heard> {
        let track = self.tracks.iter().find(|other| other.id == track && other.timescale > 0)?;
        let (start, length) = edits::first(&track.edits, track.timescale, self.timescale)?;
        let samples = |ticks: u64| {
            u64::try_from(u128::from(ticks) * u128::from(sample_rate) / u128::from(track.timescale)).ok()
        };
        Some(Heard { start: samples(start)?, length: length.and_then(samples) })
    }

    /// The facts of the first video track.
    #[cfg(feature = "probe")]
    pub(crate) fn video(&self, source: &Source, limits: &Limits) -> Result<Option<VideoTrack>> {
        let Some(track) = self.tracks.iter().find(|track| &track.handler == b"vide" && track.width > 0)
        else {
            return Ok(None);
        };
        let hidden = edits::hidden(&track.times, &track.edits, track.timescale, self.timescale);
        let frames = track.samples.saturating_sub(hidden);
        limits.check_frames(&source.to_string(), frames)?;
        // Hidden samples take their share of the time with them.
        let shown = if track.samples == 0 { 0.0 } else { frames as f64 / track.samples as f64 };
        let seconds =
            if track.timescale == 0 { 0.0 } else { track.ticks as f64 * shown / f64::from(track.timescale) };
        Ok(Some(VideoTrack {
            width: track.width,
            height: track.height,
            turned: track.turned,
            codec: codec_name(track.codec),
            frames,
            seconds,
        }))
    }
}

impl Track {
    fn parse(body: &[u8], source: &Source, limits: &Limits) -> Result<Self> {
        let mut track = Self::default();
        let Some(media) = find(body, b"mdia") else { return Ok(track) };
        if let Some(head) = find(body, b"tkhd") {
            track.id = versioned(head, 12, 20).unwrap_or(0);
            // The matrix comes after the times, layer, group and volume; a quarter turn has no diagonal.
            let matrix = if head.first() == Some(&1) { 52 } else { 40 };
            track.turned = be32(head, matrix) == Some(0) && be32(head, matrix + 16) == Some(0);
        }
        track.handler =
            find(media, b"hdlr").and_then(|head| head.get(8..12)?.try_into().ok()).unwrap_or_default();
        track.timescale = find(media, b"mdhd").and_then(|head| versioned(head, 12, 20)).unwrap_or(0);
        let table = find(media, b"minf").and_then(|info| find(info, b"stbl")).unwrap_or(&[]);
        if let Some((codec, entry)) = find(table, b"stsd").and_then(|table| boxes(table.get(8..)?).next()) {
            track.codec = codec;
            if &track.handler == b"vide" {
                let size = |offset| {
                    entry.get(offset..offset + 2).map_or(0, |b| u32::from(b[0]) << 8 | u32::from(b[1]))
                };
                (track.width, track.height) = (size(24), size(26));
            }
        }
        // `stsz` holds a size per sample, `stz2` the same in fewer bits; both count at the same place.
        track.samples = find(table, b"stsz")
            .or_else(|| find(table, b"stz2"))
            .and_then(|t| be32(t, 8))
            .unwrap_or(0)
            .into();
        limits.check_frames(&source.to_string(), track.samples)?;
        let durations = find(table, b"stts").unwrap_or(&[]);
        track.ticks = pairs(durations)
            .map(|(count, ticks)| u64::from(count).saturating_mul(ticks.into()))
            .fold(0, u64::saturating_add);
        track.edits =
            find(body, b"edts").and_then(|edits| find(edits, b"elst")).map(edits::parse).unwrap_or_default();
        if !track.edits.is_empty() {
            track.times =
                edits::times(track.samples, pairs(durations), pairs(find(table, b"ctts").unwrap_or(&[])));
        }
        Ok(track)
    }

    fn add_run(&mut self, run: &[u8], default_ticks: u32) {
        let (Some(flags), Some(count)) = (be32(run, 0), be32(run, 4)) else { return };
        let start = 8 + if flags & 1 != 0 { 4 } else { 0 } + if flags & 4 != 0 { 4 } else { 0 };
        let stride = 4 * (flags >> 8 & 0xf).count_ones() as usize;
        if flags & 0x100 == 0 || stride == 0 {
            // Without a field per sample nothing bounds the claimed count but the file that holds the run.
            self.samples = self.samples.saturating_add(count.into());
            self.ticks = self.ticks.saturating_add(u64::from(count) * u64::from(default_ticks));
            return;
        }
        for sample in run.get(start..).unwrap_or(&[]).chunks_exact(stride).take(count as usize) {
            self.samples = self.samples.saturating_add(1);
            self.ticks = self.ticks.saturating_add(be32(sample, 0).unwrap_or(0).into());
        }
    }
}

/// The boxes inside a body; stops at the first that does not fit.
fn boxes(mut body: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let kind: [u8; 4] = body.get(4..8)?.try_into().ok()?;
        let (header, size) = match be32(body, 0)? {
            0 => (8, body.len()),
            1 => (16, usize::try_from(u64::from_be_bytes(body.get(8..16)?.try_into().ok()?)).ok()?),
            size => (8, size as usize),
        };
        let content = body.get(header..size)?;
        body = &body[size..];
        Some((kind, content))
    })
}

fn find<'a>(body: &'a [u8], wanted: &[u8; 4]) -> Option<&'a [u8]> {
    boxes(body).find(|(kind, _)| kind == wanted).map(|(_, content)| content)
}

/// Pairs of numbers after a version and a count, as in `stts` and `ctts`.
fn pairs(table: &[u8]) -> impl Iterator<Item = (u32, u32)> + '_ {
    let count = be32(table, 4).unwrap_or(0) as usize;
    table
        .get(8..)
        .unwrap_or(&[])
        .chunks_exact(8)
        .take(count)
        .filter_map(|pair| Some((be32(pair, 0)?, be32(pair, 4)?)))
}

/// A number that stands later in version 1 of a box, where times are wider.
fn versioned(body: &[u8], first: usize, second: usize) -> Option<u32> {
    be32(body, if body.first() == Some(&1) { second } else { first })
}

pub(super) fn be32(body: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_be_bytes(body.get(offset..offset.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(feature = "probe")]
fn codec_name(four: [u8; 4]) -> String {
    match &four {
        b"avc1" | b"avc3" => "h264".into(),
        b"hvc1" | b"hev1" => "hevc".into(),
        b"vp08" => "vp8".into(),
        b"vp09" => "vp9".into(),
        b"av01" => "av1".into(),
        b"mp4v" => "mpeg4".into(),
        b"jpeg" | b"mjpa" | b"mjpb" => "mjpeg".into(),
        b"apch" | b"apcn" | b"apcs" | b"apco" | b"ap4h" | b"ap4x" => "prores".into(),
        _ => String::from_utf8_lossy(&four).trim().to_ascii_lowercase(),
    }
}
