//! The state of one project as tests want to see it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::labels;
use crate::store::{Project, Row, Store};

/// Where every task of a project stands and what was saved.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ProjectState {
    /// The project.
    pub project_hash: Uuid,
    /// Its title.
    pub title: String,
    /// Number of tasks by title of the stage.
    pub tasks_per_stage: BTreeMap<String, usize>,
    /// The stages in the order of the workflow.
    pub stages: Vec<StageState>,
    /// The tasks in the order of their listing.
    pub tasks: Vec<TaskState>,
    /// Label rows that were initialised, on every branch.
    pub rows: Vec<RowState>,
}

/// One stage.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct StageState {
    /// The stage.
    pub uuid: Uuid,
    /// Its title.
    pub title: String,
    /// Its type as the wire spells it, for example `AGENT`.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many tasks are there now.
    pub tasks: usize,
}

/// One task.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct TaskState {
    /// The task.
    pub uuid: Uuid,
    /// Its data unit.
    pub data_hash: Uuid,
    /// The name of the data unit.
    pub data_title: String,
    /// The stage it stands at.
    pub stage_uuid: Uuid,
    /// The title of that stage.
    pub stage: String,
    /// As the wire spells it, for example `NEW`.
    pub status: String,
    /// The priority that was set last, if any.
    pub priority: Option<f64>,
    /// How many times the task changed its stage.
    pub moved: u32,
}

/// One label row.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RowState {
    /// The label row.
    pub label_hash: Uuid,
    /// Its data unit.
    pub data_hash: Uuid,
    /// The name of the data unit.
    pub data_title: String,
    /// The branch.
    pub branch_name: String,
    /// How many times labels were saved.
    pub saves: u32,
    /// The priority of the row's task that was set last, if any.
    pub priority: Option<f64>,
    /// The label document, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<Value>,
}

impl ProjectState {
    /// The task of the data unit with this name.
    pub fn task(&self, data_title: &str) -> Option<&TaskState> {
        self.tasks.iter().find(|task| task.data_title == data_title)
    }

    /// The label row of the data unit with this name on the branch `main`.
    pub fn row(&self, data_title: &str) -> Option<&RowState> {
        self.rows.iter().find(|row| row.data_title == data_title && row.branch_name == "main")
    }
}

/// Reads the state; with `documents`, label documents are included.
pub(crate) fn of(store: &Store, hash: Uuid, documents: bool) -> Option<ProjectState> {
    let project = store.projects.get(&hash)?;
    let board = store.board(hash).ok()?;
    let stages: Vec<StageState> = project
        .stages()
        .iter()
        .map(|stage| StageState {
            uuid: stage.uuid,
            title: stage.title.clone(),
            kind: stage.kind.wire().to_owned(),
            tasks: board.count(stage.uuid),
        })
        .collect();
    let mut tasks: Vec<_> = board.tasks().filter_map(|task| store.task(task)).collect();
    tasks.sort_by_key(|task| task.order);
    let title_of =
        |uuid: Uuid| stages.iter().find(|stage| stage.uuid == uuid).map_or("", |stage| &stage.title);
    let tasks = tasks
        .into_iter()
        .map(|task| TaskState {
            uuid: task.uuid,
            data_hash: task.data,
            data_title: data_title(store, task.data),
            stage_uuid: task.stage,
            stage: title_of(task.stage).to_owned(),
            status: task.status.wire().to_owned(),
            priority: task.priority,
            moved: task.moves,
        })
        .collect();
    Some(ProjectState {
        project_hash: hash,
        title: project.title.clone(),
        tasks_per_stage: stages.iter().map(|stage| (stage.title.clone(), stage.tasks)).collect(),
        tasks,
        rows: rows(store, project).map(|row| row_state(store, row, documents)).collect(),
        stages,
    })
}

fn rows<'a>(store: &'a Store, project: &'a Project) -> impl Iterator<Item = &'a Row> {
    let units =
        project.datasets.iter().filter_map(|dataset| store.datasets.get(dataset)).flat_map(|set| &set.units);
    let with_members = units
        .filter_map(|unit| store.units.get(unit))
        .flat_map(|unit| std::iter::once(unit.hash).chain(unit.members.iter().copied()));
    with_members.flat_map(|data| store.rows_of_data(project.hash, data))
}

fn row_state(store: &Store, row: &Row, documents: bool) -> RowState {
    RowState {
        label_hash: row.label_hash,
        data_hash: row.key.data,
        data_title: data_title(store, row.key.data),
        branch_name: row.key.branch.to_string(),
        saves: row.saves,
        priority: store.task_of_data(row.key.project, row.key.data).and_then(|task| task.priority),
        document: documents.then(|| labels::read(store, row, None).ok()).flatten(),
    }
}

fn data_title(store: &Store, data: Uuid) -> String {
    let item = store.units.get(&data).and_then(|unit| store.items.get(&unit.item));
    item.map_or_else(String::new, |item| item.name.clone())
}
