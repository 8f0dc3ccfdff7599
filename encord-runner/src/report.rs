//! What happened to every task: one record each, counts per stage, an exit code.
//!
//! Counts are exact whatever the size of the run. Records are kept up to a limit so that memory does not grow
//! with the project; an [`Observer`] sees all of them as they come.

use std::fmt;
use std::time::Duration;

use encord_client::{AgentTask, Stage};
use encord_labels::id::{DataHash, PathwayUuid, StageUuid, TaskUuid};
use serde::Serialize;

use crate::shutdown::StopHandle;

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TaskOutcome {
    /// The task went along this pathway, confirmed by the platform.
    Moved {
        /// The pathway taken.
        pathway: PathwayUuid,
    },
    /// The agent chose no pathway; the task is still at its stage.
    Stayed,
    /// The task had left the stage before its agent was called. Only a queue can bring such a task.
    Gone,
    /// The agent ran, but the task had left the stage before its labels were saved or before it could be moved:
    /// somebody else moved it, or it was removed.
    Rejected,
    /// The agent, an extractor, a save or the move failed; the task is still at its stage.
    Failed {
        /// What went wrong, with causes.
        error: String,
        /// Where it went wrong.
        step: Step,
    },
    /// The agent failed for good and the task was sent along the failure pathway.
    FailureRouted {
        /// The failure pathway.
        pathway: PathwayUuid,
        /// What went wrong, with causes.
        error: String,
    },
}

/// The step of a task's way at which it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// Making the agent's parameters, the agent itself, or what it returned.
    Agent,
    /// Saving the label row.
    Save,
    /// Setting the priority.
    Priority,
    /// Moving the task.
    Move,
}

/// What happened to one task.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TaskRecord {
    /// The task.
    pub task: TaskUuid,
    /// Its data unit.
    pub data_hash: DataHash,
    /// The title of the data unit.
    pub data_title: String,
    /// The stage it was at.
    pub stage: StageUuid,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: TaskOutcome,
    /// How often the agent was tried.
    pub attempts: u32,
    /// How long all attempts took together, with the pauses between them.
    #[serde(serialize_with = "as_seconds", rename = "seconds")]
    pub duration: Duration,
    /// Whether a label row was saved.
    pub labels_saved: bool,
    /// The priority that was set.
    pub priority: Option<f64>,
    /// It failed because the platform was out of reach, so the task may be sound.
    #[serde(skip)]
    pub(crate) is_outage: bool,
}

impl TaskRecord {
    /// What is known before the task was worked on.
    pub(crate) fn new(task: &AgentTask, stage: &Stage) -> Self {
        TaskRecord {
            task: task.uuid,
            data_hash: task.data_hash,
            data_title: task.data_title.clone(),
            stage: stage.uuid,
            outcome: TaskOutcome::Stayed,
            attempts: 0,
            duration: Duration::ZERO,
            labels_saved: false,
            priority: None,
            is_outage: false,
        }
    }

    /// The error, if the task failed.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        match &self.outcome {
            TaskOutcome::Failed { error, .. } | TaskOutcome::FailureRouted { error, .. } => Some(error),
            _ => None,
        }
    }

    /// Whether the task failed.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.error().is_some()
    }
}

fn as_seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

/// How many tasks ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Sent along the pathway the agent chose.
    pub moved: u64,
    /// Left at the stage because the agent chose no pathway.
    pub stayed: u64,
    /// No longer at the stage when they were to be worked on or moved.
    pub gone: u64,
    /// Failed and still at the stage.
    pub failed: u64,
    /// Failed and sent along the failure pathway.
    pub failure_routed: u64,
    /// Label rows saved.
    pub labels_saved: u64,
    /// Attempts of agents beyond the first of each task.
    pub retries: u64,
}

impl Counts {
    /// All tasks that were worked on.
    #[must_use]
    pub fn tasks(&self) -> u64 {
        self.moved + self.stayed + self.gone + self.failed + self.failure_routed
    }

    pub(crate) fn add(&mut self, record: &TaskRecord) {
        match record.outcome {
            TaskOutcome::Moved { .. } => self.moved += 1,
            TaskOutcome::Stayed => self.stayed += 1,
            TaskOutcome::Gone | TaskOutcome::Rejected => self.gone += 1,
            TaskOutcome::Failed { .. } => self.failed += 1,
            TaskOutcome::FailureRouted { .. } => self.failure_routed += 1,
        }
        self.labels_saved += u64::from(record.labels_saved);
        self.retries += u64::from(record.attempts.saturating_sub(1));
    }
}

/// What happened at one stage.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct StageReport {
    /// The stage.
    pub stage: StageUuid,
    /// Its title.
    pub title: String,
    /// How its tasks ended.
    pub counts: Counts,
    /// Time spent on the stage, over all passes.
    #[serde(serialize_with = "as_seconds", rename = "seconds")]
    pub duration: Duration,
    /// Why the last pass over the stage ended early, for example because its tasks could not be listed.
    pub error: Option<String>,
}

/// What a run did.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct RunReport {
    /// One entry per stage, in the order of registration.
    pub stages: Vec<StageReport>,
    /// Records of tasks in the order they ended, at most as many as the runner was told to keep; when there are
    /// more, failures are kept rather than successes.
    pub records: Vec<TaskRecord>,
    /// Whether the run was stopped by a signal or a stop handle before its work was done.
    pub stopped: bool,
    /// Whether the stop was a hard one, so that running tasks were dropped and what was done was not flushed.
    pub aborted: bool,
    #[serde(skip)]
    keep: usize,
    /// All records before this one are failures, which are not replaced when the limit is reached.
    #[serde(skip)]
    kept_failures: usize,
}

