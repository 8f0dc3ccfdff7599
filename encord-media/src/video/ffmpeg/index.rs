//! The packets of a video stream, listed once without decoding, and the numbering of frames that follows.
//!
//! In a regular file every shown packet is one frame and time stamps give their order, so any frame can be
//! reached from the key frame it depends on. A file that breaks one of the rules is irregular: only decoding from
//! the start tells which frame is which.

use std::path::Path;

use av::codec::packet::{Packet, side_data};
use ffmpeg_next as av;

use super::input::{Input, broken};
use crate::error::Result;
use crate::limits::Limits;

/// One packet of the video stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// Time stamp of presentation, in ticks.
    pub(super) shown_at: i64,
    /// Time stamp of decoding, in ticks.
    pub(super) decoding: i64,
    /// Where in the file it stands, in bytes; -1 if unknown.
    pub(super) position: i64,
    size: usize,
    /// Decoding can begin here.
    pub(super) key: bool,
    /// A frame comes out of it. Packets before a cut and auxiliary frames are decoded but never shown.
    pub(super) shown: bool,
}

impl Entry {
    /// Whether this is that packet.
    pub(super) fn is(&self, packet: &Packet) -> bool {
        self.shown_at == packet.pts().unwrap_or(i64::MIN)
            && self.decoding == packet.dts().unwrap_or(i64::MIN)
            && self.size == packet.size()
    }
}

/// All packets of the video stream.
#[derive(Debug)]
pub(super) struct Index {
    /// In file order, which is decoding order.
    pub(super) entries: Vec<Entry>,
    /// For each frame number the packet it comes from. Empty if the file is irregular.
    pub(super) order: Vec<u32>,
    /// Packet numbers of the key frames, ascending.
    keys: Vec<u32>,
    /// Why frames can't be numbered without decoding, if so.
    pub(super) irregular: Option<&'static str>,
}

impl Index {
    /// Reads through the file once.
    pub(super) fn build(path: &Path, limits: &Limits) -> Result<Self> {
        let mut input = Input::open(path)?;
        let mut entries = Vec::new();
        let mut irregular = None;
        let vp8 = input.codec() == av::codec::Id::VP8;
        while let Some(packet) = input.read() {
            if entries.len() as u64 >= limits.max_frames.saturating_mul(2).min(u32::MAX.into()) {
                limits.check_frames(&path.display().to_string(), entries.len() as u64)?;
                return Err(broken(path, "it has more packets than can be counted"));
            }
            if packet.pts().is_none() || packet.dts().is_none() {
                irregular = Some("packets without time stamps");
            } else if packet.is_corrupt() {
                irregular = Some("damaged packets");
            } else if !entries.is_empty() && packet.side_data().any(|data| changes_stream(data.kind())) {
                irregular = Some("a stream that changes its parameters");
            }
            entries.push(Entry {
                shown_at: packet.pts().unwrap_or(i64::MIN),
                decoding: packet.dts().unwrap_or(i64::MIN),
                position: i64::try_from(packet.position()).unwrap_or(-1),
                size: packet.size(),
                key: packet.is_key(),
                shown: !(is_discarded(&packet) || vp8 && is_hidden_vp8(&packet)),
            });
        }
        if input.broken {
            irregular = Some("a damaged or truncated container");
        }
        // In AVI only decoding times are stored; where frames are reordered, the rest is a guess.
        if input.is_format(&["avi"]) && input.decoder(path, super::input::Mode::Certain)?.video.has_b_frames()
        {
            irregular = Some("reordered frames in AVI");
        }
        let index = Self::number(entries, irregular);
        limits.check_frames(&path.display().to_string(), index.order.len() as u64)?;
        Ok(index)
    }

