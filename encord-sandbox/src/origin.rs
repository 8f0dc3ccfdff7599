//! Where the first state comes from: a seed, or the data folder of an earlier run.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::files::Files;
use crate::keyfile;
use crate::persist::Database;
use crate::seed::{self, Seed};
use crate::store::Store;

/// What a sandbox needs before it can listen.
pub(crate) struct Origin {
    pub(crate) store: Store,
    pub(crate) database: Option<Database>,
    pub(crate) files: Files,
    pub(crate) private_key: Option<String>,
}

/// Plants the seed, or takes up the state in the data folder and ignores the
/// seed. Slow: reads files.
pub(crate) fn open(seed: &Seed, data_dir: Option<PathBuf>) -> Result<Origin, Error> {
    let Some(folder) = data_dir else {
        let planted = seed::plant(seed, Store::default())?;
        let files = Files::temporary()?;
        return Ok(Origin { store: planted.store, database: None, files, private_key: planted.private_key });
    };
    fs::create_dir_all(&folder).map_err(|source| Error::Write { path: folder.clone(), source })?;
    let path = folder.join("state.sqlite3");
    let key_path = folder.join("key");
    // Only who has the database may touch the files.
    let database = Database::open(&path)?;
    let files = Files::kept(folder.join("files"))?;
    let (mut store, private_key) = match database.load(&path)? {
        Some(store) => {
            tracing::info!(folder = %folder.display(), "the data folder has a state, so the seed is ignored");
            (store, read_key(&key_path)?)
        }
        None => {
            let mut empty = Store::default();
            empty.track_changes();
            let planted = seed::plant(seed, empty)?;
            if let Some(key) = &planted.private_key {
                keyfile::write(&key_path, key)?;
            }
            (planted.store, planted.private_key)
        }
    };
    store.track_changes();
    let stored = database.save(&mut store);
    stored.map_err(|reason| Error::Database { path, reason })?;
    Ok(Origin { store, database: Some(database), files, private_key })
}

fn read_key(path: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(path) {
        Ok(key) => Ok(Some(key)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read { path: path.into(), source }),
    }
}
