//! Upload jobs: made by one request, worked off, and polled by others.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use super::ingest::{self, ingest};
use super::request::Batch;
use crate::auth::Principal;
use crate::clock::Moment;
use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};

/// What became of the files that a request named.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    #[serde(default)]
    pub(crate) state: JobState,
    pub(crate) made: Vec<Made>,
    pub(crate) errors: Vec<UnitError>,
    /// How many items were asked for.
    #[serde(default)]
    units: usize,
    /// Where they go.
    #[serde(default)]
    target: Target,
    /// The list of objects that the request came from, as the client called it.
    #[serde(default)]
    pub(crate) file_name: Option<String>,
    #[serde(default)]
    pub(crate) created_at: Moment,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JobState {
    Pending,
    #[default]
    Finished,
    Cancelled,
}

/// The folder of a job and, if its items become data units, the dataset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) folder: Uuid,
    pub(crate) dataset: Option<Uuid>,
}

/// An item that a job made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Made {
    pub(crate) item: Uuid,
    pub(crate) name: String,
    /// The data unit, when the upload went into a dataset.
    pub(crate) data: Option<Uuid>,
}

/// A unit that a job could not make.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UnitError {
    pub(crate) object_urls: Vec<String>,
    pub(crate) error: String,
    pub(crate) subtask: Uuid,
}

impl Job {
    /// As the wire spells it; `ERROR` when nothing could be made of what was asked for.
    pub(crate) fn status(&self) -> &'static str {
        match self.state {
            JobState::Pending => "PENDING",
            JobState::Cancelled => "CANCELLED",
            JobState::Finished if self.made.is_empty() && !self.errors.is_empty() => "ERROR",
            JobState::Finished => "DONE",
        }
    }

    /// Units that nothing has happened to yet.
    pub(crate) fn pending(&self) -> usize {
        if self.state == JobState::Pending { self.units } else { 0 }
    }

    /// Units that nothing will happen to any more.
    pub(crate) fn cancelled(&self) -> usize {
        if self.state == JobState::Cancelled { self.units } else { 0 }
    }
}

impl Platform {
    /// The job, if it has this target.
    pub(crate) fn job(&self, uuid: Uuid, is_target: impl Fn(&Target) -> bool) -> Answer<Job> {
        let job = self.read(|store| store.jobs.get(&uuid).filter(|job| is_target(&job.target)).cloned());
        job.ok_or_else(|| Refusal::NotFound(format!("there is no upload job {uuid}")))
    }

    /// The job once it is not pending any more, or as it is when the time is up.
    pub(crate) async fn job_after(
        &self,
        uuid: Uuid,
        wait: Duration,
        is_target: impl Fn(&Target) -> bool,
    ) -> Answer<Job> {
        let end = Instant::now() + wait.min(LONGEST_POLL);
        loop {
            let job = self.job(uuid, &is_target)?;
            if job.state != JobState::Pending || Instant::now() >= end {
                return Ok(job);
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// Stops a job that has not begun; returns how many units will not be made.
    pub(crate) fn cancel_job(&self, uuid: Uuid) -> usize {
        self.write(|store| {
            let Some(job) = store.jobs.get_mut(&uuid).filter(|job| job.state == JobState::Pending) else {
                return 0;
            };
            job.state = JobState::Cancelled;
            job.units
        })
    }
}

/// How long a poll waits at most, well below what clients wait for an answer.
const LONGEST_POLL: Duration = Duration::from_secs(20);
/// How often a poll looks.
const TICK: Duration = Duration::from_millis(50);

/// Starts a job. Unless jobs take their time here, it is finished when this returns.
pub(crate) async fn start(
    platform: &Arc<Platform>,
    batch: Batch,
    target: Target,
    who: &Principal,
) -> Answer<Uuid> {
    ingest::check_integration(platform, &batch)?;
    let uuid = Uuid::new_v4();
    let job = Job {
        state: JobState::Pending,
        made: Vec::new(),
        errors: Vec::new(),
        units: batch.items.len(),
        target,
        file_name: batch.file_name.clone(),
        created_at: Moment::now(),
    };
    platform.write(|store| store.jobs.insert(uuid, job));
    let (worker, who) = (Arc::downgrade(platform), who.clone());
    let pause = platform.limits.job_time;
    let work = async move {
        tokio::time::sleep(pause).await;
        // A sandbox that was stopped meanwhile must not be kept alive by its jobs.
        if let Some(platform) = worker.upgrade() {
            // Reads files, which takes a while.
            tokio::task::spawn_blocking(move || ingest(&platform, batch, uuid, target, &who)).await?;
        }
        Ok(())
    };
    if pause.is_zero() {
        let done: Result<(), tokio::task::JoinError> = work.await;
        done.map_err(|_| Refusal::Internal("the upload job broke down".into()))?;
    } else {
        tokio::spawn(work);
    }
    Ok(uuid)
}

#[cfg(test)]
mod tests {
    use super::{Job, JobState};

    #[test]
    fn jobs_of_earlier_versions_are_finished() {
        let job: Job = serde_json::from_str(r#"{"made": [], "errors": []}"#).unwrap();
        assert_eq!((job.state, job.status(), job.pending()), (JobState::Finished, "DONE", 0));
    }
}
