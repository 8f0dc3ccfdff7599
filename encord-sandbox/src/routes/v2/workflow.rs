//! Tasks of a stage, actions on them and moves between stages.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::Moment;
use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};
use crate::routes::rights::managed;
use crate::routes::{Caller, JsonBody, Query, UuidPath, page};
use crate::store::{Item, MAIN_BRANCH, RowKey, Store};
use crate::workflow::{self, Action, Actor, Stage, StageKind, Subtask, Task, Workflow};

pub(super) fn router() -> Router<Arc<Platform>> {
    const STAGE: &str = "/projects/{project}/workflow/stages/{stage}";
    Router::new()
        .route(&format!("{STAGE}/tasks"), get(tasks))
        .route(&format!("{STAGE}/actions"), post(actions))
        .route(&format!("{STAGE}/move-tasks"), post(move_tasks))
}

/// The filters of a task listing.
struct Filter {
    data: Vec<Uuid>,
    datasets: Vec<Uuid>,
    users: HashSet<String>,
    statuses: HashSet<String>,
    title: Option<String>,
}

impl Filter {
    fn read(query: &Query) -> Answer<Self> {
        Ok(Self {
            data: query.uuids("dataHashes")?,
            datasets: query.uuids("datasetHashes")?,
            users: query.all("userEmails").map(Into::into).collect(),
            statuses: query.all("statuses").map(Into::into).collect(),
            title: query.one("dataTitleContains").map(str::to_lowercase),
        })
    }

    fn lets_through(&self, store: &Store, task: &Task, item: &Item) -> bool {
        let dataset = store.units.get(&task.data).map(|unit| unit.dataset);
        (self.datasets.is_empty() || dataset.is_some_and(|dataset| self.datasets.contains(&dataset)))
            && (self.users.is_empty()
                || task.assignee.as_deref().is_some_and(|user| self.users.contains(user)))
            && (self.statuses.is_empty() || self.statuses.contains(task.status.wire()))
            && self.title.as_ref().is_none_or(|part| item.name.to_lowercase().contains(part))
    }
}

async fn tasks(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project, stage]): UuidPath<2>,
    query: Query,
) -> Answer<Json<Value>> {
    let filter = Filter::read(&query)?;
    let (after, size) = (page::cursor(&query)?, page::size(&query, platform.limits.task_page)?);
    platform.read(|store| {
        store.project(project, &caller.who)?;
        let workflow = workflow_of(store, project)?;
        let stage = stage_of(&workflow, stage)?;
        let (mut results, mut last) = (Vec::new(), None);
        for (order, task) in candidates(store, project, stage, &filter, after)? {
            let Some(task) = store.task(task) else { continue };
            let item = store.backing(store.units.get(&task.data).ok_or_else(|| gone(task))?)?;
            if !filter.lets_through(store, task, item) {
                continue;
            }
            // One task more than the page holds tells that there is a next page.
            if results.len() == size {
                return Ok(Json(page::answer(results, last)));
            }
            results.push(show(store, stage, task, item));
            last = Some(order);
        }
        Ok(Json(page::answer(results, None)))
    })
}

fn gone(task: &Task) -> Refusal {
    Refusal::Internal(format!("the data unit of task {} is gone", task.uuid))
}

/// Tasks of the stage in order. Named data units are looked up directly.
fn candidates<'a>(
    store: &'a Store,
    project: Uuid,
    stage: &Stage,
    filter: &Filter,
    after: u64,
) -> Answer<Box<dyn Iterator<Item = (u64, Uuid)> + 'a>> {
    let board = store.board(project)?;
    if filter.data.is_empty() {
        return Ok(Box::new(board.tasks_after(stage.uuid, after)));
    }
    let tasks = filter.data.iter().filter_map(|data| store.task(board.task_of(*data)?));
    let tasks = tasks.filter(|task| task.stage == stage.uuid && task.order > after);
    let mut places: Vec<(u64, Uuid)> = tasks.map(|task| (task.order, task.uuid)).collect();
    places.sort_unstable();
    places.dedup();
    Ok(Box::new(places.into_iter()))
}

