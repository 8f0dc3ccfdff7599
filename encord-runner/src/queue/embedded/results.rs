//! The completions of done jobs in the file: written together, read in their order, forgotten when they are old.
//!
//! They have a table of their own, so that done jobs can leave the engine's: it stays as small as what is queued.

use std::time::Duration;

use sqlx::{Row, SqlitePool};
use tokio::sync::{mpsc, oneshot};

use crate::queue::TaskCompletion;
use crate::queue::engine::Completion;
use crate::report::TaskOutcome;

/// One completion per task, in an order that does not change: the engine's own `done_at` counts whole seconds.
const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS EncordResults (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        task TEXT NOT NULL,
        done_at INTEGER NOT NULL,
        json TEXT NOT NULL,
        UNIQUE (queue, task)
    );
    CREATE INDEX IF NOT EXISTS EncordResultsInOrder ON EncordResults (queue, position);
    CREATE INDEX IF NOT EXISTS EncordResultsInTime ON EncordResults (queue, done_at);";

/// How many completions are written, or forgotten, in one transaction at most.
const GROUP_SIZE: usize = 500;

/// Only when the program's runtime is being shut down.
const WRITER_ENDED: &str = "the program is ending";

/// Writes completions, and reads them.
#[derive(Clone)]
pub(super) struct Writer {
    pool: SqlitePool,
    finished: mpsc::Sender<Finished>,
}

/// A job that is done, on its way into the file.
struct Finished {
    row: serde_json::Value,
    written: oneshot::Sender<Result<(), String>>,
}

impl Writer {
    pub(super) async fn start(pool: SqlitePool) -> Result<Self, sqlx::Error> {
        sqlx::raw_sql(TABLE).execute(&pool).await?;
        let (finished, arrivals) = mpsc::channel(GROUP_SIZE);
        tokio::spawn(write_finished(pool.clone(), arrivals));
        Ok(Writer { pool, finished })
    }

    /// Stores a completion and takes its job out of the queue, whoever has the job now. Jobs that are done at the
    /// same time are written together, because the disk takes as long for many as for one.
    pub(super) async fn write(
        &self,
        queue: &str,
        job: &str,
        completion: &TaskCompletion,
    ) -> Result<(), String> {
        let row = serde_json::json!({
            "job": job,
            "queue": queue,
            "task": completion.task,
            "json": completion.to_json(),
            "gone": completion.outcome == TaskOutcome::Gone,
        });
        let (written, answer) = oneshot::channel();
        self.finished.send(Finished { row, written }).await.map_err(|_| WRITER_ENDED.to_owned())?;
        answer.await.map_err(|_| WRITER_ENDED.to_owned())?
    }

    pub(super) async fn read(
        &self,
        queue: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Completion>, sqlx::Error> {
        const LIST: &str = "SELECT position, json FROM EncordResults
            WHERE queue = ?1 AND position > ?2 ORDER BY position LIMIT ?3";
        let bounded = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let query = sqlx::query(LIST).bind(queue).bind(bounded(after)).bind(bounded(limit as u64));
        let read = |row: &sqlx::sqlite::SqliteRow| Completion {
            position: u64::try_from(row.get::<i64, _>("position")).unwrap_or_default(),
            json: row.get("json"),
        };
        Ok(query.fetch_all(&self.pool).await?.iter().map(read).collect())
    }

    pub(super) async fn forget_old(&self, queue: &str, keep: Duration) -> Result<(), sqlx::Error> {
        const FORGET_OLD: &str = "DELETE FROM EncordResults WHERE position IN (SELECT position
            FROM EncordResults WHERE queue = ?1 AND done_at < strftime('%s', 'now') - ?2 LIMIT ?3)";
        let seconds = i64::try_from(keep.as_secs()).unwrap_or(i64::MAX / 2);
        loop {
            let forget = sqlx::query(FORGET_OLD).bind(queue).bind(seconds).bind(GROUP_SIZE as i64);
            if forget.execute(&self.pool).await?.rows_affected() < GROUP_SIZE as u64 {
                return Ok(());
            }
        }
    }
}

/// Writes what is done, as much together as has come in meanwhile, until nobody is left to send any.
async fn write_finished(pool: SqlitePool, mut arrivals: mpsc::Receiver<Finished>) {
    let mut group = Vec::new();
    while arrivals.recv_many(&mut group, GROUP_SIZE).await > 0 {
        let rows: serde_json::Value = group.iter_mut().map(|finished| finished.row.take()).collect();
        let written = write_group(&pool, &rows.to_string()).await.map_err(|error| error.to_string());
        for finished in group.drain(..) {
            // Who asked may have been dropped; the job is done all the same.
            let _ = finished.written.send(written.clone());
        }
    }
}

async fn write_group(pool: &SqlitePool, rows: &str) -> Result<(), sqlx::Error> {
    const STORE: &str = "INSERT OR REPLACE INTO EncordResults (queue, task, done_at, json)
        SELECT value ->> 'queue', value ->> 'task', strftime('%s', 'now'), value ->> 'json'
        FROM json_each(?1) WHERE NOT value ->> 'gone' ORDER BY key";
    // A task that was done by a worker which died before it could say so comes again, and is gone then. What that
    // worker stored tells more.
    const STORE_GONE: &str = "INSERT OR IGNORE INTO EncordResults (queue, task, done_at, json)
        SELECT value ->> 'queue', value ->> 'task', strftime('%s', 'now'), value ->> 'json'
        FROM json_each(?1) WHERE value ->> 'gone' ORDER BY key";
    const REMOVE: &str = "DELETE FROM Jobs WHERE id IN (SELECT value ->> 'job' FROM json_each(?1))";
    const FORGET: &str =
        "DELETE FROM EncordDeliveries WHERE job IN (SELECT value ->> 'job' FROM json_each(?1))";
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    for statement in [STORE, STORE_GONE, REMOVE, FORGET] {
        sqlx::query(statement).bind(rows).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}
