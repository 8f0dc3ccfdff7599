//! Makes storage items of uploaded files.

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::jobs::{JobState, Made, Target, UnitError};
use super::request::{Batch, NewFile, NewItem};
use super::{Upload, avi};
use crate::auth::Principal;
use crate::blobs;
use crate::clock::Moment;
use crate::media_facts;
use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};
use crate::scenes;
use crate::store::{Bytes, Extras, Facts, INTEGRATIONS, Item, ItemKind, Store};

/// Whether the files are where we know.
pub(super) fn check_integration(platform: &Platform, batch: &Batch) -> Answer<()> {
    let Some(integration) = batch.integration else { return Ok(()) };
    let known = platform.read(|store| {
        store.settings.get(INTEGRATIONS).is_some_and(|known| known.get(integration.to_string()).is_some())
    });
    let unknown = || Refusal::NotFound(format!("there is no cloud integration {integration}"));
    known.then_some(()).ok_or_else(unknown)
}

/// Reads the facts of every file, adds the items to the folder of the target and
/// finishes the job; nothing happens if it was cancelled meanwhile. Slow: reads files.
pub(super) fn ingest(platform: &Platform, batch: Batch, job: Uuid, target: Target, owner: &Principal) {
    let reader = Reader { platform, integration: batch.integration, who: owner };
    let (mut errors, mut ready) = (Vec::new(), Vec::new());
    for item in batch.items {
        match reader.read(&item) {
            Ok(parts) => ready.push((item, parts)),
            Err(error) => errors.push(failed(&item, error)),
        }
    }
    if !errors.is_empty() && !batch.ignore_errors {
        ready.clear();
    }
    let maker =
        Maker { folder: target.folder, owner: &owner.0, integration: batch.integration, now: Moment::now() };
    platform.write(|store| {
        if store.jobs.get(&job).is_none_or(|job| job.state != JobState::Pending) {
            return;
        }
        let mut made = Vec::with_capacity(ready.len());
        for (item, parts) in ready {
            if batch.skip_duplicates
                && let Some(twin) = twin(store, target.folder, &item)
            {
                if let Some(twin) = store.items.get_mut(&twin).filter(|_| batch.upsert_metadata) {
                    twin.client_metadata = metadata(&item).map(Into::into);
                    twin.last_edited_at = maker.now;
                }
                continue;
            }
            let uuid = maker.item(store, &item, parts);
            let data = target.dataset.map(|dataset| {
                let data = Uuid::new_v4();
                store.link(dataset, uuid, data, maker.now);
                store.add_task_to_projects(dataset, data, maker.now);
                data
            });
            made.push(Made { item: uuid, name: item.title, data });
        }
        if let Some(job) = store.jobs.get_mut(&job) {
            (job.state, job.made, job.errors) = (JobState::Finished, made, errors);
        }
    });
}

/// An item of the folder that was made of the same file in a cloud.
fn twin(store: &Store, folder: Uuid, item: &NewItem) -> Option<Uuid> {
    let [file] = item.files.as_slice() else { return None };
    let same = |other: &&Item| matches!(&other.bytes, Bytes::Remote(url) if *url == file.key);
    store.items_in(folder).find(same).map(|twin| twin.uuid)
}

fn metadata(item: &NewItem) -> Option<String> {
    item.client_metadata.clone().map(|map| Value::Object(map).to_string())
}

fn failed(item: &NewItem, error: String) -> UnitError {
    let object_urls = item.files.iter().map(|file| file.key.clone()).collect();
    UnitError { object_urls, error, subtask: Uuid::new_v4() }
}

/// One file that was looked at.
#[derive(Clone)]
struct Examined {
    uuid: Uuid,
    title: String,
    bytes: Bytes,
    facts: Facts,
}

/// What an item is made of, looked at.
struct Parts {
    bytes: Bytes,
    facts: Facts,
    files: Vec<Examined>,
}

/// Looks at files.
struct Reader<'a> {
    platform: &'a Platform,
    integration: Option<Uuid>,
    who: &'a Principal,
}

