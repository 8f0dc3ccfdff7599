//! Datasets of a seed: items from files, groups of them, generated ones.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::{DatasetSeed, ItemSeed};
use crate::blobs;
use crate::clock::Moment;
use crate::error::Error;
use crate::media_facts;
use crate::store::{Bytes, Dataset, Facts, Folder, Item, ItemKind, Store};

/// Largest side of a generated image, in pixels.
const LARGEST_SIDE: u32 = 16_384;

/// Adds the dataset with its items to the store.
pub(super) fn plant(
    store: &mut Store,
    seed: &DatasetSeed,
    path: &str,
    base: &Path,
    owner: &Arc<str>,
    now: Moment,
) -> Result<Uuid, Error> {
    let (hash, folder) = (seed.dataset_hash.unwrap_or_else(Uuid::new_v4), Uuid::new_v4());
    if store.datasets.contains(&hash) {
        return Err(Error::seed(format!("{path}.dataset_hash"), format!("{hash} is used twice")));
    }
    store.folders.insert(
        folder,
        Folder {
            uuid: folder,
            parent: None,
            name: seed.title.clone(),
            description: String::new(),
            client_metadata: None,
            owner: owner.to_string(),
            readers: seed.users.clone(),
            synced_dataset: None,
            created_at: now,
            last_edited_at: now,
        },
    );
    store.datasets.insert(
        hash,
        Dataset {
            hash,
            title: seed.title.clone(),
            description: seed.description.clone(),
            owner: owner.to_string(),
            readers: seed.users.clone(),
            folder,
            units: Vec::new(),
            created_at: now,
            last_edited_at: now,
        },
    );
    let mut planter = Planter { store, base, owner, folder, description: "".into(), now };
    for (index, item) in seed.items.iter().enumerate() {
        let path = format!("{path}.items[{index}]");
        if item.generate.is_some() {
            planter.generate(item, hash, &path)?;
            continue;
        }
        let data = item.data_hash.unwrap_or_else(Uuid::new_v4);
        let uuid = planter.item(item, &path)?;
        planter.link(hash, uuid, data, &path)?;
    }
    Ok(hash)
}

struct Planter<'a> {
    store: &'a mut Store,
    base: &'a Path,
    owner: &'a Arc<str>,
    folder: Uuid,
    description: Arc<str>,
    now: Moment,
}

