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
        self.folder().join(object.to_string())
    }

    /// Whether the file is one of ours and not one that belongs to the user.
    pub(crate) fn holds(&self, path: &Path) -> bool {
        path.parent() == Some(self.folder())
    }

    /// Every file, with the uuid that is its name.
    pub(crate) fn all(&self) -> Vec<(Uuid, PathBuf)> {
        let entries = std::fs::read_dir(self.folder()).into_iter().flatten().flatten();
        entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path()))).collect()
    }

    /// Removes files. One that cannot be removed is tried again at the next start.
    pub(crate) fn remove(&self, files: impl IntoIterator<Item = PathBuf>) {
        for path in files.into_iter().filter(|path| self.holds(path)) {
            if let Err(error) = std::fs::remove_file(&path)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(%error, path = %path.display(), "a file that is not needed any more cannot be removed");
            }
        }
    }

    fn folder(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(folder) => folder,
        }
    }
}
