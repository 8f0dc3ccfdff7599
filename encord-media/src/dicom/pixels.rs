//! The pixels of one DICOM file.

use dicom_object::OpenFileOptions;
use dicom_object::file::ReadPreamble;
use dicom_pixeldata::{
    ConvertOptions, DecodedPixelData, ModalityLutOption, PixelDecoder, PlanarConfiguration, VoiLutOption,
};
use ndarray::{Array3, Axis};

use super::tags::{DicomTags, PIXEL_DATA, Window, explain};
use super::{codestream, guard};
use crate::RgbArray;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::source::Source;

/// One DICOM file with its pixels.
#[derive(Debug, Clone)]
pub struct DicomFile {
    source: Source,
    tags: DicomTags,
}

impl DicomFile {
    /// Reads a file. Pixels are decoded when they are asked for.
    ///
    /// # Errors
    ///
    /// [`Error::Decode`] if it is no DICOM file or damaged, [`Error::Limit`] if its frames are larger or more than
    /// the limits allow.
    pub fn open(source: impl Into<Source>, limits: &Limits) -> Result<Self> {
        let source = source.into();
        source.contain("DICOM", || {
            let reader = source.open(limits)?;
            limits.check_decoded(&source.to_string(), reader.length())?;
            guard::check(&source, limits, true)?;
            let object = OpenFileOptions::new()
                .read_preamble(ReadPreamble::Auto)
                .from_reader(reader)
                .map_err(|error| source.broken("DICOM", explain(&error)))?;
            let tags = DicomTags::new(object);
            let what = source.to_string();
            let (rows, columns) = (tags.rows.unwrap_or(0), tags.columns.unwrap_or(0));
            limits.check_frames(&what, tags.number_of_frames.into())?;
            limits.check_picture(&what, columns.into(), rows.into(), 4)?;
            let values = u64::from(rows) * u64::from(columns) * u64::from(tags.samples_per_pixel);
            limits.check_decoded(
                &what,
                values.saturating_mul(tags.number_of_frames.into()).saturating_mul(4),
            )?;
            check_frames(&source, &tags)?;
            Ok(Self { source: source.clone(), tags })
        })
    }

    /// The tags.
    pub fn tags(&self) -> &DicomTags {
        &self.tags
    }

    /// Values as stored, `[frames, rows, columns]`.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if the transfer syntax has no decoder in this build or the pixels are coloured,
    /// [`Error::Decode`] if they are missing or damaged.
    pub fn raw(&self) -> Result<Array3<i32>> {
        self.source.contain("DICOM", || {
            let decoded = self.decode()?;
            self.values(&decoded)
        })
    }

    /// Values in the unit of the modality (Hounsfield units of a CT), `[frames, rows, columns]`: as stored, times
    /// the slope plus the intercept.
    ///
    /// # Errors
    ///
    /// As [`DicomFile::raw`].
    pub fn rescaled(&self) -> Result<Array3<f32>> {
        self.source.contain("DICOM", || {
            let decoded = self.decode()?;
            let mut values = self.values(&decoded)?.mapv(|value| value as f32);
            let rescales = decoded.rescale().map_err(|error| self.source.broken("DICOM", explain(&error)))?;
            for (frame, mut values) in values.axis_iter_mut(Axis(0)).enumerate() {
                let Some(rescale) = rescales.get(frame).or_else(|| rescales.first()) else { break };
                values.mapv_inplace(|value| (f64::from(value) * rescale.slope + rescale.intercept) as f32);
            }
            Ok(values)
        })
    }

    /// Eight bits through a window, `[frames, rows, columns]`, black to white, also for `MONOCHROME1`.
    ///
    /// Without a window the first one the file suggests is used, or else the range of its values.
    ///
    /// # Errors
    ///
    /// As [`DicomFile::raw`], and [`Error::InvalidArgument`] for a window narrower than 1.
    pub fn windowed(&self, window: Option<Window>) -> Result<Array3<u8>> {
        if let Some(window) = window.filter(|window| !(window.width >= 1.0 && window.center.is_finite())) {
            return Err(Error::InvalidArgument {
                argument: "window",
                reason: format!("a width of {} around {} shows nothing", window.width, window.center),
            });
        }
        let values = self.rescaled()?;
        let window = window.or_else(|| self.tags.windows.iter().copied().find(|window| window.width >= 1.0));
        let inverted = self.tags.photometric_interpretation.as_deref() == Some("MONOCHROME1");
        let shade = shade(&values, window);
        Ok(values.mapv(|value| if inverted { 255 - shade(value) } else { shade(value) }))
    }

