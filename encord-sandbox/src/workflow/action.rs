//! Actions on tasks: what may be asked for at each kind of stage, and the rule
//! that a request is done completely or not at all.

use std::collections::HashSet;

use serde::Deserialize;
use uuid::Uuid;

use super::{Actor, Stage, StageKind, Task, TaskStatus, Workflow};
use crate::clock::Moment;
use crate::refusal::{Answer, Refusal};
use crate::store::{LabelStatus, ReviewStatus, Store};

/// One element of an actions request.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Action {
    task_uuid: Uuid,
    action: Verb,
    #[serde(default)]
    pathway_uuid: Option<Uuid>,
    #[serde(default)]
    pathway_name: Option<String>,
    #[serde(default)]
    pub(super) assignee: Option<String>,
    #[serde(default)]
    retain_assignee: bool,
    #[serde(default = "yes")]
    resolve_label_reviews: bool,
    #[serde(default = "yes")]
    approve_label_reviews: bool,
    #[serde(default = "yes")]
    reject_label_reviews: bool,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Verb {
    PathwayAction,
    Submit,
    Assign,
    Release,
    Approve,
    Reject,
}

/// A change to one task that was checked and cannot fail any more.
enum Step {
    Move { to: Uuid, status: TaskStatus, labels: Option<LabelStatus> },
    Assign(Box<str>),
    Release,
    SubmitPart { part: usize },
    AssignPart { part: usize, assignee: Option<Box<str>> },
}

/// Does all actions, or none when one of them cannot be done. Returns what was
/// moved, as task and destination.
pub(crate) fn apply(
    store: &mut Store,
    project: Uuid,
    workflow: &Workflow,
    stage: &Stage,
    actions: &[Action],
    actor: Actor<'_>,
    now: Moment,
) -> Answer<Vec<(Uuid, Uuid)>> {
    let mut seen = HashSet::new();
    let mut steps = Vec::with_capacity(actions.len());
    for action in actions {
        if !seen.insert(action.task_uuid) {
            return Err(Refusal::Invalid(format!("task {} is named twice in one request", action.task_uuid)));
        }
        let (task, part) = find(store, project, stage, action.task_uuid)?;
        if let Some(task) = store.task(task) {
            actor.check(stage, task, part, action)?;
            retainable(task, part, action)?;
        }
        steps.push((task, action, plan(workflow, stage, action, part)?));
    }
    let mut moved = Vec::new();
    for (task, action, step) in steps {
        run(store, stage, task, action, step, actor.email, now, &mut moved);
    }
    Ok(moved)
}

/// The task and, for a consensus subtask, which part of the task it is.
fn find(store: &Store, project: Uuid, stage: &Stage, uuid: Uuid) -> Answer<(Uuid, Option<usize>)> {
    let gone =
        || Refusal::Invalid(format!("task {uuid} is not in stage \"{}\" ({})", stage.title, stage.uuid));
    if let Some(task) = store.task(uuid) {
        let here = task.project == project && task.stage == stage.uuid;
        return here.then_some((uuid, None)).ok_or_else(gone);
    }
    if !matches!(stage.kind, StageKind::ConsensusAnnotation { .. }) {
        return Err(gone());
    }
    // Parts are not indexed: consensus stages are worked on by people.
    let board = store.board(project)?;
    let mut tasks = board.tasks_after(stage.uuid, 0).filter_map(|(_, task)| store.task(task));
    tasks
        .find_map(|task| {
            let part = task.subtasks.iter().position(|part| part.uuid == uuid)?;
            Some((task.uuid, Some(part)))
        })
        .ok_or_else(gone)
}

fn plan(workflow: &Workflow, stage: &Stage, action: &Action, part: Option<usize>) -> Answer<Step> {
    use StageKind::*;
    let step = match (&stage.kind, action.action) {
        (Agent { pathways }, Verb::PathwayAction) => {
            let chosen = pathways.iter().find(|pathway| match (action.pathway_uuid, &action.pathway_name) {
                (Some(uuid), _) => pathway.uuid == uuid,
                (None, Some(name)) => &pathway.name == name,
                (None, None) => false,
            });
            let to = chosen.ok_or_else(|| no_such_pathway(stage, action))?.destination;
            Step::Move { to, status: TaskStatus::New, labels: None }
        }
        (Annotation { next }, Verb::Submit) => {
            Step::Move { to: *next, status: TaskStatus::New, labels: Some(LabelStatus::Labelled) }
        }
        (Review { approve, .. } | ConsensusReview { approve, .. }, Verb::Approve) => {
            Step::Move { to: *approve, status: TaskStatus::New, labels: Some(LabelStatus::Reviewed) }
        }
        (Review { reject, .. } | ConsensusReview { reject, .. }, Verb::Reject) => {
            Step::Move { to: *reject, status: TaskStatus::Reopened, labels: None }
        }
        (ConsensusAnnotation { .. }, Verb::Submit) if part.is_some() => {
            Step::SubmitPart { part: part.unwrap_or(0) }
        }
        (Annotation { .. } | Review { .. } | ConsensusReview { .. }, Verb::Assign) => {
            Step::Assign(assignee(action)?)
        }
        (Annotation { .. } | Review { .. } | ConsensusReview { .. }, Verb::Release) => Step::Release,
        (ConsensusAnnotation { .. }, Verb::Assign) if part.is_some() => {
            Step::AssignPart { part: part.unwrap_or(0), assignee: Some(assignee(action)?) }
        }
        (ConsensusAnnotation { .. }, Verb::Release) if part.is_some() => {
            Step::AssignPart { part: part.unwrap_or(0), assignee: None }
        }
        (kind, verb) => {
            return Err(Refusal::Invalid(format!(
                "{verb:?} cannot be done at stage \"{}\" of type {}",
                stage.title,
                kind.wire()
            )));
        }
    };
    if let Step::Move { to, .. } = &step
        && workflow.stage(*to).is_none()
    {
        return Err(Refusal::Internal(format!("stage \"{}\" leads to the unknown stage {to}", stage.title)));
    }
    Ok(step)
}

