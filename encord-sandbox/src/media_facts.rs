//! What the bytes of a file say about it: its type, dimensions, duration.

use std::path::Path;

use encord_media::Limits;
use encord_media::dicom::DicomTags;
use encord_media::probe::{MediaFacts, MediaKind, probe};

use crate::store::{Facts, ItemKind};

/// The facts of a file that is to become an item of this kind. The error says
/// why the file cannot be one.
pub(crate) fn of_file(kind: ItemKind, path: &Path) -> Result<Facts, String> {
    if kind == ItemKind::Scene {
        // Nothing here reads point clouds.
        let size = path.metadata().map_err(|error| format!("{}: {error}", path.display()))?.len();
        let mime = Some("application/octet-stream".to_owned());
        return Ok(Facts { mime, size: Some(size), ..Facts::default() });
    }
    let found = probe(path, &Limits::default()).map_err(|error| format!("{}: {error}", path.display()))?;
    if !fits(kind, found.kind) {
        return Err(format!(
            "{} is {}, which cannot be of type {}",
            path.display(),
            found.mime_type,
            kind.wire()
        ));
    }
    Ok(facts(kind, found))
}

fn fits(kind: ItemKind, found: MediaKind) -> bool {
    match kind {
        ItemKind::Image => found == MediaKind::Image,
        ItemKind::Video | ItemKind::ImageSequence => found == MediaKind::Video,
        ItemKind::Audio => matches!(found, MediaKind::Audio | MediaKind::Video),
        ItemKind::Pdf => found == MediaKind::Pdf,
        ItemKind::DicomFile => found == MediaKind::Dicom,
        ItemKind::Nifti => found == MediaKind::Nifti,
        _ => true,
    }
}

fn facts(kind: ItemKind, found: MediaFacts) -> Facts {
    let axis = |axis: usize| found.nifti_shape.as_ref().and_then(|shape| shape.get(axis)).copied();
    let side = |side: Option<u64>| side.and_then(|side| u32::try_from(side).ok());
    let is_audio = kind == ItemKind::Audio;
    let dicom =
        |uid: fn(&DicomTags) -> &Option<String>| found.dicom.as_deref().and_then(|tags| uid(tags).clone());
    let frames = match kind {
        ItemKind::Pdf => found.pages.map(u64::from),
        ItemKind::Nifti => axis(2),
        ItemKind::Image | ItemKind::Audio | ItemKind::PlainText => None,
        _ => found.frame_count,
    };
    Facts {
        mime: Some(found.mime_type),
        size: Some(found.byte_size),
        width: found.width.or(side(axis(0))),
        height: found.height.or(side(axis(1))),
        duration: found.duration,
        fps: found.frame_rate,
        frames,
        // A video's sound and an image's channels are nobody's business here.
        sample_rate: found.sample_rate.filter(|_| is_audio),
        channels: found.channels.filter(|_| is_audio),
        bit_depth: found.bit_depth.filter(|_| is_audio),
        codec: found.codec.filter(|_| is_audio),
        dicom_study: dicom(|tags| &tags.study_instance_uid),
        dicom_series: dicom(|tags| &tags.series_instance_uid),
        dicom_instance: dicom(|tags| &tags.sop_instance_uid),
    }
}
