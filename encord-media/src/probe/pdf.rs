//! Page count of PDF documents.

use super::{MediaFacts, MediaKind};
use crate::error::Result;
use crate::limits::Limits;
use crate::source::Source;

pub(super) fn probe(source: &Source, limits: &Limits) -> Result<MediaFacts> {
    let reader = source.open(limits)?;
    // The parser holds the whole document.
    limits.check_decoded(&source.to_string(), reader.length())?;
    let metadata =
        lopdf::Document::load_metadata_from(reader).map_err(|error| source.broken("PDF", error))?;
    let mut facts = MediaFacts::new(MediaKind::Pdf, "application/pdf");
    // Zero is what the parser says of documents it can't open without a password.
    facts.pages = Some(metadata.page_count).filter(|pages| *pages > 0);
    Ok(facts)
}
