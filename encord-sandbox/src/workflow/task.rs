//! A task: the position of one data unit in a workflow.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Moment;

/// How far a task is within its stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum TaskStatus {
    #[default]
    New,
    Assigned,
    Released,
    Reopened,
    Completed,
}

impl TaskStatus {
    pub(crate) fn wire(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Assigned => "ASSIGNED",
            Self::Released => "RELEASED",
            Self::Reopened => "REOPENED",
            Self::Completed => "COMPLETED",
        }
    }
}

/// One task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) uuid: Uuid,
    pub(crate) project: Uuid,
    pub(crate) data: Uuid,
    pub(crate) stage: Uuid,
    /// The place in every listing. It never changes, so that a page token stays
    /// valid while tasks come and go.
    pub(crate) order: u64,
    pub(crate) status: TaskStatus,
    pub(crate) assignee: Option<Box<str>>,
    pub(crate) last_actioned_by: Option<Box<str>>,
    pub(crate) priority: Option<f64>,
    /// How often the task changed its stage.
    pub(crate) moves: u32,
    /// The annotators' parts while the task is at a consensus stage.
    pub(crate) subtasks: Vec<Subtask>,
    pub(crate) created_at: Moment,
    pub(crate) updated_at: Moment,
}

/// One annotator's part of a consensus task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Subtask {
    pub(crate) uuid: Uuid,
    pub(crate) branch: Box<str>,
    pub(crate) status: TaskStatus,
    pub(crate) assignee: Option<Box<str>>,
    pub(crate) created_at: Moment,
    pub(crate) updated_at: Moment,
}
