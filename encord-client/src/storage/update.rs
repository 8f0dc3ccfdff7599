//! Changing what is written about items.

use std::collections::HashMap;

use encord_labels::id::{FolderUuid, ItemUuid};
use http::Method;
use serde::Serialize;
use serde_json::{Map, Value};

use super::item::Items;
use super::{StorageItem, folder_path};
use crate::bundle::{self, CHUNK, Chunks};
use crate::client::Client;
use crate::error::Result;
use crate::retry::Safety;

/// What to change about an item; what is not set stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use]
pub struct ItemUpdate {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_metadata: Option<Map<String, Value>>,
}

impl ItemUpdate {
    /// Changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Renames the item.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Describes the item.
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Replaces the client metadata as a whole.
    pub fn with_client_metadata(mut self, metadata: Map<String, Value>) -> Self {
        self.client_metadata = Some(metadata);
        self
    }

    /// True if there is nothing to change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Both changes, the later one winning where they meet.
    fn merged(self, later: Self) -> Self {
        Self {
            name: later.name.or(self.name),
            description: later.description.or(self.description),
            client_metadata: later.client_metadata.or(self.client_metadata),
        }
    }
}

impl Client {
    /// Changes one item and returns it as it is now, without a signed link. An empty change sends nothing and
    /// returns `None`.
    ///
    /// # Errors
    /// Those of every request, see [`Error`](crate::Error).
    pub async fn update_item(
        &self,
        parent: FolderUuid,
        item: ItemUuid,
        update: &ItemUpdate,
    ) -> Result<Option<StorageItem>> {
        if update.is_empty() {
            return Ok(None);
        }
        let path = format!("{}/items/{item}", folder_path(parent));
        // Every part of an update replaces a value, so sending it twice does no harm.
        self.v2_call(Method::PATCH, path, update, Safety::Idempotent).await.map(Some)
    }

    /// Changes items, at most 1000 per request, and returns them as they are now.
    ///
    /// Several changes to one item are joined, the later one winning where they meet.
    ///
    /// # Errors
    /// [`Error::MissingResults`](crate::Error::MissingResults) if the platform left out some of the items.
    pub async fn update_items(
        &self,
        updates: impl IntoIterator<Item = (ItemUuid, ItemUpdate)>,
    ) -> Result<Vec<StorageItem>> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Patches<'a> {
            #[serde(serialize_with = "as_map")]
            item_patches: &'a [(ItemUuid, ItemUpdate)],
        }
        let updates = joined(updates);
        let mut items = Vec::with_capacity(updates.len());
        let mut chunks = Chunks::new(&updates, CHUNK);
        while let Some(item_patches) = chunks.current() {
            let path = "/v2/public/storage/items/patch-bulk".to_owned();
            let body = Patches { item_patches };
            let answer = self.v2_call::<Items>(Method::PATCH, path, &body, Safety::Idempotent).await;
            items.extend(chunks.settle(answer)?.map_or_else(Vec::new, |items| items.results));
        }
        let returned: std::collections::HashSet<ItemUuid> = items.iter().map(|item| item.uuid).collect();
        let missing = updates.iter().filter(|(item, _)| !returned.contains(item));
        bundle::none_missing("update items", missing.map(|(item, _)| item.to_string()).collect())?;
        Ok(items)
    }
}

/// One change per item, in order of first mention, without empty ones.
fn joined(updates: impl IntoIterator<Item = (ItemUuid, ItemUpdate)>) -> Vec<(ItemUuid, ItemUpdate)> {
    let mut joined: Vec<(ItemUuid, ItemUpdate)> = Vec::new();
    let mut index: HashMap<ItemUuid, usize> = HashMap::new();
    for (item, update) in updates {
        if update.is_empty() {
            continue;
        }
        match index.get(&item) {
            Some(&at) => joined[at].1 = std::mem::take(&mut joined[at].1).merged(update),
            None => {
                index.insert(item, joined.len());
                joined.push((item, update));
            }
        }
    }
    joined
}

fn as_map<S: serde::Serializer>(
    patches: &&[(ItemUuid, ItemUpdate)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(patches.iter().map(|(item, update)| (item, update)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_to_one_item_are_joined() {
        let [a, b] = ["0e46c215-b5fa-4b0c-9b18-bd763f20134c", "26ad41ef-88c2-49d9-b7c9-90fad57dcafd"]
            .map(|text| text.parse::<ItemUuid>().unwrap());
        let updates = joined([
            (a, ItemUpdate::new().with_name("first").with_description("kept")),
            (b, ItemUpdate::new()),
            (a, ItemUpdate::new().with_name("second")),
        ]);
        assert_eq!(updates, [(a, ItemUpdate::new().with_name("second").with_description("kept"))]);
    }
}