    /// One frame as `[rows, columns, 3]` RGB: colour as it is, palettes looked up, grey through the window the
    /// file suggests.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if there is no such frame, and as [`DicomFile::raw`].
    pub fn rgb(&self, frame: u32) -> Result<RgbArray> {
        if frame >= self.tags.number_of_frames {
            return Err(Error::OutOfRange {
                what: self.source.to_string(),
                wanted: format!("frame {frame}"),
                available: format!("{} frames, numbered from 0", self.tags.number_of_frames),
            });
        }
        let frame = frame as usize;
        match self.tags.photometric_interpretation.as_deref() {
            Some("MONOCHROME1" | "MONOCHROME2") | None if self.tags.samples_per_pixel == 1 => {
                let grey = self.windowed(None)?;
                let grey = grey.index_axis(Axis(0), frame);
                let (rows, columns) = grey.dim();
                Ok(RgbArray::from_shape_fn((rows, columns, 3), |(row, column, _)| grey[[row, column]]))
            }
            Some("PALETTE COLOR") => {
                let palette = [0x1101, 0x1102, 0x1103].map(|tag| self.palette(tag));
                let [red, green, blue] = palette;
                let (red, green, blue) = (red?, green?, blue?);
                let raw = self.raw()?;
                let raw = raw.index_axis(Axis(0), frame);
                let (rows, columns) = raw.dim();
                Ok(RgbArray::from_shape_fn((rows, columns, 3), |(row, column, channel)| {
                    [&red, &green, &blue][channel].color(raw[[row, column]])
                }))
            }
            _ => self.source.contain("DICOM", || self.color(frame)),
        }
    }

    fn decode(&self) -> Result<DecodedPixelData<'_>> {
        self.tags.object().decode_pixel_data().map_err(|error| {
            let reason = explain(&error);
            if reason.contains("nsupported") {
                Error::Unsupported {
                    what: self.source.to_string(),
                    reason: format!(
                        "transfer syntax {} can't be decoded ({reason})",
                        self.tags.transfer_syntax_uid
                    ),
                }
            } else {
                self.source.broken("DICOM", reason)
            }
        })
    }

    fn values(&self, decoded: &DecodedPixelData<'_>) -> Result<Array3<i32>> {
        if decoded.samples_per_pixel() != 1 {
            return Err(Error::Unsupported {
                what: self.source.to_string(),
                reason: "its pixels are coloured; ask for RGB".into(),
            });
        }
        let options = ConvertOptions::new()
            .with_modality_lut(ModalityLutOption::None)
            .with_voi_lut(VoiLutOption::Identity);
        let values = decoded
            .to_vec_with_options(&options)
            .map_err(|error| self.source.broken("DICOM", explain(&error)))?;
        let shape =
            (decoded.number_of_frames() as usize, decoded.rows() as usize, decoded.columns() as usize);
        Array3::from_shape_vec(shape, values).map_err(|error| self.source.broken("DICOM", error))
    }

    /// A frame of three samples per pixel.
    fn color(&self, frame: usize) -> Result<RgbArray> {
        let decoded = self.decode()?;
        if decoded.samples_per_pixel() != 3 || decoded.bits_allocated() != 8 {
            return Err(Error::Unsupported {
                what: self.source.to_string(),
                reason: format!(
                    "{} samples of {} bits per pixel are no colour this crate reads",
                    decoded.samples_per_pixel(),
                    decoded.bits_allocated()
                ),
            });
        }
        let bytes =
            decoded.frame_data(frame as u32).map_err(|error| self.source.broken("DICOM", explain(&error)))?;
        let (rows, columns) = (decoded.rows() as usize, decoded.columns() as usize);
        let size = rows * columns;
        if bytes.len() < size * 3 {
            return Err(self.source.broken("DICOM", "a frame has too few bytes"));
        }
        let planar = decoded.planar_configuration() == PlanarConfiguration::PixelFirst;
        let at = |pixel: usize, channel: usize| {
            if planar { bytes[channel * size + pixel] } else { bytes[pixel * 3 + channel] }
        };
        // What the library reports after unpacking is always RGB, but only its JPEG decoder converts.
        let luma =
            matches!(self.tags.photometric_interpretation.as_deref(), Some("YBR_FULL" | "YBR_FULL_422"))
                && !is_jpeg(&self.tags.transfer_syntax_uid);
        let mut rgb = Vec::with_capacity(size * 3);
        for pixel in 0..size {
            let samples = [0, 1, 2].map(|channel| at(pixel, channel));
            rgb.extend(if luma { from_ybr(samples) } else { samples });
        }
        RgbArray::from_shape_vec((rows, columns, 3), rgb).map_err(|error| self.source.broken("DICOM", error))
    }

    /// One of the three colour tables: its descriptor stands at `tag`, its values 0x100 further.
    fn palette(&self, tag: u16) -> Result<Palette> {
        let missing = || self.source.broken("DICOM", "its palette is missing or damaged");
        let descriptor = self.tags.numbers(0x0028, tag);
        let [entries, first, bits] = descriptor.as_slice() else { return Err(missing()) };
        let object = self.tags.object();
        let element =
            object.element_opt(dicom_object::Tag(0x0028, tag + 0x100)).ok().flatten().ok_or_else(missing)?;
        let bytes = element.to_bytes().map_err(|_| missing())?;
        // A table of 65536 entries is written as 0.
        let entries = if *entries == 0.0 { 65536 } else { *entries as usize };
        let colors: Vec<u8> = if *bits > 8.0 && bytes.len() >= entries * 2 {
            bytes.as_chunks::<2>().0.iter().map(|pair| pair[1]).collect()
        } else {
            bytes.to_vec()
        };
        if colors.is_empty() {
            return Err(missing());
        }
        Ok(Palette { first: *first as i32, colors })
    }
}

