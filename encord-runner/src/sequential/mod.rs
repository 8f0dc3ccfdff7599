//! The sequential runner: pulls tasks from the stages of a project, runs an agent on each, commits the outcomes.
//!
//! "Sequential" is about order: agents run in the order of the tasks, one at a time unless told otherwise.
//! Listing, fetching, downloading, saving and moving go on meanwhile.

mod options;
mod pass;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use encord_client::{Client, Project, Stage};
use encord_labels::id::ProjectHash;
use futures::future::BoxFuture;
use tokio::sync::Notify;
use tracing::{error, info};

pub use self::options::{RunOptions, StageOptions};
use self::pass::{Run, run_stage, until_next_pass};
use crate::agent::{AgentFn, bind};
use crate::error::{BoxError, Error, full_message};
use crate::extract::FromTask;
use crate::outcome::IntoOutcome;
use crate::registry::{Prepared, Registry};
use crate::report::{Observer, RunReport};
use crate::shutdown::{StopHandle, Urgency};
use crate::stage::{self, StageRef};

type Callback = Box<dyn FnOnce(Project) -> BoxFuture<'static, Result<(), BoxError>> + Send>;

/// Runs agents on the tasks of a project.
///
/// ```no_run
/// use encord_runner::{AgentTask, Runner};
///
/// async fn by_title(task: AgentTask) -> &'static str {
///     if task.data_title.contains("urgent") { "expert" } else { "standard" }
/// }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let report = Runner::new()
///     .with_project_hash("566bf9d7-c55a-45f8-91a6-e55e9b9b1325".parse()?)
///     .stage("Agent 1", by_title)
///     .run()
///     .await?;
/// print!("{report}");
/// # Ok(()) }
/// ```
#[must_use = "a runner does nothing until it is run"]
pub struct Runner<S = ()> {
    state: Arc<S>,
    client: Option<Client>,
    project: Option<Project>,
    project_hash: Option<ProjectHash>,
    pub(crate) options: RunOptions,
    pub(crate) registry: Registry,
    observers: Vec<Arc<dyn Observer>>,
    before_run: Option<Callback>,
    stop: StopHandle,
    pub(crate) signals: bool,
    wake: Arc<Notify>,
}

impl Runner<()> {
    /// A runner without state. Key and domain come from the environment unless a client is given.
    pub fn new() -> Self {
        Runner {
            state: Arc::new(()),
            client: None,
            project: None,
            project_hash: None,
            options: RunOptions::default(),
            registry: Registry::default(),
            observers: Vec::new(),
            before_run: None,
            stop: StopHandle::new(),
            signals: false,
            wake: Arc::new(Notify::new()),
        }
    }

    /// Gives the agents registered after this call something to share; see [`State`](crate::extract::State).
    pub fn with_state<S: Send + Sync + 'static>(self, state: S) -> Runner<S> {
        Runner {
            state: Arc::new(state),
            client: self.client,
            project: self.project,
            project_hash: self.project_hash,
            options: self.options,
            registry: self.registry,
            observers: self.observers,
            before_run: self.before_run,
            stop: self.stop,
            signals: self.signals,
            wake: self.wake,
        }
    }
}

impl Default for Runner<()> {
    fn default() -> Self {
        Runner::new()
    }
}

