//! The jobs in the file: the engine's own operations where it has them, statements on its tables where not.

use std::path::{Path, PathBuf};
use std::time::Duration;

use apalis_core::backend::{TaskResult, WorkerFilter};
use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::metadata::MetadataStore;
use apalis_core::task::status::Status;
use apalis_core::worker::context::WorkerContext;
use apalis_sqlite::{Config, SqliteStorage, queries};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row, SqlitePool};
use tokio::sync::{mpsc, oneshot};

use crate::error::Error;
use crate::queue::TaskSpec;
use crate::queue::engine::{Completion, DeadTask, QueueStatus};

/// Waits this long for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Marks jobs that were handed out as running. The engine's own statement for this looks at all that wait.
const BEGIN: &str = "UPDATE Jobs SET status = 'Running', lock_at = strftime('%s', 'now')
    WHERE id IN (SELECT value FROM json_each(?1)) AND +lock_by = ?2 AND +status = 'Queued'";

/// What is over has no history.
const FORGET: &str = "DELETE FROM EncordHistory WHERE job = ?1";

/// Only when the program's runtime is being shut down.
const WRITER_ENDED: &str = "the program is ending";

/// The name under which the producer's trace travels.
const TRACE: &str = "traceparent";

/// Completions in an order that does not change: the engine's own `done_at` counts whole seconds.
///
/// And what is known of jobs that were delivered more than once, because the engine counts a failure and the death
/// of a worker alike.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS EncordHistory (
        job TEXT PRIMARY KEY,
        failures INTEGER NOT NULL DEFAULT 0,
        alone INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE IF NOT EXISTS EncordCompletions (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        done_at INTEGER NOT NULL,
        json TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS EncordCompletionsOfQueue ON EncordCompletions (queue, position);
    CREATE INDEX IF NOT EXISTS EncordCompletionsInTime ON EncordCompletions (queue, done_at);
    -- With this index of the engine, each acknowledgement looks at all that its worker ever did.
    DROP INDEX IF EXISTS LIdx;";

/// A job that is over: dead, or failed with no attempts left.
const DEAD: &str = "(status = 'Killed' OR (status = 'Failed' AND attempts >= max_attempts))";

/// How many completions are written in one transaction, at most.
const GROUP_SIZE: usize = 500;

#[derive(Clone)]
pub(super) struct Store {
    /// Writes through to the disk before it confirms: what is put in, and what is done.
    pool: SqlitePool,
    /// Does not: taking a job and renewing a lease may be forgotten when the machine stops, but cost a wait for the
    /// disk each otherwise.
    hot: SqlitePool,
    path: PathBuf,
    finished: mpsc::Sender<Finished>,
}

/// A job that is done, on its way into the file.
struct Finished {
    job: TaskResult<serde_json::Value>,
    worker: String,
    completion: String,
    written: oneshot::Sender<Result<(), String>>,
}

/// A job handed to this worker.
pub(super) struct Job {
    pub(super) payload: Vec<u8>,
    /// Deliveries before this one.
    pub(super) delivered: u32,
    pub(super) max_deliveries: u32,
    pub(super) trace: Option<String>,
    /// How many of the deliveries ended with a failure.
    pub(super) failures: u32,
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
        let path = path.to_owned();
        let failed = |problem: String| Error::Queue { queue: path.display().to_string(), problem };
        let connect = |options| SqlitePoolOptions::new().max_connections(4).connect_with(options);
        let pool = connect(options.clone()).await.map_err(|error| failed(error.to_string()))?;
        SqliteStorage::migrations().run(&pool).await.map_err(|error| failed(error.to_string()))?;
        sqlx::raw_sql(TABLES).execute(&pool).await.map_err(|error| failed(error.to_string()))?;
        let hot = connect(options.synchronous(SqliteSynchronous::Normal)).await;
        let hot = hot.map_err(|error| failed(error.to_string()))?;
        let (finished, arrivals) = mpsc::channel(GROUP_SIZE);
        tokio::spawn(write_finished(pool.clone(), arrivals));
        Ok(Store { pool, hot, path, finished })
    }

    fn problem<E: std::fmt::Display>(&self) -> impl Fn(E) -> Error + '_ {
        |error| Error::Queue { queue: self.path.display().to_string(), problem: error.to_string() }
    }

    /// Adds jobs that are not there yet and says how many that were.
    pub(super) async fn push(
        &self,
        queue: &str,
        specs: &[TaskSpec],
        trace: &str,
        max_deliveries: u32,
    ) -> Result<u64, Error> {
        let mut metadata = MetadataStore::new();
        metadata.insert(TRACE, trace).map_err(self.problem())?;
        let jobs: Vec<Task<Vec<u8>>> = specs
            .iter()
            .map(|spec| {
                TaskBuilder::new(spec.to_string().into_bytes())
                    .max_attempts(max_deliveries as usize)
                    .idempotency_key(spec.task().to_string())
                    .with_metadata(metadata.clone())
                    .build()
            })
            .collect();
        // Taking the write lock at once avoids failing later when another process writes in between.
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(self.problem())?;
        let before = total_changes(&mut transaction).await.map_err(self.problem())?;
        queries::push_tasks(&mut *transaction, queue, &jobs).await.map_err(self.problem())?;
        let after = total_changes(&mut transaction).await.map_err(self.problem())?;
        transaction.commit().await.map_err(self.problem())?;
        Ok(after.saturating_sub(before))
    }

    pub(super) async fn register(&self, config: &Config, worker: &WorkerContext) -> Result<(), Error> {
        queries::register_worker(&self.pool, config, worker, "SqliteStorage").await.map_err(self.problem())
    }

    /// Says that this worker lives, and gives the jobs of dead ones back to the queue.
    pub(super) async fn keep_alive(
        &self,
        config: &Config,
        worker: &WorkerContext,
        lease: Duration,
    ) -> Result<u64, Error> {
        queries::keep_alive(&self.hot, config, worker).await.map_err(self.problem())?;
        let dead_for = i64::try_from(lease.as_secs()).unwrap_or(i64::MAX);
        let others = WorkerFilter::AllExcept(worker.name().to_owned());
        queries::reenqueue_orphaned(&self.hot, dead_for, config.queue.as_ref(), &others)
            .await
            .map_err(self.problem())
    }

    /// Takes the next jobs, at most as many as the batch size in the configuration.
    pub(super) async fn take(&self, config: &Config, worker: &WorkerContext) -> Result<Vec<Job>, Error> {
        let mut transaction = self.hot.begin_with("BEGIN IMMEDIATE").await.map_err(self.problem())?;
        let jobs = queries::fetch_next(&mut *transaction, config, worker).await.map_err(self.problem())?;
        let ids: Vec<String> = jobs.iter().filter_map(|job| job.task_id().map(ToString::to_string)).collect();
        if !ids.is_empty() {
            let ids = serde_json::to_string(&ids).map_err(self.problem())?;
            let begin = sqlx::query(BEGIN).bind(ids).bind(worker.name());
            begin.execute(&mut *transaction).await.map_err(self.problem())?;
        }
        let mut taken: Vec<Job> = jobs.into_iter().filter_map(Job::read).collect();
        for job in taken.iter_mut().filter(|job| job.delivered > 0) {
            let history = sqlx::query("SELECT failures FROM EncordHistory WHERE job = ?1");
            let row = history.bind(job.id.to_string()).fetch_optional(&mut *transaction).await;
            let failures = row.map_err(self.problem())?.map_or(0, |row| row.get::<i64, _>(0));
            job.failures = u32::try_from(failures).unwrap_or(u32::MAX);
        }
        transaction.commit().await.map_err(self.problem())?;
        Ok(taken)
    }

    /// The job is done; the task may come to the stage again and then be enqueued again. Jobs that are done at the
    /// same time are written together, because the disk takes as long for many as for one.
    pub(super) async fn done(
        &self,
        worker: &WorkerContext,
        job: &Job,
        completion: String,
    ) -> Result<(), Error> {
        let result = serde_json::from_str(&completion).map_err(self.problem())?;
        let (written, answer) = oneshot::channel();
        let job = job.result(Status::Done, Ok(result));
        let finished = Finished { job, worker: worker.name().to_owned(), completion, written };
        self.finished.send(finished).await.map_err(|_| self.problem()(WRITER_ENDED))?;
        answer.await.map_err(|_| self.problem()(WRITER_ENDED))?.map_err(self.problem())
    }

    /// The job failed. It comes again after a pause; without one it is dead.
    pub(super) async fn failed(
        &self,
        worker: &WorkerContext,
        job: &Job,
        error: &str,
        pause: Option<Duration>,
    ) -> Result<(), Error> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(self.problem())?;
        let id = job.id.to_string();
        let status = if pause.is_some() { Status::Failed } else { Status::Killed };
        let result = job.result(status, Err(error.to_owned()));
        queries::ack_tasks(&mut *transaction, &[&result], worker.name()).await.map_err(self.problem())?;
        let history = match pause {
            Some(_) => {
                "INSERT INTO EncordHistory (job, failures) VALUES (?1, 1)
                    ON CONFLICT (job) DO UPDATE SET failures = failures + 1"
            }
            None => FORGET,
        };
        sqlx::query(history).bind(&id).execute(&mut *transaction).await.map_err(self.problem())?;
        let seconds = pause.unwrap_or_default().as_secs_f64().ceil() as u64;
        sqlx::query("UPDATE Jobs SET run_at = strftime('%s', 'now') + ?2 WHERE id = ?1 AND lock_by = ?3")
            .bind(&id)
            .bind(i64::try_from(seconds).unwrap_or(i64::MAX))
            .bind(worker.name())
            .execute(&mut *transaction)
            .await
            .map_err(self.problem())?;
        transaction.commit().await.map_err(self.problem())
    }

    /// Notes that the job is about to be run alone, and says how often it was before.
    pub(super) async fn begin_alone(&self, job: &Job) -> Result<u32, Error> {
        let note = "INSERT INTO EncordHistory (job, alone) VALUES (?1, 1)
            ON CONFLICT (job) DO UPDATE SET alone = alone + 1 RETURNING alone - 1";
        let row = sqlx::query(note).bind(job.id.to_string()).fetch_one(&self.pool).await;
        Ok(u32::try_from(row.map_err(self.problem())?.get::<i64, _>(0)).unwrap_or(u32::MAX))
    }

    pub(super) async fn status(&self, queue: &str) -> Result<QueueStatus, Error> {
        let statement = format!(
            "SELECT COUNT(*) FILTER (WHERE status IN ('Running', 'Queued')) AS running,
                COUNT(*) FILTER (WHERE status = 'Done') AS done,
                COUNT(*) FILTER (WHERE {DEAD}) AS dead,
                COUNT(*) FILTER (WHERE status = 'Pending' OR (status = 'Failed' AND NOT {DEAD})) AS waiting,
                MIN(run_at) FILTER (WHERE status NOT IN ('Done', 'Killed') AND NOT {DEAD}) AS oldest,
                (SELECT COUNT(*) FROM EncordCompletions
                    WHERE queue = ?1 AND done_at > strftime('%s', 'now') - 60) AS recent,
                CAST(strftime('%s', 'now') AS INTEGER) AS now
            FROM Jobs WHERE job_type = ?1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(queue)
            .fetch_one(&self.pool)
            .await
            .map_err(self.problem())?;
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
            .map_err(self.problem())?;
        Ok(row.get::<i64, _>(0) == 0)
    }

    pub(super) async fn dead(&self, queue: &str, limit: usize) -> Result<Vec<DeadTask>, Error> {
        let statement = format!(
            "SELECT COALESCE(idempotency_key, id) AS key, attempts, last_result FROM Jobs
            WHERE job_type = ?1 AND {DEAD} ORDER BY done_at, id LIMIT ?2"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(statement)).bind(queue).bind(limit).fetch_all(&self.pool).await;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let key: String = row.get("key");
            DeadTask {
                task: key.parse().ok(),
                key,
                deliveries: u32::try_from(row.get::<i64, _>("attempts")).unwrap_or_default(),
                error: error_of(row.get("last_result")),
            }
        };
        Ok(rows.map_err(self.problem())?.iter().map(read).collect())
    }

    pub(super) async fn retry_dead(&self, queue: &str, key: Option<&str>) -> Result<u64, Error> {
        let change = "UPDATE Jobs SET status = 'Pending', attempts = 0, lock_by = NULL, lock_at = NULL,
            done_at = NULL, run_at = strftime('%s', 'now')";
        self.change_dead(change, queue, key).await
    }

    pub(super) async fn drop_dead(&self, queue: &str, key: Option<&str>) -> Result<u64, Error> {
        self.change_dead("DELETE FROM Jobs", queue, key).await
    }

    async fn change_dead(&self, change: &str, queue: &str, key: Option<&str>) -> Result<u64, Error> {
        let statement = format!(
            "{change} WHERE job_type = ?1 AND {DEAD} AND (?2 IS NULL OR COALESCE(idempotency_key, id) = ?2)"
        );
        let done =
            sqlx::query(sqlx::AssertSqlSafe(statement)).bind(queue).bind(key).execute(&self.pool).await;
        Ok(done.map_err(self.problem())?.rows_affected())
    }

    pub(super) async fn completions(
        &self,
        queue: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Completion>, Error> {
        let statement = "SELECT position, json FROM EncordCompletions
            WHERE queue = ?1 AND position > ?2 ORDER BY position LIMIT ?3";
        let bounded = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let query = sqlx::query(statement).bind(queue).bind(bounded(after)).bind(bounded(limit as u64));
        let rows = query.fetch_all(&self.pool).await.map_err(self.problem())?;
        let read = |row: &sqlx::sqlite::SqliteRow| Completion {
            position: u64::try_from(row.get::<i64, _>("position")).unwrap_or_default(),
            json: row.get("json"),
        };
        Ok(rows.iter().map(read).collect())
    }
}

impl Job {
    fn read(job: Task<Vec<u8>>) -> Option<Self> {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Some(Job {
            delivered: count(job.attempt()),
            max_deliveries: count(job.max_attempts().unwrap_or(1)),
            failures: 0,
            trace: job.metadata().get(TRACE).map(str::to_owned),
            id: job.task_id()?.clone(),
            payload: job.take().0,
        })
    }

    fn result(
        &self,
        status: Status,
        result: Result<serde_json::Value, String>,
    ) -> TaskResult<serde_json::Value> {
        TaskResult { task_id: self.id.clone(), attempt: self.delivered as usize + 1, status, result }
    }
}

/// Writes what is done, as much together as has come in meanwhile, until nobody is left to send any.
async fn write_finished(pool: SqlitePool, mut arrivals: mpsc::Receiver<Finished>) {
    let mut group = Vec::new();
    while arrivals.recv_many(&mut group, GROUP_SIZE).await > 0 {
        let written = write_group(&pool, &group).await.map_err(|error| error.to_string());
        for finished in group.drain(..) {
            // Who asked may have been dropped; the job is done all the same.
            let _ = finished.written.send(written.clone());
        }
    }
}

async fn write_group(pool: &SqlitePool, group: &[Finished]) -> Result<(), sqlx::Error> {
    // Nothing is kept twice when another worker has done the job meanwhile.
    const KEEP: &str = "INSERT INTO EncordCompletions (queue, done_at, json)
        SELECT Jobs.job_type, Jobs.done_at, finished.value ->> 'completion'
        FROM json_each(?1) AS finished JOIN Jobs ON Jobs.id = finished.value ->> 'id'
        WHERE lock_by = ?2 AND status = 'Done' AND idempotency_key IS NOT NULL ORDER BY finished.key";
    const RELEASE: &str = "UPDATE Jobs SET idempotency_key = NULL
        WHERE id IN (SELECT value ->> 'id' FROM json_each(?1)) AND lock_by = ?2";
    const FORGET_ALL: &str =
        "DELETE FROM EncordHistory WHERE job IN (SELECT value ->> 'id' FROM json_each(?1))";
    let mut workers: Vec<&str> = group.iter().map(|finished| finished.worker.as_str()).collect();
    workers.sort_unstable();
    workers.dedup();
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    for worker in workers {
        let of_worker = || group.iter().filter(|finished| finished.worker == worker);
        let jobs: Vec<_> = of_worker().map(|finished| &finished.job).collect();
        queries::ack_tasks(&mut *transaction, &jobs, worker).await?;
        let finished: serde_json::Value = of_worker()
            .map(|Finished { job, completion, .. }| {
                serde_json::json!({"id": job.task_id.to_string(), "completion": completion})
            })
            .collect();
        let finished = finished.to_string();
        sqlx::query(KEEP).bind(&finished).bind(worker).execute(&mut *transaction).await?;
        sqlx::query(RELEASE).bind(&finished).bind(worker).execute(&mut *transaction).await?;
        sqlx::query(FORGET_ALL).bind(&finished).execute(&mut *transaction).await?;
    }
    transaction.commit().await
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
