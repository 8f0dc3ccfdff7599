//! The queue runner: the same agents, given one task or a batch at a time by a queue instead of a stage.
//!
//! There is no broker in here. A [`StageHandler`] takes task specs (JSON) and gives completions (JSON); what
//! delivers the specs, retries them and collects the completions is any queue you like: one of the [`Engine`]s
//! behind [`QueueRunner::enqueue`] and [`QueueRunner::work`], or your own consumer around the handler.

mod completion;
mod spec;

mod engine;
mod lane;
mod observe;
mod producer;
mod work;

#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "queue-embedded")]
#[cfg_attr(docsrs, doc(cfg(feature = "queue-embedded")))]
pub mod embedded;
#[cfg(feature = "queue-nats")]
#[cfg_attr(docsrs, doc(cfg(feature = "queue-nats")))]
pub mod nats;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use encord_client::{Project, Stage, TaskFilter};
use encord_labels::id::{DataHash, TaskUuid};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use tokio::sync::Semaphore;
use tracing::{Instrument, info_span};

pub use self::completion::{TaskCompletion, batch_to_json};
pub use self::engine::{
    Completion, DeadTask, Delivery, Engine, History, OpenOptions, QueueId, QueueStatus, Session, open,
    open_with,
};
pub use self::producer::{Enqueued, follow};
pub use self::spec::TaskSpec;
pub use self::work::{WorkOptions, WorkReport};
use crate::commit::{Pending, commit};
use crate::error::Error;
use crate::execute::execute;
use crate::prefetch::Prefetch;
use crate::registry::Prepared;
use crate::report::TaskRecord;
use crate::sequential::{RunOptions, Runner};
use crate::shutdown::StopHandle;
use crate::stage::{self, StageRef};

/// The agents of a project, ready to be fed by queues.
///
/// Made from a [`Runner`], so an agent is registered in the same way whether it pulls tasks or is given them.
/// Of the runner's options, retries, timeout, concurrency within a batch and failure pathway apply.
///
/// ```no_run
/// use encord_runner::{AgentTask, Runner};
///
/// async fn agent(task: AgentTask) -> &'static str { "complete" }
///
/// # async fn example(message: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let queue = Runner::new()
///     .with_project_hash("566bf9d7-c55a-45f8-91a6-e55e9b9b1325".parse()?)
///     .stage("Agent 1", agent)
///     .into_queue()
///     .await?;
/// let handler = queue.handler("Agent 1")?;
/// let completion: String = handler.handle(message).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct QueueRunner {
    project: Project,
    stages: Arc<[Prepared]>,
    options: Arc<RunOptions>,
    stop: StopHandle,
    signals: bool,
}

impl<S: Send + Sync + 'static> Runner<S> {
    /// Fetches the project, checks the registered stages against it, and makes the agents callable by a queue.
    ///
    /// # Errors
    /// As [`Runner::run`] before its first task.
    pub async fn into_queue(self) -> Result<QueueRunner, Error> {
        self.into_queue_of(None).await
    }

    /// As [`Runner::into_queue`], of one stage only if one is named.
    pub(crate) async fn into_queue_of(self, only: Option<StageRef>) -> Result<QueueRunner, Error> {
        self.options.validate()?;
        let (project, stages) = self.prepare(only).await?;
        let (stop, signals) = (self.stop_handle(), self.signals);
        Ok(QueueRunner { project, stages: stages.into(), options: Arc::new(self.options), stop, signals })
    }
}

impl QueueRunner {
    /// The project.
    #[must_use]
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// The stages that have an agent, in the order of registration.
    pub fn agent_stages(&self) -> impl Iterator<Item = &Stage> {
        self.stages.iter().map(|prepared| &*prepared.stage)
    }

    /// The agent of one stage.
    ///
    /// # Errors
    /// When the project has no such agent stage or no agent is registered for it.
    pub fn handler(&self, stage: impl Into<StageRef>) -> Result<StageHandler, Error> {
        let stage = stage::resolve(&self.project, &stage.into())?;
        let found = self.stages.iter().find(|prepared| prepared.stage.uuid == stage.uuid);
        let prepared = found.cloned().ok_or_else(|| {
            let registered: Vec<_> = self.agent_stages().map(stage::describe).collect();
            Error::NotRegistered { stage: stage::describe(&stage), registered: registered.join(", ") }
        })?;
        Ok(StageHandler { project: self.project.clone(), prepared, options: Arc::clone(&self.options) })
    }

    /// The specs of all tasks that are at a stage now, listed page by page as the stream is read.
    ///
    /// # Errors
    /// When the project has no such agent stage.
    pub fn specs(
        &self,
        stage: impl Into<StageRef>,
    ) -> Result<BoxStream<'static, Result<TaskSpec, Error>>, Error> {
        let stage = stage::resolve(&self.project, &stage.into())?;
        let tasks = self.project.agent_tasks(stage.uuid, &TaskFilter::new());
        let specs = tasks.map_ok(|task| TaskSpec::from(&task));
        Ok(specs.map_err(|source| Error::Client { action: "listing tasks", source }).boxed())
    }
}

/// The agent of one stage: a task spec in, a completion out.
#[derive(Clone)]
pub struct StageHandler {
    project: Project,
    prepared: Prepared,
    options: Arc<RunOptions>,
}

