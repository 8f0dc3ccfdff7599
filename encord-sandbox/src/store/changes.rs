//! The store as a list of changed entities, and back: what persistence needs.

use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{MAIN_BRANCH, Store, Table};
use crate::uploads::JobState;

/// One entity that changed; without a value it was removed.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) kind: &'static str,
    /// JSON.
    pub(crate) key: String,
    /// JSON.
    pub(crate) value: Option<String>,
}

impl Store {
    /// From now on, remembers what changes.
    pub(crate) fn track_changes(&mut self) {
        self.users.track();
        self.ontologies.track();
        self.templates.track();
        self.folders.track();
        self.items.track();
        self.datasets.track();
        self.units.track();
        self.projects.track();
        self.uploads.track();
        self.jobs.track();
        self.collections.track();
        self.project_collections.track();
        self.tags.track();
        self.settings.track();
        self.reviews.track();
        self.issues.track();
        self.webhooks.track();
        self.waiting.track();
        self.tasks.track();
        self.rows.track();
    }

    /// Shows what changed since the last call, one entity after another: the
    /// first state of a large sandbox would not fit twice into memory.
    pub(crate) fn take_changes(&mut self, mut show: impl FnMut(&Change)) {
        take("user", &mut self.users, &mut show);
        take("ontology", &mut self.ontologies, &mut show);
        take("template", &mut self.templates, &mut show);
        take("folder", &mut self.folders, &mut show);
        take("item", &mut self.items, &mut show);
        take("dataset", &mut self.datasets, &mut show);
        take("unit", &mut self.units, &mut show);
        take("project", &mut self.projects, &mut show);
        take("upload", &mut self.uploads, &mut show);
        take("job", &mut self.jobs, &mut show);
        take("collection", &mut self.collections, &mut show);
        take("project_collection", &mut self.project_collections, &mut show);
        take("tag", &mut self.tags, &mut show);
        take("setting", &mut self.settings, &mut show);
        take("review", &mut self.reviews, &mut show);
        take("issue", &mut self.issues, &mut show);
        take("webhook", &mut self.webhooks, &mut show);
        take("waiting", &mut self.waiting, &mut show);
        take("task", &mut self.tasks, &mut show);
        take("row", &mut self.rows, &mut show);
    }

    /// Takes in one stored entity. Kinds of a newer version are left alone.
    pub(crate) fn load(&mut self, kind: &str, key: &str, value: &str) -> serde_json::Result<()> {
        match kind {
            "user" => put(&mut self.users, key, value),
            "ontology" => put(&mut self.ontologies, key, value),
            "template" => put(&mut self.templates, key, value),
            "folder" => put(&mut self.folders, key, value),
            "item" => {
                let item: super::Item = serde_json::from_str(value)?;
                self.add_item(item);
                Ok(())
            }
            "dataset" => put(&mut self.datasets, key, value),
            "unit" => {
                let unit: super::DataUnit = serde_json::from_str(value)?;
                if unit.group.is_none()
                    && let Some(dataset) = self.datasets.get_mut(&unit.dataset)
                {
                    dataset.units.push(unit.hash);
                }
                self.add_unit(unit);
                Ok(())
            }
            "project" => put(&mut self.projects, key, value),
            "upload" => put(&mut self.uploads, key, value),
            "job" => put(&mut self.jobs, key, value),
            "collection" => put(&mut self.collections, key, value),
            "project_collection" => put(&mut self.project_collections, key, value),
            "tag" => put(&mut self.tags, key, value),
            "setting" => put(&mut self.settings, key, value),
            "review" => put(&mut self.reviews, key, value),
            "issue" => {
                self.add_issue(serde_json::from_str(value)?);
                Ok(())
            }
            "webhook" => put(&mut self.webhooks, key, value),
            "waiting" => put(&mut self.waiting, key, value),
            "task" => put(&mut self.tasks, key, value),
            "row" => put(&mut self.rows, key, value),
            _ => Ok(()),
        }
    }

    /// Derives the indices that [`Store::load`] did not keep up.
    pub(crate) fn rebuild(&mut self) {
        self.keys = self
            .users
            .values()
            .flat_map(|user| user.keys.iter().map(|key| (*key, user.email.clone())))
            .collect();
        self.boards = self.projects.values().map(|project| (project.hash, super::Board::default())).collect();
        for task in self.tasks.values() {
            if let Some(board) = self.boards.get_mut(&task.project) {
                board.place(task.stage, task.order, task.uuid, task.data);
            }
        }
        // Nobody works on jobs that an earlier sandbox did not finish.
        let pending = self.jobs.entries().filter(|(_, job)| job.state == JobState::Pending);
        for uuid in pending.map(|(uuid, _)| *uuid).collect::<Vec<Uuid>>() {
            if let Some(job) = self.jobs.get_mut(&uuid) {
                job.state = JobState::Cancelled;
            }
        }
        self.labels = HashMap::new();
        for row in self.rows.values() {
            self.labels.insert(row.label_hash, row.key.clone());
            if &*row.key.branch != MAIN_BRANCH
                && let Some(board) = self.boards.get_mut(&row.key.project)
            {
                board.branches.insert(row.key.branch.clone());
            }
        }
    }
}

fn take<K, V>(kind: &'static str, table: &mut Table<K, V>, show: &mut impl FnMut(&Change))
where
    K: Hash + Eq + Clone + Serialize,
    V: Serialize,
{
    table.take_changes(|key, value| {
        // Keys and values are plain records, so writing them as JSON cannot fail.
        let json = serde_json::to_string(key).ok();
        let value = value.map(|value| serde_json::to_string(value).unwrap_or_else(|_| "null".into()));
        if let Some(key) = json {
            show(&Change { kind, key, value });
        }
    });
}

fn put<K, V>(table: &mut Table<K, V>, key: &str, value: &str) -> serde_json::Result<()>
where
    K: Hash + Eq + Clone + DeserializeOwned,
    V: DeserializeOwned,
{
    table.insert(serde_json::from_str(key)?, serde_json::from_str(value)?);
    Ok(())
}
