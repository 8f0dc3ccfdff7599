//! Where uploaded files lie: a folder of files named by uuid.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use uuid::Uuid;

use crate::error::Error;

/// The folder of uploaded files.
pub(crate) enum Files {
    /// Made for this sandbox and removed with it.
    Temporary(TempDir),
    /// Part of the data folder of a sandbox that keeps its state.
    Kept(PathBuf),
}

impl Files {
    pub(crate) fn temporary() -> Result<Self, Error> {
        let folder = tempfile::Builder::new().prefix("encord-sandbox-").tempdir();
        folder.map(Self::Temporary).map_err(|source| Error::Write { path: std::env::temp_dir(), source })
    }

    pub(crate) fn kept(path: PathBuf) -> Result<Self, Error> {
        let broken = |source| Error::Write { path: path.clone(), source };
        std::fs::create_dir_all(&path).map_err(broken)?;
        for entry in std::fs::read_dir(&path).map_err(broken)? {
            let entry = entry.map_err(broken)?;
            // Parts of uploads that were cut off when an earlier sandbox was killed.
            if entry.file_name().to_str().is_none_or(|name| Uuid::parse_str(name).is_err()) {
                std::fs::remove_file(entry.path()).map_err(broken)?;
            }
        }
        Ok(Self::Kept(path))
    }

    pub(crate) fn path_of(&self, object: Uuid) -> PathBuf {
        let folder: &Path = match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(folder) => folder,
        };
        folder.join(object.to_string())
    }
}
