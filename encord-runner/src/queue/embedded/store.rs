//! The jobs in the file: the engine's own operations where it has them, statements on its tables where not.

use std::path::{Path, PathBuf};
use std::time::Duration;

use apalis_core::backend::{TaskResult, WorkerFilter};
use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::status::Status;
use apalis_core::worker::context::WorkerContext;
use apalis_sqlite::{Config, SqliteStorage, queries};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row, SqlitePool};

use super::{DeadTask, QueueStatus};
use crate::error::Error;
use crate::queue::TaskSpec;
use encord_labels::id::TaskUuid;

/// Waits this long for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// A job that is over: dead, or failed with no attempts left.
const DEAD: &str = "(status = 'Killed' OR (status = 'Failed' AND attempts >= max_attempts))";

#[derive(Clone)]
pub(super) struct Store {
    pool: SqlitePool,
    path: PathBuf,
}

/// A job handed to this worker.
pub(super) struct Job {
    pub(super) spec: Result<TaskSpec, Error>,
    /// Deliveries before this one.
    pub(super) delivered: usize,
    max_deliveries: usize,
    id: apalis_core::task::task_id::TaskId,
}

impl Store {
    pub(super) async fn open(path: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // The engine's own set-up switches this off, which loses confirmed jobs when the machine stops.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT);
        let connected = SqlitePoolOptions::new().max_connections(4).connect_with(options).await;
        let path = path.to_owned();
        let failed = |problem: String| Error::Queue { queue: path.display().to_string(), problem };
        let pool = connected.map_err(|error| failed(error.to_string()))?;
        SqliteStorage::migrations().run(&pool).await.map_err(|error| failed(error.to_string()))?;
        Ok(Store { pool, path })
    }

