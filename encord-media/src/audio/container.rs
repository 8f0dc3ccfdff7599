//! Opens audio containers and finds the track that agents mean by "the audio".

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::units::{Duration, TimeBase};

use crate::error::{Error, Result};
use crate::isobmff::{self, Heard};
use crate::limits::Limits;
use crate::source::{Source, SourceReader};

/// What a container says about its audio.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AudioFacts {
    /// Samples per second and channel.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: u32,
    /// Samples per channel, without the padding an encoder adds.
    pub samples: u64,
    /// Length in seconds.
    pub duration: f64,
    /// Short name of the codec, for example `mp3`, `aac`, `pcm_s16le`; `None` if it is not known.
    pub codec: Option<String>,
    /// Bits per sample as coded, where the codec has such a number.
    pub bit_depth: Option<u32>,
}

/// Reads what a container says about its first audio track, without decoding it.
///
/// Where the container does not state the length (an mp3 without header, a stream), packets are counted.
///
/// ```
/// use encord_media::{Limits, audio};
///
/// # fn main() -> Result<(), encord_media::Error> {
/// # let wav = [b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x04\0\0\0".as_slice(), &[0; 4]].concat();
/// let facts = audio::facts(wav, &Limits::default())?;
/// assert_eq!((facts.sample_rate, facts.channels, facts.samples), (8000, 1, 2));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Unsupported`] if the content is no known container or has no audio, [`Error::Decode`] if it is
/// damaged.
pub fn facts(source: impl Into<Source>, limits: &Limits) -> Result<AudioFacts> {
    let source = source.into();
    source.contain("audio", || {
        let mut format = open(&source, limits)?;
        let mut facts = read_facts(&source, format.as_mut())?;
        let track = audio_track(format.as_ref()).map(|(track, _)| track.id);
        let heard = track.and_then(|id| heard(&source, limits, format.as_ref(), id, facts.sample_rate));
        if let Some(heard) = heard {
            let rest = facts.samples.saturating_sub(heard.start);
            facts.samples = heard.length.map_or(rest, |length| length.min(rest));
            facts.duration = facts.samples as f64 / f64::from(facts.sample_rate);
        }
        Ok(facts)
    })
}

/// Opens a container.
pub(crate) fn open(source: &Source, limits: &Limits) -> Result<Box<dyn FormatReader>> {
    let stream = MediaSourceStream::new(Box::new(source.open(limits)?), Default::default());
    let mut hint = Hint::new();
    if let Some(extension) = source.extension() {
        hint.with_extension(&extension);
    }
    symphonia::default::get_probe()
        .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| explain(source, error))
}

/// The audio track to use and what its codec needs, if there is one.
pub(crate) fn audio_track(format: &dyn FormatReader) -> Option<(&Track, &AudioCodecParameters)> {
    let track = format.default_track(TrackType::Audio).or_else(|| format.first_track(TrackType::Audio))?;
    match &track.codec_params {
        Some(CodecParameters::Audio(parameters)) => Some((track, parameters)),
        _ => None,
    }
}

/// What an edit list leaves of a track; `None` where the container has none, or the decoder library applies it.
pub(crate) fn heard(
    source: &Source,
    limits: &Limits,
    format: &dyn FormatReader,
    track: u32,
    sample_rate: u32,
) -> Option<Heard> {
    if format.format_info().short_name != "isomp4" {
        return None;
    }
    // A damaged header is found by whoever opens the container; this is about samples that it can decode.
    isobmff::read(source, limits).ok()?.movie.heard(track, sample_rate)
}

/// A decoder for a track.
pub(crate) fn decoder(
    source: &Source,
    parameters: &AudioCodecParameters,
    options: &AudioDecoderOptions,
) -> Result<Box<dyn AudioDecoder>> {
    symphonia::default::get_codecs()
        .make_audio_decoder(parameters, options)
        .map_err(|error| explain(source, error))
}

/// Reads the facts of the audio track; counts packets if the container does not state the length.
pub(crate) fn read_facts(source: &Source, format: &mut dyn FormatReader) -> Result<AudioFacts> {
    let Some((track, parameters)) = audio_track(format) else {
        return Err(Error::Unsupported {
            what: source.to_string(),
            reason: "the container has no audio track".into(),
        });
    };
    let Some(sample_rate) = parameters.sample_rate.filter(|rate| *rate > 0) else {
        return Err(source.broken("audio", "the sample rate is missing"));
    };
    let codec = symphonia::default::get_codecs()
        .get_audio_decoder(parameters.codec)
        .map(|decoder| decoder.codec.info.short_name.to_owned());
    let bit_depth = parameters.bits_per_coded_sample.or(parameters.bits_per_sample);
    let mut channels = parameters.channels.as_ref().map_or(0, |channels| channels.count() as u32);
    let (id, time_base, frames, ticks) = (track.id, track.time_base, track.num_frames, track.duration);
    let media = (format.media_info().time_base, format.media_info().duration);
    let stated = frames
        .filter(|frames| *frames > 0)
        .map(|frames| frames as f64 / f64::from(sample_rate))
        .or_else(|| seconds(time_base, ticks))
        .or_else(|| seconds(media.0, media.1));
    let duration = stated.unwrap_or_else(|| {
        let mut ticks = 0u64;
        while let Ok(Some(packet)) = format.next_packet() {
            if packet.track_id == id {
                ticks = ticks.saturating_add(packet.dur.get());
            }
        }
        seconds(time_base, Some(ticks.into())).unwrap_or(ticks as f64 / f64::from(sample_rate))
    });
    if channels == 0 {
        // Some containers leave the channels to the codec, whose first packet would tell.
        channels = 1;
    }
    let samples = frames.unwrap_or((duration * f64::from(sample_rate)).round() as u64);
    Ok(AudioFacts { sample_rate, channels, samples, duration, codec, bit_depth })
}

fn seconds(base: Option<TimeBase>, ticks: Option<Duration>) -> Option<f64> {
    let time = base?.calc_duration(ticks.filter(|ticks| ticks.get() > 0)?)?;
    Some(time.as_secs_f64())
}

/// Sorts an error of the decoder library by meaning.
pub(crate) fn explain(source: &Source, error: SymphoniaError) -> Error {
    match error {
        SymphoniaError::Unsupported(reason) => Error::Unsupported {
            what: source.to_string(),
            reason: format!("no decoder for its audio format ({reason})"),
        },
        SymphoniaError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            source.io(error)
        }
        SymphoniaError::IoError(_) => source.broken("audio", "it ends too early"),
        other => source.broken("audio", other),
    }
}

impl MediaSource for SourceReader {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length())
    }
}
