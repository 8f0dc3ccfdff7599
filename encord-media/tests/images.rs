//! Images made here, decoded as OpenCV would decode them.

#![cfg(feature = "image")]
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::io::Cursor;

use encord_media::encode::{Compression, Encoded};
use encord_media::{Error, Limits, RgbArray, image as media};
use image::{DynamicImage, GrayAlphaImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgba};

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn decode(bytes: Vec<u8>) -> RgbArray {
    media::decode(bytes, &Limits::default()).unwrap()
}

/// Every pixel tells its row and column.
fn picture() -> RgbArray {
    RgbArray::from_shape_fn((5, 7, 3), |(row, column, channel)| {
        [row as u8 * 20, column as u8 * 20, 9][channel]
    })
}

#[test]
fn lossless_formats_keep_every_pixel() {
    let pixels = picture();
    let rgb = image::RgbImage::from_raw(7, 5, pixels.iter().copied().collect()).unwrap();
    for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Tiff, ImageFormat::WebP, ImageFormat::Pnm]
    {
        assert_eq!(decode(encoded(&rgb.clone().into(), format)), pixels, "{format:?}");
    }
}

#[test]
fn sixteen_bits_are_cut_to_the_upper_eight() {
    let picture = ImageBuffer::from_fn(3, 1, |x, _| Luma([[0u16, 0x12ff, 0xfffe][x as usize]]));
    let pixels = decode(encoded(&DynamicImage::ImageLuma16(picture), ImageFormat::Png));
    assert_eq!(pixels.iter().copied().collect::<Vec<_>>(), [0, 0, 0, 0x12, 0x12, 0x12, 0xff, 0xff, 0xff]);
}

#[test]
fn alpha_is_dropped_and_grey_is_widened() {
    let picture = ImageBuffer::from_pixel(1, 1, Rgba([10u8, 20, 30, 0]));
    assert_eq!(
        decode(encoded(&DynamicImage::ImageRgba8(picture), ImageFormat::Png)).as_slice().unwrap(),
        [10, 20, 30]
    );
    let picture = GrayAlphaImage::from_pixel(1, 1, LumaA([40, 3]));
    assert_eq!(decode(encoded(&picture.into(), ImageFormat::Png)).as_slice().unwrap(), [40, 40, 40]);
}

/// A JPEG with an EXIF block that holds nothing but an orientation.
fn oriented(orientation: u8) -> Vec<u8> {
    let pixels =
        RgbArray::from_shape_fn((16, 32, 3), |(row, column, _)| if row < 8 && column < 16 { 250 } else { 5 });
    let jpeg = Encoded::new(&pixels, Compression::Jpeg(95)).unwrap().bytes;
    let mut exif = b"\xff\xe1\x00\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    [&jpeg[..2], &exif, &jpeg[2..]].concat()
}

#[test]
fn all_eight_orientations_are_applied() {
    // Where the bright corner of the stored picture ends up: at the bottom, at the right.
    let corners = [
        (false, false),
        (false, true),
        (true, true),
        (true, false),
        (false, false),
        (false, true),
        (true, true),
        (true, false),
    ];
    for (orientation, (bottom, right)) in (1u8..).zip(corners) {
        let pixels = decode(oriented(orientation));
        let (height, width, _) = pixels.dim();
        assert_eq!((height, width), if orientation < 5 { (16, 32) } else { (32, 16) }, "{orientation}");
        let facts = media::facts(oriented(orientation), &Limits::default()).unwrap();
        assert_eq!((facts.height as usize, facts.width as usize), (height, width), "{orientation}");
        let row = if bottom { height - 2 } else { 1 };
        let column = if right { width - 2 } else { 1 };
        assert!(pixels[[row, column, 0]] > 200, "{orientation}");
        assert!(pixels[[height - 1 - row, width - 1 - column, 0]] < 50, "{orientation}");
    }
}

#[test]
fn a_bomb_is_stopped_by_its_header() {
    let small = encoded(&DynamicImage::new_rgb8(100, 100), ImageFormat::Png);
    let error = media::decode(small, &Limits::default().with_max_pixels(9999)).unwrap_err();
    assert!(
        matches!(error, Error::Limit { limit: "max_pixels", actual: 10_000, maximum: 9999, .. }),
        "{error}"
    );
}

#[test]
fn cut_and_damaged_files_never_panic() {
    let rgb = image::RgbImage::from_fn(40, 30, |x, y| image::Rgb([x as u8 * 6, y as u8 * 8, (x * y) as u8]));
    let formats = [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
        ImageFormat::WebP,
        ImageFormat::Gif,
    ];
    for format in formats {
        let whole = encoded(&rgb.clone().into(), format);
        for step in 0..50 {
            let at = whole.len() * step / 50;
            let mut damaged = whole.clone();
            for byte in damaged.iter_mut().skip(at).take(3) {
                *byte ^= 0xa5;
            }
            for bytes in [whole[..at].to_vec(), damaged] {
                let _ = media::decode(bytes, &Limits::default().with_max_pixels(1 << 20));
            }
        }
    }
}

#[test]
fn what_is_no_image_says_so() {
    let error = media::decode(&b"hello"[..], &Limits::default()).unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
}

#[test]
fn senseless_pictures_are_not_encoded() {
    assert!(Encoded::new(&RgbArray::zeros((0, 4, 3)), Compression::Png).is_err());
    assert!(Encoded::new(&RgbArray::zeros((4, 4, 1)), Compression::Png).is_err());
    assert!(Encoded::new(&picture(), Compression::Jpeg(0)).is_err());
}
