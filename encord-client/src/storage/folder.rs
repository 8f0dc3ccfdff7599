//! Folders of the storage: find and make them, and list what is in them.

use encord_labels::id::{DatasetHash, FolderUuid};
use futures::stream::Stream;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ItemType, StorageItem, folder_path};
use crate::bundle::{CHUNK, Chunks};
use crate::client::Client;
use crate::error::Result;
use crate::lenient;
use crate::query::Target;
use crate::retry::Safety;
use crate::time::DateTime;

/// Entries per page of a listing; the platform accepts 1 to 1000.
const PAGE_SIZE: u32 = 500;

stored! {
    /// A folder of the storage.
    StorageFolder {
        /// Identity of the folder.
        uuid: FolderUuid,
        /// The folder it is in; `None` at the top.
        #[serde(default)]
        parent: Option<FolderUuid>,
        /// The dataset that always holds what the folder holds, if there is one.
        #[serde(default, alias = "synced_dataset_hash")]
        synced_dataset_hash: Option<DatasetHash>,
    }
}

/// A folder to be made.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use]
pub struct NewFolder {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<FolderUuid>,
    /// Unlike in updates, the platform wants this as text here.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_metadata: Option<String>,
}

impl NewFolder {
    /// A folder at the top.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Puts it into another folder.
    pub fn with_parent(mut self, parent: FolderUuid) -> Self {
        self.parent = Some(parent);
        self
    }

    /// Describes it.
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Attaches metadata.
    pub fn with_client_metadata(mut self, metadata: Map<String, Value>) -> Self {
        self.client_metadata = Some(Value::Object(metadata).to_string());
        self
    }
}

/// Which folders to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FolderFilter {
    /// Folders whose name contains this text.
    pub search: Option<String>,
    /// Folders that are kept in step with a dataset, or are not.
    pub dataset_synced: Option<bool>,
    /// Also folders of the organisation that the user is not a member of.
    pub include_org_access: bool,
}

/// Which items of a folder to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ItemFilter {
    /// Items whose name contains this text.
    pub search: Option<String>,
    /// Items that are in some dataset, or are in none.
    pub is_in_dataset: Option<bool>,
    /// Items of these kinds; empty for all kinds.
    pub item_types: Vec<ItemType>,
    /// Also items in folders below.
    pub recursive: bool,
    /// Ask for links to the contents.
    pub sign_urls: bool,
}

impl FolderFilter {
    /// Lists every folder at the top.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only folders whose name contains this text.
    #[must_use]
    pub fn with_search(mut self, text: impl Into<String>) -> Self {
        self.search = Some(text.into());
        self
    }
}

impl ItemFilter {
    /// Lists every item right in the folder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only items whose name contains this text.
    #[must_use]
    pub fn with_search(mut self, text: impl Into<String>) -> Self {
        self.search = Some(text.into());
        self
    }

    /// Only items of these kinds.
    #[must_use]
    pub fn with_item_types(mut self, types: impl IntoIterator<Item = ItemType>) -> Self {
        self.item_types = types.into_iter().collect();
        self
    }

    /// Also items in folders below.
    #[must_use]
    pub fn recursive(mut self) -> Self {
        self.recursive = true;
        self
    }

    /// With links to the contents.
    #[must_use]
    pub fn with_signed_urls(mut self) -> Self {
        self.sign_urls = true;
        self
    }
}

impl Client {
    /// Reads a folder.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) or [`Error::Authorisation`](crate::Error::Authorisation) if
    /// there is none with this uuid.
    pub async fn folder(&self, folder: FolderUuid) -> Result<StorageFolder> {
        self.v2_get(folder_path(folder)).await
    }

    /// Lists folders at the top, or those right in `parent`, page by page as the stream is read.
    pub fn folders(
        &self,
        parent: Option<FolderUuid>,
        filter: &FolderFilter,
    ) -> impl Stream<Item = Result<StorageFolder>> + Send + 'static + use<> {
        let mut target = match parent {
            None => Target::new("/v2/public/storage/folders"),
            Some(parent) => Target::new(format!("{}/folders", folder_path(parent))),
        };
        target.push_some("search", filter.search.as_deref());
        target.push_bool("isRecursive", false);
        if let Some(synced) = filter.dataset_synced {
            target.push_bool("datasetSynced", synced);
        }
        target.push_bool("includeOrgAccess", filter.include_org_access);
        target.push("pageSize", PAGE_SIZE);
        self.entries(vec![target])
    }

    /// Lists the items of a folder by name, page by page as the stream is read.
    pub fn folder_items(
        &self,
        folder: FolderUuid,
        filter: &ItemFilter,
    ) -> impl Stream<Item = Result<StorageItem>> + Send + 'static + use<> {
        let mut target = Target::new(format!("{}/items", folder_path(folder)));
        target.push_some("search", filter.search.as_deref());
        if let Some(used) = filter.is_in_dataset {
            target.push_bool("isInDataset", used);
        }
        target.push_each("itemTypes", &filter.item_types);
        target.push_bool("isRecursive", filter.recursive);
        target.push("order", "name");
        target.push_bool("desc", false);
        target.push("pageSize", PAGE_SIZE);
        target.push_bool("signUrls", filter.sign_urls);
        self.entries(vec![target])
    }

    /// Makes a folder.
    ///
    /// # Errors
    /// [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) if the answer was lost.
    pub async fn create_folder(&self, folder: &NewFolder) -> Result<StorageFolder> {
        let path = "/v2/public/storage/folders".to_owned();
        self.v2_call(Method::POST, path, folder, Safety::Once).await
    }

    /// Moves folders, with all that is in them, into another one; `None` means to the top. Nothing is sent for an
    /// empty list.
    ///
    /// # Errors
    /// [`Error::InvalidArguments`](crate::Error::InvalidArguments) for a folder that would come to lie in itself,
    /// [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) if an answer was lost.
    pub async fn move_folders(&self, folders: &[FolderUuid], to: Option<FolderUuid>) -> Result<()> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Move<'a> {
            folder_uuids: &'a [FolderUuid],
            #[serde(skip_serializing_if = "Option::is_none")]
            new_parent_uuid: Option<FolderUuid>,
        }
        let mut chunks = Chunks::new(folders, CHUNK);
        while let Some(folder_uuids) = chunks.current() {
            let path = "/v2/public/storage/folders/move".to_owned();
            let body = Move { folder_uuids, new_parent_uuid: to };
            let sent = self.v2_command(Method::POST, path, &body, Safety::Once).await;
            chunks.settle(sent)?;
        }
        Ok(())
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    /// Those of every request, see [`Error`](crate::Error).
    pub async fn delete_folder(&self, folder: FolderUuid) -> Result<()> {
        self.v2_delete(folder_path(folder)).await
    }
}
