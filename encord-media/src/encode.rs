//! Pictures as models take them: compressed, in base64, inside message parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{ExtendedColorType, ImageEncoder};
use serde_json::{Value, json};

use crate::RgbArray;
use crate::error::{Error, Result};

/// How to compress a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// Lossless.
    Png,
    /// Smaller, at a quality from 1 to 100.
    Jpeg(u8),
}

/// A compressed picture.
///
/// ```
/// use encord_media::encode::{Compression, Encoded};
///
/// let pixels = encord_media::RgbArray::zeros((4, 6, 3));
/// let picture = Encoded::new(&pixels, Compression::Png)?;
/// assert!(picture.data_url().starts_with("data:image/png;base64,iVBOR"));
/// assert_eq!(picture.openai_part()["type"], "image_url");
/// assert_eq!(picture.anthropic_part()["source"]["media_type"], "image/png");
/// # Ok::<(), encord_media::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Encoded {
    /// The compressed file.
    pub bytes: Vec<u8>,
    /// Its MIME type.
    pub mime_type: &'static str,
}

impl Encoded {
    /// Compresses a picture of `[height, width, 3]` RGB.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] if the array is empty or not of three channels, or the quality is out of range.
    pub fn new(pixels: &RgbArray, compression: Compression) -> Result<Self> {
        let invalid = |reason: String| Error::InvalidArgument { argument: "pixels", reason };
        let (height, width, channels) = pixels.dim();
        if channels != 3 || height == 0 || width == 0 {
            return Err(invalid(format!(
                "[{height}, {width}, {channels}] is not a picture of three channels"
            )));
        }
        let (Ok(columns), Ok(rows)) = (u32::try_from(width), u32::try_from(height)) else {
            return Err(invalid(format!("{width} x {height} is larger than any image format allows")));
        };
        let pixels = pixels.as_standard_layout();
        let pixels = pixels.as_slice().unwrap_or_default();
        let mut bytes = Vec::new();
        let (mime_type, written) = match compression {
            Compression::Png => {
                let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
                ("image/png", encoder.write_image(pixels, columns, rows, ExtendedColorType::Rgb8))
            }
            Compression::Jpeg(quality @ 1..=100) => {
                let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality);
                ("image/jpeg", encoder.write_image(pixels, columns, rows, ExtendedColorType::Rgb8))
            }
            Compression::Jpeg(quality) => {
                return Err(Error::InvalidArgument {
                    argument: "quality",
                    reason: format!("{quality} is not between 1 and 100"),
                });
            }
        };
        written.map_err(|error| invalid(error.to_string()))?;
        Ok(Self { bytes, mime_type })
    }

    /// Plain base64.
    pub fn base64(&self) -> String {
        STANDARD.encode(&self.bytes)
    }

    /// A data URL.
    pub fn data_url(&self) -> String {
        format!("data:{};base64,{}", self.mime_type, self.base64())
    }

    /// The message part that OpenAI's chat interface takes.
    pub fn openai_part(&self) -> Value {
        json!({"type": "image_url", "image_url": {"url": self.data_url()}})
    }

    /// The message part that Anthropic's messages interface takes.
    pub fn anthropic_part(&self) -> Value {
        json!({
            "type": "image",
            "source": {"type": "base64", "media_type": self.mime_type, "data": self.base64()},
        })
    }
}
