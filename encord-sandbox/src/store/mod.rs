//! The state of the platform: typed tables, the indices derived from them, and
//! the few operations that have to keep both in step.
//!
//! Everything is looked up by hash in constant time. Nothing outside this
//! module changes an index.

mod arrivals;
mod changes;
mod collections;
mod entities;
mod issues;
mod item;
mod project;
mod reviews;
mod rows;
mod sight;
mod table;
mod tasks;

use std::collections::HashMap;

use uuid::Uuid;

use self::arrivals::Waiting;
pub(crate) use self::collections::{Collection, CollectionEntry, CollectionKind, ProjectCollection};
pub(crate) use self::entities::{DataUnit, Dataset, Folder, LabelStatus, Ontology, Role, Row, RowKey, User};
pub(crate) use self::issues::{Anchor, Issue, IssueTag};
pub(crate) use self::item::{Bytes, Extras, Facts, Item, ItemKind};
pub(crate) use self::project::{Board, MAIN_BRANCH, OrganisationTag, Project};
pub(crate) use self::reviews::{LabelReview, ReviewStatus};
use self::table::Table;
use crate::auth::{Principal, PublicKey};
use crate::clock::Moment;
use crate::refusal::{Answer, Refusal};
use crate::uploads::{Job, Upload};
use crate::webhooks::Webhook;
use crate::workflow::{Task, Workflow};

/// The setting with the cloud integrations: a map from their hashes to their titles.
pub(crate) const INTEGRATIONS: &str = "cloud-integrations";

/// The setting with the re-encodings that were asked for: a list of their datasets and data hashes.
pub(crate) const REENCODINGS: &str = "re-encodings";

/// A workflow to make projects from.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Template {
    pub(crate) hash: Uuid,
    pub(crate) title: String,
    pub(crate) workflow: std::sync::Arc<Workflow>,
}

/// The whole state.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) users: Table<String, User>,
    pub(crate) ontologies: Table<Uuid, Ontology>,
    pub(crate) templates: Table<Uuid, Template>,
    pub(crate) folders: Table<Uuid, Folder>,
    pub(crate) items: Table<Uuid, Item>,
    pub(crate) datasets: Table<Uuid, Dataset>,
    pub(crate) units: Table<Uuid, DataUnit>,
    pub(crate) projects: Table<Uuid, Project>,
    pub(crate) uploads: Table<Uuid, Upload>,
    pub(crate) jobs: Table<Uuid, Job>,
    pub(crate) collections: Table<Uuid, Collection>,
    pub(crate) project_collections: Table<Uuid, ProjectCollection>,
    pub(crate) tags: Table<Uuid, OrganisationTag>,
    /// Values of the whole organisation, by name.
    pub(crate) settings: Table<String, serde_json::Value>,
    /// By task.
    pub(crate) reviews: Table<Uuid, Vec<LabelReview>>,
    pub(crate) issues: Table<Uuid, Issue>,
    pub(crate) webhooks: Table<Uuid, Webhook>,
    /// By webhook.
    pub(crate) waiting: Table<Uuid, Waiting>,
    tasks: Table<Uuid, Task>,
    rows: Table<RowKey, Row>,

    keys: HashMap<PublicKey, String>,
    boards: HashMap<Uuid, Board>,
    labels: HashMap<Uuid, RowKey>,
    /// Storage item -> data units it backs.
    backed: HashMap<Uuid, Vec<Uuid>>,
    /// Project and data unit -> issues.
    raised: HashMap<(Uuid, Uuid), Vec<Uuid>>,
    /// Tasks that entered a stage since the last [`Store::take_arrivals`].
    arrived: HashMap<(Uuid, Uuid), u64>,
    /// Folder -> its items in the order they were made.
    contents: HashMap<Uuid, Vec<Uuid>>,
    /// Storage item -> groups, series and sequences it is a part of.
    wholes: HashMap<Uuid, Vec<Uuid>>,
}

impl Store {
    pub(crate) fn add_user(&mut self, user: User) {
        for key in &user.keys {
            self.keys.insert(*key, user.email.clone());
        }
        self.users.insert(user.email.clone(), user);
    }

    pub(crate) fn user_of_key(&self, key: PublicKey) -> Option<&User> {
        self.users.get(self.keys.get(&key)?)
    }

    pub(crate) fn add_item(&mut self, item: Item) {
        for child in &item.children {
            self.wholes.entry(*child).or_default().push(item.uuid);
        }
        self.contents.entry(item.folder).or_default().push(item.uuid);
        self.items.insert(item.uuid, item);
    }

    /// The items of a folder in the order they were made.
    pub(crate) fn items_in(&self, folder: Uuid) -> impl Iterator<Item = &Item> {
        self.contents.get(&folder).into_iter().flatten().filter_map(|item| self.items.get(item))
    }

    pub(crate) fn relocate_item(&mut self, item: Uuid, folder: Uuid) {
        let Some(found) = self.items.get_mut(&item) else { return };
        let old = std::mem::replace(&mut found.folder, folder);
        if let Some(contents) = self.contents.get_mut(&old) {
            contents.retain(|other| *other != item);
        }
        self.contents.entry(folder).or_default().push(item);
    }

