//! Leaves the reason of a failure where people who look at the task at the end of the failure pathway can see it:
//! in the client metadata of the storage item, or as a comment (an issue) on the data unit.

use std::collections::HashMap;

use encord_client::{Error, IssueAnchor, ItemUpdate, LabelRowFilter, NewIssue, Project};
use encord_labels::id::{DataHash, ItemUuid};
use serde_json::{Map, Value};
use tracing::warn;

/// The longest error text that is written, in characters.
const MAX_TEXT: usize = 1000;

/// Where to leave the reasons of failures.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    /// The key in the client metadata.
    pub(crate) metadata_key: Option<String>,
    /// Whether to comment.
    pub(crate) comment: bool,
}

/// Failing tasks must not fail twice, so trouble with writing is only logged.
impl Notes {
    /// Writes each error into the client metadata, if asked for.
    pub(crate) async fn write_metadata(&self, project: &Project, errors: &[(DataHash, &str)]) {
        if !errors.is_empty()
            && let Some(key) = &self.metadata_key
            && let Err(error) = write_metadata(project, key, errors).await
        {
            warn!(tasks = errors.len(), "could not write errors into the client metadata: {error}");
        }
    }

    /// Comments with each error, if asked for.
    pub(crate) async fn comment(&self, project: &Project, errors: &[(DataHash, &str)]) {
        if self.comment
            && !errors.is_empty()
            && let Err(error) = comment(project, errors).await
        {
            warn!(tasks = errors.len(), "could not comment on the data units: {error}");
        }
    }
}

async fn comment(project: &Project, errors: &[(DataHash, &str)]) -> Result<(), Error> {
    let issue = |(data, error): &(DataHash, &str)| {
        NewIssue::new(
            IssueAnchor::DataUnit { data_uuid: *data },
            format!("The agent failed: {}", shortened(error)),
        )
    };
    project.raise_issues(&errors.iter().map(issue).collect::<Vec<_>>()).await
}

fn shortened(error: &str) -> String {
    error.chars().take(MAX_TEXT).collect()
}

/// Writes each error under `key` into the client metadata of the item behind the data unit. Other keys stay.
async fn write_metadata(project: &Project, key: &str, errors: &[(DataHash, &str)]) -> Result<(), Error> {
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
        let note = shortened(notes.get(&item.uuid)?);
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
