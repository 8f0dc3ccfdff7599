//! The command line of a queue: one program that fills it, works on it, and looks after it.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use encord_client::Stage;
use encord_labels::id::ProjectHash;
use futures::TryStreamExt;
use serde_json::{Value, json};

use super::engine::{Engine, OpenOptions, QueueId, open_with};
use super::work::{WorkOptions, WorkReport};
use super::{QueueRunner, follow};
use crate::cli::{complain, say, seconds};
use crate::error::{Error, full_message};
use crate::logs::Logs;
use crate::sequential::Runner;
use crate::stage::StageRef;

/// Sends the tasks of a project through a queue to any number of workers.
///
/// A first round on one machine, with a file as the queue:
///
///   PROGRAM enqueue --project-hash H --queue tasks.db
///   PROGRAM work    --project-hash H --queue tasks.db --until-empty --concurrency 4
///   PROGRAM status  --project-hash H --queue tasks.db
///
/// With `--queue nats://HOST:4222` (in builds that have it) workers may be on many machines. Commands can be repeated
/// and interrupted as you like: a task that is in the queue already is not put in twice, and a task whose worker died
/// is given to another. Tasks that fail too often are put aside; `dead list` shows why, `dead retry` sends them
/// again.
///
/// Key and domain come from ENCORD_SSH_KEY or ENCORD_SSH_KEY_FILE, and ENCORD_DOMAIN.
///
/// Exit code: 0 when all went well, 1 when tasks were given up or a dead task that was named is not there, 2 when the
/// command could not start or go on.
#[derive(Debug, Parser)]
#[command(name = "runner", verbatim_doc_comment)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    place: Place,
}

/// What every command needs to know.
#[derive(Debug, Args)]
struct Place {
    /// The project, if the program does not name one
    #[arg(long, env = "ENCORD_PROJECT_HASH", value_name = "UUID", global = true)]
    project_hash: Option<ProjectHash>,

    /// The queue: the path of a file, or nats://HOST:PORT (several servers of a cluster separated by commas)
    #[arg(long, env = "ENCORD_QUEUE", value_name = "URL-OR-FILE", global = true)]
    queue: Option<String>,

    /// Only this stage (title or uuid) [default: every stage the program has an agent for]
    #[arg(long, value_name = "STAGE", global = true)]
    stage: Option<String>,

    /// How often a task is delivered before it is put aside [default: 5]. A file takes it from `enqueue`, a server
    /// from `work`
    #[arg(long, env = "ENCORD_QUEUE_MAX_DELIVERIES", value_name = "N", global = true)]
    max_deliveries: Option<u32>,

    /// A file with the credentials of a server, as `nsc` writes it
    #[arg(long, env = "ENCORD_QUEUE_CREDENTIALS", value_name = "FILE", global = true)]
    credentials: Option<std::path::PathBuf>,

    /// Write the result as one line of JSON
    #[arg(long, global = true)]
    json: bool,

    /// Log errors only
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Put the tasks that are at the stages now into the queue
    Enqueue,
    /// Work on queued tasks; the first SIGINT or SIGTERM finishes the running ones, the second stops at once
    Work(Work),
    /// Show how many tasks wait, run, are done and are dead, and how fast they get done
    Status,
    /// Look after the tasks that were given up
    #[command(subcommand)]
    Dead(Dead),
    /// Print the completions of done tasks, one line of JSON each, as Python's TaskCompletionResult reads them
    Results {
        /// Begin after this position [default: at the beginning]
        #[arg(long, value_name = "POSITION", default_value_t = 0, hide_default_value = true)]
        after: u64,
        /// Wait for more when all are printed
        #[arg(long)]
        follow: bool,
    },
}

#[derive(Debug, Args)]
struct Work {
    /// End when nothing waits and nothing runs, here or elsewhere
    #[arg(long)]
    until_empty: bool,

    /// How many tasks, or batches of tasks, are worked on at the same time
    #[arg(long, env = "ENCORD_CONCURRENCY", value_name = "N", default_value_t = 1)]
    concurrency: usize,

    /// How many tasks are fetched and moved together
    #[arg(long, value_name = "N", default_value_t = 1)]
    batch: usize,

    /// After so many seconds without a sign of life a worker counts as dead; use the same for all workers. Tasks
    /// may take longer [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    lease: Option<Duration>,

    /// The pause before a failed task is delivered again; it doubles each time [default: 1]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    retry_pause: Option<Duration>,

    /// How long the queue may be out of reach before the worker ends [default: 300]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    patience: Option<Duration>,
}

#[derive(Debug, Subcommand)]
enum Dead {
    /// Show them with their last error
    List {
        /// At most so many per stage
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
    },
    /// Put them back into the queue, with all their deliveries
    Retry(Which),
    /// Forget them; the tasks stay at their stage and can be enqueued again
    Drop(Which),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The keys that `dead list` shows, usually the uuids of the tasks
    #[arg(value_name = "KEY")]
    keys: Vec<String>,
    /// All of them
    #[arg(long)]
    all: bool,
}

