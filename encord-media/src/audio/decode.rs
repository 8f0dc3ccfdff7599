//! Packets in, samples out, with every sample's place in the file.

use ndarray::Array2;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::{FormatReader, SeekMode, SeekTo};
use symphonia::core::units::Timestamp;

use super::Samples;
use super::container::{self, explain};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::source::Source;

/// Reads samples in order.
pub(super) struct Reader {
    source: Source,
    limits: Limits,
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    sample_rate: u32,
    /// Whether time stamps count samples, so that a packet's place is exact.
    exact: bool,
    /// Which sample comes next; negative ones are the encoder's run-up.
    position: i64,
    /// How many samples come before the first that is heard, where the decoder library does not know.
    run_up: i64,
    /// Where the sound ends, if the container says so.
    end: Option<u64>,
    /// No packet that begins here or later is heard.
    last_packet: Option<u64>,
    /// Samples of one packet, by channel.
    block: Vec<Vec<f32>>,
}

impl Reader {
    pub(super) fn open(source: &Source, limits: &Limits) -> Result<Self> {
        let format = container::open(source, limits)?;
        let Some((track, parameters)) = container::audio_track(format.as_ref()) else {
            return Err(Error::Unsupported {
                what: source.to_string(),
                reason: "it has no audio track".into(),
            });
        };
        let sample_rate = parameters.sample_rate.unwrap_or(0);
        if sample_rate == 0 {
            return Err(source.broken("audio", "the sample rate is missing"));
        }
        let decoder = container::decoder(source, parameters, &AudioDecoderOptions::default())?;
        // Ogg keeps time by page, not by packet, so a packet's place after a jump is a guess.
        let paged = format.format_info().short_name == "ogg";
        let exact = !paged
            && track.time_base.is_some_and(|base| base.numer.get() == 1 && base.denom.get() == sample_rate);
        // The first packet says where it stands.
        let (id, start) = (track.id, if exact { i64::MIN } else { 0 });
        let mut end = track.num_frames.filter(|frames| *frames > 0);
        let heard = container::heard(source, limits, format.as_ref(), id, sample_rate);
        let last_packet = heard.as_ref().and_then(|heard| heard.length);
        let run_up = heard.as_ref().map_or(0, |heard| i64::try_from(heard.start).unwrap_or(0));
        if heard.is_some() {
            // What fills up the last packet is kept, as FFmpeg does.
            end = None;
        }
        Ok(Self {
            source: source.clone(),
            limits: *limits,
            track: id,
            position: if exact { start } else { start - run_up },
            run_up,
            end,
            last_packet,
            format,
            decoder,
            sample_rate,
            exact,
            block: Vec::new(),
        })
    }

    /// Jumps to shortly before a sample, if the container can.
    pub(super) fn skip_to(&mut self, sample: u64) -> Result<()> {
        let target = i64::try_from(sample).ok().and_then(|sample| sample.checked_add(self.run_up));
        let Some(target) = target.filter(|_| self.exact) else { return Ok(()) };
        let to = SeekTo::Timestamp { ts: Timestamp::new(target), track_id: self.track };
        if self.format.seek(SeekMode::Accurate, to).is_err() {
            // What can't be jumped over is decoded: start again from the beginning.
            let (source, limits) = (self.source.clone(), self.limits);
            *self = Self::open(&source, &limits)?;
            return Ok(());
        }
        self.decoder.reset();
        self.position = i64::MIN;
        Ok(())
    }

