//! Data rows and storage items by data hash, in bulk.
//!
//! An agent that only wants the storage item of its own task asks for `StorageItem` as a parameter and needs
//! none of this. It is for looking up other data units: neighbours, references, the members of a batch.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use encord_client::{DataRow, DataRowFilter, LabelRowFilter, Project, StorageItem};
use encord_labels::id::{DataHash, ItemUuid};

use crate::error::{Error, Result};

/// Looks up what is behind data units of a project.
///
/// It replaces the Python package's deprecated `DataLookup`: `get_data_row` is [`data_rows`](DataLookup::data_rows),
/// `get_storage_item` and `get_storage_items` are [`storage_items`](DataLookup::storage_items), and
/// `backing_item_uuids` is [`item_uuids`](DataLookup::item_uuids). There is no object that is shared by the whole
/// process; make one where it is needed. Nothing is remembered, so nothing becomes stale.
///
/// ```no_run
/// # async fn example(project: encord_client::Project, data: Vec<encord_labels::id::DataHash>) -> encord_twin::Result<()> {
/// let lookup = encord_twin::DataLookup::new(project);
/// for (data, item) in lookup.storage_items(&data, true).await? {
///     println!("{data}: {} ({:?})", item.name, item.mime_type);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct DataLookup {
    project: Project,
}

impl DataLookup {
    /// Looks up data units of this project.
    pub fn new(project: Project) -> Self {
        Self { project }
    }

    /// The data rows of data units; data units that the project does not have are left out.
    ///
    /// One request for the datasets of the project, and one for each of them until everything is found.
    ///
    /// # Errors
    /// [`Error::Request`] if a request fails.
    pub async fn data_rows(&self, data: &[DataHash]) -> Result<HashMap<DataHash, DataRow>> {
        let mut found = HashMap::with_capacity(data.len());
        if data.is_empty() {
            return Ok(found);
        }
        for dataset in self.project.datasets().await.map_err(|source| self.failed(source))? {
            let missing: Vec<_> = data.iter().copied().filter(|data| !found.contains_key(data)).collect();
            let filter = DataRowFilter::new().with_data_hashes(missing);
            let rows = self.project.client().data_rows(dataset.hash, &filter).await;
            found.extend(
                rows.map_err(|source| self.failed(source))?.into_iter().map(|row| (row.data_hash, row)),
            );
            if data.iter().all(|data| found.contains_key(data)) {
                break;
            }
        }
        Ok(found)
    }

    /// The ids of the storage items behind data units, in one request.
    ///
    /// # Errors
    /// [`Error::Request`] if the request fails.
    pub async fn item_uuids(&self, data: &[DataHash]) -> Result<HashMap<DataHash, ItemUuid>> {
        let filter = LabelRowFilter::new().with_data_hashes(data.iter().copied()).with_children();
        let rows = self.project.label_rows(&filter).await.map_err(|source| self.failed(source))?;
        let asked: HashSet<DataHash> = data.iter().copied().collect();
        let pairs = rows.iter().filter_map(|row| {
            let metadata = row.metadata();
            Some((metadata.data_hash().parse().ok()?, metadata.backing_item_uuid()?))
        });
        Ok(pairs.filter(|(hash, _)| asked.contains(hash)).collect())
    }

    /// The storage items behind data units; `sign` asks for links to their contents. Data units without one, or
    /// with one that the key may not see, are left out.
    ///
    /// Two requests for up to a thousand data units.
    ///
    /// # Errors
    /// [`Error::Request`] if a request fails.
    pub async fn storage_items(
        &self,
        data: &[DataHash],
        sign: bool,
    ) -> Result<HashMap<DataHash, StorageItem>> {
        let (hashes, uuids): (Vec<_>, Vec<_>) = self.item_uuids(data).await?.into_iter().unzip();
        let items = self.project.client().storage_items(&uuids, sign).await;
        let items = items.map_err(|source| self.failed(source))?;
        Ok(hashes.into_iter().zip(items).filter_map(|(data, item)| Some((data, item?))).collect())
    }

    fn failed(&self, source: encord_client::Error) -> Error {
        Error::Request { project: self.project.hash(), source: Arc::new(source) }
    }
}