fn show(store: &Store, stage: &Stage, task: &Task, item: &Item) -> Value {
    let mut shown = json!({
        "uuid": task.uuid,
        "createdAt": task.created_at.iso(),
        "updatedAt": task.updated_at.iso(),
        "dataHash": task.data,
        "dataTitle": item.name,
    });
    let status = json!(task.status.wire());
    let assignee = json!(task.assignee);
    match &stage.kind {
        StageKind::Agent { .. } => {
            shown["status"] = status;
            shown["labelBranchName"] = MAIN_BRANCH.into();
            shown["assignee"] = assignee;
            shown["lastActionedBy"] = json!(task.last_actioned_by);
        }
        StageKind::Annotation { .. } => {
            shown["status"] = status;
            shown["labelBranchName"] = MAIN_BRANCH.into();
            shown["assignee"] = assignee;
        }
        StageKind::Review { .. } => {
            shown["status"] = status;
            shown["assignee"] = assignee;
        }
        StageKind::ConsensusAnnotation { .. } => {
            let parts = task.subtasks.iter().map(|part| show_part(task, part, item));
            shown["subtasks"] = parts.collect();
        }
        StageKind::ConsensusReview { .. } => {
            shown["status"] = status;
            shown["assignee"] = assignee;
            shown["options"] = task.subtasks.iter().map(|part| show_option(store, task, part)).collect();
        }
        StageKind::Router { .. } | StageKind::Done => {}
    }
    shown
}

fn show_part(task: &Task, part: &Subtask, item: &Item) -> Value {
    json!({
        "uuid": part.uuid,
        "createdAt": part.created_at.iso(),
        "updatedAt": part.updated_at.iso(),
        "status": part.status.wire(),
        "dataHash": task.data,
        "dataTitle": item.name,
        "labelBranchName": part.branch,
        "assignee": part.assignee,
    })
}

fn show_option(store: &Store, task: &Task, part: &Subtask) -> Value {
    let key = RowKey { project: task.project, data: task.data, branch: part.branch.as_ref().into() };
    json!({
        "annotator": part.assignee.as_deref().unwrap_or_default(),
        "labelBranchName": part.branch,
        "labelHash": store.row(&key).map(|row| row.label_hash),
    })
}

async fn actions(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project, stage]): UuidPath<2>,
    JsonBody(actions): JsonBody<Vec<Action>>,
) -> Answer<Json<Value>> {
    bundle(&platform, actions.len())?;
    let now = Moment::now();
    let moved = platform.write(|store| {
        let (_, role) = store.project(project, &caller.who)?;
        let actor = Actor { email: &caller.who.0, role };
        let workflow = workflow_of(store, project)?;
        let stage = stage_of(&workflow, stage)?;
        workflow::apply(store, project, &workflow, stage, &actions, actor, now)
    })?;
    record(&platform, &caller, project, stage, &moved);
    Ok(Json(Value::Null))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Moves {
    task_uuids: Vec<Uuid>,
    destination_stage_uuid: Uuid,
}

async fn move_tasks(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project, origin]): UuidPath<2>,
    JsonBody(moves): JsonBody<Moves>,
) -> Answer<Json<Value>> {
    bundle(&platform, moves.task_uuids.len())?;
    let now = Moment::now();
    let moved = platform.write(|store| {
        managed(store, project, &caller.who, "move tasks")?;
        let workflow = workflow_of(store, project)?;
        let origin = stage_of(&workflow, origin)?;
        let destination = stage_of(&workflow, moves.destination_stage_uuid)
            .map_err(|_| Refusal::Invalid(format!("there is no stage {}", moves.destination_stage_uuid)))?;
        let mut seen = HashSet::new();
        let away = moves.task_uuids.iter().find(|uuid| {
            let here =
                store.task(**uuid).is_some_and(|task| task.project == project && task.stage == origin.uuid);
            !here || !seen.insert(**uuid)
        });
        if let Some(away) = away {
            return Err(Refusal::Invalid(format!("task {away} is not in stage \"{}\"", origin.title)));
        }
        let tasks = moves.task_uuids.iter();
        let moved = tasks
            .filter_map(|task| Some((*task, store.move_task(*task, destination.uuid, &caller.who.0, now)?)));
        Ok(moved.collect::<Vec<_>>())
    })?;
    record(&platform, &caller, project, origin, &moved);
    Ok(Json(Value::Null))
}

fn record(platform: &Platform, caller: &Caller, project: Uuid, from: Uuid, moved: &[(Uuid, Uuid)]) {
    for (task, to) in moved {
        platform.journal.moved(&caller.who.0, project, *task, from, *to);
    }
}

fn bundle(platform: &Platform, size: usize) -> Answer<()> {
    let limit = platform.limits.bundle;
    if size > limit { Err(Refusal::TooManyLabels(limit)) } else { Ok(()) }
}

fn workflow_of(store: &Store, project: Uuid) -> Answer<Arc<Workflow>> {
    let workflow = store.projects.get(&project).and_then(|project| project.workflow.clone());
    workflow.ok_or_else(|| Refusal::Invalid(format!("project {project} has no workflow")))
}

fn stage_of(workflow: &Workflow, stage: Uuid) -> Answer<&Stage> {
    workflow.stage(stage).ok_or_else(|| Refusal::NotFound(format!("there is no stage {stage}")))
}