    fn failed<E: std::fmt::Display>(&self) -> impl Fn(E) -> Error + '_ {
        |error| Error::Queue { queue: self.path.display().to_string(), problem: error.to_string() }
    }

    /// Adds jobs that are not there yet and says how many that were.
    pub(super) async fn push(
        &self,
        queue: &str,
        specs: &[TaskSpec],
        max_deliveries: u32,
    ) -> Result<u64, Error> {
        let jobs: Vec<Task<Vec<u8>>> = specs
            .iter()
            .map(|spec| {
                TaskBuilder::new(spec.to_string().into_bytes())
                    .max_attempts(max_deliveries as usize)
                    .idempotency_key(spec.task().to_string())
                    .build()
            })
            .collect();
        // Taking the write lock at once avoids failing later when another process writes in between.
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(self.failed())?;
        let before = total_changes(&mut transaction).await.map_err(self.failed())?;
        queries::push_tasks(&mut *transaction, queue, &jobs).await.map_err(self.failed())?;
        let after = total_changes(&mut transaction).await.map_err(self.failed())?;
        transaction.commit().await.map_err(self.failed())?;
        Ok(after.saturating_sub(before))
    }

    pub(super) async fn register(&self, config: &Config, worker: &WorkerContext) -> Result<(), Error> {
        queries::register_worker(&self.pool, config, worker, "SqliteStorage").await.map_err(self.failed())
    }

    /// Says that this worker lives, and gives the jobs of dead ones back to the queue.
    pub(super) async fn keep_alive(
        &self,
        config: &Config,
        worker: &WorkerContext,
        lease: Duration,
    ) -> Result<u64, Error> {
        queries::keep_alive(&self.pool, config, worker).await.map_err(self.failed())?;
        let dead_for = i64::try_from(lease.as_secs()).unwrap_or(i64::MAX);
        let others = WorkerFilter::AllExcept(worker.name().to_owned());
        queries::reenqueue_orphaned(&self.pool, dead_for, config.queue.as_ref(), &others)
            .await
            .map_err(self.failed())
    }

    /// Takes the next jobs, at most as many as the batch size in the configuration.
    pub(super) async fn take(&self, config: &Config, worker: &WorkerContext) -> Result<Vec<Job>, Error> {
        let jobs = queries::fetch_next(&self.pool, config, worker).await.map_err(self.failed())?;
        let ids: Vec<String> = jobs.iter().filter_map(|job| job.task_id().map(ToString::to_string)).collect();
        if !ids.is_empty() {
            queries::lock_tasks(&self.pool, &ids, worker.name()).await.map_err(self.failed())?;
        }
        Ok(jobs.into_iter().filter_map(Job::read).collect())
    }

    /// The job is done; the task may come to the stage again and then be enqueued again.
    pub(super) async fn done(
        &self,
        worker: &WorkerContext,
        job: &Job,
        completion: &str,
    ) -> Result<(), Error> {
        let result = serde_json::from_str(completion).map_err(self.failed())?;
        self.acknowledge(worker, job, Status::Done, Ok(result)).await?;
        sqlx::query("UPDATE Jobs SET idempotency_key = NULL WHERE id = ?1")
            .bind(job.id.to_string())
            .execute(&self.pool)
            .await
            .map_err(self.failed())?;
        Ok(())
    }

    /// The job failed. It comes again after a pause, unless this was its last delivery.
    pub(super) async fn failed_job(
        &self,
        worker: &WorkerContext,
        job: &Job,
        error: String,
        pause: Duration,
    ) -> Result<(), Error> {
        let status = if job.is_last() { Status::Killed } else { Status::Failed };
        // The pause is set first: once the job counts as failed, another worker may take it.
        let seconds = i64::try_from(pause.as_secs_f64().ceil() as u64).unwrap_or(i64::MAX);
        sqlx::query("UPDATE Jobs SET run_at = strftime('%s', 'now') + ?2 WHERE id = ?1 AND lock_by = ?3")
            .bind(job.id.to_string())
            .bind(seconds)
            .bind(worker.name())
            .execute(&self.pool)
            .await
            .map_err(self.failed())?;
        self.acknowledge(worker, job, status, Err(error)).await
    }

    async fn acknowledge(
        &self,
        worker: &WorkerContext,
        job: &Job,
        status: Status,
        result: Result<serde_json::Value, String>,
    ) -> Result<(), Error> {
        let result = TaskResult { task_id: job.id.clone(), attempt: job.delivered + 1, status, result };
        queries::ack_tasks(&self.pool, &[&result], worker.name()).await.map_err(self.failed())?;
        Ok(())
    }

    pub(super) async fn status(&self, queue: &str) -> Result<QueueStatus, Error> {
        let statement = format!(
            "SELECT COUNT(*) FILTER (WHERE status IN ('Running', 'Queued')) AS running,
                COUNT(*) FILTER (WHERE status = 'Done') AS done,
                COUNT(*) FILTER (WHERE {DEAD}) AS dead,
                COUNT(*) FILTER (WHERE status = 'Pending' OR (status = 'Failed' AND NOT {DEAD})) AS waiting,
                MIN(run_at) FILTER (WHERE status = 'Pending') AS oldest,
                COUNT(*) FILTER (WHERE status = 'Done' AND done_at > strftime('%s', 'now') - 60) AS recent,
                CAST(strftime('%s', 'now') AS INTEGER) AS now
            FROM Jobs WHERE job_type = ?1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(queue)
            .fetch_one(&self.pool)
            .await
            .map_err(self.failed())?;
        let count = |name: &str| u64::try_from(row.get::<i64, _>(name)).unwrap_or_default();
        let oldest: Option<i64> = row.get("oldest");
        Ok(QueueStatus {
            waiting: count("waiting"),
            running: count("running"),
            done: count("done"),
            dead: count("dead"),
            oldest_seconds: oldest.map(|at| u64::try_from(row.get::<i64, _>("now") - at).unwrap_or_default()),
            rate: count("recent") as f64 / 60.0,
        })
    }

    /// Whether nothing waits and nothing runs.
    pub(super) async fn is_empty(&self, queue: &str) -> Result<bool, Error> {
        let statement = format!(
            "SELECT EXISTS (SELECT 1 FROM Jobs WHERE job_type = ?1 AND status = 'Pending')
                OR EXISTS (SELECT 1 FROM Jobs WHERE job_type = ?1 AND status IN ('Queued', 'Running'))
                OR EXISTS (SELECT 1 FROM Jobs WHERE job_type = ?1 AND status = 'Failed' AND NOT {DEAD})"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(queue)
            .fetch_one(&self.pool)
            .await
            .map_err(self.failed())?;
        Ok(row.get::<i64, _>(0) == 0)
    }

    pub(super) async fn dead(&self, queue: &str, limit: u32) -> Result<Vec<DeadTask>, Error> {
        let statement = format!(
            "SELECT idempotency_key, attempts, last_result FROM Jobs
            WHERE job_type = ?1 AND {DEAD} AND idempotency_key IS NOT NULL ORDER BY done_at, id LIMIT ?2"
        );
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(statement)).bind(queue).bind(limit).fetch_all(&self.pool).await;
        rows.map_err(self.failed())?
            .iter()
            .map(|row| {
                let task: String = row.get("idempotency_key");
                Ok(DeadTask {
                    task: task.parse().map_err(self.failed())?,
                    deliveries: u32::try_from(row.get::<i64, _>("attempts")).unwrap_or_default(),
                    error: error_of(row.get("last_result")),
                })
            })
            .collect()
    }

    pub(super) async fn retry_dead(&self, queue: &str, task: Option<TaskUuid>) -> Result<u64, Error> {
        let change = "UPDATE Jobs SET status = 'Pending', attempts = 0, lock_by = NULL, lock_at = NULL,
            done_at = NULL, run_at = strftime('%s', 'now')";
        self.change_dead(change, queue, task).await
    }

    pub(super) async fn drop_dead(&self, queue: &str, task: Option<TaskUuid>) -> Result<u64, Error> {
        self.change_dead("DELETE FROM Jobs", queue, task).await
    }

    async fn change_dead(&self, change: &str, queue: &str, task: Option<TaskUuid>) -> Result<u64, Error> {
        let statement =
            format!("{change} WHERE job_type = ?1 AND {DEAD} AND (?2 IS NULL OR idempotency_key = ?2)");
        let task = task.map(|task| task.to_string());
        let done =
            sqlx::query(sqlx::AssertSqlSafe(statement)).bind(queue).bind(task).execute(&self.pool).await;
        Ok(done.map_err(self.failed())?.rows_affected())
    }

    pub(super) async fn completions(&self, queue: &str, skip: u32, limit: u32) -> Result<Vec<String>, Error> {
        let statement = "SELECT last_result ->> '$.Ok' FROM Jobs
            WHERE job_type = ?1 AND status = 'Done' ORDER BY done_at, id LIMIT ?2 OFFSET ?3";
        let rows = sqlx::query(statement).bind(queue).bind(limit).bind(skip).fetch_all(&self.pool).await;
        Ok(rows.map_err(self.failed())?.iter().filter_map(|row| row.get::<Option<String>, _>(0)).collect())
    }
}

