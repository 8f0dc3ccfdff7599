//! One process among those that are killed: a sequential runner, or a queue worker that also fills the queue.

use std::time::Duration;

use anyhow::{Context, Result};
use encord_agents::client::{Client, PrivateKey};
use encord_agents::prelude::*;
use encord_agents::runner::ReportFile;
use encord_agents::runner::queue::{self, WorkOptions};

use crate::agent::{STAGE, agent};

/// The variables that tell a worker where to work.
pub(crate) const URL: &str = "SOAK_URL";
pub(crate) const KEY: &str = "SOAK_KEY";
pub(crate) const PROJECT: &str = "SOAK_PROJECT";
pub(crate) const QUEUE: &str = "SOAK_QUEUE";
pub(crate) const REPORT: &str = "SOAK_REPORT";

/// What a worker is.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// The sequential runner, for ever.
    Sequential,
    /// A queue worker, for ever.
    Queue,
    /// The sequential runner until the stage is empty.
    Last,
}

/// Works until stopped.
pub(crate) async fn run(kind: Kind) -> Result<()> {
    let client = Client::builder()
        .domain(variable(URL)?)
        .private_key(PrivateKey::from_openssh(&variable(KEY)?, None)?)
        .build()?;
    let runner = Runner::new()
        .with_client(client)
        .with_project_hash(variable(PROJECT)?.parse()?)
        .with_signals(true)
        .configure(|options| {
            options.task_batch_size = 20;
            options.flush_tasks = Some(5);
            options.task_timeout = Some(Duration::from_secs(10));
            options.retry_backoff = Duration::from_millis(20);
            options.refresh_every = (kind == Kind::Sequential).then_some(Duration::from_millis(500));
        })
        .with_observer(ReportFile::create(variable(REPORT)?)?)
        .stage(STAGE, agent);
    if kind != Kind::Queue {
        // What fails for good is in the report; the supervisor looks at the platform.
        runner.run().await?;
        return Ok(());
    }
    let queue = queue::open(&variable(QUEUE)?).await?;
    let runner = runner.into_queue().await?;
    let fill = async {
        loop {
            // A listing that fails half-way is made again; what is queued already is not queued twice.
            if let Err(error) = runner.enqueue(&*queue, STAGE).await {
                eprintln!("cannot enqueue: {error}");
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let options = WorkOptions {
        concurrency: 2,
        batch: 4,
        lease: Duration::from_secs(3),
        poll_every: Duration::from_millis(50),
        retry_pause: Duration::from_millis(100),
        ..WorkOptions::default()
    };
    tokio::select! {
        worked = runner.work(&*queue, options) => worked.map(drop)?,
        () = fill => {}
    }
    Ok(())
}

fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set; workers are started by the supervisor"))
}
