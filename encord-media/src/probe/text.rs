//! Text is what is left: no known magic number, and valid UTF-8.

use std::io::Read;

use super::{MediaFacts, MediaKind};
use crate::error::Result;
use crate::limits::Limits;
use crate::source::Source;

/// How much of the file must be text for the whole to count as text.
const SAMPLE: u64 = 64 << 10;

pub(super) fn probe(source: &Source, limits: &Limits) -> Result<MediaFacts> {
    let mut sample = Vec::new();
    source.open(limits)?.take(SAMPLE).read_to_end(&mut sample).map_err(|error| source.io(error))?;
    if !is_text(&sample) {
        return Ok(MediaFacts::new(MediaKind::Other, "application/octet-stream"));
    }
    let mime_type = match source.extension().as_deref() {
        Some("htm" | "html") => "text/html",
        Some("md" | "markdown") => "text/markdown",
        Some("csv") => "text/csv",
        Some("xml") => "text/xml",
        Some("json") => "application/json",
        _ => "text/plain",
    };
    Ok(MediaFacts::new(MediaKind::Text, mime_type))
}

fn is_text(sample: &[u8]) -> bool {
    let valid = match std::str::from_utf8(sample) {
        Ok(_) => sample.len(),
        // The sample may have cut the last character in two.
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => return false,
    };
    !sample[..valid].contains(&0) && (valid > 0 || sample.is_empty())
}
