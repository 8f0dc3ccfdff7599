//! What an upload job asks for, in one form for all types of data.

use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::refusal::{Answer, Refusal};
use crate::scenes;
use crate::store::{Extras, Facts, ItemKind};

/// The body of a job request. The files of an integration are described in one
/// of two forms, which differ in how their keys are spelt.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobRequest {
    data_items: Option<DataItems>,
    #[serde(alias = "files")]
    external_files: Option<DataItems>,
    #[serde(alias = "integrationId")]
    integration_hash: Option<Uuid>,
    #[serde(default)]
    ignore_errors: bool,
    #[serde(default)]
    pub(crate) folder_uuid: Option<Uuid>,
    file_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DataItems {
    videos: Vec<Single>,
    images: Vec<Single>,
    audio: Vec<Single>,
    text: Vec<Single>,
    #[serde(alias = "pdfs")]
    pdf: Vec<Single>,
    nifti: Vec<Single>,
    #[serde(alias = "time_series")]
    time_series: Vec<Single>,
    #[serde(alias = "image_groups")]
    image_groups: Vec<Several>,
    #[serde(alias = "dicom_series")]
    dicom_series: Vec<Several>,
    #[serde(alias = "image_groups_from_items")]
    image_groups_from_items: Vec<FromItems>,
    scenes: Vec<SceneFile>,
    #[serde(alias = "skip_duplicate_urls")]
    skip_duplicate_urls: bool,
    #[serde(alias = "upsert_metadata")]
    upsert_metadata: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Single {
    #[serde(alias = "object_url")]
    object_url: String,
    title: Option<String>,
    #[serde(alias = "client_metadata")]
    client_metadata: Option<Map<String, Value>>,
    #[serde(alias = "placeholder_item_uuid")]
    placeholder_item_uuid: Option<Uuid>,
    #[serde(
        alias = "imageMetadata",
        alias = "videoMetadata",
        alias = "audioMetadata",
        alias = "textMetadata",
        alias = "pdfMetadata"
    )]
    metadata: Option<Promised>,
    /// Of a time series.
    settings: Option<Value>,
}

/// What a client says of a file that nobody here can look at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Promised {
    mime_type: Option<String>,
    file_size: Option<u64>,
    width: Option<u32>,
    height: Option<u32>,
    duration: Option<f64>,
    fps: Option<f64>,
    sample_rate: Option<u32>,
    num_channels: Option<u32>,
    bit_depth: Option<u32>,
    codec: Option<String>,
    num_pages: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Several {
    #[serde(alias = "dicomFiles", default)]
    images: Vec<Member>,
    title: Option<String>,
    #[serde(alias = "client_metadata")]
    client_metadata: Option<Map<String, Value>>,
    #[serde(default, alias = "create_video")]
    create_video: bool,
    /// The older way to list the files: `objectUrl_0`, `objectUrl_1` and so on.
    #[serde(flatten)]
    numbered: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    url: String,
    title: Option<String>,
    placeholder_item_uuid: Option<Uuid>,
    #[serde(alias = "imageMetadata")]
    metadata: Option<Promised>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FromItems {
    image_items: Vec<Uuid>,
    title: Option<String>,
    client_metadata: Option<Map<String, Value>>,
    #[serde(default)]
    create_video: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SceneFile {
    title: String,
    scene: Value,
    client_metadata: Option<Map<String, Value>>,
}

/// Everything one job makes.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(super) items: Vec<NewItem>,
    /// Where the files are; without one they were uploaded to us.
    pub(super) integration: Option<Uuid>,
    /// One bad file does not keep the others from being made.
    pub(super) ignore_errors: bool,
    /// Files of the folder's items are not made items of again.
    pub(super) skip_duplicates: bool,
    /// Those items get the new metadata instead.
    pub(super) upsert_metadata: bool,
    /// What the client calls the list of files.
    pub(super) file_name: Option<String>,
}

/// One item to make.
#[derive(Clone, Debug)]
pub(super) struct NewItem {
    pub(super) kind: ItemKind,
    pub(super) title: String,
    pub(super) client_metadata: Option<Map<String, Value>>,
    /// One for a file on its own, none for a scene of streams.
    pub(super) files: Vec<NewFile>,
    /// Images that exist already and become the frames.
    pub(super) existing: Vec<Uuid>,
    pub(super) extras: Extras,
}

/// One uploaded file of an item.
#[derive(Clone, Debug)]
pub(super) struct NewFile {
    pub(super) key: String,
    pub(super) title: String,
    pub(super) uuid: Option<Uuid>,
    pub(super) promised: Facts,
}

impl JobRequest {
    /// The items to make, in a fixed order of their types.
    pub(crate) fn batch(self) -> Answer<Batch> {
        let data = self.data_items.or(self.external_files);
        let data = data.ok_or_else(|| Refusal::Unprocessable("dataItems is missing".into()))?;
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
            let kind = group_kind(group.create_video);
            group.item(kind)
        });
        let series = data.dicom_series.into_iter().map(|series| series.item(ItemKind::DicomSeries));
        let regrouped = data.image_groups_from_items.into_iter().map(FromItems::item);
        let scenes = data.scenes.into_iter().map(SceneFile::item);
        Ok(Batch {
            items: singles.chain(groups).chain(series).chain(regrouped).chain(scenes).collect(),
            integration: self.integration_hash,
            ignore_errors: self.ignore_errors,
            skip_duplicates: data.skip_duplicate_urls,
            upsert_metadata: data.upsert_metadata,
            file_name: self.file_name,
        })
    }
}

