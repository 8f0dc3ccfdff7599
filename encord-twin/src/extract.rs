//! Twins as parameters of agents.
//!
//! Each twin project gets a marker type, so that one agent can see several of them. It is registered in the runner's
//! state and opened, with the runner's own client, when the run starts: a twin project that is not there, or not
//! yours, ends the run before the first task. The twins of a batch are fetched together, before its first task.
//!
//! ```no_run
//! use encord_runner::{Outcome, Runner};
//! use encord_twin::extract::{Twin, TwinOf};
//!
//! /// The project in which a model labels the same data.
//! struct Model;
//!
//! async fn agent(twin: Option<Twin<Model>>) -> Result<Outcome, encord_labels::Error> {
//!     let Some(twin) = twin else { return Ok(Outcome::to("annotate")) };
//!     let labelled = twin.row.objects()?.next().is_some();
//!     Ok(Outcome::to(if labelled { "review" } else { "annotate" }))
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let model = TwinOf::<Model>::new("566bf9d7-c55a-45f8-91a6-e55e9b9b1325".parse()?);
//! let runner = Runner::new().with_state(model).stage("Agent 1", agent);
//! # Ok(())
//! # }
//! ```
//!
//! # Several twins, and other state
//! A state of several parts implements [`FromRef`] for each of them:
//!
//! ```no_run
//! use encord_runner::{FromRef, Outcome, Runner};
//! use encord_twin::extract::{Twin, TwinOf};
//!
//! struct Model;
//! struct Experts;
//!
//! #[derive(Clone)]
//! struct App { model: TwinOf<Model>, experts: TwinOf<Experts> }
//!
//! impl FromRef<App> for TwinOf<Model> {
//!     fn from_ref(app: &App) -> Self { app.model.clone() }
//! }
//! impl FromRef<App> for TwinOf<Experts> {
//!     fn from_ref(app: &App) -> Self { app.experts.clone() }
//! }
//!
//! async fn agent(model: Twin<Model>, experts: Option<Twin<Experts>>) -> Outcome {
//!     Outcome::to(if experts.is_some() { "compare" } else { "label" }).with_beside(model.save())
//! }
//! # fn example(app: App) -> Runner<App> { Runner::new().with_state(app).stage("Agent 1", agent) }
//! ```

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use encord_client::{Client, Project};
use encord_labels::LabelRow;
use encord_labels::id::{DataHash, ProjectHash};
use encord_runner::extract::{FromRef, FromTask, OptionalFromTask};
use encord_runner::{Beside, BoxError, Needs, PathwayRef, TaskContext, Terminal};
use tokio::sync::OnceCell;

use crate::{Error, TwinOptions, TwinProject, TwinTask, project};

/// A twin project with a marker type, to be put into the runner's state.
pub struct TwinOf<P> {
    registered: Arc<Registered>,
    marker: PhantomData<fn() -> P>,
}

struct Registered {
    hash: ProjectHash,
    options: TwinOptions,
    opened: OnceCell<TwinProject>,
}

impl<P> TwinOf<P> {
    /// Registers the project with this hash, with the default options.
    pub fn new(project: ProjectHash) -> Self {
        Self::with_options(project, TwinOptions::default())
    }

    /// Registers the project with this hash.
    pub fn with_options(project: ProjectHash, options: TwinOptions) -> Self {
        Self::from_parts(Registered { hash: project, options, opened: OnceCell::new() })
    }

    /// Registers a project that is open already, perhaps with another key than the runner's.
    pub fn opened(project: TwinProject) -> Self {
        let hash = project.project().hash();
        Self::from_parts(Registered {
            hash,
            options: TwinOptions::default(),
            opened: OnceCell::new_with(Some(project)),
        })
    }

    fn from_parts(registered: Registered) -> Self {
        Self { registered: Arc::new(registered), marker: PhantomData }
    }

    /// The twin project, opened with this client if it is not open yet.
    ///
    /// # Errors
    /// As [`TwinProject::open`].
    pub async fn project(&self, client: &Client) -> crate::Result<&TwinProject> {
        let Registered { hash, options, opened } = &*self.registered;
        opened.get_or_try_init(|| TwinProject::open_with(client, *hash, options.clone())).await
    }
}

impl<P> Clone for TwinOf<P> {
    fn clone(&self) -> Self {
        Self { registered: Arc::clone(&self.registered), marker: PhantomData }
    }
}

impl<P> fmt::Debug for TwinOf<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwinOf").field("project", &self.registered.hash).finish_non_exhaustive()
    }
}

/// The twin of the task's data unit. A task without one is rejected; take `Option<Twin<P>>` where that may be.
///
/// NEEDS: nothing beyond the task. The twins of a batch are fetched together, and checked against
/// [`TwinOptions`]. A twin that exists but could not be fetched is a rejection, never `None`.
pub struct Twin<P> {
    /// The label row, a copy of one's own.
    pub row: LabelRow,
    /// The task, if tasks are asked for and the data unit has one.
    pub task: Option<TwinTask>,
    /// The project the twin is from.
    pub project: TwinProject,
    marker: PhantomData<fn() -> P>,
}

impl<P> Twin<P> {
    /// Saves the row, changed or not, together with the label rows of the runner's own project: to be given to
    /// [`Outcome::with_beside`](encord_runner::Outcome::with_beside).
    pub fn save(self) -> Beside {
        let Self { row, project, .. } = self;
        changes(&project, &row).with_label_row(row)
    }

