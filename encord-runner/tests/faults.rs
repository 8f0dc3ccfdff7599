//! A platform that misbehaves in every way the sandbox knows: every task ends done or reported, none moves twice,
//! no label is lost.
//!
//! Each line of the printed table is one sandbox of its own. A first run meets the fault at the rate of the line, and
//! what it reported is compared with what the sandbox saw; a second run, without the fault, must finish the rest.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::HashSet;
use std::time::Duration;

use encord_client::Timeouts;
use encord_runner::{AgentTask, Asset, BoxError, LabelRow, Outcome, Project, RunReport, Stage};
use encord_sandbox::{DropWhen, FaultPlan, FaultRule, Sandbox};
use futures::StreamExt;
use support::World;

const TASKS: u64 = 40;
/// Requests that are silent for longer than this are given up, so that a stall costs a test little.
const PATIENCE: Duration = Duration::from_millis(1500);

/// What goes wrong in one line of the table.
#[derive(Clone)]
struct Kind {
    name: &'static str,
    fault: FaultRule,
    /// Somebody else moves tasks while they are worked on.
    rival: bool,
}

fn kinds() -> Vec<Kind> {
    let api = || FaultRule { endpoint: "*/public*".into(), ..FaultRule::default() };
    let files = || FaultRule { endpoint: "GET /_blobs/*".into(), ..FaultRule::default() };
    let kind = |name, fault| Kind { name, fault, rival: false };
    vec![
        kind("error 500", FaultRule { status: Some(500), ..api() }),
        kind("error 503", FaultRule { status: Some(503), ..api() }),
        kind("error 403", FaultRule { status: Some(403), ..api() }),
        kind("429, Retry-After 0", FaultRule { status: Some(429), retry_after: Some(0), ..api() }),
        kind("429, Retry-After 1 h", FaultRule { status: Some(429), retry_after: Some(3600), ..api() }),
        kind("HTML page", FaultRule { html: true, status: Some(502), ..api() }),
        kind("dropped before effect", FaultRule { drop: Some(DropWhen::Before), ..api() }),
        kind("dropped after effect", FaultRule { drop: Some(DropWhen::After), ..api() }),
        kind("stall", FaultRule { latency_ms: 2 * PATIENCE.as_millis() as u64, ..api() }),
        kind("truncated answer", FaultRule { truncate: true, ..api() }),
        kind("truncated file", FaultRule { truncate: true, ..files() }),
        kind("file server error", FaultRule { status: Some(500), ..files() }),
        kind("expired URL", FaultRule { expired: true, ..files() }),
        Kind { name: "moved by someone else", fault: FaultRule { rate: 0.0, ..api() }, rival: true },
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_fault_is_survived() {
    let lines = kinds().into_iter().flat_map(|kind| [0.05, 0.2].map(|rate| survive(kind.clone(), rate)));
    let lines: Vec<String> = futures::stream::iter(lines).buffered(6).collect().await;
    println!("{:24} {:>5} {:>6} {:>6} {:>6}  then all done", "fault", "rate", "moved", "failed", "gone");
    println!("{}", lines.join("\n"));
}

/// Runs with a fault, checks what was reported against what the platform did, then runs without.
async fn survive(kind: Kind, rate: f64) -> String {
    let name = format!("{:24} {:>4.0}%", kind.name, rate * 100.0);
    let world = World::start_with(labelled_images(), Timeouts::default().with_stall(PATIENCE)).await;
    let rivals = if kind.rival { every_nth(&world, (1.0 / rate) as usize) } else { HashSet::new() };
    // A rate of 0 is no fault at all.
    let rate = if kind.rival { 0.0 } else { rate };
    world.fault(FaultRule { rate, ..kind.fault });
    let report = run(&world, rivals.clone()).await;
    world.sandbox.set_faults(FaultPlan::default()).unwrap();
    let line = compare(&name, &world, &report, rivals.len() as u64);
    assert_nothing_lost(&name, &world, &rivals);
    let rest = run(&world, HashSet::new()).await.unwrap();
    assert!(rest.is_success(), "{name}: {rest}");
    assert_nothing_lost(&name, &world, &rivals);
    assert_eq!(world.at("Complete") as u64, TASKS, "{name}");
    line
}

fn labelled_images() -> encord_sandbox::SandboxBuilder {
    let builder = Sandbox::builder().project("p").ontology(support::weather());
    builder.stage_agent("Agent 1", ["complete"]).images(TASKS)
}

fn every_nth(world: &World, n: usize) -> HashSet<uuid::Uuid> {
    world.state().tasks.iter().step_by(n).map(|task| task.uuid).collect()
}

async fn run(world: &World, rivals: HashSet<uuid::Uuid>) -> Result<RunReport, encord_runner::Error> {
    let runner = world.runner().configure(|options| {
        options.task_batch_size = 10;
        options.num_retries = 1;
    });
    let agent = move |project: Project, stage: Stage, task: AgentTask, mut row: LabelRow, asset: Asset| {
        let rival = rivals.contains(&task.uuid.uuid());
        async move {
            assert!(std::fs::metadata(asset.path())?.len() > 0);
            support::describe(&mut row, task.uuid.to_string())?;
            if rival {
                project.proceed(stage.uuid, &[(task.uuid, stage.pathways()[0].uuid)]).await?;
            }
            Ok::<_, BoxError>(Outcome::to("complete").with_label_row(row).with_priority(0.5))
        }
    };
    runner.stage("Agent 1", agent).run().await
}

/// What was reported must be what happened.
fn compare(
    name: &str,
    world: &World,
    report: &Result<RunReport, encord_runner::Error>,
    by_rivals: u64,
) -> String {
    let state = world.state();
    let moved = state.tasks.iter().filter(|task| task.moved > 0).count() as u64 - by_rivals;
    let report = match report {
        Ok(report) => report,
        Err(error) => {
            assert_eq!(moved, 0, "{name}");
            return format!("{name}      0      0      0  no task listed: {error}");
        }
    };
    let counts = report.counts();
    let early = report.stages[0].error.is_some();
    assert!(counts.moved <= moved, "{name}: {} reported as moved, {moved} moved", counts.moved);
    assert!(early || counts.tasks() == TASKS, "{name}: {counts:?}");
    // Nobody but known rivals moves tasks here, so what moved unreported must at least be a reported failure.
    assert!(moved - counts.moved <= counts.failed + counts.gone, "{name}: {counts:?}, {moved} moved");
    let early = if early { "  the listing ended early" } else { "" };
    format!("{name} {:>6} {:>6} {:>6}{early}", counts.moved, counts.failed, counts.gone)
}

/// A task moves at most once, and never without its labels and its priority.
fn assert_nothing_lost(name: &str, world: &World, rivals: &HashSet<uuid::Uuid>) {
    let state = world.state();
    for task in &state.tasks {
        assert!(task.moved <= 1, "{name}: a task moved twice");
        if task.moved == 0 || rivals.contains(&task.uuid) {
            continue;
        }
        let row = state.rows.iter().find(|row| row.data_hash == task.data_hash).unwrap();
        let document = row.document.as_ref().unwrap().to_string();
        assert!(row.saves > 0 && document.contains(&task.uuid.to_string()), "{name}: a label is lost");
        assert_eq!(task.priority, Some(0.5), "{name}");
    }
}
