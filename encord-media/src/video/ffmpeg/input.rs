//! An open container: packets of its video stream in file order, and jumps that are checked.

use std::path::Path;

use av::codec::packet::Packet;
use av::codec::threading;
use av::format::context::Input as Context;
use av::media::Type;
use ffmpeg_next as av;

use super::damage::Damage;
use super::index::Index;
use crate::error::{Error, Result};
use crate::video::VideoFacts;
use crate::video::turn::Turn;

/// Demuxers for files that hold their own media. Playlists, which name other files, are not among them.
const FORMATS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,av1,obu,ivf,\
                       flv,ogg,asf,mxf,nut,gif,mjpeg,dv,yuv4mpegpipe,apng,webp_pipe,rawvideo";

/// Jumps over less than this many bytes read through them: that is as fast and can't land elsewhere.
const SHORT_SKIP: i64 = 8 << 20;

/// So many unreadable packets in a row mean that no readable one will come.
const HOPELESS: u32 = 1000;

/// One pass over the packets of the video stream.
pub(super) struct Input {
    context: Context,
    stream: usize,
    /// Number, in file order, of the packet that the next read gives.
    next: usize,
    /// A packet read ahead while checking a jump.
    pending: Option<Packet>,
    /// Reading stopped at damage, not at the end.
    pub(super) broken: bool,
}

/// How a decoder should work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// On so many threads; damage is an error.
    Fast(usize),
    /// On one thread, with damage patched up as well as possible.
    Certain,
}

/// An open decoder. Its fields are dropped in order, so the watch outlives its threads.
pub(super) struct Decoder {
    pub(super) video: av::decoder::Video,
    pub(super) damage: Damage,
}

impl Input {
    pub(super) fn open(path: &Path) -> Result<Self> {
        // The library reads names like `http:` or `concat:` as protocols unless told that this is a file.
        let Some(name) = path.to_str() else {
            return Err(Error::InvalidArgument {
                argument: "path",
                reason: format!("{path:?} is not valid Unicode, which FFmpeg needs"),
            });
        };
        let mut options = av::Dictionary::new();
        options.set("protocol_whitelist", "file");
        options.set("format_whitelist", FORMATS);
        let context = av::format::input_with_dictionary(&format!("file:{name}"), options)
            .map_err(|error| broken(path, error))?;
        let Some(stream) = context.streams().best(Type::Video) else {
            return Err(unsupported(path, "it has no video track"));
        };
        if stream.disposition().contains(av::format::stream::Disposition::ATTACHED_PIC) {
            return Err(unsupported(path, "its only picture is a cover"));
        }
        let stream = stream.index();
        Ok(Self { context, stream, next: 0, pending: None, broken: false })
    }

    /// What the headers say, and how frames are to be turned.
    pub(super) fn facts(&self, path: &Path) -> Result<(VideoFacts, Turn)> {
        let decoder = self.decoder(path, Mode::Certain)?.video;
        let stream = self.stream();
        let turn = stream
            .side_data()
            .find(|data| data.kind() == av::codec::packet::side_data::Type::DisplayMatrix)
            .map_or(Turn::None, |data| Turn::from_display_matrix(data.data()));
        let (width, height) = turn.size(decoder.width(), decoder.height());
        let rate = stream.avg_frame_rate();
        let ticks = stream.duration();
        let duration = if ticks > 0 {
            Some(ticks as f64 * f64::from(stream.time_base()))
        } else {
            Some(self.context.duration()).filter(|micros| *micros > 0).map(|micros| micros as f64 / 1e6)
        };
        let facts = VideoFacts {
            width,
            height,
            frame_rate: Some(f64::from(rate)).filter(|rate| rate.is_finite() && *rate > 0.0),
            duration,
            codec: decoder.codec().map(|codec| codec.id().name().to_owned()).unwrap_or_default(),
        };
        Ok((facts, turn))
    }