    /// As [`Twin::save`], and sends the twin's task along a pathway of the agent stage it is at.
    ///
    /// # Errors
    /// [`Error::NotAtAgentStage`] if the twin has no task, or not one at an agent stage.
    pub fn save_and_proceed(self, pathway: impl Into<PathwayRef>) -> crate::Result<Beside> {
        let changes = self.proceed(pathway)?;
        Ok(changes.with_label_row(self.row))
    }

    /// Sends the twin's task along a pathway of the agent stage it is at, together with other moves of that stage:
    /// to be given to [`Outcome::with_beside`](encord_runner::Outcome::with_beside).
    ///
    /// # Errors
    /// [`Error::NotAtAgentStage`] if the twin has no task, or not one at an agent stage.
    pub fn proceed(&self, pathway: impl Into<PathwayRef>) -> crate::Result<Beside> {
        match (&self.task, self.row.metadata().workflow_stage()) {
            (Some(TwinTask::Agent(task)), Some((stage, _))) => {
                Ok(changes(&self.project, &self.row).with_move(stage, task, pathway))
            }
            _ => Err(Error::NotAtAgentStage {
                project: self.project.project().hash(),
                data: self.row.metadata().data_hash().to_owned(),
            }),
        }
    }
}

/// Changes to a twin project, after which the twin is looked up anew.
fn changes(project: &TwinProject, row: &LabelRow) -> Beside {
    let changes = Beside::new(project.project());
    let Ok(data) = row.metadata().data_hash().parse() else { return changes };
    let project = project.clone();
    changes.with_after(move || project.forget(data))
}

impl<P> fmt::Debug for Twin<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Twin").field("row", self.row.metadata()).field("task", &self.task).finish()
    }
}

/// Data rows and storage items of the task's project, by data hash.
///
/// This is what the Python package calls `dep_data_lookup`. It is here so that agents can be moved one to one; take
/// what replaces it where you can: the runner fetches a [`StorageItem`](encord_runner::StorageItem) in bulk and ahead
/// of the agent, and [`DataLookup`](crate::DataLookup) asks for many data units at once.
#[deprecated(
    note = "take a `StorageItem` for the task's own data; for other data units take the `Project` and make an `encord_twin::DataLookup` of it"
)]
#[derive(Debug, Clone)]
pub struct DataLookup(pub crate::DataLookup);

#[expect(deprecated, reason = "it must work for those who still use it")]
impl<S: Sync> FromTask<S> for DataLookup {
    const NEEDS: Needs = Needs::NOTHING;
    type Rejection = BoxError;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self, BoxError> {
        Ok(Self(crate::DataLookup::new(ctx.project()?.clone())))
    }
}

/// What was found for one task, kept in its context for all its attempts.
struct Found<P> {
    twin: Result<Option<project::Twin>, Error>,
    marker: PhantomData<fn() -> P>,
}

impl<P> Found<P> {
    fn new(twin: Result<Option<project::Twin>, Error>) -> Self {
        Self { twin, marker: PhantomData }
    }
}

impl<S: Sync, P: 'static> OptionalFromTask<S> for Twin<P>
where
    TwinOf<P>: FromRef<S>,
{
    async fn optional_from_task(ctx: &TaskContext, state: &S) -> Result<Option<Self>, BoxError> {
        let twin_of = TwinOf::<P>::from_ref(state);
        let project = match twin_of.registered.opened.get() {
            Some(project) => project,
            None => twin_of.project(ctx.client()?).await?,
        };
        let ask =
            async { project.find_one(ctx.task().data_hash).await.map(|twin| Found::<P>::new(Ok(twin))) };
        match &ctx.shared(ask).await?.twin {
            Ok(Some(project::Twin { row, task })) => {
                let (row, task, project) = (row.clone(), task.clone(), project.clone());
                Ok(Some(Self { row, task, project, marker: PhantomData }))
            }
            Ok(None) => Ok(None),
            // It was asked for with the whole batch, which single tasks need not repeat.
            Err(error) => Err(Terminal::new(error.clone()).into()),
        }
    }
}

impl<S: Sync, P: 'static> FromTask<S> for Twin<P>
where
    TwinOf<P>: FromRef<S>,
{
    const NEEDS: Needs = Needs::NOTHING;
    type Rejection = BoxError;

    async fn from_task(ctx: &TaskContext, state: &S) -> Result<Self, BoxError> {
        let project = TwinOf::<P>::from_ref(state).registered.hash;
        let twin = Self::optional_from_task(ctx, state).await?;
        twin.ok_or_else(|| Terminal::new(Error::Missing { project, data: ctx.task().data_hash }).into())
    }

    async fn check(project: &Project, state: &S) -> Result<(), BoxError> {
        let twin_of = TwinOf::<P>::from_ref(state);
        if twin_of.registered.hash == project.hash() {
            return Err(Error::OwnTwin(project.hash()).into());
        }
        twin_of.project(project.client()).await?;
        Ok(())
    }

    async fn prefetch(batch: &[TaskContext], state: &S) {
        let twin_of = TwinOf::<P>::from_ref(state);
        // Whoever builds contexts without a check opens the project task by task.
        let Some(project) = twin_of.registered.opened.get() else { return };
        let data: Vec<DataHash> = batch.iter().map(|ctx| ctx.task().data_hash).collect();
        match project.find(&data).await {
            Ok(found) => {
                for ctx in batch {
                    // A data unit can have tasks on several branches, so the twin stays in the map.
                    let twin = found.get(&ctx.task().data_hash).cloned().transpose();
                    ctx.share(Found::<P>::new(twin));
                }
            }
            Err(error) => batch.iter().for_each(|ctx| ctx.share(Found::<P>::new(Err(error.clone())))),
        }
    }
}
