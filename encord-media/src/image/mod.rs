//! Still images as arrays.
//!
//! Agents were written against OpenCV, so a decoded image is what `cv2.imread` followed by BGR to RGB gives:
//! turned upright as its EXIF orientation says, three channels of eight bits, grey widened, alpha dropped
//! (not blended), sixteen bits cut to the upper eight (of coloured TIFF scaled, as OpenCV does), CMYK converted. Of an
//! animation the first frame is taken. AVIF is not read: no maintained decoder is both in Rust and without unsafe
//! interfaces of C.

mod convert;

use ::image::metadata::Orientation;
use ::image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};

use crate::RgbArray;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::source::{Source, SourceReader};

/// What the header of an image says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageFacts {
    /// Width in pixels, after the EXIF orientation is applied.
    pub width: u32,
    /// Height in pixels, after the EXIF orientation is applied.
    pub height: u32,
    /// MIME type, for example `image/jpeg`.
    pub mime_type: &'static str,
    /// Bits per channel as stored.
    pub bit_depth: u16,
    /// Channels as stored: 1 is grey, 3 is RGB, 2 and 4 have alpha.
    pub channels: u8,
}

/// Decodes an image to `[height, width, 3]` RGB.
///
/// The format is recognised by content, never by name.
///
/// ```
/// use encord_media::{Limits, image};
///
/// // A grey picture of two by one pixels in the PGM format.
/// let pixels = image::decode(&b"P5 2 1 255 \x10\xff"[..], &Limits::default())?;
/// assert_eq!(pixels.dim(), (1, 2, 3));
/// assert_eq!(pixels[[0, 1, 2]], 255);
/// # Ok::<(), encord_media::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Unsupported`] if the content is no image this build knows, [`Error::Decode`] if it is damaged,
/// [`Error::Limit`] if it claims more pixels or bytes than `limits` allow.
pub fn decode(source: impl Into<Source>, limits: &Limits) -> Result<RgbArray> {
    let source = source.into();
    source.contain("image", || {
        let (mut decoder, format) = open(&source, limits)?;
        let (width, height) = decoder.dimensions();
        let stored = u64::from(decoder.color_type().bytes_per_pixel()).max(3);
        limits.check_picture(&source.to_string(), width.into(), height.into(), stored)?;
        // Damaged EXIF data is no reason to refuse the pixels; OpenCV ignores it as well.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| explain(&source, error))?;
        picture.apply_orientation(orientation);
        convert::to_rgb_array(picture, format).map_err(|reason| source.broken("image", reason))
    })
}

/// Reads the header of an image and decodes no pixels.
///
/// # Errors
///
/// As [`decode`], except that pixel data is neither read nor checked.
pub fn facts(source: impl Into<Source>, limits: &Limits) -> Result<ImageFacts> {
    let source = source.into();
    source.contain("image", || {
        let (mut decoder, format) = open(&source, limits)?;
        let (width, height) = decoder.dimensions();
        let color = decoder.original_color_type();
        let turned = matches!(
            decoder.orientation(),
            Ok(Orientation::Rotate90
                | Orientation::Rotate270
                | Orientation::Rotate90FlipH
                | Orientation::Rotate270FlipH)
        );
        let (width, height) = if turned { (height, width) } else { (width, height) };
        let channels = color.channel_count();
        Ok(ImageFacts {
            width,
            height,
            mime_type: format.to_mime_type(),
            bit_depth: color.bits_per_pixel() / u16::from(channels.max(1)),
            channels,
        })
    })
}

fn open(source: &Source, limits: &Limits) -> Result<(impl ImageDecoder + use<>, ImageFormat)> {
    let reader: SourceReader = source.open(limits)?;
    let mut reader = ImageReader::new(reader).with_guessed_format().map_err(|error| source.io(error))?;
    let Some(format) = reader.format() else {
        return Err(Error::Unsupported {
            what: source.to_string(),
            reason: "the content is no image format this build knows (JPEG, PNG, WebP, BMP, TIFF, GIF, PNM); convert \
                     AVIF, HEIC and others to one of these"
                .into(),
        });
    };
    let mut bounds = ::image::Limits::no_limits();
    // Decoders hold what they unpack besides the picture itself.
    bounds.max_alloc = Some(limits.max_decoded_bytes.saturating_mul(2));
    reader.limits(bounds);
    Ok((reader.into_decoder().map_err(|error| explain(source, error))?, format))
}

fn explain(source: &Source, error: ::image::ImageError) -> Error {
    use ::image::ImageError;
    match error {
        ImageError::Unsupported(reason) => {
            Error::Unsupported { what: source.to_string(), reason: reason.to_string() }
        }
        ImageError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => source.io(error),
        other => source.broken("image", other),
    }
}