    fn number(entries: Vec<Entry>, mut irregular: Option<&'static str>) -> Self {
        let mut order: Vec<u32> =
            (0..entries.len() as u32).filter(|packet| entries[*packet as usize].shown).collect();
        order.sort_by_key(|packet| entries[*packet as usize].shown_at);
        let time = |packet: &u32| entries[*packet as usize].shown_at;
        match entries.first() {
            None => irregular = irregular.or(Some("no packets")),
            Some(first) if !first.key => irregular = irregular.or(Some("a start in the middle")),
            Some(first) if order.first().is_some_and(|packet| time(packet) < first.shown_at) => {
                irregular = irregular.or(Some("frames before the first key frame"));
            }
            Some(_) => {}
        }
        if order.windows(2).any(|pair| time(&pair[0]) == time(&pair[1])) {
            irregular = irregular.or(Some("repeated time stamps"));
        }
        if irregular.is_some() {
            order.clear();
        }
        let keys = (0..entries.len() as u32).filter(|packet| entries[*packet as usize].key).collect();
        Self { entries, order, keys, irregular }
    }

    /// The key frame that decoding of this packet has to begin at.
    ///
    /// That is the last one before it that is also shown before it: frames that follow a key frame in the file
    /// but are shown before it lean on the stretch before.
    pub(super) fn key_of(&self, packet: usize) -> usize {
        let shown_at = self.entries[packet].shown_at;
        let before = self.keys.partition_point(|key| *key as usize <= packet);
        let key =
            self.keys[..before].iter().rev().find(|key| self.entries[**key as usize].shown_at <= shown_at);
        key.map_or(0, |key| *key as usize)
    }

    /// Whether every frame stands for itself.
    pub(super) fn all_keys(&self) -> bool {
        self.keys.len() == self.entries.len()
    }

    /// The number of the frame with this time stamp.
    pub(super) fn number_at(&self, shown_at: i64) -> Option<u64> {
        let found =
            self.order.binary_search_by_key(&shown_at, |packet| self.entries[*packet as usize].shown_at);
        found.ok().map(|number| number as u64)
    }

    /// Seconds after the first frame, for every frame.
    pub(super) fn times(&self, tick: f64) -> Vec<f64> {
        let shown_at = |packet: &u32| self.entries[*packet as usize].shown_at;
        let first = self.order.first().map_or(0, shown_at);
        self.order.iter().map(|packet| (shown_at(packet) - first) as f64 * tick).collect()
    }
}

fn changes_stream(kind: side_data::Type) -> bool {
    matches!(kind, side_data::Type::NewExtraData | side_data::Type::ParamChange)
}

/// Whether the demuxer marked the packet as needed for decoding only, as an edit list asks for.
fn is_discarded(packet: &Packet) -> bool {
    use av::codec::packet::Ref;
    // SAFETY: the pointer comes from a packet that is borrowed here, so it is valid, and one integer field of it
    // is read. The safe wrapper cuts off this flag.
    #[allow(unsafe_code)]
    let flags = unsafe { (*packet.as_ptr()).flags };
    flags & av::ffi::AV_PKT_FLAG_DISCARD != 0
}

/// Whether a VP8 frame is only there for others to refer to: the fifth bit of its header says "show".
fn is_hidden_vp8(packet: &Packet) -> bool {
    packet.data().and_then(|data| data.first()).is_some_and(|first| first & 0x10 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets in file order: time of presentation, and whether it is a key frame.
    fn index(packets: &[(i64, bool)]) -> Index {
        let entries = packets.iter().enumerate().map(|(number, (shown_at, key))| Entry {
            shown_at: *shown_at,
            decoding: number as i64,
            position: 0,
            size: 0,
            key: *key,
            shown: true,
        });
        Index::number(entries.collect(), None)
    }

    #[test]
    fn leading_frames_of_an_open_group_lean_on_the_group_before() {
        let index =
            index(&[(0, true), (2, false), (1, false), (5, true), (3, false), (4, false), (6, false)]);
        assert_eq!(index.irregular, None);
        assert_eq!(index.order, [0, 2, 1, 4, 5, 3, 6]);
        assert_eq!([4, 5, 3, 6].map(|packet| index.key_of(packet)), [0, 0, 3, 3]);
    }

    #[test]
    fn broken_rules_make_a_file_irregular() {
        assert!(index(&[]).irregular.is_some());
        assert!(index(&[(0, false), (1, true)]).irregular.is_some());
        assert!(index(&[(1, true), (0, false)]).irregular.is_some());
        assert!(index(&[(0, true), (1, false), (1, false)]).irregular.is_some());
    }
}
