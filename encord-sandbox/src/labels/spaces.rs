//! The spaces of a data group, one per member, and of a scene, one per picture or point cloud: each has labels
//! of its own.

use serde_json::{Map, Value, json};

use crate::blobs::Links;
use crate::refusal::Answer;
use crate::scenes;
use crate::store::{DataUnit, Facts, Item, ItemKind, Store};

/// The spaces of a data unit, empty unless it is a data group or a scene. Space
/// ids are the data hashes of the members, or made from stream and event.
pub(crate) fn spaces(
    store: &Store,
    unit: &DataUnit,
    item: &Item,
    links: Option<&Links<'_>>,
) -> Answer<Map<String, Value>> {
    let mut spaces = item.scene().map(scenes::spaces).unwrap_or_default();
    for (index, member) in unit.members.iter().enumerate() {
        let Some(member) = store.units.get(member) else { continue };
        let Some(child) = store.items.get(&member.item) else { continue };
        let mut space = typed(store, child);
        let key = item.layout_keys.get(index).cloned().unwrap_or_else(|| index.to_string());
        let link = links.and_then(|links| links.to(child));
        space.insert(
            "child_info".into(),
            json!({
                "layout_key": key,
                "file_name": child.name,
                "data_link": link.unwrap_or_else(|| child.plain_link()),
            }),
        );
        space.insert("labels".into(), json!({}));
        spaces.insert(member.hash.to_string(), Value::Object(space));
    }
    Ok(spaces)
}

fn typed(store: &Store, item: &Item) -> Map<String, Value> {
    let facts: &Facts = &item.facts;
    let size = |value: Option<u32>| value.unwrap_or(0);
    let space = match item.kind {
        ItemKind::Video | ItemKind::ImageSequence => json!({
            "space_type": "video", "number_of_frames": facts.frames.unwrap_or(0),
            "width": size(facts.width), "height": size(facts.height),
            "data_duration": facts.duration, "data_fps": facts.fps,
        }),
        ItemKind::Image => {
            json!({"space_type": "image", "width": size(facts.width), "height": size(facts.height)})
        }
        ItemKind::ImageGroup => json!({
            "space_type": "image_sequence", "number_of_frames": item.children.len(),
            "width": size(facts.width), "height": size(facts.height), "frames": frames(store, item),
        }),
        ItemKind::Audio => {
            let milliseconds = facts.duration.map(|seconds| (seconds * 1000.0).round() as u64);
            json!({"space_type": "audio", "duration_ms": milliseconds.unwrap_or(0)})
        }
        ItemKind::PlainText if facts.mime.as_deref() == Some("text/html") => json!({"space_type": "html"}),
        ItemKind::PlainText => json!({"space_type": "text"}),
        ItemKind::TimeSeries => json!({"space_type": "time_series"}),
        ItemKind::Pdf => json!({"space_type": "pdf", "number_of_pages": facts.frames.unwrap_or(1)}),
        ItemKind::DicomSeries => json!({"space_type": "medical_stack", "frames": frames(store, item)}),
        ItemKind::DicomFile | ItemKind::Nifti => json!({
            "space_type": "medical_file", "number_of_frames": facts.frames.unwrap_or(1),
            "width": size(facts.width), "height": size(facts.height),
        }),
        ItemKind::Group | ItemKind::Scene => json!({"space_type": "scene"}),
    };
    match space {
        Value::Object(space) => space,
        _ => Map::new(),
    }
}

fn frames(store: &Store, item: &Item) -> Vec<Value> {
    let children = item.children.iter().filter_map(|child| store.items.get(child));
    children
        .map(|child| {
            json!({
                "width": child.facts.width, "height": child.facts.height,
                "instance_uid": child.facts.dicom_instance, "file_name": child.name,
            })
        })
        .collect()
}
