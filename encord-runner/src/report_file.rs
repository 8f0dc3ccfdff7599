//! Records of tasks as JSON lines in a file: complete whatever the size of the run, readable while it goes on.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::error::Error;
use crate::report::{Observer, TaskRecord};

/// Writes every record as one line of JSON, as it comes.
///
/// ```
/// # let path = std::env::temp_dir().join(format!("report-{}.jsonl", std::process::id()));
/// use encord_runner::{ReportFile, Runner};
///
/// let runner = Runner::new().with_observer(ReportFile::create(&path)?);
/// # std::fs::remove_file(&path).ok();
/// # Ok::<(), encord_runner::Error>(())
/// ```
#[derive(Debug)]
pub struct ReportFile {
    path: PathBuf,
    file: Mutex<BufWriter<File>>,
}

impl ReportFile {
    /// Creates the file, replacing an older one.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::open(path.into(), |path| File::create(path))
    }

    /// Goes on at the end of the file, which is created if it is not there. A line that an earlier process could not
    /// finish, because it was killed, is ended first.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn append(path: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::open(path.into(), |path| {
            let mut file = File::options().read(true).append(true).create(true).open(path)?;
            if file.metadata()?.len() > 0 {
                let mut last = [0];
                file.seek(SeekFrom::End(-1))?;
                file.read_exact(&mut last)?;
                if last != *b"\n" {
                    file.write_all(b"\n")?;
                }
            }
            Ok(file)
        })
    }

    fn open(path: PathBuf, how: impl FnOnce(&Path) -> io::Result<File>) -> Result<Self, Error> {
        match how(&path) {
            Ok(file) => Ok(ReportFile { path, file: Mutex::new(BufWriter::new(file)) }),
            Err(source) => Err(Error::Io { path, source }),
        }
    }
}

impl Observer for ReportFile {
    fn task_finished(&self, record: &TaskRecord) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let line = serde_json::to_string(record).unwrap_or_default();
        // Each line is on disk before the next task's, so that a killed run leaves what it did.
        if let Err(error) = writeln!(file, "{line}").and_then(|()| file.flush()) {
            tracing::error!(path = %self.path.display(), "cannot write the report: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_is_ended_before_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.jsonl");
        for (before, after) in [("", ""), ("{}\n", "{}\n"), ("{}\n{\"ta", "{}\n{\"ta\n")] {
            std::fs::write(&path, before).unwrap();
            drop(ReportFile::append(&path).unwrap());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), after);
        }
        assert!(ReportFile::append(directory.path()).is_err());
    }
}
