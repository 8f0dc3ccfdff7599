//! Makes storage items of uploaded files.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::avi;
use super::request::{NewFile, NewItem};
use super::{Job, Made, UnitError, Upload};
use crate::clock::Moment;
use crate::media_facts;
use crate::platform::Platform;
use crate::store::{Bytes, Facts, Item, ItemKind, Store};

/// Reads the facts of every file and adds the items to the folder. With
/// `dataset`, they become data units of it. Unless `ignore_errors`, one bad
/// file keeps everything from being made. Slow: reads files.
pub(crate) fn ingest(
    platform: &Platform,
    items: Vec<NewItem>,
    folder: Uuid,
    dataset: Option<Uuid>,
    owner: &str,
    ignore_errors: bool,
) -> Job {
    let mut job = Job::default();
    let mut ready = Vec::new();
    for item in items {
        match item.files.iter().map(|file| examine(platform, item.kind, file)).collect::<Result<Vec<_>, _>>()
        {
            Ok(files) if files.is_empty() => job.errors.push(failed(&item, "there are no files".into())),
            Ok(files) => match whole(platform, item.kind, &files) {
                Ok(whole) => ready.push((item, whole, files)),
                Err(error) => job.errors.push(failed(&item, error)),
            },
            Err(error) => job.errors.push(failed(&item, error)),
        }
    }
    if job.errors.is_empty() || ignore_errors {
        let maker = Maker { folder, owner, now: Moment::now() };
        platform.write(|store| {
            for (item, whole, files) in ready {
                let uuid = maker.item(store, &item, whole, files);
                let data = dataset.map(|dataset| {
                    let data = Uuid::new_v4();
                    store.link(dataset, uuid, data, maker.now);
                    store.add_task_to_projects(dataset, data, maker.now);
                    data
                });
                job.made.push(Made { item: uuid, name: item.title, data });
            }
        });
    }
    job
}

fn failed(item: &NewItem, error: String) -> UnitError {
    let object_urls = item.files.iter().map(|file| file.key.clone()).collect();
    UnitError { object_urls, error, subtask: Uuid::new_v4() }
}

/// One file that was looked at.
struct Examined {
    uuid: Uuid,
    title: String,
    bytes: Bytes,
    facts: Facts,
}

impl Examined {
    fn path(&self) -> Option<PathBuf> {
        match &self.bytes {
            Bytes::File(path) => Some(path.clone()),
            _ => None,
        }
    }
}

fn examine(platform: &Platform, kind: ItemKind, file: &NewFile) -> Result<Examined, String> {
    let object =
        Upload::of_key(&file.key).ok_or_else(|| format!("\"{}\" is not an object of ours", file.key))?;
    let received = platform.read(|store| store.uploads.get(&object).is_some_and(|upload| upload.received));
    if !received {
        return Err(format!("\"{}\" was not uploaded", file.key));
    }
    let path = platform.files.path_of(object);
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

/// Bytes and facts of an item that is made of several files.
fn whole(platform: &Platform, kind: ItemKind, files: &[Examined]) -> Result<(Bytes, Facts), String> {
    let first = files.first().map(|file| file.facts.clone()).unwrap_or_default();
    if kind != ItemKind::ImageSequence {
        return Ok((
            Bytes::None,
            Facts { mime: None, size: None, frames: None, dicom_instance: None, ..first },
        ));
    }
    let size = |facts: &Facts| (facts.width, facts.height, facts.mime.clone());
    if files.iter().any(|file| size(&file.facts) != size(&first)) {
        return Err("the images of a sequence must have one size and one file type in the sandbox".into());
    }
    let mime = first.mime.as_deref().unwrap_or_default();
    let format = avi::Format::new(mime, first.width.unwrap_or(0), first.height.unwrap_or(0))
        .ok_or("a sequence can be made of JPEG or PNG images only in the sandbox")?;
    let path = platform.files.path_of(Uuid::new_v4());
    let frames: Vec<_> = files.iter().filter_map(Examined::path).collect();
    avi::write(&path, &format, &frames)
        .map_err(|error| format!("the sequence cannot be written: {error}"))?;
    let facts = media_facts::of_file(ItemKind::ImageSequence, &path)?;
    Ok((Bytes::File(path), facts))
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
    now: Moment,
}

impl Maker<'_> {
    fn item(
        &self,
        store: &mut Store,
        wanted: &NewItem,
        (bytes, facts): (Bytes, Facts),
        mut files: Vec<Examined>,
    ) -> Uuid {
        let metadata = wanted.client_metadata.as_ref().map(|map| Value::Object(map.clone()).to_string());
        if part_kind(wanted.kind) == wanted.kind
            && let Some(mut file) = files.pop()
        {
            let uuid = free(store, file.uuid);
            file.title.clone_from(&wanted.title);
            store.add_item(self.bare(uuid, wanted.kind, file, metadata));
            return uuid;
        }
        let mut children = Vec::with_capacity(files.len());
        for file in files {
            let uuid = free(store, file.uuid);
            store.add_item(self.bare(uuid, part_kind(wanted.kind), file, None));
            children.push(uuid);
        }
        let whole = Examined { uuid: Uuid::new_v4(), title: wanted.title.clone(), bytes, facts };
        let mut item = self.bare(whole.uuid, wanted.kind, whole, metadata);
        item.children = children;
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
            created_at: self.now,
            last_edited_at: self.now,
        }
    }
}

/// The uuid that was promised, or a new one if a job uses a file twice.
fn free(store: &Store, uuid: Uuid) -> Uuid {
    if store.items.contains(&uuid) { Uuid::new_v4() } else { uuid }
}