impl Reader<'_> {
    fn read(&self, item: &NewItem) -> Result<Parts, String> {
        if let Some(scene) = &item.extras.scene {
            scenes::check(scene)?;
        }
        let frames =
            item.existing.iter().map(|frame| self.existing(*frame)).collect::<Result<Vec<_>, _>>()?;
        let files = item.files.iter().map(|file| self.examine(item.kind, file));
        let files = files.collect::<Result<Vec<_>, _>>()?;
        let streams = item.kind == ItemKind::Scene && files.is_empty();
        if files.is_empty() && frames.is_empty() && !streams {
            return Err("there are no files".into());
        }
        let first = files.iter().chain(&frames).next().map(|file| file.facts.clone()).unwrap_or_default();
        let (bytes, facts) = match item.kind {
            ItemKind::ImageSequence if self.integration.is_none() => {
                self.sequence(&first, &[files.as_slice(), frames.as_slice()].concat())?
            }
            _ => {
                let count = item.extras.scene.as_ref().and_then(scenes::frames);
                (Bytes::None, Facts { mime: None, size: None, frames: count, dicom_instance: None, ..first })
            }
        };
        Ok(Parts { bytes, facts, files })
    }

    /// An image that is to become a frame.
    fn existing(&self, uuid: Uuid) -> Result<Examined, String> {
        let item = self.platform.read(|store| store.seen_by(self.who).item(uuid).cloned());
        match item {
            Ok(item) if item.kind == ItemKind::Image => {
                Ok(Examined { uuid, title: item.name, bytes: item.bytes, facts: Facts::clone(&item.facts) })
            }
            Ok(item) => Err(format!("item {uuid} is of type {}, not an image", item.kind.wire())),
            Err(_) => Err(format!("there is no item {uuid}")),
        }
    }

    fn examine(&self, kind: ItemKind, file: &NewFile) -> Result<Examined, String> {
        if self.integration.is_some() {
            if !file.key.contains("://") {
                return Err(format!("\"{}\" is not the URL of an object in a cloud", file.key));
            }
            return Ok(Examined {
                uuid: file.uuid.unwrap_or_else(Uuid::new_v4),
                title: file.title.clone(),
                bytes: Bytes::Remote(file.key.clone()),
                facts: file.promised.clone(),
            });
        }
        let object =
            Upload::of_key(&file.key).ok_or_else(|| format!("\"{}\" is not an object of ours", file.key))?;
        let received = |store: &Store| store.uploads.get(&object).is_some_and(|upload| upload.received);
        if !self.platform.read(received) {
            return Err(format!("\"{}\" was not uploaded", file.key));
        }
        let path = self.platform.files.path_of(object);
        let facts = media_facts::of_file(part_kind(kind), &path).map_err(|error| {
            // The path is a name of ours that means nothing to the client.
            error.replace(&path.display().to_string(), &file.title)
        })?;
        Ok(Examined {
            uuid: file.uuid.unwrap_or(object),
            title: file.title.clone(),
            bytes: Bytes::File(path),
            facts,
        })
    }

    /// The video that a sequence of images becomes.
    fn sequence(&self, first: &Facts, files: &[Examined]) -> Result<(Bytes, Facts), String> {
        let size = |facts: &Facts| (facts.width, facts.height, facts.mime.clone());
        if files.iter().any(|file| size(&file.facts) != size(first)) {
            return Err("the images of a sequence must have one size and one file type in the sandbox".into());
        }
        let mime = first.mime.as_deref().unwrap_or_default();
        let format = avi::Format::new(mime, first.width.unwrap_or(0), first.height.unwrap_or(0))
            .ok_or("a sequence can be made of JPEG or PNG images only in the sandbox")?;
        let broken = |error: std::io::Error| format!("the sequence cannot be written: {error}");
        let path = self.platform.files.path_of(Uuid::new_v4());
        let mut frames = Vec::with_capacity(files.len());
        for file in files {
            frames.push(match &file.bytes {
                Bytes::File(path) => path.clone(),
                Bytes::GeneratedImage { width, height, number } => {
                    let path = self.platform.files.path_of(Uuid::new_v4());
                    std::fs::write(&path, blobs::png(*width, *height, *number)).map_err(broken)?;
                    path
                }
                Bytes::None | Bytes::Remote(_) => return Err(format!("\"{}\" has no file here", file.title)),
            });
        }
        avi::write(&path, &format, &frames).map_err(broken)?;
        let facts = media_facts::of_file(ItemKind::ImageSequence, &path)?;
        Ok((Bytes::File(path), facts))
    }
}

/// What the files of an item are.
fn part_kind(kind: ItemKind) -> ItemKind {
    match kind {
        ItemKind::ImageGroup | ItemKind::ImageSequence => ItemKind::Image,
        ItemKind::DicomSeries => ItemKind::DicomFile,
        other => other,
    }
}

struct Maker<'a> {
    folder: Uuid,
    owner: &'a str,
    integration: Option<Uuid>,
    now: Moment,
}

impl Maker<'_> {
    fn item(&self, store: &mut Store, wanted: &NewItem, parts: Parts) -> Uuid {
        let Parts { bytes, facts, mut files } = parts;
        let alone = part_kind(wanted.kind) == wanted.kind;
        let whole = if alone { files.pop() } else { None };
        let whole = whole.unwrap_or(Examined { uuid: Uuid::new_v4(), title: String::new(), bytes, facts });
        let mut children = wanted.existing.clone();
        for file in files {
            let child = self.bare(free(store, file.uuid), part_kind(wanted.kind), file, None);
            children.push(child.uuid);
            store.add_item(child);
        }
        let mut item = self.bare(free(store, whole.uuid), wanted.kind, whole, metadata(wanted));
        item.name.clone_from(&wanted.title);
        item.children = children;
        if wanted.extras != Extras::default() {
            item.extras_mut().clone_from(&wanted.extras);
        }
        if self.integration.is_some() {
            item.extras_mut().integration = self.integration;
        }
        let uuid = item.uuid;
        store.add_item(item);
        uuid
    }

    fn bare(&self, uuid: Uuid, kind: ItemKind, file: Examined, metadata: Option<String>) -> Item {
        Item {
            uuid,
            folder: self.folder,
            kind,
            name: file.title,
            description: "".into(),
            client_metadata: metadata.map(Into::into),
            facts: Arc::new(file.facts),
            bytes: file.bytes,
            children: Vec::new(),
            layout_keys: Vec::new(),
            owner: self.owner.into(),
            extras: None,
            created_at: self.now,
            last_edited_at: self.now,
        }
    }
}

/// The uuid that was promised, or a new one if a job uses a file twice.
fn free(store: &Store, uuid: Uuid) -> Uuid {
    if store.items.contains(&uuid) { Uuid::new_v4() } else { uuid }
}