impl Work {
    fn options(&self) -> WorkOptions {
        let default = WorkOptions::default();
        WorkOptions {
            concurrency: self.concurrency,
            batch: self.batch,
            until_empty: self.until_empty,
            lease: self.lease.unwrap_or(default.lease),
            poll_every: default.poll_every,
            retry_pause: self.retry_pause.unwrap_or(default.retry_pause),
            patience: self.patience.unwrap_or(default.patience),
        }
    }
}

impl<S: Send + Sync + 'static> Runner<S> {
    /// Runs as a command-line program around a queue: `enqueue`, `work`, `status`, `dead list|retry|drop`, `results`.
    /// `--help` explains each.
    ///
    /// Returns 0 when all went well, 1 when tasks were given up or a dead task that was named is not there, 2 when the
    /// command could not start or go on.
    ///
    /// ```no_run
    /// # async fn agent() {}
    /// #[tokio::main]
    /// async fn main() -> std::process::ExitCode {
    ///     encord_runner::Runner::new().stage("Agent 1", agent).run_queue_cli().await
    /// }
    /// ```
    pub async fn run_queue_cli(self) -> ExitCode {
        self.run_queue_cli_with(std::env::args_os()).await
    }

    /// As [`Runner::run_queue_cli`], with these arguments; the first is the name of the program.
    pub async fn run_queue_cli_with<I, T>(self, arguments: I) -> ExitCode
    where
        I: IntoIterator<Item = T>,
        T: Into<OsString> + Clone,
    {
        let arguments = match Arguments::try_parse_from(arguments) {
            Ok(arguments) => arguments,
            Err(error) => {
                let _ = error.print();
                return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
            }
        };
        let logs = Logs::start(arguments.place.quiet);
        let code = self.run_queue_command(&arguments).await.unwrap_or_else(|error| {
            complain(&full_message(&error));
            ExitCode::from(2)
        });
        logs.finish().await;
        code
    }

    async fn run_queue_command(self, arguments: &Arguments) -> Result<ExitCode, Error> {
        let Place { project_hash, queue, stage, max_deliveries, credentials, json, .. } = &arguments.place;
        let address = queue.as_deref().ok_or_else(|| Error::InvalidOption {
            option: "queue",
            problem: "name a queue with --queue or ENCORD_QUEUE: a file, or nats://HOST:PORT".to_owned(),
        })?;
        let options = OpenOptions { max_deliveries: *max_deliveries, credentials_file: credentials.clone() };
        let queue = open_with(address, &options).await?;
        let only = stage.as_deref().map(StageRef::from);
        let runner = self.with_signals(true).for_project(*project_hash)?.into_queue_of(only).await?;
        let desk = Desk { runner, queue, json: *json };
        match &arguments.command {
            Command::Enqueue => desk.enqueue().await,
            Command::Work(work) => desk.work(work.options()).await,
            Command::Status => desk.status().await,
            Command::Dead(Dead::List { limit }) => desk.list_dead(*limit).await,
            Command::Dead(Dead::Retry(which)) => desk.retry_dead(which).await,
            Command::Dead(Dead::Drop(which)) => desk.drop_dead(which).await,
            Command::Results { after, follow } => desk.results(*after, *follow).await,
        }
    }
}

/// Where commands are carried out.
struct Desk {
    runner: QueueRunner,
    queue: Box<dyn Engine>,
    json: bool,
}

impl Desk {
    async fn enqueue(&self) -> Result<ExitCode, Error> {
        let (mut lines, mut new, mut known) = (Vec::new(), 0, 0);
        for stage in self.runner.agent_stages() {
            let enqueued = self.runner.enqueue(&*self.queue, stage.uuid).await?;
            new += enqueued.new;
            known += enqueued.known;
            lines.push(of_stage(stage, json!({"new": enqueued.new, "known": enqueued.known})));
        }
        let text = format!("{new} tasks put into the queue, {known} were there already\n");
        self.print(json!({"new": new, "known": known, "stages": lines}), &text);
        Ok(ExitCode::SUCCESS)
    }

