//! How far people are with a data unit, in the words of label rows.

use uuid::Uuid;

use crate::store::Store;
use crate::workflow::{StageKind, TaskStatus};

/// Where people stand with a data unit, in the words of the listing.
pub(crate) fn annotation_status(store: &Store, project: Uuid, data: Uuid) -> &'static str {
    let Some(task) = store.task_of_data(project, data) else { return "QUEUED" };
    let workflow = store.projects.get(&project).and_then(|project| project.workflow.as_ref());
    let kind = workflow.and_then(|workflow| workflow.stage(task.stage)).map(|stage| &stage.kind);
    match (kind, task.status) {
        (Some(StageKind::Done), _) => "COMPLETED",
        (Some(StageKind::Review { .. } | StageKind::ConsensusReview { .. }), _) => "IN_REVIEW",
        (_, TaskStatus::Reopened) => "RETURNED",
        (_, TaskStatus::Assigned) => "ASSIGNED",
        _ => "QUEUED",
    }
}
