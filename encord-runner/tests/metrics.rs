//! What the observer for the `metrics` facade counts, as an exporter would see it.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use encord_runner::{AgentTask, LabelRow, Metrics, Outcome};
use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use support::images;

/// Keeps counters and gauges by name and labels; of histograms, how many values they got.
#[derive(Default)]
struct Kept(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

struct Values(Arc<AtomicU64>);

impl HistogramFn for Values {
    fn record(&self, value: f64) {
        assert!((0.0..60.0).contains(&value), "{value}");
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Kept {
    fn at(&self, key: &Key) -> Arc<AtomicU64> {
        let labels = key.labels().filter(|label| label.key() != "stage").map(|label| label.value());
        let name = [key.name()].into_iter().chain(labels).collect::<Vec<_>>().join(" ");
        assert!(key.labels().any(|label| label.key() == "stage"), "{name}");
        Arc::clone(self.0.lock().unwrap().entry(name).or_default())
    }

    fn value(&self, name: &str) -> u64 {
        self.0.lock().unwrap()[name].load(Ordering::SeqCst)
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.at(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.at(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Values(self.at(key))))
    }
}

async fn run() {
    let world = images(5).await;
    let [bad, lazy] = [0, 1].map(|index| world.state().tasks[index].uuid);
    let agent = move |task: AgentTask, row: LabelRow| async move {
        match task.uuid.uuid() {
            uuid if uuid == bad => Err("no"),
            uuid if uuid == lazy => Ok(Outcome::stay()),
            _ => Ok(Outcome::to("complete").with_label_row(row)),
        }
    };
    let runner = world.runner().with_observer(Metrics).configure(|options| options.num_retries = 2);
    runner.stage("Agent 1", agent).run().await.unwrap();
}

#[test]
fn every_task_is_counted_by_its_outcome() {
    let kept = Kept::default();
    // The recorder is that of this thread, so everything has to happen on it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&kept, || runtime.block_on(run()));
    for (outcome, expected) in [("moved", 3), ("stayed", 1), ("failed", 1)] {
        assert_eq!(kept.value(&format!("encord_tasks_total {outcome}")), expected, "{outcome}");
    }
    assert_eq!(kept.value("encord_task_retries_total"), 2);
    assert_eq!(kept.value("encord_labels_saved_total"), 3);
    assert_eq!(kept.value("encord_task_seconds"), 5);
    assert_eq!(f64::from_bits(kept.value("encord_batch_tasks")), 5.0);
}
