//! Progress as log lines, for a program whose stderr is a file or a pipe: counts and rate of each stage now and then.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use encord_client::Stage;
use encord_labels::id::StageUuid;
use tracing::info;

use crate::report::{Counts, Observer, TaskRecord};

/// Logs how far each stage is: while tasks end, at most every 10 s, and at the end of a pass that had tasks.
///
/// [`run_cli`](crate::Runner::run_cli) uses it when stderr is not a terminal.
///
/// ```
/// let runner = encord_runner::Runner::new().with_observer(encord_runner::ProgressLog::new());
/// ```
#[derive(Debug)]
pub struct ProgressLog {
    every: Duration,
    stages: Mutex<HashMap<StageUuid, Pass>>,
}

/// One pass over one stage.
#[derive(Debug)]
struct Pass {
    title: String,
    counts: Counts,
    fetched: u64,
    started: Instant,
    said: Instant,
}

impl ProgressLog {
    /// A line at most every 10 s.
    #[must_use]
    pub fn new() -> Self {
        ProgressLog { every: Duration::from_secs(10), stages: Mutex::default() }
    }

    /// Sets how long to be silent after a line.
    #[must_use]
    pub fn with_interval(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    fn stages(&self) -> MutexGuard<'_, HashMap<StageUuid, Pass>> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ProgressLog {
    fn default() -> Self {
        ProgressLog::new()
    }
}

impl Pass {
    fn say(&mut self, what: &str) {
        self.said = Instant::now();
        let Counts { moved, stayed, gone, failed, failure_routed, .. } = self.counts;
        let (done, failed) = (self.counts.tasks(), failed + failure_routed);
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = done as f64 / seconds.max(0.001);
        let fetched = self.fetched;
        info!(stage = %self.title, "{what}: {done} of {fetched} fetched tasks done, {moved} moved, {stayed} stayed, \
            {gone} gone, {failed} failed, {rate:.1} tasks/s");
    }
}

impl Observer for ProgressLog {
    fn stage_started(&self, stage: &Stage) {
        let now = Instant::now();
        let (title, counts) = (stage.title.clone(), Counts::default());
        self.stages().insert(stage.uuid, Pass { title, counts, fetched: 0, started: now, said: now });
    }

    fn batch_started(&self, stage: &Stage, tasks: usize) {
        if let Some(pass) = self.stages().get_mut(&stage.uuid) {
            pass.fetched += tasks as u64;
        }
    }

    fn task_finished(&self, record: &TaskRecord) {
        if let Some(pass) = self.stages().get_mut(&record.stage) {
            pass.counts.add(record);
            if pass.said.elapsed() >= self.every {
                pass.say("working");
            }
        }
    }

    fn stage_finished(&self, stage: &Stage) {
        // A runner that polls would fill the log with passes that found nothing.
        if let Some(mut pass) = self.stages().remove(&stage.uuid)
            && pass.fetched > 0
        {
            pass.say("end of the pass");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use encord_client::AgentTask;

    use super::*;
    use crate::report::{Step, TaskOutcome};
    use crate::testing;

    /// Where log lines end up.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines of a pass over these tasks, the first of which fails.
    fn lines(every: Duration, tasks: usize) -> Vec<String> {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            let ctx = testing::context().build();
            let (stage, task): (&Stage, &AgentTask) = (ctx.stage(), ctx.task());
            let log = ProgressLog::new().with_interval(every);
            log.stage_started(stage);
            if tasks > 0 {
                log.batch_started(stage, tasks);
            }
            for number in 0..tasks {
                let mut record = TaskRecord::new(task, stage);
                if number == 0 {
                    record.outcome = TaskOutcome::Failed { error: "no".into(), step: Step::Agent };
                }
                log.task_finished(&record);
            }
            log.stage_finished(stage);
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn lines_come_now_and_then_and_at_the_end_of_a_pass_with_tasks() {
        let all = lines(Duration::ZERO, 3);
        assert_eq!(all.len(), 4, "{all:?}");
        assert!(all[0].contains("working: 1 of 3 fetched tasks done, 0 moved, 0 stayed, 0 gone, 1 failed"));
        assert!(all[3].contains("end of the pass: 3 of 3 fetched tasks done, 0 moved, 2 stayed"), "{all:?}");
        let last = lines(Duration::from_secs(3600), 3);
        assert!(last.len() == 1 && last[0].contains("end of the pass"), "{last:?}");
        assert!(lines(Duration::ZERO, 0).is_empty());
    }
}