impl StageHandler {
    /// The stage.
    #[must_use]
    pub fn stage(&self) -> &Stage {
        &self.prepared.stage
    }

    /// Handles one spec or a JSON list of specs and answers with a [`TaskCompletion`] or, for a list of any
    /// other length than one, the [batch form](batch_to_json).
    ///
    /// # Errors
    /// When the JSON is not a spec, or when the platform could not be asked about the tasks; nothing was done
    /// then and the message can be delivered again. What happens to the tasks is in the answer.
    pub async fn handle(&self, json: &str) -> Result<String, Error> {
        let specs = TaskSpec::list_from_json(json)?;
        let completions = self.handle_specs(&specs).await?;
        Ok(match completions.as_slice() {
            [single] => single.to_json(),
            batch => batch_to_json(batch, self.stage().uuid),
        })
    }

    /// Handles a batch of specs: rows, labels and items are fetched in bulk, each task has its own outcome.
    /// The completions are in the order of the specs; a spec that occurs twice is worked on once.
    ///
    /// Tasks are matched by their uuid and branch. One that is not at the stage any more is [gone](crate::TaskOutcome::Gone),
    /// which after a redelivery usually means that it was done before.
    ///
    /// # Errors
    /// When the platform could not be asked about the tasks.
    pub async fn handle_specs(&self, specs: &[TaskSpec]) -> Result<Vec<TaskCompletion>, Error> {
        let handled = self.handle_in_turn(specs, &Semaphore::new(1)).await?;
        Ok(handled.tasks.into_iter().map(|task| task.completion).collect())
    }

    /// As [`StageHandler::handle_specs`], but agents are only called while a permit of `turns` is held: fetching
    /// before and moving after can go on beside the agents of other batches.
    async fn handle_in_turn(&self, specs: &[TaskSpec], turns: &Semaphore) -> Result<Handled, Error> {
        if specs.is_empty() {
            return Ok(Handled { tasks: Vec::new(), agents: Duration::ZERO });
        }
        let stage = &self.prepared.stage;
        let span = info_span!("queue batch", stage = %stage.title, tasks = specs.len());
        let (records, agents) = self.work(specs, turns).instrument(span).await?;
        let tasks = specs.iter().map(|spec| {
            let record = records.get(&(spec.task(), spec.branch()));
            HandledTask {
                completion: record
                    .map_or_else(|| TaskCompletion::gone(spec.task(), stage.uuid), TaskCompletion::new),
                is_outage: record.is_some_and(|record| record.is_outage),
            }
        });
        Ok(Handled { tasks: tasks.collect(), agents })
    }

    /// What became of each task that was found, by its uuid and branch, and how long the agents took.
    async fn work<'a>(
        &self,
        specs: &'a [TaskSpec],
        turns: &Semaphore,
    ) -> Result<(HashMap<(TaskUuid, &'a str), TaskRecord>, Duration), Error> {
        let Prepared { stage, agent, failure_pathway, .. } = &self.prepared;
        let mut wanted: HashMap<TaskUuid, Vec<&'a str>> = HashMap::new();
        for spec in specs {
            wanted.entry(spec.task()).or_default().push(spec.branch());
        }
        let mut hashes: Vec<DataHash> = specs.iter().map(TaskSpec::data_hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        let filter = TaskFilter::new().with_data_hashes(hashes);
        let mut found = HashMap::new();
        let mut tasks = Vec::new();
        let mut listed = std::pin::pin!(self.project.agent_tasks(stage.uuid, &filter));
        while let Some(task) = listed.try_next().await.map_err(Error::client("listing tasks"))? {
            let branches = wanted.get(&task.uuid).map(Vec::as_slice).unwrap_or_default();
            if let Some(branch) = branches.iter().find(|branch| **branch == task.label_branch_name) {
                found.insert(task.uuid, *branch);
                tasks.push(task);
            }
        }
        let contexts = Prefetch::new(self.project.clone(), &self.prepared).contexts(tasks).await;
        let policy = self.options.policy();
        let turn = turns.acquire().await;
        let started = Instant::now();
        let pending: Vec<Pending> = futures::stream::iter(contexts)
            .map(|ctx| {
                let span = info_span!("task", uuid = %ctx.task.uuid, data_hash = %ctx.task.data_hash);
                async move {
                    let executed = execute(&**agent, &ctx, policy).await;
                    Pending::new(TaskRecord::new(&ctx.task, stage), executed, *failure_pathway)
                }
                .instrument(span)
            })
            .buffer_unordered(self.options.concurrency)
            .collect()
            .await;
        let agents = started.elapsed();
        drop(turn);
        let records = commit(&self.project, stage, pending, &self.options.notes()).await;
        let by_key = |record: TaskRecord| {
            let branch = found.get(&record.task).copied().unwrap_or_default();
            ((record.task, branch), record)
        };
        Ok((records.into_iter().map(by_key).collect(), agents))
    }
}

/// What became of a batch, and how long its agents took.
struct Handled {
    tasks: Vec<HandledTask>,
    agents: Duration,
}

/// What became of a task.
struct HandledTask {
    completion: TaskCompletion,
    /// It failed because the platform was out of reach.
    is_outage: bool,
}
