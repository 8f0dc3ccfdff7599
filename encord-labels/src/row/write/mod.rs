//! From the model to a label document.
//!
//! The document is written as a stream. Frames come in order; which objects are on a frame is found with one
//! sorted list of (frame, object) pairs per file, so the cost is linear in what is written.

mod answers;
mod frames;

use super::content::Content;
use super::data_type::DataType;
use super::metadata::LabelRowMetadata;
use super::space::{Layout, Space};
use super::unit::{DataUnit, Labels};
use crate::error::Result;
use crate::json::Emitter;
use crate::range::Frame;
use frames::{FrameIndex, SpaceTracks};

pub(super) fn write_document(
    content: &Content,
    metadata: &LabelRowMetadata,
    out: &mut Emitter<'_>,
) -> Result<()> {
    out.object(|out| {
        for (key, value) in &content.head {
            out.text_key(key).value(value);
        }
        if !content.head.contains_key("annotation_task_status") {
            out.key("annotation_task_status").nullable(metadata.annotation_task_status());
        }
        if !content.head.contains_key("is_shadow_data") {
            out.key("is_shadow_data").boolean(metadata.is_shadow_data());
        }
        answers::write_answers(content, out)?;
        let tracks = SpaceTracks::of(content);
        out.key("data_units").object(|out| {
            let index = FrameIndex::of_root(content);
            content.units.iter().enumerate().try_for_each(|(position, unit)| {
                out.text_key(unit.data_hash());
                write_unit(content, unit, position, (&index, &tracks), out)
            })
        })?;
        // An empty map would say that a continuous scene has the spaces its labels mention.
        if content.places.root.continuous && !content.spaces_by_mention && content.spaces.is_empty() {
            return Ok(());
        }
        out.key("spaces").object(|out| {
            content.spaces.values().filter(|space| !space.implicit).try_for_each(|space| {
                out.text_key(space.id.as_str());
                write_space(content, space, &tracks, out)
            })
        })
    })
}

fn write_unit(
    content: &Content,
    unit: &DataUnit,
    position: usize,
    (index, tracks): (&FrameIndex<'_>, &SpaceTracks<'_>),
    out: &mut Emitter<'_>,
) -> Result<()> {
    out.object(|out| {
        for (key, value) in &unit.facts {
            out.text_key(key).value(value);
        }
        let out = out.key("labels");
        if let Some(opaque) = &unit.labels.opaque {
            out.value(opaque);
            return Ok(());
        }
        if content.data_type.is_flat() {
            let group = content.data_type == DataType::ImageGroup;
            if group || position == 0 {
                return frames::write_flat(index, if group { unit.sequence } else { 0 }, &unit.labels, out);
            }
            return frames::write_flat(index, Frame::MAX, &unit.labels, out);
        }
        if position > 0 || !content.data_type.has_frames() || content.data_type == DataType::DicomStudy {
            return out.object(|_| Ok(()));
        }
        frames::write_frames(index, &unit.labels, out, |out| write_scene_members(content, tracks, out))
    })
}

fn write_space(
    content: &Content,
    space: &Space,
    tracks: &SpaceTracks<'_>,
    out: &mut Emitter<'_>,
) -> Result<()> {
    out.object(|out| {
        for (key, value) in &space.facts {
            out.text_key(key).value(value);
        }
        let out = out.key("labels");
        if let Some(opaque) = &space.labels.opaque {
            out.value(opaque);
            return Ok(());
        }
        let index = FrameIndex::of_space(tracks, &space.id);
        match space.kind.layout() {
            Layout::Frames => frames::write_frames(&index, &space.labels, out, |_| Ok(())),
            Layout::Flat if is_among_unit(content, space) => out.object(|_| Ok(())),
            Layout::Flat => frames::write_flat(&index, 0, &space.labels, out),
            Layout::Ranges => out.object(|_| Ok(())),
        }
    })
}

/// Whether the labels of a space are written with the data unit's.
fn is_among_unit(content: &Content, space: &Space) -> bool {
    content.data_type == DataType::Scene && unit_key(space).is_some()
}

fn unit_key(space: &Space) -> Option<String> {
    space.unit_key.clone().or_else(|| space.preferred_unit_key())
}

fn write_scene_members(content: &Content, tracks: &SpaceTracks<'_>, out: &mut Emitter<'_>) -> Result<()> {
    for space in content.spaces.values().filter(|space| is_among_unit(content, space)) {
        let index = FrameIndex::of_space(tracks, &space.id);
        let rest: &Labels = &space.labels;
        if index.is_empty() && rest.frames.is_empty() && rest.legacy.is_empty() {
            continue;
        }
        if let Some(key) = unit_key(space) {
            frames::write_flat(&index, 0, rest, out.text_key(&key))?;
        }
    }
    Ok(())
}
