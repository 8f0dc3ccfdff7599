//! Storage items: what the platform knows about a file, and a link to its content.

use std::collections::HashMap;

use encord_labels::id::{FolderUuid, ItemUuid};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{folder_path, item_path};
use crate::bundle::{CHUNK, Chunks};
use crate::client::Client;
use crate::error::Result;
use crate::lenient::{self, wire_enum};
use crate::query::Target;
use crate::redact::SignedUrl;
use crate::retry::Safety;
use crate::time::DateTime;

wire_enum! {
    /// What kind of thing an item is.
    ItemType {
        /// A video file.
        Video = "video",
        /// A picture.
        Image = "image",
        /// A group of items with a layout.
        Group = "group",
        /// Pictures that belong together.
        ImageGroup = "imageGroup",
        /// Pictures joined into a video.
        ImageSequence = "imageSequence",
        /// One file of a DICOM series.
        DicomFile = "dicomFile",
        /// A DICOM series.
        DicomSeries = "dicomSeries",
        /// A sound file.
        Audio = "audio",
        /// Measurements over time.
        TimeSeries = "timeseries",
        /// A NIfTI volume.
        Nifti = "nifti",
        /// A text.
        PlainText = "plainText",
        /// A PDF document.
        Pdf = "pdf",
        /// A three-dimensional scene.
        Scene = "scene",
    }
}

stored! {
    /// A file, or a group of files, in the platform's storage.
    ///
    /// What a kind of item does not have (or what the platform has not found out yet) is `None`.
    StorageItem {
        /// Identity of the item.
        uuid: ItemUuid,
        /// The folder it is in.
        #[serde(alias = "parentUuid")]
        parent: FolderUuid,
        /// What kind of thing it is.
        #[serde(alias = "item_type")]
        item_type: ItemType,
        /// True if the file is gone and only its record is left.
        #[serde(default, alias = "is_tombstone", deserialize_with = "lenient::or_default")]
        is_tombstone: bool,
        /// True if the file is still to come.
        #[serde(default, alias = "is_placeholder", deserialize_with = "lenient::or_default")]
        is_placeholder: bool,
        /// Where the content lies, for instance `encord` or `s3`.
        #[serde(default, alias = "storage_location")]
        storage_location: Option<String>,
        /// Location of the content, not fit for downloading.
        #[serde(default)]
        url: Option<String>,
        /// Link to the content, if it was asked for and the item has one file.
        #[serde(default, alias = "signed_url")]
        signed_url: Option<SignedUrl>,
        /// Bytes.
        #[serde(default, alias = "file_size", deserialize_with = "lenient::whole")]
        file_size: Option<u64>,
        /// Type of the content, for instance `video/mp4`.
        #[serde(default, alias = "mime_type")]
        mime_type: Option<String>,
        /// Seconds.
        #[serde(default)]
        duration: Option<f64>,
        /// Frames per second.
        #[serde(default)]
        fps: Option<f64>,
        /// Pixels.
        #[serde(default, deserialize_with = "lenient::whole")]
        height: Option<u64>,
        /// Pixels.
        #[serde(default, deserialize_with = "lenient::whole")]
        width: Option<u64>,
        /// DICOM identity of the file.
        #[serde(default, alias = "dicom_instance_uid")]
        dicom_instance_uid: Option<String>,
        /// DICOM identity of the study.
        #[serde(default, alias = "dicom_study_uid")]
        dicom_study_uid: Option<String>,
        /// DICOM identity of the series.
        #[serde(default, alias = "dicom_series_uid")]
        dicom_series_uid: Option<String>,
        /// Number of frames of a video.
        #[serde(default, alias = "frame_count", deserialize_with = "lenient::whole")]
        frame_count: Option<u64>,
        /// Samples per second.
        #[serde(default, alias = "audio_sample_rate", deserialize_with = "lenient::whole")]
        audio_sample_rate: Option<u64>,
        /// Bits per sample.
        #[serde(default, alias = "audio_bit_depth", deserialize_with = "lenient::whole")]
        audio_bit_depth: Option<u64>,
        /// Name of the sound codec.
        #[serde(default, alias = "audio_codec")]
        audio_codec: Option<String>,
        /// Number of sound channels.
        #[serde(default, alias = "audio_num_channels", deserialize_with = "lenient::whole")]
        audio_num_channels: Option<u64>,
    }
}

impl StorageItem {
    /// True for items made of other items, which [`Client::child_items`] lists.
    pub fn has_children(&self) -> bool {
        matches!(
            self.item_type,
            ItemType::ImageGroup | ItemType::Group | ItemType::ImageSequence | ItemType::DicomSeries
        )
    }

    /// True for items with one file of their own, which a signed link can lead to.
    pub fn has_file(&self) -> bool {
        !matches!(
            self.item_type,
            ItemType::ImageGroup | ItemType::Group | ItemType::DicomSeries | ItemType::Scene
        )
    }
}

