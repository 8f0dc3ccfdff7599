//! Work on other projects that belongs to a task: labels saved and tasks moved there together with its own.
//!
//! An agent that writes to a second project by itself sends one request per task, and leaves the two projects
//! apart when its own task then fails to move. What is part of the outcome goes out in bundles, and the task
//! moves only when all of it was confirmed.

use std::fmt;
use std::sync::Arc;

use encord_client::{AgentTask, Project};
use encord_labels::LabelRow;
use encord_labels::id::{DataHash, StageUuid, TaskUuid};

use crate::commit::Move;
use crate::error::{BoxError, Terminal};
use crate::outcome::PathwayRef;
use crate::stage;

/// Changes to another project that belong to the outcome of a task: see [`Outcome::with_beside`].
///
/// Its label row is saved together with those of the runner's project, before any task moves; its task moves before
/// the runner's. If one of both fails, the runner's task fails and stays where it is.
///
/// [`Outcome::with_beside`]: crate::Outcome::with_beside
#[derive(Clone)]
#[must_use = "nothing happens unless it is part of an outcome"]
pub struct Beside {
    project: Project,
    label_row: Option<LabelRow>,
    moved: Option<WantedMove>,
    after: Option<After>,
}

#[derive(Clone)]
struct WantedMove {
    stage: StageUuid,
    task: TaskUuid,
    data_hash: DataHash,
    pathway: PathwayRef,
}

type After = Arc<dyn Fn() + Send + Sync>;

impl Beside {
    /// Changes to this project; none yet.
    pub fn new(project: &Project) -> Self {
        Beside { project: project.clone(), label_row: None, moved: None, after: None }
    }

    /// Saves this label row of the project.
    pub fn with_label_row(mut self, row: LabelRow) -> Self {
        self.label_row = Some(row);
        self
    }

    /// Sends a task at an agent stage of the project along one of the stage's pathways.
    pub fn with_move(mut self, stage: StageUuid, task: &AgentTask, pathway: impl Into<PathwayRef>) -> Self {
        let (task, data_hash) = (task.uuid, task.data_hash);
        self.moved = Some(WantedMove { stage, task, data_hash, pathway: pathway.into() });
        self
    }

    /// Calls something when the platform has answered, whatever it answered: to forget what is known of the project,
    /// say.
    pub fn with_after(mut self, after: impl Fn() + Send + Sync + 'static) -> Self {
        self.after = Some(Arc::new(after));
        self
    }

    /// Finds what is wrong with the changes before anything of them is sent.
    pub(crate) fn check(self) -> Result<Side, BoxError> {
        let Beside { project, label_row, moved, after } = self;
        if label_row.as_ref().is_some_and(|row| !row.is_initialised()) {
            let problem = format!("the label row for project {} holds no labels to save", project.hash());
            return Err(Terminal::new(problem).into());
        }
        let resolve = |WantedMove { stage, task, data_hash, pathway }| {
            let known = project.stages().iter().find(|known| known.uuid == stage).ok_or_else(|| {
                Terminal::new(format!("project {} has no stage {stage} to move a task from", project.hash()))
            })?;
            let pathway = stage::resolve_pathway(known, &pathway)?;
            Ok::<_, BoxError>((stage, Move { index: 0, task, data_hash, pathway }))
        };
        let moved = moved.map(resolve).transpose()?;
        Ok(Side { project, label_row, moved, after })
    }
}

impl fmt::Debug for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Beside");
        debug.field("project", &self.project.hash()).field("saves", &self.label_row.is_some());
        debug.field("moves", &self.moved.as_ref().map(|moved| moved.task)).finish_non_exhaustive()
    }
}

/// Checked changes to another project.
pub(crate) struct Side {
    pub(crate) project: Project,
    pub(crate) label_row: Option<LabelRow>,
    pub(crate) moved: Option<(StageUuid, Move)>,
    pub(crate) after: Option<After>,
}

impl fmt::Debug for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Side").field("project", &self.project.hash()).finish_non_exhaustive()
    }
}