impl RunReport {
    pub(crate) fn new(stages: impl Iterator<Item = (StageUuid, String)>, keep: usize) -> Self {
        let stages = stages
            .map(|(stage, title)| StageReport {
                stage,
                title,
                counts: Counts::default(),
                duration: Duration::ZERO,
                error: None,
            })
            .collect();
        RunReport { stages, keep, ..RunReport::default() }
    }

    /// Notes whether the run was stopped before its work was done.
    pub(crate) fn stopped_by(mut self, stop: &StopHandle) -> Self {
        self.stopped = stop.is_stopping();
        self.aborted = stop.is_stopping_now();
        self
    }

    pub(crate) fn add(&mut self, record: TaskRecord) {
        if let Some(stage) = self.stage_mut(record.stage) {
            stage.counts.add(&record);
        }
        if self.records.len() < self.keep {
            self.records.push(record);
        } else if record.is_failed() {
            while self.records.get(self.kept_failures).is_some_and(TaskRecord::is_failed) {
                self.kept_failures += 1;
            }
            if let Some(success) = self.records.get_mut(self.kept_failures) {
                *success = record;
            }
        }
    }

    pub(crate) fn stage_mut(&mut self, stage: StageUuid) -> Option<&mut StageReport> {
        self.stages.iter_mut().find(|report| report.stage == stage)
    }

    /// How the tasks of all stages ended.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.stages.iter().fold(Counts::default(), |sum, stage| Counts {
            moved: sum.moved + stage.counts.moved,
            stayed: sum.stayed + stage.counts.stayed,
            gone: sum.gone + stage.counts.gone,
            failed: sum.failed + stage.counts.failed,
            failure_routed: sum.failure_routed + stage.counts.failure_routed,
            labels_saved: sum.labels_saved + stage.counts.labels_saved,
            retries: sum.retries + stage.counts.retries,
        })
    }

    /// Whether no task failed and no stage ended early.
    #[must_use]
    pub fn is_success(&self) -> bool {
        let counts = self.counts();
        counts.failed == 0
            && counts.failure_routed == 0
            && self.stages.iter().all(|stage| stage.error.is_none())
    }

    /// 0 when everything went well or the run was stopped gently, 1 when a task failed, a stage ended early or the run
    /// was stopped at once. (2 means that a run could not start, in which case there is an error instead of a report.)
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let stopped_gently = self.stopped && !self.aborted;
        u8::from(self.aborted || !(stopped_gently || self.is_success()))
    }

    /// The records of failed tasks.
    pub fn failures(&self) -> impl Iterator<Item = &TaskRecord> {
        self.records.iter().filter(|record| record.is_failed())
    }
}

/// The report as a table: one line per stage, then one per failed task.
impl fmt::Display for RunReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Failures shown; all of them are in `records` or the report file.
        const SHOWN: usize = 20;
        let width = self.stages.iter().map(|stage| stage.title.chars().count()).max().unwrap_or(0).max(5);
        writeln!(
            f,
            "{:width$} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9}",
            "stage", "tasks", "moved", "stayed", "gone", "failed", "saved", "seconds"
        )?;
        for stage in &self.stages {
            let counts = stage.counts;
            writeln!(
                f,
                "{:width$} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9.1}",
                stage.title,
                counts.tasks(),
                counts.moved,
                counts.stayed,
                counts.gone,
                counts.failed + counts.failure_routed,
                counts.labels_saved,
                stage.duration.as_secs_f64()
            )?;
            if let Some(error) = &stage.error {
                writeln!(f, "  ended early: {error}")?;
            }
        }
        for record in self.failures().take(SHOWN) {
            let error = record.error().unwrap_or_default();
            let times = if record.attempts == 1 { "attempt" } else { "attempts" };
            let (task, title) = (record.task, &record.data_title);
            writeln!(f, "failed: {task} {title:?} after {} {times}: {error}", record.attempts)?;
        }
        let counts = self.counts();
        let hidden = (counts.failed + counts.failure_routed).saturating_sub(SHOWN as u64);
        if hidden > 0 {
            writeln!(f, "... and {hidden} more failed tasks")?;
        }
        if self.aborted {
            writeln!(f, "stopped at once: running tasks were dropped and are at their stage")?;
        } else if self.stopped {
            writeln!(f, "stopped before all work was done")?;
        }
        Ok(())
    }
}

/// Sees what a runner does while it does it: progress bars, files, metrics.
///
/// Calls come from the runner's own tasks, so they should be quick.
pub trait Observer: Send + Sync {
    /// A pass over a stage begins.
    fn stage_started(&self, stage: &Stage) {
        let _ = stage;
    }

    /// A batch of tasks was fetched and will be worked on.
    fn batch_started(&self, stage: &Stage, tasks: usize) {
        let _ = (stage, tasks);
    }

    /// A task ended, and what it led to was confirmed or failed.
    fn task_finished(&self, record: &TaskRecord) {
        let _ = record;
    }

    /// A pass over a stage is over; everything it did is flushed.
    fn stage_finished(&self, stage: &Stage) {
        let _ = stage;
    }
}
