//! The jobs in the file: the engine's own operations where it has them, statements on its tables where not.

use std::path::{Path, PathBuf};
use std::time::Duration;

use apalis_core::backend::WorkerFilter;
use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::metadata::MetadataStore;
use apalis_core::worker::context::WorkerContext;
use apalis_sqlite::{Config, SqliteStorage, queries};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row, SqlitePool};

use super::results::Writer;
use crate::error::Error;
use crate::queue::engine::{Completion, DeadTask, History, QueueStatus};
use crate::queue::{TaskCompletion, TaskSpec};

/// Waits this long for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Marks jobs that were handed out as running. The engine's own statement for this looks at all that wait.
const BEGIN: &str = "UPDATE Jobs SET status = 'Running', lock_at = strftime('%s', 'now')
    WHERE id IN (SELECT value FROM json_each(?1)) AND +lock_by = ?2 AND +status = 'Queued'";

/// Gives a job back to the queue. The engine counts deliveries in `attempts`, but would make a job that failed too
/// often dead by itself, also one whose worker died; so a job that is to come again is never marked as failed.
const RETURN: &str = "UPDATE Jobs SET status = 'Pending', attempts = ?3, last_result = ?4, lock_by = NULL,
    lock_at = NULL, done_at = NULL, run_at = strftime('%s', 'now') + ?5 WHERE id = ?1 AND lock_by = ?2";

/// Puts a job aside.
const KILL: &str = "UPDATE Jobs SET status = 'Killed', attempts = ?3, last_result = ?4, lock_by = NULL,
    lock_at = NULL, done_at = strftime('%s', 'now') WHERE id = ?1 AND lock_by = ?2";

/// Notes how a delivery ended, and since when the job is in the queue, unless its worker has lost the job.
const NOTE: &str = "INSERT INTO EncordDeliveries (job, failed, handed_back, alone, enqueued_at)
    SELECT id, ?3, ?4, ?5, run_at FROM Jobs WHERE id = ?1 AND lock_by = ?2
    ON CONFLICT (job) DO UPDATE SET failed = excluded.failed, handed_back = excluded.handed_back,
        alone = excluded.alone, enqueued_at = COALESCE(enqueued_at, excluded.enqueued_at)";

/// What is dead has no history.
const FORGET: &str = "DELETE FROM EncordDeliveries WHERE job = ?1";

/// Workers that ended long ago, and of which nothing is left.
const FORGET_WORKERS: &str = "DELETE FROM Workers
    WHERE worker_type = ?1 AND last_seen < strftime('%s', 'now') - 86400 AND NOT EXISTS
        (SELECT 1 FROM Jobs WHERE status IN ('Running', 'Queued') AND lock_by = Workers.id)";

/// The name under which the producer's trace travels.
const TRACE: &str = "traceparent";

/// What is known of jobs that were delivered more than once, because the engine counts a failure and the death of a
/// worker alike.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS EncordDeliveries (
        job TEXT PRIMARY KEY,
        failed INTEGER NOT NULL DEFAULT 0,
        handed_back INTEGER NOT NULL DEFAULT 0,
        alone INTEGER NOT NULL DEFAULT 0,
        enqueued_at INTEGER
    );
    -- With this index of the engine, each acknowledgement looks at all that its worker ever did.
    DROP INDEX IF EXISTS LIdx;";

#[derive(Clone)]
pub(super) struct Store {
    /// Writes through to the disk before it confirms: what is put in, and what is done.
    pool: SqlitePool,
    /// Does not: taking a job and renewing a lease may be forgotten when the machine stops, but cost a wait for the
    /// disk each otherwise.
    hot: SqlitePool,
    path: PathBuf,
    results: Writer,
}

/// How a delivery ends that does not end well.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    RetryLater(Duration),
    HandBack(Duration),
    GiveUp,
}

