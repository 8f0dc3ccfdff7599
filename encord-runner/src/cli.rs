//! The command line of a runner: every option as a flag and as an environment variable.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use encord_labels::id::ProjectHash;

use crate::error::{Error, full_message};
use crate::logs::Logs;
use crate::progress_log::ProgressLog;
use crate::report::RunReport;
use crate::report_file::ReportFile;
use crate::sequential::{RunOptions, Runner};
use crate::stage::StageRef;

/// How long a program may take for its report after a hard stop, before it is ended in the middle of it.
pub(crate) const HARD_STOP_GRACE: Duration = Duration::from_secs(2);
/// The exit code after a hard stop.
pub(crate) const HARD_STOP_CODE: i32 = 1;

/// Runs the registered agents on the tasks of a project.
///
/// Key and domain come from ENCORD_SSH_KEY or ENCORD_SSH_KEY_FILE, and ENCORD_DOMAIN. SIGINT and SIGTERM finish
/// the running tasks, save what is done and report; a second signal stops at once.
///
/// Exit code: 0 when all went well or a first signal stopped the run, 1 when tasks failed or a second signal stopped
/// the run at once, 2 when the run could not start.
#[derive(Debug, Parser)]
#[command(name = "runner", verbatim_doc_comment)]
struct Arguments {
    /// The project to work on, if the program does not name one
    #[arg(long, env = "ENCORD_PROJECT_HASH", value_name = "UUID")]
    project_hash: Option<ProjectHash>,

    /// Work on this stage only (title or uuid), one pass
    #[arg(long, env = "ENCORD_STAGE", value_name = "STAGE")]
    stage: Option<String>,

    /// Look for new tasks every so many seconds; without it, one pass is made
    #[arg(long, env = "ENCORD_REFRESH_EVERY", value_name = "SECONDS", value_parser = seconds)]
    refresh_every: Option<Duration>,

    /// How often an agent is tried again after a failure [default: 3]
    #[arg(long, env = "ENCORD_NUM_RETRIES", value_name = "N")]
    num_retries: Option<u32>,

    /// The pause before the first retry; it doubles with each further one [default: 0.2]
    #[arg(long, env = "ENCORD_RETRY_BACKOFF", value_name = "SECONDS", value_parser = seconds)]
    retry_backoff: Option<Duration>,

    /// How many tasks are fetched together [default: 300]
    #[arg(long, env = "ENCORD_TASK_BATCH_SIZE", value_name = "N")]
    task_batch_size: Option<usize>,

    /// Work on at most so many tasks per stage and pass
    #[arg(long, env = "ENCORD_MAX_TASKS_PER_STAGE", value_name = "N")]
    max_tasks_per_stage: Option<usize>,

    /// Give up an attempt after so many seconds
    #[arg(long, env = "ENCORD_TASK_TIMEOUT", value_name = "SECONDS", value_parser = seconds)]
    task_timeout: Option<Duration>,

    /// How many agents run at the same time [default: 1]
    #[arg(long, env = "ENCORD_CONCURRENCY", value_name = "N")]
    concurrency: Option<usize>,

    /// Save and move when so many tasks are done [default: the batch size]
    #[arg(long, env = "ENCORD_FLUSH_TASKS", value_name = "N")]
    flush_tasks: Option<usize>,

    /// Save and move what is done at least every so many seconds [default: 10]
    #[arg(long, env = "ENCORD_FLUSH_EVERY", value_name = "SECONDS", value_parser = seconds)]
    flush_every: Option<Duration>,

    /// How many files are downloaded ahead of the running agents [default: 4]
    #[arg(long, env = "ENCORD_PREFETCH_ASSETS", value_name = "N")]
    prefetch_assets: Option<usize>,

    /// Download nothing ahead while so many bytes lie on disk [default: 2 GiB]
    #[arg(long, env = "ENCORD_PREFETCH_BYTES", value_name = "BYTES")]
    prefetch_bytes: Option<u64>,

    /// Refuse files of more bytes, which fails their tasks [default: 10 GiB]
    #[arg(long, env = "ENCORD_MAX_ASSET_BYTES", value_name = "BYTES")]
    max_asset_bytes: Option<u64>,

