//! Counters and histograms through the `metrics` facade, for Prometheus or whatever the program exports to.

use encord_client::Stage;
use metrics::{counter, gauge, histogram};

use crate::report::{Observer, TaskOutcome, TaskRecord};

/// Records what happens to tasks. Install an exporter for the `metrics` facade (for Prometheus,
/// `metrics-exporter-prometheus`) to see it.
///
/// | Metric | Kind | Labels |
/// |---|---|---|
/// | `encord_tasks_total` | counter | `stage`, `outcome` |
/// | `encord_task_retries_total` | counter | `stage` |
/// | `encord_labels_saved_total` | counter | `stage` |
/// | `encord_task_seconds` | histogram | `stage` |
/// | `encord_batch_tasks` | gauge | `stage`; the size of the last batch |
///
/// ```
/// let runner = encord_runner::Runner::new().with_observer(encord_runner::Metrics);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Metrics;

impl Observer for Metrics {
    fn batch_started(&self, stage: &Stage, tasks: usize) {
        gauge!("encord_batch_tasks", "stage" => stage.uuid.to_string()).set(tasks as f64);
    }

    fn task_finished(&self, record: &TaskRecord) {
        let stage = record.stage.to_string();
        let outcome = match record.outcome {
            TaskOutcome::Moved { .. } => "moved",
            TaskOutcome::Stayed => "stayed",
            TaskOutcome::Gone => "gone",
            TaskOutcome::Rejected => "rejected",
            TaskOutcome::Failed { .. } => "failed",
            TaskOutcome::FailureRouted { .. } => "failure_routed",
        };
        counter!("encord_tasks_total", "stage" => stage.clone(), "outcome" => outcome).increment(1);
        let retries = u64::from(record.attempts.saturating_sub(1));
        counter!("encord_task_retries_total", "stage" => stage.clone()).increment(retries);
        counter!("encord_labels_saved_total", "stage" => stage.clone())
            .increment(u64::from(record.labels_saved));
        histogram!("encord_task_seconds", "stage" => stage).record(record.duration.as_secs_f64());
    }
}
