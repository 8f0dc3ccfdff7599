//! State that survives a restart: every entity as JSON in one SQLite file.
//!
//! A change is on disk before the request that made it is answered. The store
//! stays in memory; the file is only read at the start.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, params};

use crate::error::Error;
use crate::store::Store;

const SCHEMA: &str = "
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS entities (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        UNIQUE (kind, key)
    );
";

/// The file with the state.
pub(crate) struct Database {
    connection: Mutex<Connection>,
}

impl Database {
    /// Opens the file, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let broken =
            |error: rusqlite::Error| Error::Database { path: path.into(), reason: error.to_string() };
        let connection = Connection::open(path).map_err(broken)?;
        connection.execute_batch(SCHEMA).map_err(broken)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// The stored state; `None` if nothing was stored yet.
    pub(crate) fn load(&self, path: &Path) -> Result<Option<Store>, Error> {
        let broken = |reason: String| Error::Database { path: path.into(), reason };
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        // In the order in which the entities were first stored, which listings keep to.
        let statement = connection.prepare("SELECT kind, key, value FROM entities ORDER BY id");
        let mut statement = statement.map_err(|error| broken(error.to_string()))?;
        let mut rows = statement.query([]).map_err(|error| broken(error.to_string()))?;
        let (mut store, mut empty) = (Store::default(), true);
        while let Some(row) = rows.next().map_err(|error| broken(error.to_string()))? {
            let text = |column: usize| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
            let parts = text(0).and_then(|kind| Ok((kind, text(1)?, text(2)?)));
            let (kind, key, value) = parts.map_err(|error| broken(error.to_string()))?;
            store.load(kind, key, value).map_err(|error| broken(format!("{kind} {key}: {error}")))?;
            empty = false;
        }
        if empty {
            return Ok(None);
        }
        store.rebuild();
        Ok(Some(store))
    }

    /// Writes what changed since the last time, completely or not at all.
    pub(crate) fn save(&self, store: &mut Store) -> Result<(), String> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        write(&mut connection, store).map_err(|error| error.to_string())
    }
}

fn write(connection: &mut Connection, store: &mut Store) -> rusqlite::Result<()> {
    // Nothing is locked or written before the first change.
    let transaction = connection.transaction()?;
    let mut outcome = Ok(());
    {
        let mut put = transaction.prepare_cached(
            "INSERT INTO entities (kind, key, value) VALUES (?1, ?2, ?3)
             ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value",
        )?;
        let mut delete = transaction.prepare_cached("DELETE FROM entities WHERE kind = ?1 AND key = ?2")?;
        store.take_changes(|change| {
            let written = match &change.value {
                Some(value) => put.execute(params![change.kind, change.key, value]),
                None => delete.execute(params![change.kind, change.key]),
            };
            if let Err(error) = written
                && outcome.is_ok()
            {
                outcome = Err(error);
            }
        });
    }
    // An error drops the transaction, which takes it back.
    outcome?;
    transaction.commit()
}
