//! The document of a row without labels: the data units and their facts.

use serde_json::{Map, Value, json};

use crate::blobs::Links;
use crate::refusal::Answer;
use crate::store::{DataUnit, Item, ItemKind, Store};

/// The `data_units` of a document for this data unit.
pub(super) fn data_units(
    store: &Store,
    unit: &DataUnit,
    item: &Item,
    links: Option<&Links<'_>>,
) -> Answer<Map<String, Value>> {
    if item.kind == ItemKind::ImageGroup {
        let mut units = Map::new();
        for (index, child) in item.children.iter().enumerate() {
            // One frame that is not there any more must not hide the others.
            let Some(frame) = store.items.get(child) else { continue };
            // Only image groups spell the sequence number as text.
            let mut entry = common(&frame.uuid.to_string(), frame, json!(index.to_string()));
            fill(&mut entry, frame, ItemKind::Image, links);
            units.insert(frame.uuid.to_string(), Value::Object(entry));
        }
        return Ok(units);
    }
    let mut entry = common(&unit.hash.to_string(), item, json!(0));
    fill(&mut entry, item, item.kind, links);
    Ok(Map::from_iter([(unit.hash.to_string(), Value::Object(entry))]))
}

fn common(hash: &str, item: &Item, sequence: Value) -> Map<String, Value> {
    let mut entry = Map::new();
    entry.insert("data_hash".into(), hash.into());
    entry.insert("data_title".into(), item.name.clone().into());
    entry.insert("data_sequence".into(), sequence);
    entry.insert("data_type".into(), unit_type(item).into());
    entry
}

fn unit_type(item: &Item) -> &str {
    match item.kind {
        ItemKind::Group => "group",
        ItemKind::DicomSeries => "application/dicom",
        _ => item.facts.mime.as_deref().unwrap_or("application/octet-stream"),
    }
}

/// The keys that depend on the type of data.
fn fill(entry: &mut Map<String, Value>, item: &Item, kind: ItemKind, links: Option<&Links<'_>>) {
    let facts = &item.facts;
    let mut put = |key: &str, value: Value| {
        entry.insert(key.to_owned(), value);
    };
    match kind {
        ItemKind::Group | ItemKind::DicomSeries => {}
        ItemKind::Scene => put("data_link", "".into()),
        _ => put(
            "data_link",
            json!(links.and_then(|links| links.to(item)).unwrap_or_else(|| item.plain_link())),
        ),
    }
    match kind {
        ItemKind::Image => {
            put("width", json!(facts.width));
            put("height", json!(facts.height));
        }
        ItemKind::Video | ItemKind::ImageSequence => {
            put("width", json!(facts.width));
            put("height", json!(facts.height));
            put("data_duration", json!(facts.duration));
            put("data_fps", json!(facts.fps));
        }
        ItemKind::DicomSeries | ItemKind::DicomFile | ItemKind::Nifti => {
            put("width", json!(facts.width.unwrap_or(0)));
            put("height", json!(facts.height.unwrap_or(0)));
        }
        ItemKind::Audio => {
            put("audio_codec", json!(facts.codec));
            put("audio_sample_rate", json!(facts.sample_rate));
            put("audio_bit_depth", json!(facts.bit_depth));
            put("audio_num_channels", json!(facts.channels));
            put("data_duration", json!(facts.duration));
        }
        ItemKind::Pdf | ItemKind::Scene => {
            put("width", json!(0));
            put("height", json!(0));
            put("data_fps", json!(0));
        }
        _ => {}
    }
    let labels = match kind {
        ItemKind::Image | ItemKind::Group => json!({"objects": [], "classifications": []}),
        _ => json!({}),
    };
    put("labels", labels);
}
