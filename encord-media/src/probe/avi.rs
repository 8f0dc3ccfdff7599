//! Facts about AVI files: the header lists and a walk over the chunks, counting the frames of the video
//! stream. No maintained crate reads this format, and this much of it is a list of tagged lengths.

use std::io::{ErrorKind, Read, Seek};

use super::{MediaFacts, MediaKind, VideoTrack};
use crate::error::Result;
use crate::limits::Limits;
use crate::source::{Source, SourceReader};

/// Headers longer than this are not read; real ones are under a kilobyte.
const LONGEST_HEADER: u32 = 64 << 10;

pub(super) fn probe(source: &Source, limits: &Limits) -> Result<MediaFacts> {
    let mut reader = source.open(limits)?;
    let mut walk = Walk::default();
    // A cut file has the frames it still has; only a file without headers is refused.
    match walk.run(&mut reader) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
        Err(error) => return Err(source.io(error)),
    }
    limits.check_frames(&source.to_string(), walk.frames)?;
    let mut facts = match walk.video {
        Some(Stream { width, height, codec, scale, rate, .. }) => {
            let seconds =
                if rate == 0 { 0.0 } else { walk.frames as f64 * f64::from(scale) / f64::from(rate) };
            let video = VideoTrack { width, height, turned: false, codec, frames: walk.frames, seconds };
            MediaFacts::new(MediaKind::Video, "video/x-msvideo").with_video(video)
        }
        None if walk.streams > 0 => MediaFacts::new(MediaKind::Audio, "video/x-msvideo"),
        None => return Err(source.broken("AVI", "it ends before its headers do")),
    };
    if let Some((channels, sample_rate)) = walk.audio {
        facts.channels = Some(channels);
        facts.sample_rate = Some(sample_rate);
    }
    Ok(facts)
}

#[derive(Default)]
struct Walk {
    streams: u32,
    /// The kind and time base of the stream header that was read last.
    header: Option<([u8; 4], u32, u32)>,
    video: Option<Stream>,
    audio: Option<(u32, u32)>,
    frames: u64,
}

struct Stream {
    number: u32,
    width: u32,
    height: u32,
    codec: String,
    scale: u32,
    rate: u32,
}

impl Walk {
    fn run(&mut self, reader: &mut SourceReader) -> std::io::Result<()> {
        while reader.stream_position()? < reader.length() {
            let mut head = [0; 8];
            reader.read_exact(&mut head)?;
            let (id, size) = (first_four(&head), le32(&head, 4));
            let padded = u64::from(size) + u64::from(size & 1);
            match &id {
                // Lists hold chunks of their own: step inside.
                b"RIFF" | b"LIST" => {
                    let mut kind = [0; 4];
                    reader.read_exact(&mut kind)?;
                    let wanted = matches!(&kind, b"AVI " | b"AVIX" | b"hdrl" | b"strl" | b"movi" | b"rec ");
                    if !wanted {
                        reader.skip(padded.saturating_sub(4))?;
                    }
                }
                b"strh" | b"strf" if size <= LONGEST_HEADER => {
                    let mut body = vec![0; padded as usize];
                    reader.read_exact(&mut body)?;
                    if &id == b"strh" { self.stream_header(&body) } else { self.stream_format(&body) }
                }
                _ => {
                    self.count(&id, size);
                    reader.skip(padded)?;
                }
            }
        }
        Ok(())
    }

    fn stream_header(&mut self, body: &[u8]) {
        if body.len() >= 28 {
            self.header = Some((first_four(body), le32(body, 20), le32(body, 24)));
        }
        self.streams += 1;
    }

    fn stream_format(&mut self, body: &[u8]) {
        let Some((kind, scale, rate)) = self.header.take() else { return };
        match &kind {
            b"vids" if self.video.is_none() && body.len() >= 20 => {
                self.video = Some(Stream {
                    number: self.streams - 1,
                    width: le32(body, 4),
                    // A negative height means rows from top to bottom.
                    height: (le32(body, 8) as i32).unsigned_abs(),
                    codec: codec_name(first_four(&body[16..])),
                    scale,
                    rate,
                });
            }
            b"auds" if self.audio.is_none() && body.len() >= 8 => {
                self.audio = Some((u32::from(u16::from_le_bytes([body[2], body[3]])), le32(body, 4)));
            }
            _ => {}
        }
    }

    /// Counts `00dc` and `00db`, the chunks of the video stream; empty ones repeat a frame and decode to none.
    fn count(&mut self, id: &[u8; 4], size: u32) {
        let [tens, ones, b'd', b'c' | b'b'] = id else { return };
        let (Some(tens), Some(ones)) = (char::from(*tens).to_digit(10), char::from(*ones).to_digit(10))
        else {
            return;
        };
        if size > 0 && self.video.as_ref().is_some_and(|video| video.number == tens * 10 + ones) {
            self.frames += 1;
        }
    }
}

fn first_four(bytes: &[u8]) -> [u8; 4] {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[..4]);
    four
}

fn le32(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(first_four(&bytes[offset..]))
}

fn codec_name(four: [u8; 4]) -> String {
    match &four.map(|byte| byte.to_ascii_uppercase()) {
        b"H264" | b"X264" | b"AVC1" => "h264".into(),
        b"HEVC" | b"H265" | b"HVC1" => "hevc".into(),
        b"FMP4" | b"MP4V" | b"XVID" | b"DIVX" | b"DX50" => "mpeg4".into(),
        b"MJPG" => "mjpeg".into(),
        b"FFV1" => "ffv1".into(),
        b"\0\0\0\0" => "rawvideo".into(),
        _ => String::from_utf8_lossy(&four).trim().to_ascii_lowercase(),
    }
}
