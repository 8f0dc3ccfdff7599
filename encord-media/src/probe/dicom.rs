//! Identifiers and sizes of a DICOM file; its pixel data is not read.

use dicom_object::file::ReadPreamble;
use dicom_object::{DefaultDicomObject, OpenFileOptions, Tag};

use super::{DicomFacts, MediaFacts, MediaKind};
use crate::error::Result;
use crate::limits::Limits;
use crate::source::Source;

const PIXEL_DATA: Tag = Tag(0x7fe0, 0x0010);

pub(super) fn probe(source: &Source, limits: &Limits) -> Result<MediaFacts> {
    let object = OpenFileOptions::new()
        .read_preamble(ReadPreamble::Always)
        .read_until(PIXEL_DATA)
        .from_reader(source.open(limits)?)
        .map_err(|error| source.broken("DICOM", error))?;
    let text = |group, element| text(&object, Tag(group, element));
    let number = |group, element| number(&object, Tag(group, element));
    let dicom = DicomFacts {
        sop_instance_uid: text(0x0008, 0x0018),
        sop_class_uid: text(0x0008, 0x0016),
        series_instance_uid: text(0x0020, 0x000e),
        study_instance_uid: text(0x0020, 0x000d),
        transfer_syntax_uid: object.meta().transfer_syntax().to_owned(),
        modality: text(0x0008, 0x0060),
        patient_id: text(0x0010, 0x0020),
        rows: number(0x0028, 0x0010),
        columns: number(0x0028, 0x0011),
        number_of_frames: number(0x0028, 0x0008).unwrap_or(1),
    };
    let mut facts = MediaFacts::new(MediaKind::Dicom, "application/dicom");
    facts.width = dicom.columns;
    facts.height = dicom.rows;
    facts.frame_count = Some(dicom.number_of_frames.into());
    facts.bit_depth = number(0x0028, 0x0101);
    facts.channels = number(0x0028, 0x0002);
    facts.dicom = Some(dicom);
    Ok(facts)
}

fn text(object: &DefaultDicomObject, tag: Tag) -> Option<String> {
    let value = object.element_opt(tag).ok()??.to_str().ok()?;
    let value = value.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    (!value.is_empty()).then(|| value.to_owned())
}

fn number(object: &DefaultDicomObject, tag: Tag) -> Option<u32> {
    object.element_opt(tag).ok()??.to_int().ok()
}
