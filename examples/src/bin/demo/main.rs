//! Agents on media of every type, in a workflow served by a sandbox in this process; what `cargo xtask demo` runs.
//!
//! ```sh
//! cargo run -p encord-examples --bin demo -- --out target/demo --json target/demo/summary.json
//! ```
//!
//! Everything an agent does goes through HTTP: tasks, label rows, links and files come from the sandbox, labels,
//! priorities and moves go back to it. The report shows what the sandbox holds in the end.
#![allow(clippy::print_stdout, reason = "printing is what a command line tool does")]

mod agents;
mod drawing;
mod find;
mod gallery;
mod inputs;
mod report;
mod summary;
mod workflow;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use encord_agents::client::{Client, PrivateKey};
use encord_agents::labels::id::ProjectHash;
use encord_examples::samples::{self, Ids, Samples};
use encord_sandbox::{ProjectState, Sandbox, Seed};
use serde_json::Value;

use crate::gallery::Gallery;
use crate::report::Card;
use crate::summary::Summary;

/// Each data unit is in a project for the sequential runner and in one for the queue runner.
const PROJECTS: usize = 2;

#[derive(Parser)]
struct Arguments {
    /// The folder for the media and the report.
    #[arg(long, default_value = "target/demo")]
    out: PathBuf,
    /// Also write what happened as JSON to this file.
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut summary = Summary::default();
    let samples = make_samples(&arguments.out.join("media"), &mut summary)?;
    let sandbox = Sandbox::start(Seed::from_file(arguments.out.join("media/seed.json"))?).await?;
    println!("{} data units, served at {}\n", samples.items.len(), sandbox.url());
    let key = sandbox.private_key_openssh().context("the sandbox made no key")?;
    let client =
        Client::builder().private_key(PrivateKey::from_openssh(key, None)?).domain(sandbox.url()).build()?;

    let gallery = Gallery::default();
    let [first, second] = [Ids::SEQUENTIAL_PROJECT, Ids::QUEUE_PROJECT].map(str::parse);
    let (sequential, queued): (ProjectHash, ProjectHash) = (first?, second?);
    let report = agents::runner(&client, sequential, gallery.clone()).run().await?.to_string();
    println!("One after another:\n{report}");
    let queue = arguments.out.join("queue.db");
    let table =
        agents::run_through_queue(agents::runner(&client, queued, Gallery::default()), &queue).await?;
    println!("Through the queue in {}:\n{table}", queue.display());

    let mut cards = Vec::new();
    for project in [sequential, queued] {
        let state = sandbox.state_with_documents(project.into()).context("the sandbox has lost a project")?;
        summary.labels_saved += state.rows.iter().filter(|row| row.saves > 0).count() as u64;
        let of_project = self::cards(&state, &samples, &gallery);
        for card in &of_project {
            summary.ended(&card.kind, card.stage == workflow::DONE);
        }
        if project == sequential {
            cards = of_project;
        }
    }
    sandbox.stop().await;

    let skipped: Vec<_> = summary.skipped.iter().map(|(reason, count)| (reason.clone(), *count)).collect();
    let page = arguments.out.join("report.html");
    write(
        &page,
        &report::page(&format!("One after another\n{report}\nThrough a queue\n{table}"), &cards, &skipped),
    )?;
    if let Some(path) = &arguments.json {
        write(path, &(serde_json::to_string_pretty(&summary)? + "\n"))?;
    }
    let Summary { tasks, completed, failed, .. } = &summary;
    println!(
        "{tasks} tasks: {completed} completed, {failed} failed, {} left out",
        tasks - completed - failed
    );
    for (reason, count) in &skipped {
        println!("  left out: {count} × {reason}");
    }
    println!("see {}", page.display());
    Ok(if summary.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Makes the media and the seed; what cannot be made or decoded is left out of both projects.
fn make_samples(folder: &Path, summary: &mut Summary) -> Result<Samples> {
    let mut samples = samples::make(folder)?;
    if !agents::DECODE_VIDEO {
        let reason = "built without the feature `video`, which needs the development packages of FFmpeg";
        let is_video =
            |item: &Value| ["video", "image_sequence"].contains(&item["type"].as_str().unwrap_or_default());
        let with_video = samples.items.len();
        samples.items.retain(|item| !is_video(item));
        summary.skip(reason, PROJECTS * (with_video - samples.items.len()));
    }
    for (kind, reason) in &samples.left_out {
        println!("left out: {kind}, because {reason}");
        summary.skip(reason, PROJECTS);
    }
    let mut seed = samples::seed(&samples);
    seed["workflow_templates"][0]["stages"] = workflow::stages();
    write(&folder.join("seed.json"), &serde_json::to_string_pretty(&seed)?)?;
    Ok(samples)
}

/// One card per task, in the order of the samples.
fn cards(state: &ProjectState, samples: &Samples, gallery: &Gallery) -> Vec<Card> {
    let card = |item: &Value| {
        let title = item["name"].as_str().unwrap_or_default();
        let task = state.task(title)?;
        Some(Card {
            title: title.to_owned(),
            kind: item["type"].as_str().unwrap_or_default().to_owned(),
            stage: task.stage.clone(),
            document: state.row(title).and_then(|row| row.document.clone()).unwrap_or_default(),
            views: gallery.of(&task.data_hash.to_string()),
        })
    };
    samples.items.iter().filter_map(card).collect()
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
