//! From what decoders give to RGB arrays, turned as the file says.

use std::ptr;

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
        let pixels = match scale_directly(scaler, decoded) {
            Some(pixels) => pixels,
            None => {
                scaler.run(decoded, rgb).map_err(|error| broken(error.to_string()))?;
                packed(rgb)
            }
        };
        let (width, height) = (width as usize, height as usize);
        let pixels = RgbArray::from_shape_vec((height, width, 3), pixels)
            .map_err(|error| broken(error.to_string()))?;
        Ok(self.turn.apply(pixels))
    }
}

/// The pixels of a converted frame without the padding of its rows, as RGB.
fn packed(rgb: &frame::Video) -> Vec<u8> {
    let row = rgb.width() as usize * 3;
    let mut pixels = Vec::with_capacity(row * rgb.height() as usize);
    for line in rgb.data(0).chunks(rgb.stride(0)).take(rgb.height() as usize) {
        pixels.extend_from_slice(&line[..row]);
    }
    if rgb.format() == Pixel::BGR24 {
        for pixel in pixels.as_chunks_mut::<3>().0 {
            pixel.swap(0, 2);
        }
    }
    pixels
}

/// Converts into the memory that is handed out, which spares copying each frame; `None` where the scaler needs
/// padded rows or another order of colours. Measured on 720 lines: a tenth of the time of decoding.
#[allow(unsafe_code, reason = "the safe interface converts into frames of the library only")]
fn scale_directly(scaler: &mut scaling::Context, decoded: &frame::Video) -> Option<Vec<u8>> {
    let (input, output) = (scaler.input(), scaler.output());
    let (width, height) = (output.width as usize, output.height as usize);
    // Rows of such a width keep the alignment that the scaler's own instructions like, and it never goes past them.
    let fits = width % 32 == 0 && output.format == Pixel::RGB24;
    let same =
        (input.format, input.width, input.height) == (decoded.format(), decoded.width(), decoded.height());
    let length = width.checked_mul(height)?.checked_mul(3)?;
    if !fits || !same || (input.width, input.height) != (output.width, output.height) {
        return None;
    }
    let lines = i32::try_from(height).ok()?;
    let stride = i32::try_from(width * 3).ok()?;
    let mut pixels: Vec<u8> = Vec::with_capacity(length);
    // SAFETY: the frame has the layout and size the scaler was made for, so it reads within the frame's planes. It
    // writes `lines` rows of `stride` bytes from the pointer on, which is the capacity of the vector; the other planes
    // are none, as this layout has one.
    let written = unsafe {
        let source = decoded.as_ptr();
        av::ffi::sws_scale(
            scaler.as_mut_ptr(),
            (*source).data.as_ptr().cast(),
            (*source).linesize.as_ptr(),
            0,
            lines,
            [pixels.as_mut_ptr(), ptr::null_mut(), ptr::null_mut(), ptr::null_mut()].as_ptr(),
            [stride, 0, 0, 0].as_ptr(),
        )
    };
    if written != lines {
        return None;
    }
    // SAFETY: all rows were written, as the scaler said.
    unsafe { pixels.set_len(length) };
    Some(pixels)
}

/// Whether samples have more than eight bits.
///
/// The scaler dithers those, and with another pattern for RGB than for BGR, which is what OpenCV asks for.
fn is_deep(format: Pixel) -> bool {
    format
        .descriptor()
        .is_some_and(|descriptor| descriptor.name().ends_with("le") || descriptor.name().ends_with("be"))
}
