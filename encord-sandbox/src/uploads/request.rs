//! What an upload job asks for, in one form for all types of data.

use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::refusal::{Answer, Refusal};
use crate::store::ItemKind;

/// The body of a job request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobRequest {
    data_items: Option<DataItems>,
    external_files: Option<Value>,
    #[serde(default)]
    pub(crate) ignore_errors: bool,
    #[serde(default)]
    pub(crate) folder_uuid: Option<Uuid>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DataItems {
    videos: Vec<Single>,
    images: Vec<Single>,
    audio: Vec<Single>,
    text: Vec<Single>,
    pdf: Vec<Single>,
    nifti: Vec<Single>,
    time_series: Vec<Single>,
    image_groups: Vec<Several>,
    dicom_series: Vec<Several>,
    image_groups_from_items: Vec<Value>,
    scenes: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Single {
    object_url: String,
    title: Option<String>,
    client_metadata: Option<Map<String, Value>>,
    placeholder_item_uuid: Option<Uuid>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Several {
    #[serde(alias = "dicomFiles")]
    images: Vec<Member>,
    title: Option<String>,
    client_metadata: Option<Map<String, Value>>,
    #[serde(default)]
    create_video: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    url: String,
    title: Option<String>,
    placeholder_item_uuid: Option<Uuid>,
}

/// One item to make.
#[derive(Clone, Debug)]
pub(crate) struct NewItem {
    pub(super) kind: ItemKind,
    pub(super) title: String,
    pub(super) client_metadata: Option<Map<String, Value>>,
    /// One for a file on its own.
    pub(super) files: Vec<NewFile>,
}

/// One uploaded file of an item.
#[derive(Clone, Debug)]
pub(crate) struct NewFile {
    pub(super) key: String,
    pub(super) title: String,
    pub(super) uuid: Option<Uuid>,
}

impl JobRequest {
    /// The items to make, in a fixed order of their types.
    pub(crate) fn items(self) -> Answer<Vec<NewItem>> {
        if self.external_files.is_some() {
            return Err(Refusal::Invalid(
                "cloud integrations do not exist in the sandbox: upload the files".into(),
            ));
        }
        let Some(data) = self.data_items else {
            return Err(Refusal::Unprocessable("dataItems is missing".into()));
        };
        if !data.scenes.is_empty() || !data.image_groups_from_items.is_empty() {
            return Err(Refusal::Invalid(
                "scenes and groups of existing items cannot be uploaded to the sandbox".into(),
            ));
        }
        let singles = [
            (ItemKind::Image, data.images),
            (ItemKind::Video, data.videos),
            (ItemKind::Audio, data.audio),
            (ItemKind::PlainText, data.text),
            (ItemKind::Pdf, data.pdf),
            (ItemKind::Nifti, data.nifti),
            (ItemKind::TimeSeries, data.time_series),
        ];
        let singles =
            singles.into_iter().flat_map(|(kind, list)| list.into_iter().map(move |one| one.item(kind)));
        let groups = data.image_groups.into_iter().map(|group| {
            let kind = if group.create_video { ItemKind::ImageSequence } else { ItemKind::ImageGroup };
            group.item(kind)
        });
        let series = data.dicom_series.into_iter().map(|series| series.item(ItemKind::DicomSeries));
        Ok(singles.chain(groups).chain(series).collect())
    }
}

impl Single {
    fn item(self, kind: ItemKind) -> NewItem {
        let title = self.title.unwrap_or_else(|| last_part(&self.object_url));
        let file = NewFile { key: self.object_url, title: title.clone(), uuid: self.placeholder_item_uuid };
        NewItem { kind, title, client_metadata: self.client_metadata, files: vec![file] }
    }
}

impl Several {
    fn item(self, kind: ItemKind) -> NewItem {
        let file = |member: Member| {
            let title = member.title.unwrap_or_else(|| last_part(&member.url));
            NewFile { key: member.url, title, uuid: member.placeholder_item_uuid }
        };
        let files: Vec<NewFile> = self.images.into_iter().map(file).collect();
        let title = self.title.or_else(|| Some(files.first()?.title.clone())).unwrap_or_default();
        NewItem { kind, title, client_metadata: self.client_metadata, files }
    }
}

fn last_part(key: &str) -> String {
    key.rsplit('/').next().unwrap_or(key).to_owned()
}