    /// Look whether a task is still at its stage before saving labels that were fetched so long ago [default: 10]
    #[arg(long, env = "ENCORD_RECHECK_AFTER", value_name = "SECONDS", value_parser = seconds)]
    recheck_after: Option<Duration>,

    /// Send tasks that failed for good along this pathway (name or uuid)
    #[arg(long, env = "ENCORD_FAILURE_PATHWAY", value_name = "PATHWAY")]
    failure_pathway: Option<String>,

    /// Write errors of such tasks into the client metadata of their storage items under this key
    #[arg(long, env = "ENCORD_FAILURE_NOTE_KEY", value_name = "KEY")]
    failure_note_key: Option<String>,

    /// Comment with the error on the data units of such tasks
    #[arg(long, env = "ENCORD_FAILURE_COMMENT")]
    failure_comment: bool,

    /// Append one line of JSON per task to this file
    #[arg(long, env = "ENCORD_REPORT", value_name = "FILE")]
    report: Option<PathBuf>,

    /// How many records of tasks are kept in memory for the table at the end; failures first [default: 10000]
    #[arg(long, env = "ENCORD_KEEP_RECORDS", value_name = "N")]
    keep_records: Option<usize>,

    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
}

impl Arguments {
    /// Changes those options that were given.
    fn apply(&self, options: &mut RunOptions) {
        options.refresh_every = self.refresh_every.or(options.refresh_every);
        options.num_retries = self.num_retries.unwrap_or(options.num_retries);
        options.task_batch_size = self.task_batch_size.unwrap_or(options.task_batch_size);
        options.max_tasks_per_stage = self.max_tasks_per_stage.or(options.max_tasks_per_stage);
        options.task_timeout = self.task_timeout.or(options.task_timeout);
        options.concurrency = self.concurrency.unwrap_or(options.concurrency);
        options.flush_tasks = self.flush_tasks.or(options.flush_tasks);
        options.flush_every = self.flush_every.unwrap_or(options.flush_every);
        options.prefetch_assets = self.prefetch_assets.unwrap_or(options.prefetch_assets);
        options.prefetch_bytes = self.prefetch_bytes.unwrap_or(options.prefetch_bytes);
        options.max_asset_bytes = self.max_asset_bytes.unwrap_or(options.max_asset_bytes);
        options.recheck_after = self.recheck_after.unwrap_or(options.recheck_after);
        options.retry_backoff = self.retry_backoff.unwrap_or(options.retry_backoff);
        options.keep_records = self.keep_records.unwrap_or(options.keep_records);
        if let Some(pathway) = &self.failure_pathway {
            options.failure_pathway = Some(pathway.as_str().into());
        }
        options.failure_comment |= self.failure_comment;
        if self.failure_note_key.is_some() {
            options.failure_note_key.clone_from(&self.failure_note_key);
        }
    }
}