    /// A decoder for the video stream.
    ///
    /// Strict error recognition would find damage as well, but together with frame threads it aborts the process
    /// in FFmpeg 5.1.
    pub(super) fn decoder(&self, path: &Path, mode: Mode) -> Result<Decoder> {
        let stream = self.stream();
        let mut context =
            av::codec::Context::from_parameters(stream.parameters()).map_err(|error| broken(path, error))?;
        let count = if let Mode::Fast(threads) = mode { threads } else { 1 };
        let kind = if count > 1 { threading::Type::Frame } else { threading::Type::None };
        context.set_threading(threading::Config { kind, count, ..Default::default() });
        let mut decoder = context.decoder();
        decoder.set_packet_time_base(stream.time_base());
        let damage = Damage::watch(&mut decoder);
        let video = decoder.video().map_err(|error| match error {
            av::Error::DecoderNotFound => {
                unsupported(path, "this build of FFmpeg has no decoder for its codec")
            }
            error => broken(path, error),
        })?;
        Ok(Decoder { video, damage })
    }

    /// Seconds per tick of the time stamps.
    pub(super) fn tick(&self) -> f64 {
        f64::from(self.stream().time_base())
    }

    pub(super) fn codec(&self) -> av::codec::Id {
        self.stream().parameters().id()
    }

    /// Whether this is one of the named containers.
    pub(super) fn is_format(&self, names: &[&str]) -> bool {
        self.context.format().name().split(',').any(|name| names.contains(&name))
    }

    /// Number of the packet that comes next.
    pub(super) fn position(&self) -> usize {
        self.next
    }

    /// The next packet of the video stream; `None` at the end or at damage ([`Input::broken`]).
    pub(super) fn read(&mut self) -> Option<Packet> {
        if let Some(packet) = self.pending.take() {
            self.next += 1;
            return Some(packet);
        }
        let mut failures = 0;
        while failures < HOPELESS {
            let mut packet = Packet::empty();
            match packet.read(&mut self.context) {
                Ok(()) if packet.stream() == self.stream => {
                    self.next += 1;
                    return Some(packet);
                }
                Ok(()) => failures = 0,
                Err(av::Error::Eof) => return None,
                Err(av::Error::InvalidData) => {
                    self.broken = true;
                    failures += 1;
                }
                Err(_) => break,
            }
        }
        self.broken = true;
        None
    }

    /// Moves on so that the next read gives packet number `target`.
    ///
    /// Over long distances it jumps, looks in the index which packet it landed on, and reads on from there; if
    /// the landing is unknown or too late it starts over and reads through.
    pub(super) fn skip_to(&mut self, target: usize, index: &Index, path: &Path) -> Result<()> {
        let bytes = match (index.entries.get(self.next), index.entries.get(target)) {
            (Some(here), Some(there)) => there.position.saturating_sub(here.position),
            _ => 0,
        };
        if target > self.next && bytes > SHORT_SKIP && !self.jump(target, index) {
            *self = Self::open(path)?;
        }
        if target < self.next {
            *self = Self::open(path)?;
        }
        while self.next < target {
            if self.read().is_none() {
                return Err(broken(path, "it ends before a packet it had a moment ago"));
            }
        }
        Ok(())
    }

    /// Tries to jump to the packet or a little before it; false leaves the position unknown.
    fn jump(&mut self, target: usize, index: &Index) -> bool {
        let from = self.next;
        // Containers look up key frames by different clocks.
        let clock = if self.is_format(&["mov"]) {
            index.entries[target].decoding
        } else if self.is_format(&["matroska"]) {
            index.entries[target].shown_at
        } else {
            return false;
        };
        let micros = (clock as f64 * self.tick() * 1e6).ceil() as i64;
        if self.context.seek(micros, ..micros).is_err() {
            return false;
        }
        self.pending = None;
        let Some(packet) = self.read() else { return false };
        let Some(landed) = index.entries[..=target].iter().rposition(|entry| entry.is(&packet)) else {
            return false;
        };
        self.next = landed;
        self.pending = Some(packet);
        // A landing before the start would mean work done twice, but still the right frames.
        landed <= target && landed + 1 >= from.min(target)
    }

    fn stream(&self) -> av::Stream<'_> {
        // The index came from this very list and streams never go away.
        self.context.stream(self.stream).expect("the stream that was found when the file was opened")
    }
}

pub(super) fn broken(path: &Path, reason: impl ToString) -> Error {
    Error::Decode { what: path.display().to_string(), format: "video", reason: reason.to_string() }
}

fn unsupported(path: &Path, reason: &str) -> Error {
    Error::Unsupported { what: path.display().to_string(), reason: reason.to_owned() }
}