impl<S: Send + Sync + 'static> Runner<S> {
    /// Uses this client instead of one from the environment.
    pub fn with_client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Works on this project, with the client it came from.
    pub fn with_project(mut self, project: Project) -> Self {
        self.project_hash = Some(project.hash());
        self.client = Some(project.client().clone());
        self.project = Some(project);
        self
    }

    /// Works on the project with this hash. It is fetched when the run starts.
    pub fn with_project_hash(mut self, project: ProjectHash) -> Self {
        self.project_hash = Some(project);
        self
    }

    /// Sets how the run behaves.
    pub fn with_options(mut self, options: RunOptions) -> Self {
        self.options = options;
        self
    }

    /// Changes how the run behaves, starting from what is set.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let runner = encord_runner::Runner::new().configure(|options| {
    ///     options.concurrency = 4;
    ///     options.task_timeout = Some(Duration::from_secs(60));
    /// });
    /// ```
    pub fn configure(mut self, change: impl FnOnce(&mut RunOptions)) -> Self {
        change(&mut self.options);
        self
    }

    /// Registers the agent of a stage, named by title or uuid. Stages are worked on in the order of registration.
    ///
    /// The agent is an async function with up to 16 [extractors](crate::extract) as parameters, or a
    /// [`blocking`](crate::blocking) one. What it may return is listed at [`IntoOutcome`].
    pub fn stage<F, Args>(self, stage: impl Into<StageRef>, agent: F) -> Self
    where
        F: AgentFn<Args, Future: Send, Output: IntoOutcome>,
        Args: FromTask<S> + 'static,
    {
        self.stage_with(stage, StageOptions::default(), agent)
    }

    /// As [`Runner::stage`], with options.
    pub fn stage_with<F, Args>(mut self, stage: impl Into<StageRef>, options: StageOptions, agent: F) -> Self
    where
        F: AgentFn<Args, Future: Send, Output: IntoOutcome>,
        Args: FromTask<S> + 'static,
    {
        self.registry.add(stage.into(), bind(agent, Arc::clone(&self.state)), options);
        self
    }

    /// Calls something once with the project, after everything was checked and before the first task.
    pub fn before_run<F, Fut>(mut self, callback: F) -> Self
    where
        F: FnOnce(Project) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.before_run = Some(Box::new(move |project| Box::pin(callback(project))));
        self
    }

    /// Shows what happens to an observer. Several can be added.
    pub fn with_observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// Lets SIGINT and SIGTERM stop the run: the first finishes running tasks, flushes and reports, the second
    /// stops at once. [`run_cli`](Runner::run_cli) switches this on.
    pub fn with_signals(mut self, signals: bool) -> Self {
        self.signals = signals;
        self
    }

    /// Something to stop the run with from elsewhere.
    #[must_use]
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Wakes a polling runner at once when notified, for example by a webhook.
    #[must_use]
    pub fn wake_handle(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Runs all registered agents until their stages are empty, or for ever with
    /// [`refresh_every`](RunOptions::refresh_every).
    ///
    /// # Errors
    /// When the run cannot start: options that make no sense, no key, no project, a project without agent
    /// stages, an unknown stage. What happens to tasks is never an error but in the report; neither is a stage
    /// whose tasks could not be listed, unless no stage could be worked on at all.
    pub async fn run(self) -> Result<RunReport, Error> {
        self.start(None).await
    }

    /// As [`Runner::run`] for the project with this hash.
    ///
    /// # Errors
    /// As [`Runner::run`], and when the runner is bound to another project.
    pub async fn run_on(self, project: ProjectHash) -> Result<RunReport, Error> {
        self.for_project(Some(project))?.start(None).await
    }

    /// Binds the runner to a project, unless it is bound to another.
    pub(crate) fn for_project(mut self, project: Option<ProjectHash>) -> Result<Self, Error> {
        match (self.project_hash, project) {
            (Some(bound), Some(asked)) if bound != asked => return Err(Error::OtherProject { bound, asked }),
            (None, Some(asked)) => self.project_hash = Some(asked),
            _ => {}
        }
        Ok(self)
    }

    /// Makes one pass over one stage. Stages of other registered agents need not exist in the project.
    ///
    /// # Errors
    /// As [`Runner::run`], and when no agent is registered for the stage.
    pub async fn run_stage(mut self, stage: impl Into<StageRef>) -> Result<RunReport, Error> {
        self.options.refresh_every = None;
        self.start(Some(stage.into())).await
    }

    pub(crate) async fn start(mut self, only: Option<StageRef>) -> Result<RunReport, Error> {
        self.options.validate()?;
        let signals = self.signals.then(|| self.stop.on_signals());
        let stop = self.stop.clone();
        // A signal while the project is being fetched ends the run before it began.
        let Some(ready) = stop.unless_stopping(self.prepare(only)).await else {
            return Ok(RunReport::default().stopped_by(&stop));
        };
        let (project, stages) = ready?;
        if let Some(callback) = self.before_run.take() {
            match stop.unless(Urgency::Now, callback(project.clone())).await {
                Some(called) => called.map_err(Error::Callback)?,
                None => return Ok(RunReport::default().stopped_by(&stop)),
            }
        }
        let titles = stages.iter().map(|prepared| (prepared.stage.uuid, prepared.stage.title.clone()));
        let report = RunReport::new(titles, self.options.keep_records);
        let run = Arc::new(Run {
            project,
            options: self.options.clone(),
            observers: std::mem::take(&mut self.observers),
            stop: self.stop.clone(),
            report: Mutex::new(report),
        });
        self.passes(&run, &stages).await?;
        drop(signals);
        Ok(run.with_report(std::mem::take).stopped_by(&run.stop))
    }

    /// Finds project and stages and checks everything that can be checked before the first task.
    pub(crate) async fn prepare(&self, only: Option<StageRef>) -> Result<(Project, Vec<Prepared>), Error> {
        let project = match &self.project {
            Some(project) => project.clone(),
            None => {
                let hash = self.project_hash.ok_or(Error::NoProject)?;
                let client = match &self.client {
                    Some(client) => client.clone(),
                    None => client_from_env()?,
                };
                client.project(hash).await.map_err(Error::client("fetching the project"))?
            }
        };
        stage::agent_stages(&project)?;
        let stages = match only {
            Some(wanted) => vec![self.registry.prepare_one(&project, &wanted, &self.options)?],
            None => self.registry.prepare(&project, &self.options)?,
        };
        for prepared in &stages {
            prepared.agent.check(&project).await.map_err(|source| Error::Setup {
                stage: stage::describe(&prepared.stage),
                problem: full_message(source.as_ref()),
            })?;
        }
        Ok((project, stages))
    }

    async fn passes(&self, run: &Arc<Run>, stages: &[Prepared]) -> Result<(), Error> {
        let mut first = true;
        loop {
            let started = Instant::now();
            let mut failures = Vec::new();
            for prepared in stages {
                if self.stop.is_stopping() {
                    return Ok(());
                }
                if let Err(failure) = run_stage(run, prepared).await {
                    error!(stage = %prepared.stage.title, "the pass ended early: {failure}");
                    failures.push(failure);
                }
            }
            let nothing_done = run.with_report(|report| report.counts().tasks() == 0);
            let all_failed = failures.len() == stages.len();
            if first
                && all_failed
                && nothing_done
                && let Some(failure) = failures.pop()
            {
                return Err(failure);
            }
            first = false;
            let Some(pause) = until_next_pass(started, self.options.next_refresh()) else { return Ok(()) };
            info!(seconds = pause.as_secs_f64(), "waiting for new tasks");
            let wake = async {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = self.wake.notified() => info!("woken up"),
                }
            };
            if self.stop.unless_stopping(wake).await.is_none() {
                return Ok(());
            }
        }
    }

    /// The agent stages of the project that have an agent, in the order of registration.
    ///
    /// # Errors
    /// As [`Runner::run`] before the first task.
    pub async fn agent_stages(&self) -> Result<Vec<Stage>, Error> {
        let (_, stages) = self.prepare(None).await?;
        Ok(stages.iter().map(|prepared| (*prepared.stage).clone()).collect())
    }
}

impl<S> fmt::Debug for Runner<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("project_hash", &self.project_hash)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Key and domain of the environment. Needs a transport, which the feature `http` brings.
pub(crate) fn client_from_env() -> Result<Client, Error> {
    let action = "reading key and domain from the environment";
    Client::builder().settings_from_env().and_then(|builder| builder.build()).map_err(Error::client(action))
}
