//! Progress bars for a terminal: one per stage, with counts, rate and, where the end is known, the time left.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use encord_client::Stage;
use encord_labels::id::StageUuid;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::report::{Observer, TaskRecord};

/// Shows a bar per stage on stderr. The platform does not say how many tasks a stage has, so the length of a bar
/// is the number of tasks fetched so far.
///
/// Whoever writes to the same terminal does so through [`suspend`](Progress::suspend). Clones show the same bars.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    bars: MultiProgress,
    stages: Arc<Mutex<HashMap<StageUuid, StageBar>>>,
}

#[derive(Debug)]
struct StageBar {
    bar: ProgressBar,
    failed: u64,
}

impl Progress {
    /// Bars on stderr; nothing is shown when it is not a terminal.
    #[must_use]
    pub fn new() -> Self {
        Progress::default()
    }

    #[cfg(all(test, feature = "cli"))]
    pub(crate) fn drawing_on(target: indicatif::ProgressDrawTarget) -> Self {
        Progress { bars: MultiProgress::with_draw_target(target), ..Progress::default() }
    }

    /// Takes the bars away while something else is written to the terminal, a log line for example.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bars.suspend(write)
    }

    fn stages(&self) -> MutexGuard<'_, HashMap<StageUuid, StageBar>> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Progress {
    fn stage_started(&self, stage: &Stage) {
        let style = "{prefix:20} {spinner} [{bar:30}] {pos}/{len} {per_sec} {eta} {msg}";
        let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = self.bars.add(ProgressBar::new(0).with_style(style).with_prefix(stage.title.clone()));
        bar.enable_steady_tick(Duration::from_millis(200));
        self.stages().insert(stage.uuid, StageBar { bar, failed: 0 });
    }

    fn batch_started(&self, stage: &Stage, tasks: usize) {
        if let Some(stage) = self.stages().get(&stage.uuid) {
            stage.bar.inc_length(tasks as u64);
        }
    }

    fn task_finished(&self, record: &TaskRecord) {
        if let Some(stage) = self.stages().get_mut(&record.stage) {
            stage.bar.inc(1);
            if record.is_failed() {
                stage.failed += 1;
                stage.bar.set_message(format!("{} failed", stage.failed));
            }
        }
    }

    fn stage_finished(&self, stage: &Stage) {
        if let Some(stage) = self.stages().remove(&stage.uuid) {
            stage.bar.finish();
        }
    }
}
