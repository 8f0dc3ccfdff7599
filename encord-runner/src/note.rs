//! Leaves the reason of a failure in the client metadata of the storage item, where people who look at the task
//! at the end of the failure pathway can see it.

use std::collections::HashMap;

use encord_client::{Error, ItemUpdate, LabelRowFilter, Project};
use encord_labels::id::{DataHash, ItemUuid};
use serde_json::{Map, Value};

/// The longest error text that is written, in characters.
const MAX_TEXT: usize = 1000;

/// Writes each error under `key` into the client metadata of the item behind the data unit. Other keys stay.
pub(crate) async fn write_notes(
    project: &Project,
    key: &str,
    errors: &[(DataHash, &str)],
) -> Result<(), Error> {
    let filter = LabelRowFilter::new().with_data_hashes(errors.iter().map(|(data, _)| *data));
    let rows = project.label_rows(&filter).await?;
    let items: HashMap<&str, ItemUuid> = rows
        .iter()
        .filter_map(|row| Some((row.metadata().data_hash(), row.metadata().backing_item_uuid()?)))
        .collect();
    let notes: HashMap<ItemUuid, &str> = errors
        .iter()
        .filter_map(|(data, error)| Some((*items.get(data.to_string().as_str())?, *error)))
        .collect();
    let uuids: Vec<ItemUuid> = notes.keys().copied().collect();
    let found = project.client().storage_items(&uuids, false).await?;
    let updates = found.into_iter().flatten().filter_map(|item| {
        let note: String = notes.get(&item.uuid)?.chars().take(MAX_TEXT).collect();
        // The platform replaces the metadata as a whole.
        let mut metadata = match item.client_metadata {
            Value::Object(metadata) => metadata,
            _ => Map::new(),
        };
        metadata.insert(key.to_owned(), Value::String(note));
        Some((item.uuid, ItemUpdate::new().with_client_metadata(metadata)))
    });
    project.client().update_items(updates).await.map(drop)
}
