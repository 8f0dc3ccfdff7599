//! Waits for the platform's notice that tasks are ready, instead of asking for them every few minutes.
//!
//! ```sh
//! ENCORD_WEBHOOK_SECRET=... cargo run -p encord-examples --bin webhook_runner -- \
//!     --project-hash H --listen 0.0.0.0:8080
//! ```
//!
//! Prints the address it listens at. Every notice is checked (signature and age) before it wakes the runner; should
//! one be lost, the runner looks for tasks once an hour anyway (`--refresh-every`). Moves each task along the first
//! pathway of its stage.
#![allow(clippy::print_stdout, reason = "printing is what a command line tool does")]

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use encord_agents::prelude::*;
use encord_agents::runner::webhook::{self, WebhookVerifier};
use encord_examples::{agent_stages, exit_code, first_pathway, project_from_arguments};
use tokio::net::TcpListener;

async fn agent(stage: Stage) -> Result<Outcome> {
    first_pathway(&stage)
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<ExitCode> {
    let (mut rest, mut listen) = (Vec::new(), "127.0.0.1:8080".to_owned());
    let mut arguments = std::env::args();
    while let Some(argument) = arguments.next() {
        if argument == "--listen" {
            listen = arguments.next().context("--listen needs an address, such as 0.0.0.0:8080")?;
        } else {
            rest.push(argument);
        }
    }
    let project = project_from_arguments().await?;
    let mut runner = Runner::new()
        .with_project(project.clone())
        .configure(|options| options.refresh_every = Some(Duration::from_secs(3600)));
    for stage in agent_stages(&project) {
        runner = runner.stage(stage.uuid, agent);
    }
    let app = webhook::router(WebhookVerifier::from_env()?, runner.wake_handle());
    let listener = TcpListener::bind(&listen).await.with_context(|| format!("cannot listen at {listen}"))?;
    println!("listening on http://{}/", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(runner.run_cli_with(rest).await)
}