    /// Gives an item its parts, and the names of their places if it is a data group.
    pub(crate) fn compose_item(&mut self, item: Uuid, children: Vec<Uuid>, layout_keys: Vec<String>) {
        let Some(found) = self.items.get_mut(&item) else { return };
        for child in &children {
            self.wholes.entry(*child).or_default().push(item);
        }
        (found.children, found.layout_keys) = (children, layout_keys);
    }

    /// The items that this one is a part of.
    pub(crate) fn wholes_of(&self, item: Uuid) -> &[Uuid] {
        self.wholes.get(&item).map_or(&[], Vec::as_slice)
    }

    /// Removes an item that backs no data unit and is no part of another any more.
    pub(crate) fn remove_item(&mut self, item: Uuid) -> Option<Item> {
        let removed = self.items.remove(&item)?;
        self.wholes.remove(&item);
        for child in &removed.children {
            if let Some(wholes) = self.wholes.get_mut(child) {
                wholes.retain(|whole| *whole != item);
            }
        }
        if let Some(contents) = self.contents.get_mut(&removed.folder) {
            contents.retain(|other| *other != item);
        }
        Some(removed)
    }

    /// The data units that an item backs.
    pub(crate) fn units_backed_by(&self, item: Uuid) -> &[Uuid] {
        self.backed.get(&item).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn item(&self, uuid: Uuid) -> Answer<&Item> {
        self.items.get(&uuid).ok_or_else(|| Refusal::NotFound(format!("there is no storage item {uuid}")))
    }

    pub(crate) fn dataset(&self, hash: Uuid) -> Answer<&Dataset> {
        self.datasets.get(&hash).ok_or_else(|| Refusal::NotFound(format!("there is no dataset {hash}")))
    }

    /// Adds to the list that a setting is; returns how long it is now.
    pub(crate) fn append_setting(&mut self, name: &str, entry: serde_json::Value) -> usize {
        let mut list = match self.settings.get(name) {
            Some(serde_json::Value::Array(list)) => list.clone(),
            _ => Vec::new(),
        };
        list.push(entry);
        let length = list.len();
        self.settings.insert(name.to_owned(), list.into());
        length
    }

    /// Changes who may see a dataset, and with it the folder of its files.
    pub(crate) fn share_dataset(&mut self, hash: Uuid, change: impl Fn(&mut Vec<String>)) {
        let Some(dataset) = self.datasets.get_mut(&hash) else { return };
        change(&mut dataset.readers);
        if let Some(folder) = self.folders.get_mut(&dataset.folder) {
            change(&mut folder.readers);
        }
    }

    /// The project, if this user may see it. One that does not exist looks the
    /// same as one that belongs to somebody else.
    pub(crate) fn project(&self, hash: Uuid, who: &Principal) -> Answer<(&Project, Role)> {
        let refused = || Refusal::Forbidden(format!("no access to project {hash}"));
        let project = self.projects.get(&hash).ok_or_else(refused)?;
        let role = project.members.get(&who.0).ok_or_else(refused)?;
        Ok((project, *role))
    }

    /// Adds an item to a dataset and, for data groups, a unit per member.
    /// Projects of the dataset get a task for it.
    pub(crate) fn link(&mut self, dataset: Uuid, item: Uuid, hash: Uuid, now: Moment) {
        let members: Vec<(Uuid, Uuid)> = match self.items.get(&item) {
            Some(found) if found.kind == ItemKind::Group => {
                found.children.iter().map(|child| (Uuid::new_v4(), *child)).collect()
            }
            _ => Vec::new(),
        };
        for (member, child) in &members {
            self.add_unit(DataUnit {
                hash: *member,
                dataset,
                item: *child,
                group: Some(hash),
                members: Vec::new(),
                created_at: now,
            });
        }
        self.add_unit(DataUnit {
            hash,
            dataset,
            item,
            group: None,
            members: members.into_iter().map(|(member, _)| member).collect(),
            created_at: now,
        });
        if let Some(dataset) = self.datasets.get_mut(&dataset) {
            dataset.units.push(hash);
            dataset.last_edited_at = now;
        }
    }

    /// Removes a data unit with its members, and its tasks and labels in every project.
    pub(crate) fn unlink(&mut self, hash: Uuid) {
        let projects: Vec<Uuid> = self.projects.values().map(|project| project.hash).collect();
        for project in projects {
            self.remove_task(project, hash);
        }
        let Some(unit) = self.units.remove(&hash) else { return };
        if let Some(dataset) = self.datasets.get_mut(&unit.dataset) {
            dataset.units.retain(|other| *other != hash);
        }
        let members: Vec<DataUnit> =
            unit.members.iter().filter_map(|member| self.units.remove(member)).collect();
        for unit in members.iter().chain([&unit]) {
            if let Some(backed) = self.backed.get_mut(&unit.item) {
                backed.retain(|other| *other != unit.hash);
            }
        }
    }

    fn add_unit(&mut self, unit: DataUnit) {
        self.backed.entry(unit.item).or_default().push(unit.hash);
        self.units.insert(unit.hash, unit);
    }

    /// The item behind a data unit.
    pub(crate) fn backing(&self, unit: &DataUnit) -> Answer<&Item> {
        self.item(unit.item)
    }

    /// Makes room before many entities are added.
    pub(crate) fn reserve(&mut self, units: usize) {
        self.items.reserve(units);
        self.units.reserve(units);
        self.tasks.reserve(units);
    }
}
