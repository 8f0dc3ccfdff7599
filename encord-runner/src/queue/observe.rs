//! What a worker tells the outside: metrics of its queues and of each delivery. Spans and logs are where things
//! happen; this is what is counted. Without the feature `metrics` nothing is.

use std::time::Duration;

use encord_client::Stage;

use super::engine::{Delivery, Engine, QueueId};
use super::work::WorkReport;

/// How often the queues are measured.
#[cfg(feature = "metrics")]
const WATCH_EVERY: Duration = Duration::from_secs(10);

/// Measures the queues now and then, for ever.
#[cfg(feature = "metrics")]
pub(super) async fn watch(queue: &dyn Engine, ids: Vec<QueueId>) {
    use metrics::gauge;
    loop {
        for id in &ids {
            // A queue that does not answer is the worker's business, not that of its gauges.
            let Ok(status) = queue.status(*id).await else { continue };
            let set = |name: &'static str, value: f64| {
                gauge!(name, "project" => id.project.to_string(), "stage" => id.stage.to_string()).set(value);
            };
            set("encord_queue_waiting", status.waiting as f64);
            set("encord_queue_running", status.running as f64);
            set("encord_queue_dead", status.dead as f64);
            set("encord_queue_oldest_seconds", status.oldest_seconds.unwrap_or_default() as f64);
        }
        tokio::time::sleep(WATCH_EVERY).await;
    }
}

#[cfg(not(feature = "metrics"))]
pub(super) async fn watch(_queue: &dyn Engine, _ids: Vec<QueueId>) {
    std::future::pending().await
}

/// Counts a delivery and the time its task took, its share of the batch it was in.
#[cfg(feature = "metrics")]
pub(super) fn answered(stage: &Stage, delivery: &dyn Delivery, answer: &WorkReport, took: Duration) {
    use metrics::{counter, histogram};
    let stage = stage.uuid.to_string();
    let outcome = match answer {
        WorkReport { dead: 1.., .. } => "dead",
        WorkReport { failed: 1.., .. } => "failed",
        WorkReport { done: 1.., .. } => "done",
        _ => "unacknowledged",
    };
    counter!("encord_queue_deliveries_total", "stage" => stage.clone(), "outcome" => outcome).increment(1);
    if outcome == "failed" {
        counter!("encord_queue_retries_total", "stage" => stage.clone()).increment(1);
    }
    if delivery.delivered_before() > 0 {
        counter!("encord_queue_redeliveries_total", "stage" => stage.clone()).increment(1);
    }
    histogram!("encord_queue_task_seconds", "stage" => stage).record(took.as_secs_f64());
}

#[cfg(not(feature = "metrics"))]
pub(super) fn answered(_stage: &Stage, _delivery: &dyn Delivery, _answer: &WorkReport, _took: Duration) {}
