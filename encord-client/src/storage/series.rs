//! Items that are made of several files: DICOM series, image groups, image sequences, and groups of other items.

use std::path::Path;

use encord_labels::id::{FolderUuid, ItemUuid};
use http::Method;
use serde_json::{Map, Value, json};

use super::folder_path;
use super::upload::{UploadKind, job, length};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::retry::Safety;

/// What several files become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SeriesKind {
    /// The slices of a DICOM series.
    DicomSeries,
    /// Pictures that stay what they are, in the order given.
    ImageGroup,
    /// Pictures that become the frames of a video, in the order given.
    ImageSequence,
}

impl SeriesKind {
    fn part(self) -> UploadKind {
        match self {
            Self::DicomSeries => UploadKind::DicomFile,
            Self::ImageGroup | Self::ImageSequence => UploadKind::Image,
        }
    }
}

impl Client {
    /// Uploads files into a folder as one item and returns it, once the platform has taken it in.
    ///
    /// Files go one after another, under their file names. Silence is limited and the platform's work too, as for
    /// [`Client::upload`].
    ///
    /// ```no_run
    /// # use encord_client::{Client, SeriesKind};
    /// # async fn run(client: Client, folder: encord_labels::id::FolderUuid) -> encord_client::Result<()> {
    /// let slices = ["1.dcm", "2.dcm", "3.dcm"];
    /// let series = client.upload_series(folder, SeriesKind::DicomSeries, &slices, "CT", Default::default()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] without files, otherwise as [`Client::upload`]. The files that were put into place
    /// before an error are of no consequence.
    pub async fn upload_series(
        &self,
        folder: FolderUuid,
        kind: SeriesKind,
        paths: &[impl AsRef<Path>],
        title: &str,
        client_metadata: Map<String, Value>,
    ) -> Result<ItemUuid> {
        if paths.is_empty() {
            return Err(Error::invalid(format!(
                "\"{title}\" cannot be made of no files at all: give at least one"
            )));
        }
        for path in paths {
            length(path.as_ref()).await?;
        }
        let mut members = Vec::with_capacity(paths.len());
        for (place, path) in self.upload_places(folder, kind.part(), paths.len()).await?.iter().zip(paths) {
            let name = self.put_file(place, kind.part(), path.as_ref()).await?;
            members.push(json!({
                "url": place.object_key,
                "title": name,
                "placeholderItemUuid": place.item_uuid,
            }));
        }
        let common = json!({"title": title, "clientMetadata": client_metadata});
        let with = |key: &str, more: Value| {
            let parts = [&common, &json!({ key: members }), &more].map(|part| part.as_object().cloned());
            Value::Object(parts.into_iter().flatten().flatten().collect())
        };
        let images = |create_video: bool| {
            with("images", json!({"createVideo": create_video, "externalFileType": "IMG_GROUP"}))
        };
        let job = match kind {
            SeriesKind::DicomSeries => {
                job("dicomSeries", with("dicomFiles", json!({"externalFileType": "DICOM"})))
            }
            SeriesKind::ImageGroup => job("imageGroups", images(false)),
            SeriesKind::ImageSequence => job("imageGroups", images(true)),
        };
        self.take_in(folder, &job, title).await
    }

    /// Makes an item of other items, shown side by side in this order, and returns it.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] without members, [`Error::OutcomeUnknown`] if the answer was lost.
    pub async fn create_data_group(
        &self,
        folder: FolderUuid,
        name: &str,
        members: &[ItemUuid],
        client_metadata: Map<String, Value>,
    ) -> Result<ItemUuid> {
        if members.is_empty() {
            return Err(Error::invalid(format!("data group \"{name}\" needs at least one member")));
        }
        let group = json!({
            "layoutType": "default-list",
            "layoutContents": members,
            "name": name,
            "clientMetadata": client_metadata,
        });
        let path = format!("{}/create-group-items", folder_path(folder));
        let made: Vec<ItemUuid> = self.v2_call(Method::POST, path, &[group], Safety::Once).await?;
        made.first().copied().ok_or_else(|| Error::MissingResults {
            operation: "create data group",
            missing: vec![name.to_owned()],
        })
    }
}
