//! The header of mp4, mov and m4a files: the boxes that describe the tracks.
//!
//! The audio crate opens these files too, but it knows neither rotation, nor every video codec, nor which samples an
//! edit list hides, so boxes are read here: `moov` for sample tables, and `moof` where a file is fragmented. Media data
//! is never touched.

mod edits;
mod track;

use std::io::{Read, Seek};

pub(crate) use track::{Heard, Movie};

use crate::error::Result;
use crate::limits::Limits;
use crate::source::{Source, SourceReader};

/// The boxes that describe a film of days stay far below this many bytes.
const LONGEST_HEADER: u64 = 512 << 20;

/// What a file says about its tracks.
pub(crate) struct Header {
    /// The major brand; zeros if none is stated.
    #[cfg_attr(not(feature = "probe"), allow(dead_code, reason = "decides on a MIME type"))]
    pub(crate) brand: [u8; 4],
    pub(crate) movie: Movie,
}

/// Reads the header of a file.
pub(crate) fn read(source: &Source, limits: &Limits) -> Result<Header> {
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
    Ok(Header { brand, movie })
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
