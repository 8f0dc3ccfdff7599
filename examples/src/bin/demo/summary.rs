//! What the demo did, in figures: the JSON that `--json` writes.

use std::collections::BTreeMap;

use serde::Serialize;

/// Counts over all projects of the demo.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Summary {
    /// Data units that should be worked on, including those left out.
    pub(crate) tasks: usize,
    /// Tasks that reached the last stage.
    pub(crate) completed: usize,
    /// Tasks that did not, though nothing was left out for them.
    pub(crate) failed: usize,
    /// Tasks left out, by reason.
    pub(crate) skipped: BTreeMap<String, usize>,
    /// Completed tasks by type.
    pub(crate) by_type: BTreeMap<String, usize>,
    /// Label rows that agents saved.
    pub(crate) labels_saved: u64,
}

impl Summary {
    /// Counts tasks that could not be worked on.
    pub(crate) fn skip(&mut self, reason: impl Into<String>, count: usize) {
        if count > 0 {
            self.tasks += count;
            *self.skipped.entry(reason.into()).or_default() += count;
        }
    }

    /// Counts a task that was worked on.
    pub(crate) fn ended(&mut self, kind: &str, completed: bool) {
        self.tasks += 1;
        if completed {
            self.completed += 1;
            *self.by_type.entry(kind.to_owned()).or_default() += 1;
        } else {
            self.failed += 1;
        }
    }

    /// Whether everything that was not left out is done.
    pub(crate) fn is_success(&self) -> bool {
        self.failed == 0 && self.completed > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_counted_once() {
        let mut summary = Summary::default();
        summary.skip("no ffmpeg", 2);
        summary.skip("nothing", 0);
        summary.ended("image", true);
        summary.ended("audio", true);
        assert!(summary.is_success());
        summary.ended("image", false);
        assert!(!summary.is_success());
        assert_eq!((summary.tasks, summary.completed, summary.failed), (5, 2, 1));
        assert_eq!(summary.skipped, BTreeMap::from([("no ffmpeg".to_owned(), 2)]));
        assert_eq!(summary.by_type, BTreeMap::from([("audio".to_owned(), 1), ("image".to_owned(), 1)]));
    }
}
