//! Spans of batches, tasks and attempts as OpenTelemetry traces, sent to a collector by OTLP over HTTP.
//!
//! [`Runner::run_cli`](crate::Runner::run_cli) does this by itself when `OTEL_EXPORTER_OTLP_ENDPOINT` is set. Programs
//! with a subscriber of their own add the layer:
//!
//! ```no_run
//! use encord_runner::telemetry::Telemetry;
//! use tracing_subscriber::layer::SubscriberExt;
//! use tracing_subscriber::util::SubscriberInitExt;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let telemetry = Telemetry::to("http://localhost:4318")?;
//! tracing_subscriber::registry().with(telemetry.layer()).try_init()?;
//! // ... run ...
//! telemetry.finish().await?;
//! # Ok(()) }
//! ```
//!
//! Every task is a span `task` with the attributes `uuid` and `data_hash`, within `batch` or `stage`; every attempt is
//! a span `attempt` within it. Headers (`OTEL_EXPORTER_OTLP_HEADERS`), the name of the service (`OTEL_SERVICE_NAME`,
//! otherwise `encord-runner`) and limits come from the variables that OpenTelemetry defines.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use crate::error::Error;

/// How long the collector may take for one request, and all that is left at the end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to a collector of traces. Spans are sent in the background; nothing waits for the collector until
/// [`Telemetry::finish`].
#[derive(Clone, Debug)]
pub struct Telemetry {
    provider: SdkTracerProvider,
}

impl Telemetry {
    /// Sends to the collector that `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or `OTEL_EXPORTER_OTLP_ENDPOINT` names;
    /// `None` if neither is set.
    ///
    /// # Errors
    /// [`Error::Telemetry`] for an address that is none.
    pub fn from_env() -> Result<Option<Self>, Error> {
        let set = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        if let Some(exact) = set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
            return Self::to_exactly(&exact).map(Some);
        }
        set("OTEL_EXPORTER_OTLP_ENDPOINT").map(|base| Self::to(&base)).transpose()
    }

    /// Sends to the collector at this address, for example `http://localhost:4318`.
    ///
    /// # Errors
    /// [`Error::Telemetry`] for an address that is none.
    pub fn to(endpoint: &str) -> Result<Self, Error> {
        Self::to_exactly(&format!("{}/v1/traces", endpoint.trim_end_matches('/')))
    }

    fn to_exactly(url: &str) -> Result<Self, Error> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client()?)
            .with_endpoint(url)
            .build()
            .map_err(|error| Error::Telemetry(format!("cannot send to {url}: {error}")))?;
        let mut resource = Resource::builder();
        if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name("encord-runner");
        }
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_batch_exporter(exporter)
            .build();
        Ok(Telemetry { provider })
    }

    /// The layer that turns spans into traces: those of this crate, and those of others of level info or above.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let mut targets =
            Targets::new().with_default(LevelFilter::INFO).with_target("encord_runner", LevelFilter::DEBUG);
        // What sends the traces must not make more of them.
        for sender in ["hyper", "reqwest", "rustls", "opentelemetry"] {
            targets = targets.with_target(sender, LevelFilter::OFF);
        }
        tracing_opentelemetry::layer().with_tracer(self.provider.tracer("encord-runner")).with_filter(targets)
    }

    /// Sends what is left.
    ///
    /// # Errors
    /// [`Error::Telemetry`] when the collector did not take it in ten seconds.
    pub async fn finish(self) -> Result<(), Error> {
        let sent = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(PATIENCE)).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Error::Telemetry(format!("the last spans were not sent: {error}"))),
            Err(error) => Err(Error::Telemetry(format!("the last spans were not sent: {error}"))),
        }
    }
}

/// The exporter sends from a thread of its own, so its client blocks. Such a client can't be made within a runtime.
fn client() -> Result<reqwest::blocking::Client, Error> {
    let build = || {
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let builder = reqwest::blocking::Client::builder().tls_backend_preconfigured(tls).timeout(PATIENCE);
        builder.build().map_err(|error| error.to_string())
    };
    let built =
        std::thread::spawn(build).join().unwrap_or_else(|_| Err("the TLS library panicked".to_owned()));
    built.map_err(|problem| Error::Telemetry(format!("cannot make an HTTP client: {problem}")))
}
