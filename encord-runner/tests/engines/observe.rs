//! What a worker tells the outside: metrics, and spans that lead from a job to its producer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use encord_runner::AgentTask;
use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder};
use metrics::{SharedString, Unit};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tracing_subscriber::layer::SubscriberExt;

use crate::place::Place;
use crate::suite::until_empty;
use crate::support::images;

/// The values of all metrics by name and labels: sums of counters, last values of gauges, numbers of observations.
#[derive(Clone, Default)]
struct Values(Arc<Mutex<BTreeMap<String, f64>>>);

/// One metric.
struct Value(Values, String);

impl Value {
    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut values = (self.0).0.lock().unwrap();
        let value = values.entry(self.1.clone()).or_default();
        *value = change(*value);
    }
}

impl CounterFn for Value {
    fn increment(&self, by: u64) {
        self.change(|value| value + by as f64);
    }
    fn absolute(&self, to: u64) {
        self.change(|_| to as f64);
    }
}

impl GaugeFn for Value {
    fn increment(&self, by: f64) {
        self.change(|value| value + by);
    }
    fn decrement(&self, by: f64) {
        self.change(|value| value - by);
    }
    fn set(&self, to: f64) {
        self.change(|_| to);
    }
}

impl HistogramFn for Value {
    fn record(&self, _value: f64) {
        self.change(|count| count + 1.0);
    }
}

impl Values {
    fn of(&self, key: &Key) -> Arc<Value> {
        let labels: Vec<_> = key
            .labels()
            .filter(|label| label.key() == "outcome")
            .map(|label| label.value().to_owned())
            .collect();
        let name = [vec![key.name().to_owned()], labels].concat().join(" ");
        Arc::new(Value(self.clone(), name))
    }

    fn get(&self, name: &str) -> Option<f64> {
        self.0.lock().unwrap().get(name).copied()
    }
}

impl Recorder for Values {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.of(key))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.of(key))
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.of(key))
    }
}

#[tokio::test]
async fn deliveries_and_depths_are_measured() {
    let values = Values::default();
    let _recording = metrics::set_default_local_recorder(&values);
    let world = images(4).await;
    let place = Place::file().unwrap();
    let queue = place.open_with(2).await;
    let bad = world.state().tasks[0].uuid;
    let flaky = world.state().tasks[1].uuid;
    let calls = Arc::new(AtomicUsize::new(0));
    let agent = move |task: AgentTask| {
        let fails = task.uuid.uuid() == bad
            || (task.uuid.uuid() == flaky && calls.fetch_add(1, Ordering::SeqCst) == 0);
        async move { if fails { Err("no") } else { Ok("complete") } }
    };
    let runner = world.runner().configure(|options| options.num_retries = 0).stage("Agent 1", agent);
    let runner = runner.into_queue().await.unwrap();
    runner.enqueue(&*queue, "Agent 1").await.unwrap();
    let report = runner.work(&*queue, until_empty()).await.unwrap();
    assert_eq!((report.done, report.failed, report.dead), (3, 3, 1), "{report:?}");
    let check = |name: &str, expected: f64| assert_eq!(values.get(name), Some(expected), "{name}");
    check("encord_queue_deliveries_total done", 3.0);
    check("encord_queue_deliveries_total failed", 2.0);
    check("encord_queue_deliveries_total dead", 1.0);
    check("encord_queue_retries_total", 2.0);
    check("encord_queue_redeliveries_total", 2.0);
    check("encord_queue_task_seconds", 6.0);
    // Measured at least once, at the beginning.
    check("encord_queue_dead", 0.0);
    assert!(values.get("encord_queue_waiting").is_some() && values.get("encord_queue_running").is_some());
    assert!(values.get("encord_queue_oldest_seconds").is_some());
}

/// Keeps the spans that end.
#[derive(Clone, Debug, Default)]
struct Spans(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Spans {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().append(&mut batch);
        Ok(())
    }
}

#[tokio::test]
async fn a_job_is_linked_to_its_producer() {
    let spans = Spans::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    // As long as there is but one subscriber in a program, spans that another thread enters first, where there is none,
    // count as unwanted for good. This one wants nothing, but is a second.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let _subscribed = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let world = images(2).await;
    let place = Place::file().unwrap();
    let queue = place.open().await;
    let runner = world.runner().stage("Agent 1", || async { "complete" }).into_queue().await.unwrap();
    runner.enqueue(&*queue, "Agent 1").await.unwrap();
    assert_eq!(runner.work(&*queue, until_empty()).await.unwrap().done, 2);
    provider.force_flush().unwrap();
    let spans = spans.0.lock().unwrap();
    let of = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let (producer, jobs) = (of("enqueue"), of("job"));
    assert_eq!((producer.len(), jobs.len(), of("task").len()), (1, 2, 2));
    let context = &producer[0].span_context;
    for job in jobs {
        let link = &job.links.iter().next().expect("the job has a link").span_context;
        assert_eq!((link.trace_id(), link.span_id()), (context.trace_id(), context.span_id()));
        assert!(link.is_remote());
        let trace = job.attributes.iter().find(|field| field.key.as_str() == "trace").unwrap();
        assert!(trace.value.as_str().contains(&context.trace_id().to_string()), "{trace:?}");
    }
}