fn group_kind(create_video: bool) -> ItemKind {
    if create_video { ItemKind::ImageSequence } else { ItemKind::ImageGroup }
}

impl NewItem {
    fn new(kind: ItemKind, title: String, client_metadata: Option<Map<String, Value>>) -> Self {
        let (files, existing, extras) = (Vec::new(), Vec::new(), Extras::default());
        Self { kind, title, client_metadata, files, existing, extras }
    }
}

impl Single {
    fn item(self, kind: ItemKind) -> NewItem {
        let title = self.title.unwrap_or_else(|| last_part(&self.object_url));
        let file = NewFile {
            key: self.object_url,
            title: title.clone(),
            uuid: self.placeholder_item_uuid,
            promised: self.metadata.unwrap_or_default().facts(),
        };
        let extras = Extras { timeseries_settings: self.settings, ..Extras::default() };
        NewItem { files: vec![file], extras, ..NewItem::new(kind, title, self.client_metadata) }
    }
}

impl Several {
    fn item(self, kind: ItemKind) -> NewItem {
        let file = |member: Member| {
            let title = member.title.unwrap_or_else(|| last_part(&member.url));
            let promised = member.metadata.unwrap_or_default().facts();
            NewFile { key: member.url, title, uuid: member.placeholder_item_uuid, promised }
        };
        let url = |index: usize| self.numbered.get(&format!("objectUrl_{index}"))?.as_str();
        let numbered = (0..).map_while(url).map(|url| Member {
            url: url.to_owned(),
            title: None,
            placeholder_item_uuid: None,
            metadata: None,
        });
        let files: Vec<NewFile> = numbered.chain(self.images).map(file).collect();
        let title = self.title.or_else(|| Some(files.first()?.title.clone())).unwrap_or_default();
        NewItem { files, ..NewItem::new(kind, title, self.client_metadata) }
    }
}

impl FromItems {
    fn item(self) -> NewItem {
        let title = self.title.unwrap_or_else(|| "image group".into());
        let kind = group_kind(self.create_video);
        NewItem { existing: self.image_items, ..NewItem::new(kind, title, self.client_metadata) }
    }
}

impl SceneFile {
    fn item(self) -> NewItem {
        let file = scenes::file(&self.scene).map(|key| NewFile {
            key: key.to_owned(),
            title: self.title.clone(),
            uuid: None,
            promised: Facts::default(),
        });
        let extras = Extras { scene: Some(self.scene), ..Extras::default() };
        let bare = NewItem::new(ItemKind::Scene, self.title, self.client_metadata);
        NewItem { files: Vec::from_iter(file), extras, ..bare }
    }
}

impl Promised {
    fn facts(self) -> Facts {
        let frames = self.duration.zip(self.fps).map(|(duration, fps)| (duration * fps).round() as u64);
        Facts {
            mime: self.mime_type,
            size: self.file_size,
            width: self.width,
            height: self.height,
            duration: self.duration,
            fps: self.fps,
            frames: self.num_pages.or(frames),
            sample_rate: self.sample_rate,
            channels: self.num_channels,
            bit_depth: self.bit_depth,
            codec: self.codec,
            ..Facts::default()
        }
    }
}

fn last_part(key: &str) -> String {
    key.rsplit('/').next().unwrap_or(key).to_owned()
}
