//! The tags of a DICOM file that say what it is, where it lies and how its pixels are to be read.

use dicom_object::file::ReadPreamble;
use dicom_object::{DefaultDicomObject, OpenFileOptions, Tag};

use super::guard;
use crate::error::Result;
use crate::limits::Limits;
use crate::source::Source;

/// Where pixel data begins; everything before it is read.
pub(super) const PIXEL_DATA: Tag = Tag(0x7fe0, 0x0010);

/// Which values are shown and how bright: everything below `center - width / 2` is black, everything above
/// `center + width / 2` is white.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// The value in the middle.
    pub center: f64,
    /// How many values are told apart; at least 1.
    pub width: f64,
}

/// Tags of one DICOM file, read without its pixels.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DicomTags {
    /// SOP instance uid, (0008,0018): the identity of this file, which label rows call a slice or frame by.
    pub sop_instance_uid: Option<String>,
    /// SOP class uid, (0008,0016).
    pub sop_class_uid: Option<String>,
    /// Series instance uid, (0020,000E).
    pub series_instance_uid: Option<String>,
    /// Study instance uid, (0020,000D).
    pub study_instance_uid: Option<String>,
    /// Transfer syntax uid of the file.
    pub transfer_syntax_uid: String,
    /// Modality, (0008,0060), for example `CT`.
    pub modality: Option<String>,
    /// Patient id, (0010,0020).
    pub patient_id: Option<String>,
    /// Rows, (0028,0010).
    pub rows: Option<u32>,
    /// Columns, (0028,0011).
    pub columns: Option<u32>,
    /// Number of frames, (0028,0008); 1 if not stated.
    pub number_of_frames: u32,
    /// Samples per pixel, (0028,0002); 1 if not stated.
    pub samples_per_pixel: u32,
    /// Bits per sample in the file, (0028,0100).
    pub bits_allocated: Option<u32>,
    /// Bits per sample that are used, (0028,0101).
    pub bits_stored: Option<u32>,
    /// Photometric interpretation, (0028,0004), for example `MONOCHROME2`.
    pub photometric_interpretation: Option<String>,
    /// Position of the first pixel in the patient, in millimetres, (0020,0032).
    pub position: Option<[f64; 3]>,
    /// Directions of rows and columns in the patient, (0020,0037).
    pub orientation: Option<[f64; 6]>,
    /// Instance number, (0020,0013).
    pub instance_number: Option<i64>,
    /// Distance between pixels in millimetres, along columns then rows, (0028,0030).
    pub pixel_spacing: Option<[f64; 2]>,
    /// Thickness of the slice in millimetres, (0018,0050).
    pub slice_thickness: Option<f64>,
    /// The windows the file suggests, (0028,1050) and (0028,1051).
    pub windows: Vec<Window>,
    object: DefaultDicomObject,
}

impl DicomTags {
    /// Reads the tags of a file and stops where its pixels begin.
    ///
    /// # Errors
    ///
    /// [`Error::Decode`](crate::Error::Decode) if it is no DICOM file or damaged.
    pub fn read(source: impl Into<Source>, limits: &Limits) -> Result<Self> {
        let source = source.into();
        source.contain("DICOM", || {
            guard::check(&source, limits, false)?;
            let object = OpenFileOptions::new()
                .read_preamble(ReadPreamble::Auto)
                .read_until(PIXEL_DATA)
                .from_reader(source.open(limits)?)
                .map_err(|error| source.broken("DICOM", explain(&error)))?;
            Ok(Self::new(object))
        })
    }

    /// The text of any tag, its values joined by backslashes; `None` if it is missing or no text or number.
    pub fn text(&self, group: u16, element: u16) -> Option<String> {
        let value = self.object.element_opt(Tag(group, element)).ok()??.to_str().ok()?;
        let value = value.trim_matches(|c: char| c == '\0' || c.is_whitespace());
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// The numbers of any tag; empty if it is missing or holds none.
    pub fn numbers(&self, group: u16, element: u16) -> Vec<f64> {
        numbers(&self.object, group, element)
    }

    pub(super) fn new(object: DefaultDicomObject) -> Self {
        let number = |group, element| numbers(&object, group, element).first().map(|value| *value as u32);
        let array = |group, element| numbers(&object, group, element);
        let centers = array(0x0028, 0x1050);
        let widths = array(0x0028, 0x1051);
        let windows =
            centers.into_iter().zip(widths).map(|(center, width)| Window { center, width }).collect();
        let mut tags = Self {
            sop_instance_uid: None,
            sop_class_uid: None,
            series_instance_uid: None,
            study_instance_uid: None,
            transfer_syntax_uid: object.meta().transfer_syntax().to_owned(),
            modality: None,
            patient_id: None,
            rows: number(0x0028, 0x0010),
            columns: number(0x0028, 0x0011),
            number_of_frames: number(0x0028, 0x0008).unwrap_or(1),
            samples_per_pixel: number(0x0028, 0x0002).unwrap_or(1),
            bits_allocated: number(0x0028, 0x0100),
            bits_stored: number(0x0028, 0x0101),
            photometric_interpretation: None,
            position: array(0x0020, 0x0032).try_into().ok(),
            orientation: array(0x0020, 0x0037).try_into().ok(),
            instance_number: array(0x0020, 0x0013).first().map(|value| *value as i64),
            pixel_spacing: array(0x0028, 0x0030).try_into().ok(),
            slice_thickness: array(0x0018, 0x0050).first().copied(),
            windows,
            object,
        };
        tags.sop_instance_uid = tags.text(0x0008, 0x0018);
        tags.sop_class_uid = tags.text(0x0008, 0x0016);
        tags.series_instance_uid = tags.text(0x0020, 0x000e);
        tags.study_instance_uid = tags.text(0x0020, 0x000d);
        tags.modality = tags.text(0x0008, 0x0060);
        tags.patient_id = tags.text(0x0010, 0x0020);
        tags.photometric_interpretation = tags.text(0x0028, 0x0004);
        tags
    }

    #[cfg(feature = "dicom")]
    pub(super) fn object(&self) -> &DefaultDicomObject {
        &self.object
    }

    /// How far along the normal of its plane the slice lies, in millimetres.
    #[cfg(feature = "dicom")]
    pub(super) fn depth(&self) -> Option<f64> {
        let ([x, y, z], [a, b, c, d, e, f]) = (self.position?, self.orientation?);
        Some(x * (b * f - c * e) + y * (c * d - a * f) + z * (a * e - b * d))
    }
}

fn numbers(object: &DefaultDicomObject, group: u16, element: u16) -> Vec<f64> {
    let element = object.element_opt(Tag(group, element)).ok().flatten();
    element.and_then(|element| element.to_multi_float64().ok()).unwrap_or_default()
}

/// The whole story of an error of the DICOM crates, whose outermost message says little.
pub(super) fn explain(error: &dyn std::error::Error) -> String {
    let mut story = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        story += &format!(": {error}");
        cause = error.source();
    }
    story.replace('\n', " ")
}
