//! Identifiers and sizes of a DICOM file; its pixel data is not read.

use super::{DicomFacts, MediaFacts, MediaKind};
use crate::dicom::DicomTags;
use crate::error::Result;
use crate::limits::Limits;
use crate::source::Source;

pub(super) fn probe(source: &Source, limits: &Limits) -> Result<MediaFacts> {
    let tags = DicomTags::read(source, limits)?;
    let mut facts = MediaFacts::new(MediaKind::Dicom, "application/dicom");
    facts.width = tags.columns;
    facts.height = tags.rows;
    facts.frame_count = Some(tags.number_of_frames.into());
    facts.bit_depth = tags.bits_stored;
    facts.channels = Some(tags.samples_per_pixel);
    facts.dicom = Some(DicomFacts {
        sop_instance_uid: tags.sop_instance_uid,
        sop_class_uid: tags.sop_class_uid,
        series_instance_uid: tags.series_instance_uid,
        study_instance_uid: tags.study_instance_uid,
        transfer_syntax_uid: tags.transfer_syntax_uid,
        modality: tags.modality,
        patient_id: tags.patient_id,
        rows: tags.rows,
        columns: tags.columns,
        number_of_frames: tags.number_of_frames,
    });
    Ok(facts)
}
