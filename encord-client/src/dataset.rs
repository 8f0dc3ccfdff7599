//! Datasets, and the data rows that join them to items of the storage.

use encord_labels::id::{DataHash, DatasetHash, FolderUuid, ItemUuid};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::Client;
use crate::error::Result;
use crate::lenient::{self, wire_enum};
use crate::query::Target;
use crate::redact::SignedUrl;
use crate::retry::Safety;
use crate::time::DateTime;
use crate::v1::{Entity, Operation};

const READ: Operation =
    Operation { query_type: "dataset", verb: "GET", label: "(read dataset)", safety: Safety::Idempotent };
const ROWS: Operation =
    Operation { query_type: "datarows", verb: "GET", label: "(list data rows)", safety: Safety::Idempotent };
const LINK: Operation =
    Operation { query_type: "datasetlinkitems", verb: "POST", label: "(link items)", safety: Safety::Once };
const REMOVE: Operation =
    Operation { query_type: "video", verb: "DELETE", label: "(remove data)", safety: Safety::Idempotent };

/// A dataset.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Dataset {
    /// Identity of the dataset.
    #[serde(rename = "dataset_hash", alias = "datasetUuid")]
    pub hash: DatasetHash,
    /// Name of the dataset.
    pub title: String,
    /// What it is for.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub description: String,
    /// The folder that holds its files, if there is one.
    #[serde(default, alias = "backingFolderUuid")]
    pub backing_folder_uuid: Option<FolderUuid>,
}

/// A data unit of a dataset: one file, or one group of files.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct DataRow {
    /// Identity of the data unit.
    pub data_hash: DataHash,
    /// Name of the data unit.
    pub data_title: String,
    /// What kind of data it is, as written by the platform, for instance `VIDEO` or `IMG_GROUP`.
    pub data_type: String,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    #[serde(default)]
    pub last_edited_at: Option<DateTime>,
    /// Pixels.
    #[serde(default, deserialize_with = "lenient::whole")]
    pub width: Option<u64>,
    /// Pixels.
    #[serde(default, deserialize_with = "lenient::whole")]
    pub height: Option<u64>,
    /// Location of the content, not fit for downloading.
    #[serde(default)]
    pub file_link: Option<String>,
    /// Bytes.
    #[serde(default, deserialize_with = "lenient::whole")]
    pub file_size: Option<u64>,
    /// Type of the content, for instance `video/mp4`.
    #[serde(default)]
    pub file_type: Option<String>,
    /// Frames per second.
    #[serde(default)]
    pub frames_per_second: Option<f64>,
    /// Seconds.
    #[serde(default)]
    pub duration: Option<f64>,
    /// The metadata that users attached; null if none or not asked for.
    #[serde(default, deserialize_with = "lenient::embedded")]
    pub client_metadata: Value,
    /// Link to the content, if it was asked for.
    #[serde(default)]
    pub signed_url: Option<SignedUrl>,
    /// The storage item behind it.
    #[serde(default)]
    pub backing_item_uuid: Option<ItemUuid>,
}

wire_enum! {
    /// What to do about items that are in the dataset already.
    Duplicates {
        /// Leave them.
        Skip = "SKIP",
        /// Refuse the whole request.
        Fail = "FAIL",
        /// Add them once more.
        Duplicate = "DUPLICATE",
    }
}

/// Which data rows to list. All conditions must hold; `like` uses `%` for anything.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DataRowFilter {
    /// Rows with exactly this title.
    pub title_eq: Option<String>,
    /// Rows whose title matches.
    pub title_like: Option<String>,
    /// Rows made before.
    #[serde(serialize_with = "crate::time::numeric_offset")]
    pub created_before: Option<DateTime>,
    /// Rows made after.
    #[serde(serialize_with = "crate::time::numeric_offset")]
    pub created_after: Option<DateTime>,
    /// Rows of these kinds, for instance `VIDEO`.
    pub data_types: Option<Vec<String>>,
    #[serde(rename = "dataset_access_settings")]
    access: Access,
    /// Rows of these data units.
    pub data_hashes: Option<Vec<DataHash>>,
}

