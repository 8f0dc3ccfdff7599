//! Where the logs and spans of a command-line program go.

use std::io::IsTerminal;
#[cfg(feature = "otlp")]
use std::io::Write;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Where logs and spans go.
pub(crate) struct Logs {
    #[cfg(feature = "otlp")]
    telemetry: Option<crate::telemetry::Telemetry>,
}

impl Logs {
    /// Logs to stderr, and sends spans to the collector of the environment, unless the program has its own subscriber.
    pub(crate) fn start(quiet: bool) -> Self {
        let default = if quiet { "error" } else { "warn,encord_runner=info" };
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
        let ansi = std::io::stderr().is_terminal();
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(ansi);
        let logs = tracing_subscriber::registry().with(lines.with_filter(filter));
        #[cfg(feature = "otlp")]
        {
            let telemetry = crate::telemetry::Telemetry::from_env().unwrap_or_else(|error| {
                complain(&error);
                None
            });
            let _ = logs.with(telemetry.as_ref().map(|telemetry| telemetry.layer())).try_init();
            Logs { telemetry }
        }
        #[cfg(not(feature = "otlp"))]
        {
            let _ = logs.try_init();
            Logs {}
        }
    }

    /// Sends what is left.
    pub(crate) async fn finish(self) {
        #[cfg(feature = "otlp")]
        if let Some(telemetry) = self.telemetry
            && let Err(error) = telemetry.finish().await
        {
            complain(&error);
        }
    }
}

/// Logs are not there yet, or not any more.
#[cfg(feature = "otlp")]
fn complain(error: &crate::Error) {
    let _ = writeln!(std::io::stderr(), "error: {error}");
}