impl Job {
    fn read(job: Task<Vec<u8>>) -> Option<Self> {
        let text = String::from_utf8_lossy(&job.args);
        Some(Job {
            spec: text.parse(),
            delivered: job.attempt(),
            max_deliveries: job.max_attempts().unwrap_or(1),
            id: job.task_id()?.clone(),
        })
    }

    /// Whether the job is given up if this delivery fails. What cannot be read will not get better.
    pub(super) fn is_last(&self) -> bool {
        self.delivered + 1 >= self.max_deliveries || self.spec.is_err()
    }

    /// Whether earlier deliveries used up all attempts, which happens when each of them killed its worker.
    pub(super) fn is_used_up(&self) -> bool {
        self.delivered >= self.max_deliveries
    }
}

async fn total_changes(connection: &mut sqlx::SqliteConnection) -> Result<u64, sqlx::Error> {
    let row = sqlx::query("SELECT total_changes()").fetch_one(connection).await?;
    Ok(u64::try_from(row.get::<i64, _>(0)).unwrap_or_default())
}

/// The text of the engine's `{"Err": "..."}`.
fn error_of(result: Option<String>) -> String {
    let result = result.unwrap_or_default();
    let value: serde_json::Value = serde_json::from_str(&result).unwrap_or_default();
    value.get("Err").and_then(|error| error.as_str()).map_or(result, str::to_owned)
}