    /// Decodes the next packet into `block`; false at the end.
    fn next_block(&mut self) -> Result<bool> {
        loop {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) | Err(SymphoniaError::ResetRequired) => return Ok(false),
                // A truncated file has the samples it still has.
                Err(SymphoniaError::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    return Ok(false);
                }
                Err(SymphoniaError::DecodeError(_)) => return Ok(false),
                Err(error) => return Err(explain(&self.source, error)),
            };
            if packet.track_id != self.track {
                continue;
            }
            if self.position == i64::MIN {
                // What the decoder trims off is not counted.
                let at = packet.pts.get().saturating_add(packet.trim_start.get() as i64);
                self.position = at.saturating_sub(self.run_up);
            }
            if self.last_packet.is_some_and(|last| u64::try_from(self.position).is_ok_and(|at| at >= last)) {
                return Ok(false);
            }
            match self.decoder.decode(&packet) {
                Ok(decoded) => {
                    decoded.copy_to_vecs_planar(&mut self.block);
                    if self.block.first().is_none_or(Vec::is_empty) {
                        if self.exact {
                            // All of it was trimmed off; the next packet says where it stands.
                            self.position = i64::MIN;
                        }
                        continue;
                    }
                    return Ok(true);
                }
                // One damaged packet is silence of its length, so that what follows keeps its place.
                Err(SymphoniaError::DecodeError(_) | SymphoniaError::IoError(_)) => {
                    let length = usize::try_from(packet.dur.get()).unwrap_or(0).min(1 << 16);
                    for channel in &mut self.block {
                        channel.clear();
                        channel.resize(if self.exact { length } else { 0 }, 0.0);
                    }
                    if self.block.first().is_some_and(|channel| !channel.is_empty()) {
                        return Ok(true);
                    }
                }
                Err(error) => return Err(explain(&self.source, error)),
            }
        }
    }

    /// The samples from `first` up to `end`, as far as there are any.
    pub(super) fn read(&mut self, first: u64, end: u64) -> Result<Samples> {
        let mut channels: Vec<Vec<f32>> = Vec::new();
        while self.position < i64::try_from(end).unwrap_or(i64::MAX) {
            let Some((from, to)) = self.next_range(first, end)? else { break };
            if channels.is_empty() {
                channels.resize(self.block.len(), Vec::new());
            }
            if self.block.len() != channels.len() {
                return Err(self.source.broken("audio", "the number of channels changes on the way"));
            }
            for (all, block) in channels.iter_mut().zip(&self.block) {
                all.extend_from_slice(&block[from..to]);
            }
            self.check(&channels)?;
        }
        self.samples(first, channels)
    }

    /// Decodes a packet and moves on; says which of its samples lie in `first..end`. `None` at the end.
    fn next_range(&mut self, first: u64, end: u64) -> Result<Option<(usize, usize)>> {
        let end = self.end.map_or(end, |last| end.min(last));
        if self.position >= i64::try_from(end).unwrap_or(i64::MAX) || !self.next_block()? {
            return Ok(None);
        }
        let length = self.block.first().map_or(0, Vec::len);
        let from = clamp(first, self.position, length);
        let to = clamp(end, self.position, length).max(from);
        self.position += length as i64;
        Ok(Some((from, to)))
    }

    fn samples(&self, start: u64, channels: Vec<Vec<f32>>) -> Result<Samples> {
        let shape = (channels.len(), channels.first().map_or(0, Vec::len));
        let data = Array2::from_shape_vec(shape, channels.concat())
            .map_err(|error| self.source.broken("audio", error))?;
        Ok(Samples { sample_rate: self.sample_rate, start, data })
    }

    fn check(&self, channels: &[Vec<f32>]) -> Result<()> {
        let length = channels.first().map_or(0, Vec::len) as u64;
        let what = || self.source.to_string();
        self.limits.check_decoded(&what(), length * channels.len() as u64 * 4)?;
        let seconds = length as f64 / f64::from(self.sample_rate);
        if seconds > self.limits.max_seconds {
            return Err(Error::Limit {
                what: what(),
                limit: "max_seconds",
                actual: seconds.ceil() as u64,
                maximum: self.limits.max_seconds as u64,
            });
        }
        Ok(())
    }
}

/// Where in a block that begins at `position` a sample of the file stands.
fn clamp(sample: u64, position: i64, length: usize) -> usize {
    let offset = i128::from(sample) - i128::from(position);
    offset.clamp(0, length as i128) as usize
}

/// A whole file, chunk by chunk. Ends after its first error.
pub struct Chunks {
    source: Source,
    reader: Reader,
    size: usize,
    /// What was decoded but not yet delivered, by channel.
    rest: Vec<Vec<f32>>,
    next: u64,
    done: bool,
}

impl Chunks {
    pub(super) fn new(source: &Source, limits: &Limits, size: usize) -> Result<Self> {
        let reader = source.contain("audio", || Reader::open(source, limits))?;
        Ok(Self { source: source.clone(), reader, size, rest: Vec::new(), next: 0, done: false })
    }

    fn advance(&mut self) -> Result<Option<Samples>> {
        while self.rest.first().map_or(0, Vec::len) < self.size {
            let Some((from, to)) = self.reader.next_range(0, u64::MAX)? else { break };
            self.rest.resize(self.reader.block.len(), Vec::new());
            for (rest, block) in self.rest.iter_mut().zip(&self.reader.block) {
                rest.extend_from_slice(&block[from..to]);
            }
            self.reader.check(&self.rest)?;
        }
        let take = self.rest.first().map_or(0, Vec::len).min(self.size);
        if take == 0 {
            return Ok(None);
        }
        let chunk = self.rest.iter_mut().map(|rest| rest.drain(..take).collect()).collect();
        let samples = self.reader.samples(self.next, chunk)?;
        self.next += take as u64;
        Ok(Some(samples))
    }
}

impl Iterator for Chunks {
    type Item = Result<Samples>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let source = self.source.clone();
        let item = source.contain("audio", || self.advance()).transpose();
        self.done = !matches!(item, Some(Ok(_)));
        item
    }
}

impl std::iter::FusedIterator for Chunks {}

impl std::fmt::Debug for Chunks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chunks")
            .field("source", &self.source)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}
