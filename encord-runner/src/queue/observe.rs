//! What a worker tells the outside: metrics of its queues and of each delivery. Spans and logs are where things
//! happen; this is what is counted. Without the feature `metrics` nothing is.

use std::time::Duration;

use encord_client::Stage;
use tracing::Span;

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
        WorkReport { handed_back: 1.., .. } => "handed_back",
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

/// The trace to send along with tasks that are enqueued in this span, in the form of the W3C's `traceparent` header:
/// the span's own where spans go to a collector, otherwise a new one.
pub(super) fn trace_of(span: &Span) -> String {
    exported(span)
        .unwrap_or_else(|| format!("00-{}-{:016x}-01", uuid::Uuid::new_v4().simple(), rand::random::<u64>()))
}

#[cfg(feature = "otlp")]
fn exported(span: &Span) -> Option<String> {
    use opentelemetry::trace::TraceContextExt;
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    let context = span.context();
    let context = context.span().span_context().clone();
    let flags = context.trace_flags().to_u8();
    context.is_valid().then(|| format!("00-{}-{}-{flags:02x}", context.trace_id(), context.span_id()))
}

#[cfg(not(feature = "otlp"))]
fn exported(_span: &Span) -> Option<String> {
    None
}

/// Links a span to those of the producers of its tasks.
#[cfg(feature = "otlp")]
pub(super) fn link<'a>(span: &Span, traces: impl Iterator<Item = &'a str>) {
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    let traces: std::collections::BTreeSet<&str> = traces.collect();
    traces.into_iter().filter_map(span_context).for_each(|producer| span.add_link(producer));
}

#[cfg(not(feature = "otlp"))]
pub(super) fn link<'a>(_span: &Span, _traces: impl Iterator<Item = &'a str>) {}

/// The span that a `traceparent` names.
#[cfg(feature = "otlp")]
fn span_context(trace: &str) -> Option<opentelemetry::trace::SpanContext> {
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
    let mut parts = trace.split('-').skip(1);
    let trace = TraceId::from_hex(parts.next()?).ok()?;
    let span = SpanId::from_hex(parts.next()?).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(parts.next()?, 16).ok()?);
    Some(SpanContext::new(trace, span, flags, true, TraceState::NONE))
}
