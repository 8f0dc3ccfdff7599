//! A short CT series: a body of soft tissue in air, with a dense ball in the inner slices.

use std::path::Path;

use anyhow::{Context, Result};
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

const SIDE: u16 = 96;
/// Stored values are this much above Hounsfield units.
const INTERCEPT: i32 = -1024;
/// The root of identifiers that anyone may make from a number of their own.
const UID_ROOT: &str = "2.25.20261122";

/// Writes one file per slice and returns their names in order.
pub(super) fn write_series(folder: &Path, slices: u32) -> Result<Vec<String>> {
    (1..=slices)
        .map(|number| {
            let name = format!("ct-{number}.dcm");
            let path = folder.join(&name);
            write_slice(&path, number, slices).with_context(|| format!("cannot write {}", path.display()))?;
            Ok(name)
        })
        .collect()
}

fn write_slice(path: &Path, number: u32, slices: u32) -> Result<()> {
    let instance = format!("{UID_ROOT}.1.1.{number}");
    let mut slice = InMemDicomObject::new_empty();
    let mut text =
        |tag, vr, value: &str| drop(slice.put(DataElement::new(tag, vr, PrimitiveValue::from(value))));
    text(tags::SOP_CLASS_UID, VR::UI, uids::CT_IMAGE_STORAGE);
    text(tags::SOP_INSTANCE_UID, VR::UI, &instance);
    text(tags::STUDY_INSTANCE_UID, VR::UI, &format!("{UID_ROOT}.1"));
    text(tags::SERIES_INSTANCE_UID, VR::UI, &format!("{UID_ROOT}.1.1"));
    text(tags::MODALITY, VR::CS, "CT");
    text(tags::PATIENT_NAME, VR::PN, "Sample^Nobody");
    text(tags::PATIENT_ID, VR::LO, "sample");
    text(tags::STUDY_DATE, VR::DA, "20260101");
    text(tags::INSTANCE_NUMBER, VR::IS, &number.to_string());
    text(tags::SLICE_THICKNESS, VR::DS, "2");
    text(tags::PIXEL_SPACING, VR::DS, "1\\1");
    text(tags::IMAGE_POSITION_PATIENT, VR::DS, &format!("0\\0\\{}", number * 2));
    text(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\0\\1\\0");
    text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2");
    text(tags::RESCALE_SLOPE, VR::DS, "1");
    text(tags::RESCALE_INTERCEPT, VR::DS, &INTERCEPT.to_string());
    text(tags::WINDOW_CENTER, VR::DS, "40");
    text(tags::WINDOW_WIDTH, VR::DS, "400");
    let mut number_of =
        |tag, value: u16| drop(slice.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value))));
    number_of(tags::SAMPLES_PER_PIXEL, 1);
    number_of(tags::ROWS, SIDE);
    number_of(tags::COLUMNS, SIDE);
    number_of(tags::BITS_ALLOCATED, 16);
    number_of(tags::BITS_STORED, 12);
    number_of(tags::HIGH_BIT, 11);
    number_of(tags::PIXEL_REPRESENTATION, 0);
    let pixels = PrimitiveValue::U16(pixels(number, slices).into());
    slice.put(DataElement::new(tags::PIXEL_DATA, VR::OW, pixels));
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .media_storage_sop_class_uid(uids::CT_IMAGE_STORAGE)
        .media_storage_sop_instance_uid(instance);
    slice.with_meta(meta)?.write_to_file(path)?;
    Ok(())
}

fn pixels(number: u32, slices: u32) -> Vec<u16> {
    let middle = f64::from(SIDE) / 2.0;
    // The ball's cut is widest in the middle slice and gone in the outermost ones.
    let off_centre = f64::from(number) - f64::from(slices + 1) / 2.0;
    let ball_radius = (100.0 - (off_centre * 7.0).powi(2)).max(0.0).sqrt();
    let hounsfield = |x: u16, y: u16| {
        let (x, y) = (f64::from(x) - middle, f64::from(y) - middle);
        if (x - 12.0).hypot(y + 8.0) < ball_radius {
            300
        } else if (x / 40.0).hypot(y / 30.0) < 1.0 {
            40
        } else {
            -1000
        }
    };
    let stored = |value: i32| u16::try_from(value - INTERCEPT).unwrap_or_default();
    (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| stored(hounsfield(x, y)))).collect()
}