/// Refuses compressed frames that are larger by their own header than the tags say.
fn check_frames(source: &Source, tags: &DicomTags) -> Result<()> {
    let pixels = tags.object().element_opt(PIXEL_DATA).ok().flatten();
    let fragments = pixels.and_then(|element| element.value().fragments()).unwrap_or_default();
    let stated = (tags.columns.unwrap_or(0), tags.rows.unwrap_or(0));
    for size in fragments.iter().filter_map(|fragment| codestream::size(fragment)) {
        if (size.columns, size.rows) != stated || size.components > tags.samples_per_pixel {
            return Err(source.broken(
                "DICOM",
                format_args!(
                    "a frame of {} x {} pixels of {} samples where the tags say {} x {} of {}",
                    size.columns, size.rows, size.components, stated.0, stated.1, tags.samples_per_pixel
                ),
            ));
        }
    }
    Ok(())
}

struct Palette {
    first: i32,
    colors: Vec<u8>,
}

impl Palette {
    /// Values outside the table take its first or last colour.
    fn color(&self, value: i32) -> u8 {
        let place = i64::from(value) - i64::from(self.first);
        self.colors[place.clamp(0, self.colors.len() as i64 - 1) as usize]
    }
}

/// The function from values to shades of grey, as the standard gives it for linear windows.
fn shade(values: &Array3<f32>, window: Option<Window>) -> impl Fn(f32) -> u8 + use<> {
    let (low, scale) = match window {
        // A window of width one is a threshold.
        Some(Window { center, width }) => {
            (center - 0.5 - (width - 1.0) / 2.0, (width - 1.0).max(f64::MIN_POSITIVE))
        }
        None => {
            let low = values.iter().copied().fold(f32::INFINITY, f32::min);
            let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            (f64::from(low), f64::from(high - low).max(f64::MIN_POSITIVE))
        }
    };
    move |value| ((f64::from(value) - low) / scale * 255.0).round().clamp(0.0, 255.0) as u8
}

/// Whether frames are JPEG, in one of its processes before JPEG-LS and JPEG 2000.
fn is_jpeg(transfer_syntax: &str) -> bool {
    let process = transfer_syntax.strip_prefix("1.2.840.10008.1.2.4.").and_then(|number| number.parse().ok());
    process.is_some_and(|process: u32| (50..=70).contains(&process))
}

/// Full-range luma and chroma to RGB, as the standard gives it.
fn from_ybr([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb]
        .map(|value| value.round().clamp(0.0, 255.0) as u8)
}
