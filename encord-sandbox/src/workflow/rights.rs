//! Who may act on a task: managers on every task, people at the stages for their
//! work, and on tasks that nobody else has.

use super::action::Action;
use super::{Stage, StageKind, Task};
use crate::refusal::{Answer, Refusal};
use crate::store::Role;

/// A member of the project who does something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Actor<'a> {
    pub(crate) email: &'a str,
    pub(crate) role: Role,
}

impl Actor<'_> {
    /// Refuses an action that is not for this member; `part` is the part of a consensus task.
    pub(super) fn check(
        self,
        stage: &Stage,
        task: &Task,
        part: Option<usize>,
        action: &Action,
    ) -> Answer<()> {
        if self.role.may_manage() {
            return Ok(());
        }
        let fits = match stage.kind {
            StageKind::Annotation { .. } | StageKind::ConsensusAnnotation { .. } => self.role.may_annotate(),
            StageKind::Review { .. } | StageKind::ConsensusReview { .. } => self.role.may_review(),
            _ => false,
        };
        if !fits {
            let role = self.role.name();
            return Err(Refusal::Forbidden(format!("{role}s cannot act at stage \"{}\"", stage.title)));
        }
        let assignee = match part.and_then(|part| task.subtasks.get(part)) {
            Some(part) => part.assignee.as_deref(),
            None => task.assignee.as_deref(),
        };
        if assignee.is_some_and(|assignee| assignee != self.email) {
            return Err(Refusal::Forbidden(format!("task {} is assigned to somebody else", task.uuid)));
        }
        if action.assignee.as_deref().is_some_and(|assignee| assignee != self.email) {
            let who = "only admins and team managers may assign tasks to others";
            return Err(Refusal::Forbidden(who.into()));
        }
        Ok(())
    }
}
