//! From what decoders give to RGB arrays, turned as the file says.

use av::format::Pixel;
use av::software::scaling;
use av::util::frame;
use ffmpeg_next as av;

use crate::RgbArray;
use crate::limits::Limits;
use crate::video::turn::Turn;

/// Converts frames; keeps what can be used again for the next one.
pub(super) struct Converter {
    turn: Turn,
    limits: Limits,
    /// The scaler and the frame it writes to, for one layout and size.
    prepared: Option<(scaling::Context, frame::Video)>,
}

impl Converter {
    pub(super) fn new(turn: Turn, limits: Limits) -> Self {
        Self { turn, limits, prepared: None }
    }

    /// Converts a frame to RGB.
    pub(super) fn convert(&mut self, what: &str, decoded: &frame::Video) -> crate::Result<RgbArray> {
        let (width, height) = (decoded.width(), decoded.height());
        let broken = |reason: String| crate::Error::Decode { what: what.to_owned(), format: "video", reason };
        let fits = |scaler: &scaling::Context| {
            let input = scaler.input();
            (input.format, input.width, input.height) == (decoded.format(), width, height)
        };
        if !self.prepared.as_ref().is_some_and(|(scaler, _)| fits(scaler)) {
            // A stream may change its size on the way, so each new size is checked.
            self.limits.check_picture(what, width.into(), height.into(), 3)?;
            let layout = if is_deep(decoded.format()) { Pixel::BGR24 } else { Pixel::RGB24 };
            let scaler = scaling::Context::get(
                decoded.format(),
                width,
                height,
                layout,
                width,
                height,
                // What OpenCV uses.
                scaling::Flags::BICUBIC,
            )
            .map_err(|error| broken(format!("its pixels can't be converted ({error})")))?;
            self.prepared = Some((scaler, frame::Video::new(layout, width, height)));
        }
        let Some((scaler, rgb)) = &mut self.prepared else { return Err(broken("no converter".into())) };
        scaler.run(decoded, rgb).map_err(|error| broken(error.to_string()))?;
        let (width, height, stride) = (width as usize, height as usize, rgb.stride(0));
        let mut pixels = Vec::with_capacity(width * height * 3);
        for row in rgb.data(0).chunks(stride).take(height) {
            pixels.extend_from_slice(&row[..width * 3]);
        }
        if rgb.format() == Pixel::BGR24 {
            for pixel in pixels.as_chunks_mut::<3>().0 {
                pixel.swap(0, 2);
            }
        }
        let pixels = RgbArray::from_shape_vec((height, width, 3), pixels)
            .map_err(|error| broken(error.to_string()))?;
        Ok(self.turn.apply(pixels))
    }
}

/// Whether samples have more than eight bits.
///
/// The scaler dithers those, and with another pattern for RGB than for BGR, which is what OpenCV asks for.
fn is_deep(format: Pixel) -> bool {
    format
        .descriptor()
        .is_some_and(|descriptor| descriptor.name().ends_with("le") || descriptor.name().ends_with("be"))
}
