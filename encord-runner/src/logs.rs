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
            Some(bars) => Self::start_to(quiet, move || Beside::new(bars.clone(), std::io::stderr())),
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
struct Beside<W: Write> {
    bars: crate::Progress,
    to: W,
    line: Vec<u8>,
}

#[cfg(feature = "progress")]
impl<W: Write> Beside<W> {
    fn new(bars: crate::Progress, to: W) -> Self {
        Beside { bars, to, line: Vec::new() }
    }
}

#[cfg(feature = "progress")]
impl<W: Write> Write for Beside<W> {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        self.line.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() { Ok(()) } else { self.bars.suspend(|| self.to.write_all(&line)) }
    }
}

#[cfg(feature = "progress")]
impl<W: Write> Drop for Beside<W> {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

/// Logs are not there yet, or not any more.
#[cfg(feature = "otlp")]
fn complain(error: &crate::Error) {
    let _ = writeln!(std::io::stderr(), "error: {error}");
}

#[cfg(all(test, feature = "progress"))]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::{ProgressDrawTarget, TermLike};

    use super::*;
    use crate::report::Observer;
    use crate::{Progress, testing};

    /// A terminal that keeps what it is told.
    #[derive(Clone, Debug, Default)]
    struct Screen(Arc<Mutex<Vec<String>>>);

    impl Screen {
        fn note(&self, text: &str) -> io::Result<()> {
            self.0.lock().expect("no holder panics").push(text.to_owned());
            Ok(())
        }
    }

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.note(&String::from_utf8_lossy(bytes))?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            100
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.note(text)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.note(text)
        }

        fn clear_line(&self) -> io::Result<()> {
            self.note("<clear>")
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_line_is_written_whole_while_the_bars_are_away() {
        let screen = Screen::default();
        let bars = Progress::drawing_on(ProgressDrawTarget::term_like(Box::new(screen.clone())));
        let ctx = testing::context().with_stage("Pre-label", ["complete"]).build();
        bars.stage_started(ctx.stage());
        bars.batch_started(ctx.stage(), 3);
        bars.suspend(|| screen.0.lock().unwrap().clear());
        let mut line = Beside::new(bars.clone(), screen.clone());
        line.write_all(b"INFO a task ").unwrap();
        line.write_all(b"was moved\n").unwrap();
        drop(line);
        let said = screen.0.lock().unwrap().clone();
        let at = said.iter().position(|text| text.contains("INFO")).expect("the line is there");
        assert_eq!(said[at], "INFO a task was moved\n");
        assert!(said[..at].iter().any(|text| text == "<clear>"), "{said:?}");
        let drawn = |text: &String| text.contains("Pre-label");
        assert!(said[at..].iter().any(drawn), "the bars come back: {said:?}");
        let cleared = said[..at].iter().rposition(|text| text == "<clear>");
        assert!(cleared >= said[..at].iter().rposition(drawn), "nothing is drawn between: {said:?}");
        bars.stage_finished(ctx.stage());
    }
}