impl<S: Send + Sync + 'static> Runner<S> {
    /// Runs as a command-line program: reads flags and environment variables over the options set in code, logs to
    /// stderr (`RUST_LOG` says how much), shows progress, stops on signals, prints the report.
    ///
    /// Returns 0 when all went well or a first signal stopped the run, 1 when tasks failed, 2 when the run could not
    /// start. A second signal, or [`StopHandle::stop_now`](crate::StopHandle::stop_now), ends the process with 1 after
    /// the report, without returning: a [`blocking`](crate::blocking) agent may be running that nothing can interrupt.
    /// `--help` explains every option.
    ///
    /// ```no_run
    /// # async fn agent() {}
    /// #[tokio::main]
    /// async fn main() -> std::process::ExitCode {
    ///     encord_runner::Runner::new().stage("Agent 1", agent).run_cli().await
    /// }
    /// ```
    pub async fn run_cli(self) -> ExitCode {
        self.run_cli_with(std::env::args_os()).await
    }

    /// As [`Runner::run_cli`], with these arguments; the first is the name of the program.
    pub async fn run_cli_with<I, T>(self, arguments: I) -> ExitCode
    where
        I: IntoIterator<Item = T>,
        T: Into<std::ffi::OsString> + Clone,
    {
        let arguments = match Arguments::try_parse_from(arguments) {
            Ok(arguments) => arguments,
            Err(error) => {
                let _ = error.print();
                return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
            }
        };
        self.stop_handle().exit_after_hard_stop(HARD_STOP_GRACE, HARD_STOP_CODE);
        #[cfg(feature = "progress")]
        let bars = (!arguments.quiet && std::io::stderr().is_terminal()).then(crate::progress::Progress::new);
        #[cfg(feature = "progress")]
        let logs = Logs::start_beside(arguments.quiet, bars.clone());
        #[cfg(not(feature = "progress"))]
        let logs = Logs::start(arguments.quiet);
        let mut runner = self;
        #[cfg(feature = "progress")]
        if let Some(bars) = bars {
            runner = runner.with_observer(bars);
        }
        if !arguments.quiet && !std::io::stderr().is_terminal() {
            runner = runner.with_observer(ProgressLog::new());
        }
        let mut aborted = false;
        let code = match runner.run_with_arguments(&arguments).await {
            Ok(report) => {
                say(&report.to_string());
                aborted = report.aborted;
                report.exit_code()
            }
            Err(error) => {
                complain(&full_message(&error));
                2
            }
        };
        logs.finish().await;
        if aborted {
            std::process::exit(HARD_STOP_CODE);
        }
        ExitCode::from(code)
    }

    async fn run_with_arguments(mut self, arguments: &Arguments) -> Result<RunReport, Error> {
        arguments.apply(&mut self.options);
        if let Some(path) = &arguments.report {
            self = self.with_observer(ReportFile::append(path.clone())?);
        }
        let runner = self.with_signals(true).for_project(arguments.project_hash)?;
        match &arguments.stage {
            Some(stage) => runner.run_stage(StageRef::from(stage.as_str())).await,
            None => runner.run().await,
        }
    }
}

/// A number of seconds, which may have a fraction.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| "expected a number of seconds, not below zero".to_owned())
}

/// Standard output may be closed early (`| head`), which is no reason to panic.
pub(crate) fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "error: {text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn flags_change_only_what_they_name() {
        let line = ["x", "--num-retries", "0", "--refresh-every", "2.5", "--max-tasks-per-stage", "7"];
        let mut options = RunOptions { concurrency: 3, ..RunOptions::default() };
        Arguments::try_parse_from(line).unwrap().apply(&mut options);
        assert_eq!(options.num_retries, 0);
        assert_eq!(options.refresh_every, Some(Duration::from_millis(2500)));
        assert_eq!(options.max_tasks_per_stage, Some(7));
        assert_eq!((options.concurrency, options.task_batch_size), (3, 300));
    }

    #[test]
    fn every_option_has_a_flag_and_a_variable() {
        let flags = "project-hash stage refresh-every num-retries retry-backoff task-batch-size max-tasks-per-stage \
                     task-timeout concurrency flush-tasks flush-every prefetch-assets prefetch-bytes max-asset-bytes \
                     recheck-after failure-pathway failure-note-key failure-comment report keep-records";
        let command = Arguments::command();
        for flag in flags.split_whitespace() {
            let argument = command.get_arguments().find(|argument| argument.get_long() == Some(flag));
            let variable = argument.and_then(|argument| argument.get_env()).and_then(|name| name.to_str());
            let expected = format!("ENCORD_{}", flag.replace('-', "_").to_uppercase());
            assert_eq!(variable, Some(expected.as_str()), "{flag}");
        }
    }

    #[test]
    fn limits_can_be_set() {
        let line = ["x", "--prefetch-bytes", "5", "--max-asset-bytes", "6", "--retry-backoff", "0.5"];
        let more = ["--keep-records", "8", "--recheck-after", "9", "--flush-every", "1e19"];
        let mut options = RunOptions::default();
        Arguments::try_parse_from(line.iter().chain(&more)).unwrap().apply(&mut options);
        assert_eq!((options.prefetch_bytes, options.max_asset_bytes, options.keep_records), (5, 6, 8));
        assert_eq!(options.retry_backoff, Duration::from_millis(500));
        assert_eq!(options.recheck_after, Duration::from_secs(9));
        assert!(options.validate().is_ok());
    }

    #[test]
    fn nonsense_is_refused() {
        for line in [["x", "--num-retries=-1"], ["x", "--task-timeout=-1"], ["x", "--project-hash=abc"]] {
            assert!(Arguments::try_parse_from(line).is_err(), "{line:?}");
        }
    }
}
