//! Records of tasks as JSON lines in a file: complete whatever the size of the run, readable while it goes on.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
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
        let path = path.into();
        match File::create(&path) {
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
