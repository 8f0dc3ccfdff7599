//! Facts about mp4, mov and m4a, from the boxes that describe the tracks.
//!
//! The audio crate opens these files too, but it knows neither rotation nor every video codec, so boxes are
//! read here: `moov` for sample tables, and `moof` where a file is fragmented. Media data is never touched.

mod edits;
mod track;

use std::io::{Read, Seek};

use super::{MediaFacts, MediaKind};
use crate::error::Result;
use crate::limits::Limits;
use crate::source::{Source, SourceReader};
use track::Movie;

/// The boxes that describe a film of days stay far below this many bytes.
const LONGEST_HEADER: u64 = 512 << 20;

pub(super) fn probe(source: &Source, limits: &Limits) -> Result<MediaFacts> {
    let mut reader = source.open(limits)?;
    let mut brand = [0; 4];
    let mut movie = None;
    while reader.stream_position().map_err(|error| source.io(error))? < reader.length() {
        let Some((kind, size)) = next_box(source, &mut reader)? else { break };
        match &kind {
            b"ftyp" if size >= 4 => {
                let body = read_body(source, &mut reader, size, limits)?;
                brand.copy_from_slice(&body[..4]);
            }
            b"moov" => {
                let body = read_body(source, &mut reader, size, limits)?;
                movie = Some(Movie::parse(&body, source, limits)?);
            }
            b"moof" => {
                let body = read_body(source, &mut reader, size, limits)?;
                if let Some(movie) = &mut movie {
                    movie.add_fragment(&body);
                }
            }
            _ => {
                if reader.skip(size).is_err() {
                    break;
                }
            }
        }
    }
    let Some(movie) = movie else {
        return Err(source.broken("MP4", "the box `moov` is missing, the file is probably truncated"));
    };
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

/// Reads the next box header: its type and the size of its body. `None` at a truncated or endless header.
fn next_box(source: &Source, reader: &mut SourceReader) -> Result<Option<([u8; 4], u64)>> {
    let mut head = [0; 8];
    if reader.read_exact(&mut head).is_err() {
        return Ok(None);
    }
    let [a, b, c, d, kind @ ..] = head;
    let mut size = u64::from(u32::from_be_bytes([a, b, c, d]));
    let mut header = 8;
    if size == 1 {
        let mut large = [0; 8];
        if reader.read_exact(&mut large).is_err() {
            return Ok(None);
        }
        size = u64::from_be_bytes(large);
        header = 16;
    } else if size == 0 {
        // The last box may run to the end of the file.
        let position = reader.stream_position().map_err(|error| source.io(error))?;
        size = header + reader.length().saturating_sub(position);
    }
    Ok(size.checked_sub(header).map(|body| (kind, body)))
}

fn read_body(source: &Source, reader: &mut SourceReader, size: u64, limits: &Limits) -> Result<Vec<u8>> {
    limits.check_decoded(&source.to_string(), size)?;
    let position = reader.stream_position().map_err(|error| source.io(error))?;
    if size > LONGEST_HEADER || size > reader.length().saturating_sub(position) {
        return Err(
            source.broken("MP4", "a header claims more bytes than the file has, it is probably truncated")
        );
    }
    let mut body = vec![0; size as usize];
    reader.read_exact(&mut body).map_err(|error| source.io(error))?;
    Ok(body)
}
