//! Private keys on disk, where only their owner can read them.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::error::Error;

/// A private key and the file it lies in.
pub(crate) struct KeyFile {
    pub(crate) text: String,
    place: Place,
}

enum Place {
    Kept(PathBuf),
    /// Removed with the sandbox.
    Temporary(TempPath),
}

impl KeyFile {
    /// Writes the key to the path, or to a temporary file.
    pub(crate) fn new(text: String, path: Option<&Path>) -> Result<Self, Error> {
        let place = match path {
            Some(path) => {
                write(path, &text)?;
                Place::Kept(path.into())
            }
            None => temporary(&text).map_err(|source| Error::Write { path: std::env::temp_dir(), source })?,
        };
        Ok(Self { text, place })
    }

    pub(crate) fn path(&self) -> &Path {
        match &self.place {
            Place::Kept(path) => path,
            Place::Temporary(path) => path,
        }
    }
}

/// Writes a key with mode 600.
pub(crate) fn write(path: &Path, key: &str) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.into(), source };
    // A file that is there already would keep its mode, so it is replaced.
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).and_then(|mut file| file.write_all(key.as_bytes())).map_err(failed)
}

fn temporary(key: &str) -> std::io::Result<Place> {
    // Temporary files have mode 600.
    let mut file = tempfile::Builder::new().prefix("encord-sandbox-").suffix(".key").tempfile()?;
    file.write_all(key.as_bytes())?;
    Ok(Place::Temporary(file.into_temp_path()))
}
