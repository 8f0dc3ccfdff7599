//! A platform that misbehaves in every way the sandbox knows: every task ends done or reported, none moves twice,
//! no label is lost.
#![allow(clippy::unwrap_used)]

mod support;

use encord_runner::{LabelRow, Outcome, RunReport, StorageItem};
use encord_sandbox::{DropWhen, FaultRule};
use support::{World, images};

const TASKS: u64 = 60;

async fn agent(row: LabelRow, _item: StorageItem) -> Outcome {
    Outcome::to("complete").with_label_row(row).with_priority(0.5)
}

async fn run(world: &World) -> Result<RunReport, encord_runner::Error> {
    let small = |options: &mut encord_runner::RunOptions| {
        options.task_batch_size = 10;
        options.num_retries = 0;
    };
    world.runner().configure(small).stage("Agent 1", agent).run().await
}

/// Runs with a fault, checks what was reported against what the platform did, then runs without.
async fn survive(name: &str, rate: f64, fault: FaultRule) -> String {
    let world = images(TASKS).await;
    world.fault(FaultRule { endpoint: "*/public*".into(), rate, ..fault });
    let report = run(&world).await;
    world.sandbox.set_faults(encord_sandbox::FaultPlan::default()).unwrap();
    let state = world.state();
    let moved = state.tasks.iter().filter(|task| task.moved > 0).count() as u64;
    assert!(state.tasks.iter().all(|task| task.moved <= 1), "{name} {rate}: a task moved twice");
    let line = match &report {
        Ok(report) => {
            let counts = report.counts();
            let early = report.stages[0].error.is_some();
            assert!(
                counts.moved <= moved,
                "{name} {rate}: {} reported as moved, {moved} moved",
                counts.moved
            );
            assert!(early || counts.tasks() == TASKS, "{name} {rate}: {counts:?}");
            // Nobody else moves tasks here, so what moved unreported must at least be reported as a failed move.
            assert!(
                moved - counts.moved <= counts.failed + counts.gone,
                "{name} {rate}: {counts:?}, {moved} moved"
            );
            let early = if early { "listing failed" } else { "" };
            format!("{:>6} {:>6} {:>6} {early}", counts.moved, counts.failed, counts.gone)
        }
        Err(error) => format!("no task: {error}"),
    };
    for row in &state.rows {
        let task = state.tasks.iter().find(|task| task.data_hash == row.data_hash).unwrap();
        assert!(task.moved == 0 || row.saves > 0, "{name} {rate}: a task moved without its labels");
    }
    let rest = run(&world).await.unwrap();
    assert!(rest.is_success(), "{name} {rate}: {rest}");
    let state = world.state();
    assert!(state.tasks.iter().all(|task| task.moved == 1 && task.priority == Some(0.5)), "{name} {rate}");
    assert!(state.rows.iter().all(|row| row.saves >= 1), "{name} {rate}");
    format!("{name:24} {:>4.0}% {line}", rate * 100.0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_fault_is_survived() {
    let fault = FaultRule::default;
    let kinds = [
        ("500", FaultRule { status: Some(500), ..fault() }),
        ("503", FaultRule { status: Some(503), ..fault() }),
        ("429 with Retry-After", FaultRule { status: Some(429), retry_after: Some(0), ..fault() }),
        ("403", FaultRule { status: Some(403), ..fault() }),
        ("HTML", FaultRule { html: true, status: Some(502), ..fault() }),
        ("dropped before", FaultRule { drop: Some(DropWhen::Before), ..fault() }),
        ("dropped after", FaultRule { drop: Some(DropWhen::After), ..fault() }),
        ("cut off", FaultRule { truncate: true, ..fault() }),
        ("slow", FaultRule { latency_ms: 50, ..fault() }),
    ];
    let mut table =
        vec![format!("{:24} {:>5} {:>6} {:>6} {:>6}", "fault", "rate", "moved", "failed", "gone")];
    for (name, rule) in kinds {
        for rate in [0.05, 0.2] {
            table.push(survive(name, rate, rule.clone()).await);
        }
    }
    println!("{}", table.join("\n"));
}
