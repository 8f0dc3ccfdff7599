//! Tasks and the boards that index them, kept in step.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Board, Project, Store};
use crate::clock::Moment;
use crate::refusal::{Answer, Refusal};
use crate::workflow::{StageKind, Subtask, Task, TaskStatus};

impl Store {
    /// Adds a project and a task per data unit of each of its datasets, all at
    /// the first stage.
    pub(crate) fn add_project(&mut self, project: Project, now: Moment) {
        let (hash, datasets) = (project.hash, project.datasets.clone());
        self.boards.insert(hash, Board::default());
        self.projects.insert(hash, project);
        for dataset in datasets {
            self.add_tasks_of(hash, dataset, now);
        }
    }

    /// Gives the project a task for every data unit of the dataset that has none.
    pub(crate) fn add_tasks_of(&mut self, project: Uuid, dataset: Uuid, now: Moment) {
        let units = self.datasets.get(&dataset).map_or_else(Vec::new, |dataset| dataset.units.clone());
        for unit in units {
            self.add_task(project, unit, now);
        }
    }

    /// Gives every project of the dataset a task for the data unit.
    pub(crate) fn add_task_to_projects(&mut self, dataset: Uuid, unit: Uuid, now: Moment) {
        let projects: Vec<Uuid> = self
            .projects
            .values()
            .filter(|project| project.datasets.contains(&dataset))
            .map(|project| project.hash)
            .collect();
        for project in projects {
            self.add_task(project, unit, now);
        }
    }

    fn add_task(&mut self, project: Uuid, data: Uuid, now: Moment) {
        let Some(start) = self.projects.get(&project).and_then(|project| project.stages().first()) else {
            return;
        };
        let start = start.uuid;
        let Some(board) = self.boards.get_mut(&project) else { return };
        if board.task_of(data).is_some() {
            return;
        }
        let uuid = Uuid::new_v4();
        let order = board.next_order();
        board.place(start, order, uuid, data);
        self.tasks.insert(
            uuid,
            Task {
                uuid,
                project,
                data,
                stage: start,
                order,
                status: TaskStatus::New,
                assignee: None,
                last_actioned_by: None,
                priority: None,
                moves: 0,
                subtasks: Vec::new(),
                created_at: now,
                updated_at: now,
            },
        );
        self.enter_stage(uuid, start, "", now);
    }

    /// Removes the project with its tasks and label rows.
    pub(crate) fn remove_project(&mut self, hash: Uuid) -> Option<Project> {
        if let Some(board) = self.boards.remove(&hash) {
            for task in board.tasks() {
                if let Some(task) = self.tasks.remove(&task) {
                    self.reviews.remove(&task.uuid);
                    self.remove_rows(hash, task.data, &board);
                }
            }
        }
        let collected = self.project_collections.entries().filter(|(_, found)| found.project == hash);
        for collection in collected.map(|(uuid, _)| *uuid).collect::<Vec<_>>() {
            self.project_collections.remove(&collection);
        }
        self.projects.remove(&hash)
    }

    /// Removes one data unit's task and label rows from a project.
    pub(crate) fn remove_task(&mut self, project: Uuid, data: Uuid) {
        let Some(mut board) = self.boards.remove(&project) else { return };
        if let Some(task) = board.task_of(data).and_then(|task| self.tasks.remove(&task)) {
            board.remove(task.stage, task.order, data);
            self.reviews.remove(&task.uuid);
            self.remove_rows(project, data, &board);
        }
        self.boards.insert(project, board);
    }

    /// Whatever the project has of tasks and branches.
    pub(crate) fn board(&self, project: Uuid) -> Answer<&Board> {
        self.boards.get(&project).ok_or_else(|| Refusal::NotFound(format!("there is no project {project}")))
    }

    pub(super) fn board_mut(&mut self, project: Uuid) -> &mut Board {
        self.boards.entry(project).or_default()
    }

