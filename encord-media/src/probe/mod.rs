//! Facts about any media file, read without decoding it and without system libraries.
//!
//! A stand-in for the platform has to tell width, duration and frame count of whatever it is given, and an
//! agent may want to look before it decodes. Frames are counted, not estimated from a duration.

mod avi;
mod dicom;
mod isobmff;
mod matroska;
mod nifti;
mod pdf;
mod sniff;
mod text;

use std::io::Read;

use crate::dicom::DicomTags;
use crate::error::Result;
use crate::limits::Limits;
use crate::source::Source;
use sniff::Sniffed;

/// The broad kind of a media file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaKind {
    /// A still image.
    Image,
    /// Anything with a video track.
    Video,
    /// Sound without pictures.
    Audio,
    /// One DICOM file.
    Dicom,
    /// A NIfTI-1 or NIfTI-2 volume, packed or not.
    Nifti,
    /// A PDF document.
    Pdf,
    /// Text in UTF-8.
    Text,
    /// Something else.
    Other,
}

/// What [`probe`] found; a fact that does not apply or is not stated is `None`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MediaFacts {
    /// What it is.
    pub kind: MediaKind,
    /// MIME type by content, for example `video/mp4`.
    pub mime_type: String,
    /// Size of the file in bytes.
    pub byte_size: u64,
    /// Width in pixels as shown (after rotation), of an image, a video or a DICOM frame.
    pub width: Option<u32>,
    /// Height in pixels as shown (after rotation).
    pub height: Option<u32>,
    /// Length in seconds.
    pub duration: Option<f64>,
    /// Video frames per second, on average.
    pub frame_rate: Option<f64>,
    /// Number of video frames or of DICOM frames, counted.
    pub frame_count: Option<u64>,
    /// Short name of the video or audio codec, for example `h264` or `mp3`.
    pub codec: Option<String>,
    /// Bits per sample or channel.
    pub bit_depth: Option<u32>,
    /// Audio samples per second.
    pub sample_rate: Option<u32>,
    /// Audio channels, or channels of an image as stored.
    pub channels: Option<u32>,
    /// Pages of a document.
    pub pages: Option<u32>,
    /// The tags of a DICOM file.
    pub dicom: Option<Box<DicomTags>>,
    /// Sizes of a NIfTI volume along its axes, as many as it has.
    pub nifti_shape: Option<Vec<u64>>,
}

/// Reads the facts of a media file.
///
/// ```
/// use encord_media::{Limits, probe::{MediaKind, probe}};
///
/// let facts = probe(&b"P5 2 1 255 \x10\xff"[..], &Limits::default())?;
/// assert_eq!(facts.kind, MediaKind::Image);
/// assert_eq!((facts.width, facts.height), (Some(2), Some(1)));
/// # Ok::<(), encord_media::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Io`](crate::Error::Io) if the file can't be read and [`Error::Decode`](crate::Error::Decode) if it
/// says by its first bytes what it is and then is not. Unknown content is no error but [`MediaKind::Other`].
pub fn probe(source: impl Into<Source>, limits: &Limits) -> Result<MediaFacts> {
    let source = source.into();
    let mut reader = source.open(limits)?;
    let byte_size = reader.length();
    let mut head = Vec::with_capacity(sniff::HEAD as usize);
    reader.by_ref().take(sniff::HEAD).read_to_end(&mut head).map_err(|error| source.io(error))?;
    drop(reader);
    let sniffed = sniff::sniff(&head);
    let mut facts = source.contain("media", || match sniffed {
        Sniffed::Image => image(&source, limits),
        Sniffed::IsoMedia => isobmff::probe(&source, limits),
        Sniffed::Matroska => matroska::probe(&source, limits),
        Sniffed::Avi => avi::probe(&source, limits),
        Sniffed::Audio(mime_type) => audio(&source, limits, mime_type),
        Sniffed::Dicom => dicom::probe(&source, limits),
        Sniffed::Nifti | Sniffed::Gzip => nifti::probe(&source, limits),
        Sniffed::Pdf => pdf::probe(&source, limits),
        Sniffed::Known(kind, mime_type) => Ok(MediaFacts::new(kind, mime_type)),
        Sniffed::Unknown => text::probe(&source, limits),
    })?;
    facts.byte_size = byte_size;
    Ok(facts)
}

impl MediaFacts {
    fn new(kind: MediaKind, mime_type: impl Into<String>) -> Self {
        Self {
            kind,
            mime_type: mime_type.into(),
            byte_size: 0,
            width: None,
            height: None,
            duration: None,
            frame_rate: None,
            frame_count: None,
            codec: None,
            bit_depth: None,
            sample_rate: None,
            channels: None,
            pages: None,
            dicom: None,
            nifti_shape: None,
        }
    }

    fn with_video(mut self, video: VideoTrack) -> Self {
        let (width, height) =
            if video.turned { (video.height, video.width) } else { (video.width, video.height) };
        self.kind = MediaKind::Video;
        self.width = Some(width);
        self.height = Some(height);
        self.frame_count = Some(video.frames);
        self.codec = Some(video.codec);
        if video.seconds > 0.0 {
            self.duration = Some(video.seconds);
            self.frame_rate = Some(video.frames as f64 / video.seconds);
        }
        self
    }

    /// Adds what the audio track says; the duration only if nothing said it before.
    fn with_audio(mut self, audio: crate::audio::AudioFacts) -> Self {
        self.sample_rate = Some(audio.sample_rate);
        self.channels = Some(audio.channels);
        if self.kind != MediaKind::Video {
            self.duration = Some(audio.duration);
            self.codec = audio.codec;
            self.bit_depth = audio.bit_depth;
        }
        self
    }
}

/// What the container parsers find out about a video track.
pub(crate) struct VideoTrack {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Shown after a quarter turn.
    pub(crate) turned: bool,
    pub(crate) codec: String,
    pub(crate) frames: u64,
    pub(crate) seconds: f64,
}

fn image(source: &Source, limits: &Limits) -> Result<MediaFacts> {
    let header = crate::image::facts(source, limits)?;
    let mut facts = MediaFacts::new(MediaKind::Image, header.mime_type);
    facts.width = Some(header.width);
    facts.height = Some(header.height);
    facts.bit_depth = Some(header.bit_depth.into());
    facts.channels = Some(header.channels.into());
    Ok(facts)
}

fn audio(source: &Source, limits: &Limits, mime_type: &str) -> Result<MediaFacts> {
    let header = crate::audio::facts(source, limits)?;
    Ok(MediaFacts::new(MediaKind::Audio, mime_type).with_audio(header))
}
