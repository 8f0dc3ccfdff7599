//! What can be done to tasks: send them along a pathway, submit, assign, approve, reject, move.
//!
//! The platform applies a request as a whole or not at all, and an action is not repeatable: once a task has
//! moved, the same action is refused. A request whose answer was lost is therefore never sent again; the caller
//! gets [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) and can list the stage to see what happened.

use encord_labels::id::{PathwayUuid, StageUuid, TaskUuid};
use http::Method;
use serde::Serialize;

use crate::bundle::{CHUNK, Chunks, MOVE_CHUNK};
use crate::error::Result;
use crate::project::Project;
use crate::retry::Safety;

/// One action on one task.
///
/// ```
/// use encord_client::TaskAction;
///
/// let task = "26ad41ef-88c2-49d9-b7c9-90fad57dcafd".parse().unwrap();
/// let action = TaskAction::submit(task).with_assignee("ana@example.org");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use]
pub struct TaskAction {
    task_uuid: TaskUuid,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pathway_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pathway_uuid: Option<PathwayUuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolve_label_reviews: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approve_label_reviews: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reject_label_reviews: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retain_assignee: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignee: Option<String>,
}

impl TaskAction {
    fn new(task: TaskUuid, action: &'static str) -> Self {
        Self {
            task_uuid: task,
            action,
            pathway_name: None,
            pathway_uuid: None,
            resolve_label_reviews: None,
            approve_label_reviews: None,
            reject_label_reviews: None,
            retain_assignee: None,
            assignee: None,
        }
    }

    /// Sends an agent task along a pathway.
    pub fn proceed(task: TaskUuid, pathway: PathwayUuid) -> Self {
        Self { pathway_uuid: Some(pathway), ..Self::new(task, "PATHWAY_ACTION") }
    }

    /// Sends an agent task along the pathway with this name.
    pub fn proceed_by_name(task: TaskUuid, pathway: impl Into<String>) -> Self {
        Self { pathway_name: Some(pathway.into()), ..Self::new(task, "PATHWAY_ACTION") }
    }

    /// Submits an annotation task or a consensus subtask, and resolves its label reviews.
    pub fn submit(task: TaskUuid) -> Self {
        Self { resolve_label_reviews: Some(true), retain_assignee: Some(false), ..Self::new(task, "SUBMIT") }
    }

    /// Gives a task to somebody. For annotation, review and consensus review.
    pub fn assign(task: TaskUuid, email: impl Into<String>) -> Self {
        Self { assignee: Some(email.into()), ..Self::new(task, "ASSIGN") }
    }

    /// Takes a task back from whoever has it.
    pub fn release(task: TaskUuid) -> Self {
        Self::new(task, "RELEASE")
    }

    /// Approves a review task and its label reviews.
    pub fn approve(task: TaskUuid) -> Self {
        Self { approve_label_reviews: Some(true), ..Self::approve_consensus(task) }
    }

    /// Rejects a review task and its label reviews.
    pub fn reject(task: TaskUuid) -> Self {
        Self { reject_label_reviews: Some(true), ..Self::reject_consensus(task) }
    }

    /// Approves a consensus review task.
    pub fn approve_consensus(task: TaskUuid) -> Self {
        Self { retain_assignee: Some(false), ..Self::new(task, "APPROVE") }
    }

    /// Rejects a consensus review task.
    pub fn reject_consensus(task: TaskUuid) -> Self {
        Self { retain_assignee: Some(false), ..Self::new(task, "REJECT") }
    }

    /// Leaves the label reviews of the task as they are. For submit, approve and reject.
    pub fn without_label_reviews(mut self) -> Self {
        for flag in
            [&mut self.resolve_label_reviews, &mut self.approve_label_reviews, &mut self.reject_label_reviews]
        {
            *flag = flag.map(|_| false);
        }
        self
    }

    /// Keeps the assignee in the next stage. For submit, approve and reject.
    pub fn retaining_assignee(mut self) -> Self {
        self.retain_assignee = self.retain_assignee.map(|_| true);
        self
    }

    /// Names the assignee in the next stage. For submit and approve.
    pub fn with_assignee(mut self, email: impl Into<String>) -> Self {
        self.assignee = Some(email.into());
        self
    }

    /// The task acted on.
    pub fn task(&self) -> TaskUuid {
        self.task_uuid
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MoveTasks<'a> {
    task_uuids: &'a [TaskUuid],
    destination_stage_uuid: StageUuid,
}

impl Project {
    /// Sends tasks of an agent stage along their pathways. Nothing is sent for an empty list.
    ///
    /// # Errors
    /// As [`Project::act`].
    pub async fn proceed(&self, stage: StageUuid, moves: &[(TaskUuid, PathwayUuid)]) -> Result<()> {
        let actions: Vec<_> =
            moves.iter().map(|&(task, pathway)| TaskAction::proceed(task, pathway)).collect();
        self.act(stage, &actions).await
    }

    /// Acts on tasks of one stage, at most 1000 per request. Nothing is sent for an empty list.
    ///
    /// # Errors
    /// [`Error::is_rejected`](crate::Error::is_rejected) if at least one of the tasks is no longer in the stage;
    /// then none of the request was applied. [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) if the
    /// answer was lost. [`Error::Incomplete`](crate::Error::Incomplete) if several requests were needed and a
    /// later one failed.
    pub async fn act(&self, stage: StageUuid, actions: &[TaskAction]) -> Result<()> {
        let path = format!("{}/actions", self.stage_path(stage));
        let mut chunks = Chunks::new(actions, CHUNK);
        while let Some(chunk) = chunks.current() {
            let sent = self.client().v2_command(Method::POST, path.clone(), &chunk, Safety::Once).await;
            chunks.settle(sent)?;
        }
        Ok(())
    }

    /// Moves tasks of any kind to another stage, at most 500 per request. Nothing is sent for an empty list.
    ///
    /// # Errors
    /// As [`Project::act`].
    pub async fn move_tasks(&self, from: StageUuid, to: StageUuid, tasks: &[TaskUuid]) -> Result<()> {
        let path = format!("{}/move-tasks", self.stage_path(from));
        let mut chunks = Chunks::new(tasks, MOVE_CHUNK);
        while let Some(task_uuids) = chunks.current() {
            let body = MoveTasks { task_uuids, destination_stage_uuid: to };
            let sent = self.client().v2_command(Method::POST, path.clone(), &body, Safety::Once).await;
            chunks.settle(sent)?;
        }
        Ok(())
    }
}
