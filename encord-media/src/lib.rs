//! Media in, arrays out: images, video, audio and DICOM, with limits and exact frames.
//!
//! This crate is a plain library. It opens no connection and knows no task: it turns a file, or bytes in
//! memory ([`Source`]), into [`ndarray`] arrays, within stated [`Limits`], and says in one [`Error`] what was
//! wrong when it can't.
//!
//! # Features
//!
//! | feature | default | gives | needs |
//! |---|---|---|---|
//! | `image` | yes | [`image`]: JPEG, PNG, WebP, BMP, TIFF, GIF, PNM as `[height, width, 3]` RGB; [`encode`] for models | Rust only |
//! | `audio` | yes | [`audio`]: samples of wav, aiff, flac, mp3, aac, alac, vorbis | Rust only |
//! | `resample` | no | [`audio::Samples`] at another rate | Rust only |
//! | `dicom` | yes | [`dicom`]: files and series, uncompressed, deflated, RLE, JPEG, JPEG 2000 | Rust only |
//! | `video-ffmpeg` | no | [`video`] through FFmpeg: exact and fast | FFmpeg development packages, clang |
//! | `video-opencv` | no | [`video`] through OpenCV: exact | OpenCV development package, clang |
//! | `probe` | no | [`probe`]: kind, size, duration, frame count and more of any file, without decoding it | Rust only |
//! | `extract` | no | [`extract`]: all of the above as parameters of an agent | `encord-runner` |
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "audio")]
pub mod audio;
pub mod crop;
#[cfg(any(feature = "dicom", feature = "probe"))]
pub mod dicom;
#[cfg(feature = "image")]
pub mod encode;
mod error;
#[cfg(feature = "extract")]
pub mod extract;
#[cfg(feature = "image")]
pub mod image;
#[cfg(feature = "audio")]
mod isobmff;
#[cfg_attr(not(feature = "probe"), allow(dead_code, reason = "some decoders need only a part"))]
mod limits;
#[cfg(feature = "probe")]
pub mod probe;
#[cfg_attr(not(feature = "probe"), allow(dead_code, reason = "some decoders need only a part"))]
mod source;
pub mod video;

pub use error::{Error, Result};
pub use limits::Limits;
pub use source::Source;

/// One picture: `[height, width, 3]`, RGB, one byte per channel, in standard (row by row) layout.
pub type RgbArray = ndarray::Array3<u8>;
