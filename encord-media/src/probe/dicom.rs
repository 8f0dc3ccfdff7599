//! Identifiers and sizes of a DICOM file; its pixel data is not read.

use super::{MediaFacts, MediaKind};
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
    facts.dicom = Some(Box::new(tags));
    Ok(facts)
}