    async fn work(&self, options: WorkOptions) -> Result<ExitCode, Error> {
        let report = self.runner.work(&*self.queue, options).await?;
        let WorkReport { done, failed, handed_back, dead, redelivered } = report;
        let text = format!(
            "{done} done, {failed} failed, {handed_back} handed back, {dead} dead, {redelivered} redelivered\n"
        );
        self.print(json!(report), &text);
        Ok(if dead == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    async fn status(&self) -> Result<ExitCode, Error> {
        let mut lines = Vec::new();
        let mut text = format!(
            "{:24} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}\n",
            "stage", "waiting", "running", "done", "dead", "oldest", "per s"
        );
        for stage in self.runner.agent_stages() {
            let status = self.queue.status(self.runner.queue_id(stage.uuid)?).await?;
            let oldest = status.oldest_seconds.map_or_else(|| "–".to_owned(), |age| format!("{age} s"));
            text += &format!(
                "{:24} {:>9} {:>9} {:>9} {:>9} {oldest:>9} {:>9.1}\n",
                stage.title, status.waiting, status.running, status.done, status.dead, status.rate
            );
            lines.push(of_stage(stage, json!(status)));
        }
        self.print(json!({"stages": lines}), &text);
        Ok(ExitCode::SUCCESS)
    }

    async fn list_dead(&self, limit: usize) -> Result<ExitCode, Error> {
        let mut lines = Vec::new();
        let mut text = String::new();
        for stage in self.runner.agent_stages() {
            for dead in self.queue.dead(self.runner.queue_id(stage.uuid)?, limit).await? {
                let first = dead.error.lines().next().unwrap_or_default();
                text += &format!("{}  {} deliveries  {}: {first}\n", dead.key, dead.deliveries, stage.title);
                lines.push(of_stage(stage, json!(dead)));
            }
        }
        if text.is_empty() {
            text.push_str("no task was given up\n");
        }
        self.print(json!({"dead": lines}), &text);
        Ok(ExitCode::SUCCESS)
    }

    async fn retry_dead(&self, which: &Which) -> Result<ExitCode, Error> {
        let retry = async |id, key: Option<&str>| self.queue.retry_dead(id, key).await;
        self.change_dead(which, retry, "retried", "put back into the queue").await
    }

    async fn drop_dead(&self, which: &Which) -> Result<ExitCode, Error> {
        let forget = async |id, key: Option<&str>| self.queue.drop_dead(id, key).await;
        self.change_dead(which, forget, "dropped", "dropped").await
    }

    /// A key that is not there is a failure; having none to change is not.
    async fn change_dead(
        &self,
        which: &Which,
        change: impl AsyncFn(QueueId, Option<&str>) -> Result<u64, Error>,
        name: &str,
        words: &str,
    ) -> Result<ExitCode, Error> {
        let mut count = 0;
        let mut missing = Vec::new();
        for key in which.selected() {
            let before = count;
            for stage in self.runner.agent_stages() {
                count += change(self.runner.queue_id(stage.uuid)?, key).await?;
            }
            missing.extend(key.filter(|_| count == before));
        }
        let mut text = format!("{count} dead tasks {words}\n");
        for key in &missing {
            text += &format!("not among the dead: {key}\n");
        }
        self.print(json!({name: count, "missing": missing}), &text);
        Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    async fn results(&self, after: u64, wait: bool) -> Result<ExitCode, Error> {
        let print = async |completion: super::Completion| {
            say(&format!("{}\n", completion.json));
            Ok(())
        };
        let stages: Vec<&Stage> = self.runner.agent_stages().collect();
        if wait {
            let all = stages.iter().map(|stage| {
                let id = self.runner.queue_id(stage.uuid)?;
                let poll_every = WorkOptions::default().poll_every;
                Ok(Box::pin(follow(&*self.queue, id, after, poll_every)))
            });
            let all = all.collect::<Result<Vec<_>, Error>>()?;
            futures::stream::select_all(all).try_for_each(print).await?;
            return Ok(ExitCode::SUCCESS);
        }
        for stage in stages {
            let id = self.runner.queue_id(stage.uuid)?;
            let mut after = after;
            loop {
                let page = self.queue.completions(id, after, 500).await?;
                let Some(last) = page.last() else { break };
                after = last.position;
                for completion in page {
                    print(completion).await?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn print(&self, value: Value, text: &str) {
        if self.json { say(&format!("{value}\n")) } else { say(text) }
    }
}

impl Which {
    /// `None` stands for all.
    fn selected(&self) -> Vec<Option<&str>> {
        if self.all { vec![None] } else { self.keys.iter().map(|key| Some(key.as_str())).collect() }
    }
}

/// A JSON object with its stage in front.
fn of_stage(stage: &Stage, value: Value) -> Value {
    let mut line = json!({"stage": stage.title, "stage_uuid": stage.uuid});
    if let (Some(line), Value::Object(fields)) = (line.as_object_mut(), value) {
        line.extend(fields);
    }
    line
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
    fn commands_are_read() {
        let read = |line: &str| Arguments::try_parse_from(line.split(' ')).map(|read| read.command);
        let work = read("x work --queue q --until-empty --concurrency 3 --batch 7 --lease 4.5").unwrap();
        let Command::Work(work) = work else { panic!("not work") };
        let options = work.options();
        assert!(options.until_empty);
        assert_eq!((options.concurrency, options.batch), (3, 7));
        assert_eq!(options.lease, Duration::from_millis(4500));
        assert!(matches!(
            read("x dead retry --all"),
            Ok(Command::Dead(Dead::Retry(Which { all: true, .. })))
        ));
        for wrong in ["x", "x dead", "x dead retry", "x dead drop --all key", "x work --lease -1", "x jump"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