/// A job handed to this worker.
pub(super) struct Job {
    pub(super) payload: Vec<u8>,
    /// Deliveries before this one.
    pub(super) delivered: u32,
    pub(super) max_deliveries: u32,
    pub(super) trace: Option<String>,
    pub(super) history: History,
    pub(super) id: apalis_core::task::task_id::TaskId,
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
        let results = Writer::start(pool.clone()).await.map_err(|error| failed(error.to_string()))?;
        Ok(Store { pool, hot, path, results })
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
            let noted = "SELECT failed, handed_back, alone FROM EncordDeliveries WHERE job = ?1";
            let noted = sqlx::query(noted).bind(job.id.to_string()).fetch_optional(&mut *transaction).await;
            job.history = noted.map_err(self.problem())?.map(|row| history(&row)).unwrap_or_default();
        }
        transaction.commit().await.map_err(self.problem())?;
        Ok(taken)
    }

    /// The job is done; the task may come to the stage again and then be enqueued again.
    pub(super) async fn done(
        &self,
        queue: &str,
        job: &Job,
        completion: &TaskCompletion,
    ) -> Result<(), Error> {
        self.results.write(queue, &job.id.to_string(), completion).await.map_err(self.problem())
    }

    /// The job is not done. A worker that has lost it changes nothing.
    pub(super) async fn answer(
        &self,
        worker: &WorkerContext,
        job: &Job,
        error: &str,
        answer: Answer,
    ) -> Result<(), Error> {
        let (id, worker) = (job.id.to_string(), worker.name());
        let History { failed, handed_back, alone } = job.history;
        let (failed, handed_back, pause) = match answer {
            Answer::RetryLater(pause) => (failed + 1, handed_back, Some(pause)),
            Answer::HandBack(pause) => (failed, handed_back + 1, Some(pause)),
            Answer::GiveUp => (failed, handed_back, None),
        };
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(self.problem())?;
        let result = serde_json::json!({"Err": error}).to_string();
        let delivered = job.delivered.saturating_add(1);
        if let Some(pause) = pause {
            let seconds = pause.as_secs_f64().ceil() as i64;
            let note = sqlx::query(NOTE).bind(&id).bind(worker).bind(failed).bind(handed_back).bind(alone);
            note.execute(&mut *transaction).await.map_err(self.problem())?;
            let back = sqlx::query(RETURN).bind(&id).bind(worker).bind(delivered).bind(result).bind(seconds);
            back.execute(&mut *transaction).await.map_err(self.problem())?;
        } else {
            let kill = sqlx::query(KILL).bind(&id).bind(worker).bind(delivered).bind(result);
            let killed = kill.execute(&mut *transaction).await.map_err(self.problem())?;
            if killed.rows_affected() > 0 {
                let forget = sqlx::query(FORGET).bind(&id).execute(&mut *transaction).await;
                forget.map_err(self.problem())?;
            }
        }
        transaction.commit().await.map_err(self.problem())
    }

    /// Notes that the job is about to be run alone.
    pub(super) async fn begin_alone(&self, job: &Job) -> Result<(), Error> {
        let note = "INSERT INTO EncordDeliveries (job, alone) VALUES (?1, ?2)
            ON CONFLICT (job) DO UPDATE SET alone = excluded.alone";
        let noted = sqlx::query(note).bind(job.id.to_string()).bind(job.history.alone + 1);
        noted.execute(&self.pool).await.map(drop).map_err(self.problem())
    }

    /// Forgets completions that are older than this, some at a time, and workers of days ago.
    pub(super) async fn forget_old(&self, queue: &str, keep: Duration) -> Result<(), Error> {
        self.results.forget_old(queue, keep).await.map_err(self.problem())?;
        let forgotten = sqlx::query(FORGET_WORKERS).bind(queue).execute(&self.hot).await;
        forgotten.map(drop).map_err(self.problem())
    }

    pub(super) async fn status(&self, queue: &str) -> Result<QueueStatus, Error> {
        const COUNT: &str = "SELECT COUNT(*) FILTER (WHERE status IN ('Running', 'Queued')) AS running,
                COUNT(*) FILTER (WHERE status = 'Killed') AS dead,
                COUNT(*) FILTER (WHERE status = 'Pending') AS waiting,
                MIN(COALESCE(enqueued_at, run_at)) FILTER (WHERE status <> 'Killed') AS oldest,
                (SELECT COUNT(*) FROM EncordResults WHERE queue = ?1) AS done,
                (SELECT COUNT(*) FROM EncordResults
                    WHERE queue = ?1 AND done_at > strftime('%s', 'now') - 60) AS recent,
                CAST(strftime('%s', 'now') AS INTEGER) AS now
            FROM Jobs LEFT JOIN EncordDeliveries AS earlier ON earlier.job = Jobs.id WHERE job_type = ?1";
        let row = sqlx::query(COUNT).bind(queue).fetch_one(&self.pool).await.map_err(self.problem())?;
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
        const OPEN: &str = "SELECT EXISTS (SELECT 1 FROM Jobs
            WHERE job_type = ?1 AND status IN ('Pending', 'Queued', 'Running'))";
        let row = sqlx::query(OPEN).bind(queue).fetch_one(&self.pool).await.map_err(self.problem())?;
        Ok(row.get::<i64, _>(0) == 0)
    }

    pub(super) async fn dead(&self, queue: &str, limit: usize) -> Result<Vec<DeadTask>, Error> {
        const LIST: &str = "SELECT COALESCE(idempotency_key, id) AS key, attempts, last_result FROM Jobs
            WHERE job_type = ?1 AND status = 'Killed' ORDER BY done_at, id LIMIT ?2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = sqlx::query(LIST).bind(queue).bind(limit).fetch_all(&self.pool).await;
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
            "{change} WHERE job_type = ?1 AND status = 'Killed' AND (?2 IS NULL OR COALESCE(idempotency_key, id) = ?2)"
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
        self.results.read(queue, after, limit).await.map_err(self.problem())
    }
}

impl Job {
    fn read(job: Task<Vec<u8>>) -> Option<Self> {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Some(Job {
            delivered: count(job.attempt()),
            max_deliveries: count(job.max_attempts().unwrap_or(1)),
            history: History::default(),
            trace: job.metadata().get(TRACE).map(str::to_owned),
            id: job.task_id()?.clone(),
            payload: job.take().0,
        })
    }
}

async fn total_changes(connection: &mut sqlx::SqliteConnection) -> Result<u64, sqlx::Error> {
    let row = sqlx::query("SELECT total_changes()").fetch_one(connection).await?;
    Ok(u64::try_from(row.get::<i64, _>(0)).unwrap_or_default())
}

fn history(row: &sqlx::sqlite::SqliteRow) -> History {
    let count = |name: &str| u32::try_from(row.get::<i64, _>(name)).unwrap_or(u32::MAX);
    History { failed: count("failed"), handed_back: count("handed_back"), alone: count("alone") }
}

/// The text of the engine's `{"Err": "..."}`.
fn error_of(result: Option<String>) -> String {
    let result = result.unwrap_or_default();
    let value: serde_json::Value = serde_json::from_str(&result).unwrap_or_default();
    value.get("Err").and_then(|error| error.as_str()).map_or(result, str::to_owned)
}
