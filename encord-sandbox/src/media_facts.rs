//! What the bytes of a file say about it: its type, dimensions, duration.

use std::path::Path;

use crate::store::{Facts, ItemKind};

/// The facts of a file that is to become an item of this kind. The error says
/// why the file cannot be one.
pub(crate) fn of_file(kind: ItemKind, path: &Path) -> Result<Facts, String> {
    let size = path.metadata().map_err(|error| format!("cannot read {}: {error}", path.display()))?.len();
    let mut facts = Facts { mime: Some(mime(kind, path).into()), size: Some(size), ..Facts::default() };
    if facts.mime.as_deref() == Some("image/png") {
        let file = std::fs::File::open(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let reader = png::Decoder::new(std::io::BufReader::new(file)).read_info();
        let reader = reader.map_err(|error| format!("{} is not a PNG image: {error}", path.display()))?;
        (facts.width, facts.height) = (Some(reader.info().width), Some(reader.info().height));
    }
    Ok(facts)
}

/// The MIME type by extension, or the usual one of the kind.
fn mime(kind: ItemKind, path: &Path) -> &'static str {
    let extension = path.extension().and_then(|text| text.to_str()).unwrap_or_default().to_ascii_lowercase();
    match extension.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "mp4" | "m4v" => "video/mp4",
        "webm" => "video/webm",
        "mkv" => "video/x-matroska",
        "mov" => "video/quicktime",
        "mp3" => "audio/mpeg",
        "wav" => "audio/x-wav",
        "flac" => "audio/flac",
        "txt" => "text/plain",
        "html" => "text/html",
        "pdf" => "application/pdf",
        "dcm" => "application/dicom",
        "nii" | "gz" => "application/nifti",
        _ => match kind {
            ItemKind::Image => "image/png",
            ItemKind::Video | ItemKind::ImageSequence => "video/mp4",
            ItemKind::Audio => "audio/mpeg",
            ItemKind::PlainText => "text/plain",
            ItemKind::Pdf => "application/pdf",
            ItemKind::DicomFile => "application/dicom",
            _ => "application/octet-stream",
        },
    }
}