#[derive(Deserialize)]
pub(super) struct Items {
    pub(super) results: Vec<StorageItem>,
}

impl Client {
    /// Reads an item; `sign` asks for a link to its content.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) if there is none with this uuid.
    pub async fn storage_item(&self, item: ItemUuid, sign: bool) -> Result<StorageItem> {
        self.v2_get(Target::new(item_path(item)).with_bool("signUrl", sign)).await
    }

    /// Reads items, at most 1000 per request, in the order asked for.
    ///
    /// Items the platform does not return (gone, or without permission) are `None`. Results are matched by uuid,
    /// so duplicates in the request are fine. No request is sent for an empty list.
    ///
    /// # Errors
    /// Those of every request, see [`Error`](crate::Error).
    pub async fn storage_items(&self, items: &[ItemUuid], sign: bool) -> Result<Vec<Option<StorageItem>>> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Bulk<'a> {
            item_uuids: &'a [ItemUuid],
            sign_urls: bool,
        }
        let mut uses: HashMap<ItemUuid, usize> = HashMap::with_capacity(items.len());
        let mut wanted = Vec::with_capacity(items.len());
        for &item in items {
            let count = uses.entry(item).or_insert(0);
            if *count == 0 {
                wanted.push(item);
            }
            *count += 1;
        }
        let mut found: HashMap<ItemUuid, StorageItem> = HashMap::with_capacity(wanted.len());
        let mut chunks = Chunks::new(&wanted, CHUNK);
        while let Some(item_uuids) = chunks.current() {
            let body = Bulk { item_uuids, sign_urls: sign };
            let target = "/v2/public/storage/items/get-bulk".to_owned();
            let answer = self.v2_call::<Items>(Method::POST, target, &body, Safety::Idempotent).await;
            for item in chunks.settle(answer)?.map_or_else(Vec::new, |items| items.results) {
                found.insert(item.uuid, item);
            }
        }
        let mut take = |item: &ItemUuid| {
            let left = uses.get_mut(item)?;
            *left -= 1;
            // The last user gets the item itself, earlier ones a copy.
            if *left == 0 { found.remove(item) } else { found.get(item).cloned() }
        };
        Ok(items.iter().map(&mut take).collect())
    }

    /// The items that an image group, image sequence, DICOM series or data group is made of, in order.
    ///
    /// Empty, and without a request, for all other kinds.
    ///
    /// # Errors
    /// Those of every request, see [`Error`](crate::Error).
    pub async fn child_items(&self, item: &StorageItem, sign: bool) -> Result<Vec<StorageItem>> {
        if !item.has_children() {
            return Ok(Vec::new());
        }
        let path = format!("{}/items/{}/child-items", folder_path(item.parent), item.uuid);
        Ok(self.v2_get::<Items>(Target::new(path).with_bool("signUrls", sign)).await?.results)
    }

    /// A fresh link to the content of an item; `None` for items without a file of their own.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) if there is none with this uuid.
    pub async fn sign_item(&self, item: ItemUuid) -> Result<Option<SignedUrl>> {
        Ok(self.storage_item(item, true).await?.signed_url)
    }

    /// Moves items from one folder to another.
    ///
    /// # Errors
    /// [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) if an answer was lost.
    pub async fn move_items(&self, from: FolderUuid, to: FolderUuid, items: &[ItemUuid]) -> Result<()> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Move<'a> {
            item_uuids: &'a [ItemUuid],
            new_parent_uuid: FolderUuid,
            allow_synced_dataset_move: bool,
        }
        let path = format!("{}/items/move", folder_path(from));
        let mut chunks = Chunks::new(items, CHUNK);
        while let Some(item_uuids) = chunks.current() {
            let body = Move { item_uuids, new_parent_uuid: to, allow_synced_dataset_move: false };
            let sent = self.v2_command(Method::POST, path.clone(), &body, Safety::Once).await;
            chunks.settle(sent)?;
        }
        Ok(())
    }

    /// Removes items from a folder, together with frames that only they used. There is no way back.
    ///
    /// # Errors
    /// [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) if an answer was lost.
    pub async fn delete_items(&self, folder: FolderUuid, items: &[ItemUuid]) -> Result<()> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Delete<'a> {
            child_uuids: &'a [ItemUuid],
            remove_unused_frames: bool,
        }
        let path = format!("{}/items/delete", folder_path(folder));
        let mut chunks = Chunks::new(items, CHUNK);
        while let Some(child_uuids) = chunks.current() {
            let body = Delete { child_uuids, remove_unused_frames: true };
            let sent = self.v2_command(Method::POST, path.clone(), &body, Safety::Once).await;
            chunks.settle(sent)?;
        }
        Ok(())
    }
}