impl DataRowFilter {
    /// Lists every row.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only rows of these data units.
    #[must_use]
    pub fn with_data_hashes(mut self, hashes: impl IntoIterator<Item = DataHash>) -> Self {
        self.data_hashes = Some(hashes.into_iter().collect());
        self
    }

    /// With the client metadata.
    #[must_use]
    pub fn with_client_metadata(mut self) -> Self {
        self.access.fetch_client_metadata = true;
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Access {
    fetch_client_metadata: bool,
    fetch_rows: bool,
}

impl Default for Access {
    fn default() -> Self {
        Self { fetch_client_metadata: false, fetch_rows: true }
    }
}

/// A dataset that was just made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CreatedDataset {
    /// Identity of the dataset.
    #[serde(rename = "datasetUuid", alias = "dataset_uuid")]
    pub hash: DatasetHash,
    /// The folder that holds its files.
    #[serde(default, alias = "backing_folder_uuid")]
    pub backing_folder_uuid: Option<FolderUuid>,
}

impl Client {
    /// Reads a dataset, without its rows.
    ///
    /// # Errors
    /// [`Error::Authorisation`](crate::Error::Authorisation) or [`Error::NotFound`](crate::Error::NotFound) if
    /// there is none with this hash.
    pub async fn dataset(&self, hash: DatasetHash) -> Result<Dataset> {
        #[derive(Serialize)]
        struct Payload {
            dataset_access_settings: Access,
        }
        let payload =
            Payload { dataset_access_settings: Access { fetch_client_metadata: false, fetch_rows: false } };
        self.v1(&entity(hash), READ, &(), &payload).await?.v1_single()
    }

    /// Lists datasets; `title_like` uses `%` for anything.
    ///
    /// # Errors
    /// Those of every request, see [`Error`](crate::Error).
    pub async fn datasets(&self, title_like: Option<&str>) -> Result<Vec<Dataset>> {
        #[derive(Deserialize)]
        struct Listing {
            // This listing has its own spelling of the key.
            #[serde(alias = "results")]
            result: Vec<Dataset>,
        }
        let mut target = Target::new("/v2/public/datasets/list");
        target.push_some("titleLike", title_like);
        target.push_bool("includeOrgAccess", false);
        Ok(self.v2_get::<Listing>(target).await?.result)
    }

    /// Makes a dataset together with a folder for its files.
    ///
    /// # Errors
    /// [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) if the answer was lost.
    pub async fn create_dataset(&self, title: &str, description: Option<&str>) -> Result<CreatedDataset> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            title: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            description: Option<&'a str>,
            create_backing_folder: bool,
            legacy_call: bool,
        }
        let body = Body { title, description, create_backing_folder: true, legacy_call: false };
        self.v2_call(Method::POST, "/v2/public/datasets".to_owned(), &body, Safety::Once).await
    }

    /// Lists the data rows of a dataset. The platform answers in one piece.
    ///
    /// # Errors
    /// Those of every request, see [`Error`](crate::Error).
    pub async fn data_rows(&self, dataset: DatasetHash, filter: &DataRowFilter) -> Result<Vec<DataRow>> {
        if filter.data_hashes.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        self.v1(&entity(dataset), ROWS, &(), filter).await?.v1()
    }

    /// Adds items of the storage to a dataset and returns the data rows.
    ///
    /// # Errors
    /// [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) if the answer was lost.
    pub async fn link_items(
        &self,
        dataset: DatasetHash,
        items: &[ItemUuid],
        duplicates: Duplicates,
    ) -> Result<Vec<DataRow>> {
        #[derive(Serialize)]
        struct Payload<'a> {
            item_uuids: &'a [ItemUuid],
            duplicates_behavior: Duplicates,
        }
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let payload = Payload { item_uuids: items, duplicates_behavior: duplicates };
        self.v1(&entity(dataset), LINK, &dataset, &payload).await?.v1()
    }

    /// Removes data units from a dataset; the files stay in the storage.
    ///
    /// # Errors
    /// Those of every request, see [`Error`](crate::Error).
    pub async fn remove_data(&self, dataset: DatasetHash, data: &[DataHash]) -> Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        self.v1(&entity(dataset), REMOVE, &data, &()).await?.v1_done()
    }
}

fn entity(dataset: DatasetHash) -> Entity {
    Entity::Dataset(dataset.to_string())
}
