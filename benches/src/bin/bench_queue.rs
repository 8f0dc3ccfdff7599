//! Our side of the queue measurements.
//!
//! ```text
//! bench_queue enqueue QUEUE PROJECT_HASH STAGE       the tasks of a stage, from the platform's pages into a queue
//! bench_queue drive QUEUE PROJECT_HASH STAGE         the same, then two workers with two slots; only they are measured
//! bench_queue work QUEUE PROJECT_HASH STAGE          one of these workers; begins with a line on standard input
//! bench_queue handover QUEUE QUEUED COUNT            taking and answering COUNT tasks when so many are queued
//! ```

use std::io::Write;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use encord_agents::prelude::*;
use encord_agents::runner::blocking;
use encord_agents::runner::queue::{QueueId, QueueRunner, TaskCompletion, TaskSpec, WorkOptions, open};
use encord_benches::report;
use futures::{StreamExt, TryStreamExt};
use uuid::Uuid;

/// How long one task takes. A thread's sleep is exact where a timer of the runtime rounds up.
const TASK: Duration = Duration::from_millis(5);
/// Workers, and slots of each.
const WORKERS: usize = 2;
const SLOTS: usize = 2;
/// How many tasks are fetched and moved together.
const BATCH: usize = 50;

fn agent() -> &'static str {
    std::thread::sleep(TASK);
    "complete"
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["enqueue", queue, project, stage] => {
            let runner = runner(project, stage).await?;
            let queue = open(queue).await?;
            let start = Instant::now();
            let enqueued = runner.enqueue(&*queue, *stage).await?;
            report(start.elapsed());
            if enqueued.new == 0 {
                bail!("nothing was enqueued");
            }
        }
        ["drive", queue, project, stage] => drive(queue, project, stage).await?,
        ["work", queue, project, stage] => work(queue, project, stage).await?,
        ["handover", queue, queued, count] => handover(queue, queued.parse()?, count.parse()?).await?,
        other => bail!("no such measurement: {other:?}"),
    }
    Ok(())
}

async fn runner(project: &str, stage: &str) -> Result<QueueRunner> {
    let runner = Runner::new().with_project_hash(project.parse()?).stage(stage, blocking(agent));
    Ok(runner.into_queue().await?)
}

async fn drive(queue: &str, project: &str, stage: &str) -> Result<()> {
    let filled = open(queue).await?;
    let tasks = runner(project, stage).await?.enqueue(&*filled, stage).await?.new;
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["work", queue, project, stage]).stdin(Stdio::piped()).stdout(Stdio::null());
        workers.push(command.spawn()?);
    }
    // They connect and prepare meanwhile.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let start = Instant::now();
    for worker in &mut workers {
        writeln!(worker.stdin.take().context("a worker has no input")?, "go")?;
    }
    let ended: Vec<ExitStatus> = workers.iter_mut().map(|worker| worker.wait()).collect::<Result<_, _>>()?;
    let took = start.elapsed();
    if tasks == 0 || !ended.iter().all(ExitStatus::success) {
        bail!("{tasks} tasks were enqueued, and the workers ended with {ended:?}");
    }
    report(took);
    Ok(())
}

async fn work(queue: &str, project: &str, stage: &str) -> Result<()> {
    let runner = runner(project, stage).await?;
    let queue = open(queue).await?;
    std::io::stdin().read_line(&mut String::new())?;
    let options = WorkOptions {
        concurrency: SLOTS,
        batch: BATCH,
        until_empty: true,
        poll_every: Duration::from_millis(20),
        ..WorkOptions::default()
    };
    let report = runner.work(&*queue, options).await?;
    if report.failed > 0 {
        bail!("{report:?}");
    }
    Ok(())
}

/// Everything between the engine and the agent, without the platform.
async fn handover(queue: &str, queued: u64, count: usize) -> Result<()> {
    let queue = open(queue).await?;
    let id = QueueId { project: Uuid::from_u128(1).into(), stage: Uuid::from_u128(2).into() };
    let mut specs =
        futures::stream::iter(0..queued).map(|number| spec(Uuid::from_u128(number.into()))).chunks(500);
    while let Some(chunk) = specs.next().await {
        let chunk = chunk.into_iter().collect::<Result<Vec<TaskSpec>>>()?;
        queue.push(id, &chunk, "").await?;
    }
    let session = queue.listen(id, Duration::from_secs(30)).await?;
    let start = Instant::now();
    let mut answered = 0;
    while answered < count {
        let deliveries = session.take(BATCH.min(count - answered)).await?;
        if deliveries.is_empty() {
            bail!("the queue is empty after {answered}");
        }
        answered += deliveries.len();
        let done = deliveries.iter().map(|delivery| async move {
            let spec: TaskSpec = std::str::from_utf8(delivery.payload())?.parse()?;
            delivery.done(&TaskCompletion::stayed(spec.task(), id.stage)).await?;
            anyhow::Ok(())
        });
        done.collect::<futures::stream::FuturesUnordered<_>>().try_collect::<Vec<()>>().await?;
    }
    report(start.elapsed());
    Ok(())
}

fn spec(task: Uuid) -> Result<TaskSpec> {
    let json = format!(
        r#"{{"uuid":"{task}","created_at":"2025-03-04T10:20:30Z","updated_at":"2025-03-04T10:20:30Z","status":"NEW","data_hash":"{task}","data_title":"image.jpg","label_branch_name":"main","assignee":null,"last_actioned_by":null}}"#
    );
    Ok(json.parse()?)
}
