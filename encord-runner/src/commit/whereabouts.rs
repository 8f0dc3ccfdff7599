//! Where tasks are now, for those who must not rely on where they were when they were listed.

use std::collections::HashMap;
use std::time::Instant;

use encord_client::{Error, LabelRowFilter, Project, Stage};
use encord_labels::id::{DataHash, StageUuid, TaskUuid};
use tracing::info;

use super::Pending;
use crate::execute::Failure;
use crate::report::{Step, TaskOutcome};

/// The stages of the tasks of these data units, in one request. A task whose row says nothing of it is missing.
pub(super) async fn stages_of(
    project: &Project,
    hashes: impl Iterator<Item = DataHash>,
) -> Result<HashMap<TaskUuid, StageUuid>, Error> {
    let filter = LabelRowFilter::new().with_data_hashes(hashes).with_all_branches();
    let rows = project.label_rows(&filter).await?;
    Ok(rows
        .iter()
        .filter_map(|row| Some((row.metadata().task_uuid()?, row.metadata().workflow_stage()?.0)))
        .collect())
}

/// Rejects tasks that have left the stage since their labels were fetched, if that is long ago.
///
/// The platform saves labels whatever stage the task is at, so whoever has the task by now would lose their work.
pub(super) async fn reject_departed(project: &Project, stage: &Stage, pending: &mut [Pending]) {
    let now = Instant::now();
    let old: Vec<usize> = (0..pending.len())
        .filter(|index| pending[*index].saves() && pending[*index].recheck_at.is_some_and(|at| at <= now))
        .collect();
    if old.is_empty() {
        return;
    }
    match stages_of(project, old.iter().map(|index| pending[*index].record.data_hash)).await {
        Ok(stages) => {
            for index in old {
                let task = &mut pending[index];
                if stages.get(&task.record.task).is_some_and(|now_at| *now_at != stage.uuid) {
                    info!(task = %task.record.task, "the task has left the stage before its labels were saved");
                    task.drop_decision(TaskOutcome::Rejected);
                }
            }
        }
        Err(error) => {
            let failure = Failure::from(&error).of("could not see whether the task is still at its stage");
            for index in old {
                pending[index].fail(Step::Save, failure.clone());
            }
        }
    }
}
