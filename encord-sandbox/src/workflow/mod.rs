//! Workflows: the stages of a project, the tasks in them and what may be done
//! to a task at each kind of stage.

mod action;
mod rights;
mod stage;
mod task;

pub(crate) use self::action::{Action, apply};
pub(crate) use self::rights::Actor;
pub(crate) use self::stage::{Pathway, RouterRule, Stage, StageKind, Workflow};
pub(crate) use self::task::{Subtask, Task, TaskStatus};