    pub(crate) fn task(&self, uuid: Uuid) -> Option<&Task> {
        self.tasks.get(&uuid)
    }

    /// The task, to change anything but its stage.
    pub(crate) fn task_mut(&mut self, uuid: Uuid) -> Option<&mut Task> {
        self.tasks.get_mut(&uuid)
    }

    /// The task of a data unit; a member of a data group shares its group's.
    pub(crate) fn task_of_data(&self, project: Uuid, data: Uuid) -> Option<&Task> {
        let board = self.boards.get(&project)?;
        let group = || self.units.get(&data).and_then(|unit| unit.group);
        let task = board.task_of(data).or_else(|| board.task_of(group()?))?;
        self.tasks.get(&task)
    }

    /// Moves a task to a stage, through routers if there are any, and returns
    /// the stage where it came to rest.
    pub(crate) fn move_task(&mut self, task: Uuid, to: Uuid, who: &str, now: Moment) -> Option<Uuid> {
        let (project, from, order) = {
            let task = self.tasks.get(&task)?;
            (task.project, task.stage, task.order)
        };
        let to = self.behind_routers(project, task, to, who)?;
        self.board_mut(project).shift(from, to, order, task);
        let moved = self.tasks.get_mut(&task)?;
        moved.stage = to;
        moved.moves += 1;
        moved.status = TaskStatus::New;
        moved.assignee = None;
        moved.last_actioned_by = Some(who.into());
        moved.updated_at = now;
        self.enter_stage(task, to, who, now);
        Some(to)
    }

    fn behind_routers(&self, project: Uuid, task: Uuid, to: Uuid, who: &str) -> Option<Uuid> {
        let workflow = self.projects.get(&project)?.workflow.as_ref()?;
        let mut stage = workflow.stage(to)?;
        // A router that leads to routers only would go on for ever.
        for _ in 0..workflow.stages.len() {
            match &stage.kind {
                StageKind::Router { rule } => stage = workflow.stage(rule.choose(task, who)?)?,
                _ => return Some(stage.uuid),
            }
        }
        None
    }

    /// Tasks per project and stage that arrived since the last call.
    pub(crate) fn take_arrivals(&mut self) -> HashMap<(Uuid, Uuid), u64> {
        std::mem::take(&mut self.arrived)
    }

    /// What happens to a task that arrives at a stage.
    fn enter_stage(&mut self, task: Uuid, stage: Uuid, who: &str, now: Moment) {
        let Some(project) = self.tasks.get(&task).map(|task| task.project) else { return };
        let Some(workflow) = self.projects.get(&project).and_then(|project| project.workflow.clone()) else {
            return;
        };
        match workflow.stage(stage).map(|stage| &stage.kind) {
            Some(StageKind::Router { .. }) => {
                if let Some(to) = self.behind_routers(project, task, stage, who)
                    && let Some(found) = self.tasks.get_mut(&task)
                {
                    found.stage = to;
                    let order = found.order;
                    self.board_mut(project).shift(stage, to, order, task);
                    self.enter_stage(task, to, who, now);
                }
            }
            Some(StageKind::ConsensusAnnotation { annotators, .. }) => {
                let parts = (1..=*annotators).map(|number| Subtask {
                    uuid: Uuid::new_v4(),
                    branch: format!("consensus-{number}").into(),
                    status: TaskStatus::New,
                    assignee: None,
                    created_at: now,
                    updated_at: now,
                });
                if let Some(task) = self.tasks.get_mut(&task) {
                    task.subtasks = parts.collect();
                }
            }
            Some(StageKind::Done) => {
                if let Some(task) = self.tasks.get_mut(&task) {
                    task.status = TaskStatus::Completed;
                }
            }
            Some(StageKind::Review { .. }) => self.open_reviews(task),
            Some(StageKind::Agent { .. }) => *self.arrived.entry((project, stage)).or_default() += 1,
            _ => {}
        }
    }
}