/// An assignee can only be kept if there is one.
fn retainable(task: &Task, part: Option<usize>, action: &Action) -> Answer<()> {
    let assignee = match part.and_then(|part| task.subtasks.get(part)) {
        Some(part) => &part.assignee,
        None => &task.assignee,
    };
    if action.retain_assignee && action.assignee.is_none() && assignee.is_none() {
        return Err(Refusal::Invalid(format!("task {} has no assignee to retain", action.task_uuid)));
    }
    Ok(())
}

fn assignee(action: &Action) -> Answer<Box<str>> {
    let assignee = action.assignee.as_deref().filter(|email| !email.is_empty());
    assignee.map(Into::into).ok_or_else(|| Refusal::Invalid("an assignment needs an assignee".into()))
}

fn no_such_pathway(stage: &Stage, action: &Action) -> Refusal {
    let asked = match (action.pathway_uuid, &action.pathway_name) {
        (Some(uuid), _) => uuid.to_string(),
        (None, Some(name)) => format!("\"{name}\""),
        (None, None) => "none".to_owned(),
    };
    Refusal::Invalid(format!("stage \"{}\" has no pathway {asked}", stage.title))
}

#[expect(clippy::too_many_arguments, reason = "one step of `apply`, split off to be read on its own")]
fn run(
    store: &mut Store,
    stage: &Stage,
    task: Uuid,
    action: &Action,
    step: Step,
    who: &str,
    now: Moment,
    moved: &mut Vec<(Uuid, Uuid)>,
) {
    match step {
        Step::Move { to, status, labels } => {
            let before = store.task(task).and_then(|task| task.assignee.clone());
            set_label_status(store, task, labels);
            review_labels(store, task, action);
            let Some(to) = store.move_task(task, to, who, now) else { return };
            moved.push((task, to));
            let Some(task) = store.task_mut(task) else { return };
            if task.status == TaskStatus::New {
                task.status = status;
            }
            let wanted = action.assignee.as_deref().map(Into::into);
            task.assignee = wanted.or(if action.retain_assignee { before } else { None });
            if task.assignee.is_some() && task.status == TaskStatus::New {
                task.status = TaskStatus::Assigned;
            }
        }
        Step::Assign(assignee) => {
            if let Some(task) = store.task_mut(task) {
                (task.assignee, task.status, task.updated_at) = (Some(assignee), TaskStatus::Assigned, now);
            }
        }
        Step::Release => {
            if let Some(task) = store.task_mut(task) {
                (task.assignee, task.status, task.updated_at) = (None, TaskStatus::Released, now);
            }
        }
        Step::AssignPart { part, assignee } => {
            if let Some(part) = store.task_mut(task).and_then(|task| task.subtasks.get_mut(part)) {
                part.status = if assignee.is_some() { TaskStatus::Assigned } else { TaskStatus::Released };
                (part.assignee, part.updated_at) = (assignee, now);
            }
        }
        Step::SubmitPart { part } => submit_part(store, stage, task, part, who, now, moved),
    }
}

/// A consensus task goes on when the last of its parts was submitted.
fn submit_part(
    store: &mut Store,
    stage: &Stage,
    task: Uuid,
    part: usize,
    who: &str,
    now: Moment,
    moved: &mut Vec<(Uuid, Uuid)>,
) {
    let Some(found) = store.task_mut(task) else { return };
    if let Some(part) = found.subtasks.get_mut(part) {
        (part.status, part.updated_at) = (TaskStatus::Completed, now);
        part.assignee.get_or_insert_with(|| who.into());
    }
    let all_done = found.subtasks.iter().all(|part| part.status == TaskStatus::Completed);
    if let StageKind::ConsensusAnnotation { next, .. } = stage.kind
        && all_done
        && let Some(to) = store.move_task(task, next, who, now)
    {
        moved.push((task, to));
    }
}

/// What an action on the whole task means for the reviews of its labels.
fn review_labels(store: &mut Store, task: Uuid, action: &Action) {
    use ReviewStatus::*;
    match action.action {
        Verb::Submit if action.resolve_label_reviews => store.review_all(task, &[Rejected], Resolved),
        Verb::Approve if action.approve_label_reviews => {
            store.review_all(task, &[New, Rejected, Resolved, Reopened], Approved);
        }
        Verb::Reject if action.reject_label_reviews => {
            store.review_all(task, &[New, Resolved, Reopened], Rejected);
        }
        _ => {}
    }
}

fn set_label_status(store: &mut Store, task: Uuid, status: Option<LabelStatus>) {
    let Some((status, task)) = status.zip(store.task(task)) else { return };
    let labels: Vec<Uuid> =
        store.rows_of_data(task.project, task.data).iter().map(|row| row.label_hash).collect();
    for label in labels {
        if let Some(row) = store.row_of_label_mut(label) {
            row.status = status;
        }
    }
}
