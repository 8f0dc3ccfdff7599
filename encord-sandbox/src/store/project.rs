//! Projects and their boards: which task stands at which stage, in what order.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Store;
use super::entities::Role;
use super::issues::IssueTag;
use crate::clock::Moment;
use crate::workflow::Workflow;

/// The branch every project has.
pub(crate) const MAIN_BRANCH: &str = "main";

/// Data, an ontology and a workflow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Project {
    pub(crate) hash: Uuid,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) ontology: Uuid,
    /// `None` for a project of the old kind without stages.
    pub(crate) workflow: Option<Arc<Workflow>>,
    pub(crate) template: Option<Uuid>,
    pub(crate) datasets: Vec<Uuid>,
    pub(crate) members: BTreeMap<String, Role>,
    pub(crate) creator: String,
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) issue_tags: Vec<IssueTag>,
    /// Tags of the organisation.
    #[serde(default)]
    pub(crate) tags: Vec<Uuid>,
    pub(crate) created_at: Moment,
    pub(crate) last_edited_at: Moment,
}

impl Project {
    /// Stages in the order of the template; none for a project of the old kind.
    pub(crate) fn stages(&self) -> &[crate::workflow::Stage] {
        self.workflow.as_ref().map_or(&[], |workflow| &workflow.stages)
    }

    /// Whether the data unit belongs to one of the project's datasets.
    pub(crate) fn has_data(&self, store: &Store, data: Uuid) -> bool {
        store.units.get(&data).is_some_and(|unit| self.datasets.contains(&unit.dataset))
    }

    pub(crate) fn tag(&self, name: &str) -> Option<&IssueTag> {
        self.issue_tags.iter().find(|tag| tag.name == name)
    }
}

/// A name that projects of the organisation can carry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OrganisationTag {
    pub(crate) uuid: Uuid,
    pub(crate) name: String,
}

/// The indices of one project. They are derived from its tasks and rows and
/// can be rebuilt from them.
#[derive(Debug, Default)]
pub(crate) struct Board {
    /// Per stage: place in the listing -> task.
    stages: HashMap<Uuid, BTreeMap<u64, Uuid>>,
    /// Data hash -> task.
    tasks: HashMap<Uuid, Uuid>,
    /// Every branch but main that has a row.
    pub(crate) branches: BTreeSet<Arc<str>>,
    next_order: u64,
}

impl Board {
    /// The next free place in the listing.
    pub(crate) fn next_order(&mut self) -> u64 {
        self.next_order += 1;
        self.next_order
    }

    pub(crate) fn place(&mut self, stage: Uuid, order: u64, task: Uuid, data: Uuid) {
        self.stages.entry(stage).or_default().insert(order, task);
        self.tasks.insert(data, task);
        self.next_order = self.next_order.max(order);
    }

    pub(crate) fn shift(&mut self, from: Uuid, to: Uuid, order: u64, task: Uuid) {
        if let Some(tasks) = self.stages.get_mut(&from) {
            tasks.remove(&order);
        }
        self.stages.entry(to).or_default().insert(order, task);
    }

    pub(crate) fn remove(&mut self, stage: Uuid, order: u64, data: Uuid) {
        if let Some(tasks) = self.stages.get_mut(&stage) {
            tasks.remove(&order);
        }
        self.tasks.remove(&data);
    }

    pub(crate) fn task_of(&self, data: Uuid) -> Option<Uuid> {
        self.tasks.get(&data).copied()
    }

    /// Every task of the project, in no particular order.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = Uuid> {
        self.tasks.values().copied()
    }

    pub(crate) fn count(&self, stage: Uuid) -> usize {
        self.stages.get(&stage).map_or(0, BTreeMap::len)
    }

    /// Places and tasks of a stage, from the place after `after` on.
    pub(crate) fn tasks_after(&self, stage: Uuid, after: u64) -> impl Iterator<Item = (u64, Uuid)> {
        self.stages
            .get(&stage)
            .into_iter()
            .flat_map(move |tasks| tasks.range((Bound::Excluded(after), Bound::Unbounded)))
            .map(|(order, task)| (*order, *task))
    }
}
