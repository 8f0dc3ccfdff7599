//! The folder on local disk in which a process keeps the files of its tasks.
//!
//! A file is removed with its task, also after a panic. But nobody cleans up after a process that was killed. So all
//! files of a process lie in one folder, `encord-runner-*` in the system's folder for temporary files (`TMPDIR`),
//! beside a lock file that the operating system unlocks when the process ends, however it ends. When a process first
//! needs files it removes the folders whose lock is free.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};

use tempfile::TempDir;
use tracing::{debug, info};
use uuid::Uuid;

const PREFIX: &str = "encord-runner-";
const LOCK_SUFFIX: &str = ".lock";

/// The folder of this process while it has files.
static CURRENT: Mutex<Weak<Scratch>> = Mutex::new(Weak::new());

/// Whether this process has looked for what others left behind.
static CLEANED: Once = Once::new();

/// A folder for the files of one item, removed when it is dropped.
pub(crate) struct ItemFolder {
    // Removed before the folder it lies in, because fields are dropped in this order.
    folder: TempDir,
    _scratch: Arc<Scratch>,
}

impl ItemFolder {
    /// Makes an empty folder.
    pub(crate) fn new() -> io::Result<Self> {
        let scratch = Scratch::current()?;
        let folder = tempfile::Builder::new().prefix("item-").tempdir_in(&scratch.folder)?;
        Ok(ItemFolder { folder, _scratch: scratch })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

struct Scratch {
    folder: PathBuf,
    lock_path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

impl Scratch {
    fn current() -> io::Result<Arc<Self>> {
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(scratch) = current.upgrade() {
            return Ok(scratch);
        }
        let place = std::env::temp_dir();
        let scratch = Arc::new(Scratch::new(&place)?);
        *current = Arc::downgrade(&scratch);
        // What was left behind may be large, and nobody waits for it.
        CLEANED.call_once(|| drop(std::thread::spawn(move || remove_abandoned(&place))));
        Ok(scratch)
    }

    fn new(place: &Path) -> io::Result<Self> {
        loop {
            let name = format!("{PREFIX}{}", Uuid::new_v4().simple());
            let lock_path = place.join(format!("{name}{LOCK_SUFFIX}"));
            let lock = File::create_new(&lock_path)?;
            // Another process may take a lock file that is not locked yet for an abandoned one, and remove it.
            if lock.try_lock().is_err() || !lock_path.exists() {
                continue;
            }
            let folder = place.join(name);
            make_private(&folder)?;
            return Ok(Scratch { folder, lock_path, _lock: lock });
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.folder, &self.lock_path);
    }
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)
}

/// The lock file goes last: without it nobody would find the folder again.
fn remove(folder: &Path, lock_path: &Path) {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => debug!(?folder, "cannot remove: {error}"),
        _ => drop(fs::remove_file(lock_path)),
    }
}

/// Removes the folders of processes that are gone. What cannot be read is somebody else's.
fn remove_abandoned(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let file_name = entry.file_name();
        let Some(name) = file_name.to_str().and_then(|name| name.strip_suffix(LOCK_SUFFIX)) else { continue };
        if !name.starts_with(PREFIX) {
            continue;
        }
        let Ok(lock) = File::open(entry.path()) else { continue };
        if lock.try_lock().is_ok() {
            let folder = place.join(name);
            info!(?folder, "removing the files of a run that was killed");
            remove(&folder, &entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_abandoned_folders_are_removed() {
        let place = tempfile::tempdir().unwrap();
        let alive = Scratch::new(place.path()).unwrap();
        let dead = Scratch::new(place.path()).unwrap();
        let dead_folder = dead.folder.clone();
        fs::write(dead_folder.join("video.mp4"), "x").unwrap();
        // A killed process unlocks without removing.
        dead._lock.unlock().unwrap();
        std::mem::forget(dead);
        fs::write(place.path().join("encord-runner-notes.txt"), "x").unwrap();
        remove_abandoned(place.path());
        assert!(alive.folder.exists() && alive.lock_path.exists());
        assert!(!dead_folder.exists());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 3, "folder, lock and the other file");
        drop(alive);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn folders_of_items_share_that_of_the_process() {
        let (one, two) = (ItemFolder::new().unwrap(), ItemFolder::new().unwrap());
        assert_eq!(one.path().parent(), two.path().parent());
        let gone = one.path().to_owned();
        drop(one);
        assert!(!gone.exists() && two.path().exists());
    }
}
