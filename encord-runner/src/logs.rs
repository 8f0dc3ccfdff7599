//! Where the logs and spans of a command-line program go.

use std::io::IsTerminal;
#[cfg(any(feature = "otlp", feature = "progress"))]
use std::io::Write;

use tracing_subscriber::fmt::MakeWriter;
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
        Self::start_to(quiet, std::io::stderr)
    }

    /// As [`Logs::start`], on a terminal that may also show progress bars.
    #[cfg(feature = "progress")]
    pub(crate) fn start_beside(quiet: bool, bars: Option<crate::Progress>) -> Self {
        match bars {
            Some(bars) => Self::start_to(quiet, move || Beside { bars: bars.clone(), line: Vec::new() }),
            None => Self::start(quiet),
        }
    }

    fn start_to<W>(quiet: bool, writer: W) -> Self
    where
        W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
    {
        let default = if quiet { "error" } else { "warn,encord_runner=info" };
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
        let ansi = std::io::stderr().is_terminal();
        let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(ansi);
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

/// Writes one line, however many pieces it comes in, while the bars are taken away.
#[cfg(feature = "progress")]
struct Beside {
    bars: crate::Progress,
    line: Vec<u8>,
}

#[cfg(feature = "progress")]
impl Write for Beside {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        self.line.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() { Ok(()) } else { self.bars.suspend(|| std::io::stderr().write_all(&line)) }
    }
}

#[cfg(feature = "progress")]
impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

/// Logs are not there yet, or not any more.
#[cfg(feature = "otlp")]
fn complain(error: &crate::Error) {
    let _ = writeln!(std::io::stderr(), "error: {error}");
}
