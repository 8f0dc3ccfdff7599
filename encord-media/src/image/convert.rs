//! From the pixel layouts files use to the one layout agents get.
//!
//! The `image` crate's own conversions round sixteen bits and would be right for display; OpenCV cuts them (but scales
//! coloured TIFF), and models were trained on what OpenCV gives.

use ::image::{DynamicImage, ImageFormat};

use crate::RgbArray;

/// Converts a decoded picture to `[height, width, 3]` RGB as OpenCV would.
pub(super) fn to_rgb_array(picture: DynamicImage, format: ImageFormat) -> Result<RgbArray, String> {
    let color = if format == ImageFormat::Tiff { scaled } else { upper };
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let rgb = match picture {
        DynamicImage::ImageRgb8(picture) => picture.into_raw(),
        DynamicImage::ImageRgba8(picture) => pick::<_, 4>(&picture, |pixel| [pixel[0], pixel[1], pixel[2]]),
        DynamicImage::ImageLuma8(picture) => pick::<_, 1>(&picture, |pixel| [pixel[0]; 3]),
        DynamicImage::ImageLumaA8(picture) => pick::<_, 2>(&picture, |pixel| [pixel[0]; 3]),
        DynamicImage::ImageRgb16(picture) => {
            pick::<_, 3>(&picture, |pixel| [0, 1, 2].map(|i| color(pixel[i])))
        }
        DynamicImage::ImageRgba16(picture) => {
            pick::<_, 4>(&picture, |pixel| [0, 1, 2].map(|i| color(pixel[i])))
        }
        DynamicImage::ImageLuma16(picture) => pick::<_, 1>(&picture, |pixel| [upper(pixel[0]); 3]),
        DynamicImage::ImageLumaA16(picture) => pick::<_, 2>(&picture, |pixel| [upper(pixel[0]); 3]),
        other => other.into_rgb8().into_raw(),
    };
    RgbArray::from_shape_vec((height, width, 3), rgb).map_err(|error| error.to_string())
}

fn upper(value: u16) -> u8 {
    (value >> 8) as u8
}

fn scaled(value: u16) -> u8 {
    ((u32::from(value) * 255 + 32767) / 65535) as u8
}

fn pick<T, const N: usize>(samples: &[T], convert: impl Fn(&[T; N]) -> [u8; 3]) -> Vec<u8> {
    let (pixels, _) = samples.as_chunks::<N>();
    let mut rgb = Vec::with_capacity(pixels.len() * 3);
    rgb.extend(pixels.iter().flat_map(convert));
    rgb
}
