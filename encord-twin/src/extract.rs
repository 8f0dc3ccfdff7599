//! Twins as parameters of agents.
//!
//! Each twin project gets a marker type, so that one agent can see several of them. The project is opened once,
//! before the run, and put into the runner's state.
//!
//! ```no_run
//! use encord_runner::Runner;
//! use encord_twin::extract::{Twin, TwinOf};
//! use encord_twin::TwinProject;
//!
//! /// The project in which a model labels the same data.
//! struct Model;
//!
//! async fn agent(Twin { row, .. }: Twin<Model>) -> Result<&'static str, encord_labels::Error> {
//!     Ok(if row.objects()?.next().is_some() { "review" } else { "annotate" })
//! }
//!
//! # async fn example(client: encord_client::Client) -> Result<(), Box<dyn std::error::Error>> {
//! let model = TwinProject::open(&client, "566bf9d7-c55a-45f8-91a6-e55e9b9b1325".parse()?).await?;
//! let runner = Runner::new().with_state(TwinOf::<Model>::new(model)).stage("Agent 1", agent);
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::marker::PhantomData;

use encord_labels::LabelRow;
use encord_runner::extract::{FromRef, FromTask};
use encord_runner::{Needs, TaskContext};

use crate::{Error, TwinProject, TwinTask};

/// A twin project with a marker type, to be put into the runner's state.
///
/// A state of several parts implements [`FromRef`] for each `TwinOf` it has.
pub struct TwinOf<P> {
    project: TwinProject,
    marker: PhantomData<fn() -> P>,
}

impl<P> TwinOf<P> {
    /// Marks a twin project.
    pub fn new(project: TwinProject) -> Self {
        Self { project, marker: PhantomData }
    }

    /// The twin project.
    pub fn project(&self) -> &TwinProject {
        &self.project
    }
}

impl<P> Clone for TwinOf<P> {
    fn clone(&self) -> Self {
        Self::new(self.project.clone())
    }
}

impl<P> fmt::Debug for TwinOf<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.project.fmt(f)
    }
}

/// The twin of the task's data unit. A task without one is rejected; see [`MaybeTwin`].
///
/// NEEDS: nothing beyond the task; the twin is fetched when the agent is called, and remembered as the
/// [`TwinOptions`](crate::TwinOptions) of the project say.
pub struct Twin<P> {
    /// The label row, a copy of one's own.
    pub row: LabelRow,
    /// The task, if tasks are asked for and the data unit has one.
    pub task: Option<TwinTask>,
    /// The project the twin is from, for saving the row or moving the task.
    pub project: TwinProject,
    marker: PhantomData<fn() -> P>,
}

impl<P> fmt::Debug for Twin<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Twin").field("row", self.row.metadata()).field("task", &self.task).finish()
    }
}

/// The twin of the task's data unit, or `None` where the twin project does not have the data unit.
///
/// A twin that exists but could not be fetched is a rejection, not `None`.
#[derive(Debug)]
pub struct MaybeTwin<P>(pub Option<Twin<P>>);

impl<S: Sync, P: 'static> FromTask<S> for MaybeTwin<P>
where
    TwinOf<P>: FromRef<S>,
{
    const NEEDS: Needs = Needs::NOTHING;
    type Rejection = Error;

    async fn from_task(ctx: &TaskContext, state: &S) -> Result<Self, Error> {
        let project = TwinOf::<P>::from_ref(state).project;
        let project = match ctx.project() {
            Ok(own) => project.beside(own.hash())?,
            Err(_) => project,
        };
        let twin = project.find_one(ctx.task().data_hash).await?;
        Ok(Self(twin.map(|twin| Twin { row: twin.row, task: twin.task, project, marker: PhantomData })))
    }
}

impl<S: Sync, P: 'static> FromTask<S> for Twin<P>
where
    TwinOf<P>: FromRef<S>,
{
    const NEEDS: Needs = Needs::NOTHING;
    type Rejection = Error;

    async fn from_task(ctx: &TaskContext, state: &S) -> Result<Self, Error> {
        let project = TwinOf::<P>::from_ref(state).project.project().hash();
        let MaybeTwin(twin) = MaybeTwin::from_task(ctx, state).await?;
        twin.ok_or(Error::Missing { project, data: ctx.task().data_hash })
    }
}