impl Planter<'_> {
    fn link(&mut self, dataset: Uuid, item: Uuid, data: Uuid, path: &str) -> Result<(), Error> {
        if self.store.units.contains(&data) {
            return Err(Error::seed(format!("{path}.data_hash"), format!("{data} is used twice")));
        }
        self.store.link(dataset, item, data, self.now);
        Ok(())
    }

    /// Adds an item with everything it is made of.
    fn item(&mut self, seed: &ItemSeed, path: &str) -> Result<Uuid, Error> {
        let Some(kind) = seed.kind else {
            return Err(Error::seed(path, "an item needs a \"type\", or \"generate\": \"image\""));
        };
        let (mut children, mut layout_keys) = (Vec::new(), Vec::new());
        let (mut bytes, mut facts) = (Bytes::None, Facts::default());
        match kind {
            ItemKind::ImageGroup | ItemKind::DicomSeries => {
                let child = if kind == ItemKind::ImageGroup { ItemKind::Image } else { ItemKind::DicomFile };
                if seed.files.is_empty() {
                    return Err(Error::seed(
                        format!("{path}.files"),
                        "a list of at least one file is needed",
                    ));
                }
                for (index, file) in seed.files.iter().enumerate() {
                    let path = format!("{path}.files[{index}]");
                    let (file, found) = self.file(child, file, &path)?;
                    if index == 0 {
                        facts = Facts {
                            mime: None,
                            size: None,
                            frames: None,
                            dicom_instance: None,
                            ..found.clone()
                        };
                    }
                    let name = file_name(&file);
                    children.push(self.add(
                        None,
                        child,
                        name,
                        &ItemSeed::default(),
                        Bytes::File(file),
                        found,
                    ));
                }
            }
            ItemKind::Group => {
                if seed.items.is_empty() {
                    return Err(Error::seed(
                        format!("{path}.items"),
                        "a data group needs at least one member",
                    ));
                }
                for (index, member) in seed.items.iter().enumerate() {
                    let path = format!("{path}.items[{index}]");
                    if member.kind == Some(ItemKind::Group) {
                        return Err(Error::seed(path, "a data group cannot hold another one"));
                    }
                    children.push(self.item(member, &path)?);
                    layout_keys.push(member.layout_key.clone().unwrap_or_else(|| index.to_string()));
                }
            }
            _ => {
                let Some(file) = &seed.file else {
                    return Err(Error::seed(
                        format!("{path}.file"),
                        "a file is needed for this type of item",
                    ));
                };
                let (file, found) = self.file(kind, file, &format!("{path}.file"))?;
                (bytes, facts) = (Bytes::File(file), found);
            }
        }
        let from_file = match &bytes {
            Bytes::File(file) => Some(file_name(file)),
            _ => None,
        };
        let Some(name) = seed.name.clone().or(from_file) else {
            return Err(Error::seed(
                format!("{path}.name"),
                "a name is needed for an item without a file of its own",
            ));
        };
        facts.mime = seed.mime_type.clone().or(facts.mime);
        let uuid = self.add(seed.item_uuid, kind, name, seed, bytes, facts);
        self.store.compose_item(uuid, children, layout_keys);
        Ok(uuid)
    }

    fn file(&self, kind: ItemKind, file: &Path, path: &str) -> Result<(PathBuf, Facts), Error> {
        let file = self.base.join(file);
        let absolute = file.canonicalize();
        let absolute = absolute
            .map_err(|error| Error::seed(path, format!("cannot read {}: {error}", file.display())))?;
        if !absolute.is_file() {
            return Err(Error::seed(path, format!("{} is not a file", file.display())));
        }
        let facts = media_facts::of_file(kind, &absolute).map_err(|reason| Error::seed(path, reason))?;
        Ok((absolute, facts))
    }

    fn add(
        &mut self,
        uuid: Option<Uuid>,
        kind: ItemKind,
        name: String,
        seed: &ItemSeed,
        bytes: Bytes,
        facts: impl Into<Arc<Facts>>,
    ) -> Uuid {
        let uuid = uuid.unwrap_or_else(Uuid::new_v4);
        let description = seed.description.as_deref().map(Into::into);
        self.store.add_item(Item {
            uuid,
            folder: self.folder,
            kind,
            name,
            description: description.unwrap_or_else(|| self.description.clone()),
            client_metadata: seed
                .client_metadata
                .as_ref()
                .map(|map| Value::Object(map.clone()).to_string().into()),
            facts: facts.into(),
            bytes,
            children: Vec::new(),
            layout_keys: Vec::new(),
            owner: self.owner.clone(),
            extras: None,
            created_at: self.now,
            last_edited_at: self.now,
        });
        uuid
    }

    /// Adds many images that are made when they are downloaded.
    fn generate(&mut self, seed: &ItemSeed, dataset: Uuid, path: &str) -> Result<(), Error> {
        if seed.generate.as_deref() != Some("image") {
            return Err(Error::seed(format!("{path}.generate"), "only \"image\" can be generated"));
        }
        let count = seed.count.unwrap_or(1);
        let (width, height) = (seed.width.unwrap_or(16), seed.height.unwrap_or(16));
        if !(1..=LARGEST_SIDE).contains(&width) || !(1..=LARGEST_SIDE).contains(&height) {
            let reason = format!("{width} x {height} pixels: each side must be 1 to {LARGEST_SIDE}");
            return Err(Error::seed(path, reason));
        }
        if count > 1 && (seed.data_hash.is_some() || seed.item_uuid.is_some()) {
            return Err(Error::seed(path, "several generated images cannot share one hash"));
        }
        self.store.reserve(count as usize);
        // All generated images of one size have the same length.
        let size = blobs::png(width, height, 0).len() as u64;
        let prefix = seed.name.as_deref().unwrap_or("image");
        let metadata: Option<Arc<str>> =
            seed.client_metadata.as_ref().map(|map| Value::Object(map.clone()).to_string().into());
        let bare = ItemSeed::default();
        let facts = Arc::new(Facts {
            mime: Some("image/png".into()),
            size: Some(size),
            width: Some(width),
            height: Some(height),
            ..Facts::default()
        });
        for number in 0..count {
            let name = format!("{prefix}-{:06}.png", number + 1);
            let bytes = Bytes::GeneratedImage { width, height, number };
            let uuid = self.add(seed.item_uuid, ItemKind::Image, name, &bare, bytes, facts.clone());
            if let Some(item) = self.store.items.get_mut(&uuid) {
                item.client_metadata = metadata.clone();
            }
            self.link(dataset, uuid, seed.data_hash.unwrap_or_else(Uuid::new_v4), path)?;
        }
        Ok(())
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
