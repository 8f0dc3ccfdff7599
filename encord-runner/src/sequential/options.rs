//! How a run behaves: batches, retries, limits, polling. The defaults are those of the Python package where
//! it has the option.

use std::time::Duration;

use encord_client::{InitialiseArgs, LabelRowFilter};
use rand::Rng;

use crate::error::Error;
use crate::execute::Policy;
use crate::note::Notes;
use crate::outcome::PathwayRef;

/// Options of a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunOptions {
    /// Look for new tasks this long after the start of the last pass; `None` makes one pass. Default: `None`.
    pub refresh_every: Option<Duration>,
    /// How often an agent is tried again after a failure. Default: 3.
    pub num_retries: u32,
    /// The pause before the first retry; it doubles with each further one, up to 30 s. Default: 200 ms.
    pub retry_backoff: Duration,
    /// The number of tasks whose rows, labels and items are fetched together, which bounds memory. Default: 300.
    pub task_batch_size: usize,
    /// The number of tasks worked on per stage and pass; exact. Default: all.
    pub max_tasks_per_stage: Option<usize>,
    /// How long one attempt may take, downloads included. What it [deferred](crate::TaskContext::defer) may then take
    /// as long again. Default: no limit.
    pub task_timeout: Option<Duration>,
    /// The number of agents that run at the same time. Default: 1, one task after another.
    pub concurrency: usize,
    /// Save and move when this many tasks are done, even within a batch. Default: the batch size.
    pub flush_tasks: Option<usize>,
    /// Save and move what is done at least this often. Default: 10 s.
    pub flush_every: Duration,
    /// The number of files downloaded ahead of the running agents. Default: 4.
    pub prefetch_assets: usize,
    /// No further file is downloaded ahead while those on disk are larger than this many bytes in sum.
    /// Default: 2 GiB.
    pub prefetch_bytes: u64,
    /// Files of more bytes than this are refused, and fail their task. Default: 10 GiB.
    pub max_asset_bytes: u64,
    /// Labels that were fetched longer ago than this are only saved after another look whether the task is still at
    /// its stage, which costs one request per flush. A task that has left is [rejected](crate::TaskOutcome::Rejected),
    /// and the labels of whoever took it are left alone. Default: 10 s.
    pub recheck_after: Duration,
    /// Where a task goes whose agent failed for good, or whose labels or priority the platform refuses. It must be a
    /// pathway of each stage. Tasks that failed because the platform was out of reach stay. Default: all stay.
    pub failure_pathway: Option<PathwayRef>,
    /// Write the error of a task that takes the failure pathway into the client metadata of its storage item, under
    /// this key. Other keys stay. Default: no.
    pub failure_note_key: Option<String>,
    /// Comment with the error on the data unit of a task that takes the failure pathway, as an issue that people see
    /// in the editor. Default: no.
    pub failure_comment: bool,
    /// The number of task records kept in the [`RunReport`](crate::RunReport). Default: 10,000.
    pub keep_records: usize,
}

impl Default for RunOptions {
    fn default() -> Self {
        RunOptions {
            refresh_every: None,
            num_retries: 3,
            retry_backoff: Duration::from_millis(200),
            task_batch_size: 300,
            max_tasks_per_stage: None,
            task_timeout: None,
            concurrency: 1,
            flush_tasks: None,
            flush_every: Duration::from_secs(10),
            prefetch_assets: 4,
            prefetch_bytes: 2 << 30,
            max_asset_bytes: 10 << 30,
            recheck_after: Duration::from_secs(10),
            failure_pathway: None,
            failure_note_key: None,
            failure_comment: false,
            keep_records: 10_000,
        }
    }
}

impl RunOptions {
    /// Refuses values that make no sense.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        let at_least_one = |option, value: Option<usize>| match value {
            Some(0) => {
                Err(Error::InvalidOption { option, problem: "0 is not allowed; use at least 1".into() })
            }
            _ => Ok(()),
        };
        at_least_one("task_batch_size", Some(self.task_batch_size))?;
        at_least_one("max_tasks_per_stage", self.max_tasks_per_stage)?;
        at_least_one("concurrency", Some(self.concurrency))?;
        at_least_one("flush_tasks", self.flush_tasks)?;
        let not_zero = |option, value: Option<Duration>| match value {
            Some(Duration::ZERO) => Err(Error::InvalidOption {
                option,
                problem: "0 s is not allowed; leave it out for none".into(),
            }),
            _ => Ok(()),
        };
        not_zero("refresh_every", self.refresh_every)?;
        not_zero("task_timeout", self.task_timeout)?;
        not_zero("flush_every", Some(self.flush_every))
    }

    pub(crate) fn policy(&self) -> Policy {
        Policy {
            retries: self.num_retries,
            backoff: self.retry_backoff,
            timeout: self.task_timeout,
            recheck_after: self.recheck_after,
        }
    }

    pub(crate) fn notes(&self) -> Notes {
        Notes { metadata_key: self.failure_note_key.clone(), comment: self.failure_comment }
    }

    /// How long to wait between the starts of two passes: a tenth more or less than asked for, at random, so
    /// that many runners do not poll in step.
    pub(crate) fn next_refresh(&self) -> Option<Duration> {
        let jitter: f64 = rand::rng().random_range(0.9..=1.1);
        self.refresh_every.map(|every| {
            // Ten per cent more than the longest duration there is would not be one.
            Duration::try_from_secs_f64(every.as_secs_f64() * jitter).unwrap_or(Duration::MAX)
        })
    }
}

/// Options of one stage.
///
/// ```
/// use encord_runner::StageOptions;
///
/// let options = StageOptions::default().with_overwrite(true);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StageOptions {
    /// What the listing of label rows should include. Its data hashes and branch are set by the runner.
    pub label_rows: LabelRowFilter,
    /// What to fetch with the labels.
    pub initialise: InitialiseArgs,
    /// Replace an agent that is registered for the stage already, instead of refusing.
    pub overwrite: bool,
}

impl StageOptions {
    /// Sets what the listing of label rows should include.
    #[must_use]
    pub fn with_label_rows(mut self, filter: LabelRowFilter) -> Self {
        self.label_rows = filter;
        self
    }

    /// Sets what to fetch with the labels.
    #[must_use]
    pub fn with_initialise(mut self, args: InitialiseArgs) -> Self {
        self.initialise = args;
        self
    }

    /// Sets whether an agent registered earlier for the stage is replaced.
    #[must_use]
    pub fn with_overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_between_passes_varies_by_a_tenth() {
        let next = |every| RunOptions { refresh_every: every, ..RunOptions::default() }.next_refresh();
        assert_eq!(next(None), None);
        let minute = Duration::from_secs(60);
        let pauses: Vec<Duration> = (0..100).filter_map(|_| next(Some(minute))).collect();
        assert!(pauses.iter().all(|pause| (54.0..=66.0).contains(&pause.as_secs_f64())), "{pauses:?}");
        assert!(pauses.iter().any(|pause| *pause < minute) && pauses.iter().any(|pause| *pause > minute));
        for _ in 0..100 {
            assert!(next(Some(Duration::MAX)).is_some_and(|pause| pause > Duration::MAX.mul_f64(0.8)));
        }
    }
}
