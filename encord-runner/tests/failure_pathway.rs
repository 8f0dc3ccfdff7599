//! Who leaves by the failure pathway and who stays, and what is written down about it.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use encord_client::{ItemUpdate, LabelRowFilter, StorageItem};
use encord_labels::id::{DataHash, TaskUuid};
use encord_runner::{
    AgentTask, BoxError, LabelRow, Outcome, Project, RunOptions, RunReport, Stage, Step, TaskOutcome,
};
use encord_sandbox::{FaultPlan, FaultRule, Sandbox};
use futures::TryStreamExt;
use serde_json::json;
use support::{ACTIONS, SAVE, World};

/// Three tasks at an agent stage from which `broken` leads to a stage for repairs.
async fn world() -> World {
    let builder = Sandbox::builder()
        .project("p")
        .stage_agent_to("Agent 1", [("complete", "Complete"), ("broken", "Repair")])
        .stage("ANNOTATION", "Repair")
        .images(3);
    World::start(builder).await
}

fn with_notes(options: &mut RunOptions) {
    options.failure_pathway = Some("broken".into());
    options.failure_note_key = Some("agent_error".into());
    options.failure_comment = true;
    options.num_retries = 1;
}

/// The data unit of a task and its storage item.
async fn data_of(world: &World, task: TaskUuid) -> (DataHash, StorageItem) {
    let rows = world.project.label_rows(&LabelRowFilter::new()).await.unwrap();
    let row = rows.iter().find(|row| row.metadata().task_uuid() == Some(task)).unwrap();
    let item = world.client.storage_item(row.metadata().backing_item_uuid().unwrap(), false).await.unwrap();
    (row.metadata().data_hash().parse().unwrap(), item)
}

async fn comments(world: &World, data: DataHash) -> Vec<String> {
    let issues: Vec<_> = world.project.issues(data).try_collect().await.unwrap();
    issues.into_iter().flat_map(|issue| issue.comments).map(|comment| comment.content).collect()
}

#[tokio::test]
async fn a_poisonous_task_leaves_and_says_why() {
    let world = world().await;
    let bad: TaskUuid = world.state().tasks[1].uuid.into();
    let (_, item) = data_of(&world, bad).await;
    let agent =
        move |task: AgentTask| async move { if task.uuid == bad { Err("poison") } else { Ok("complete") } };
    let known = json!({"camera": "north", "agent_error": "an older one"});
    let update = ItemUpdate::new().with_client_metadata(known.as_object().unwrap().clone());
    world.client.update_items([(item.uuid, update)]).await.unwrap();
    let report = world.runner().configure(with_notes).stage("Agent 1", agent).run().await.unwrap();
    assert_eq!(
        (report.counts().moved, report.counts().failure_routed, report.exit_code()),
        (2, 1, 1),
        "{report}"
    );
    let state = world.state();
    assert_eq!(state.tasks.iter().find(|task| task.stage == "Repair").unwrap().uuid, bad.uuid());
    let (data, item) = data_of(&world, bad).await;
    assert_eq!(item.client_metadata, json!({"camera": "north", "agent_error": "poison"}));
    assert_eq!(comments(&world, data).await, ["The agent failed: poison"]);
}

#[tokio::test]
async fn a_row_or_priority_that_is_always_refused_leaves_too() {
    let refusals = [
        (SAVE, FaultRule { code: Some("CORRUPTED_LABEL_ERROR".into()), ..FaultRule::default() }),
        ("POST */priorities", FaultRule { status: Some(422), ..FaultRule::default() }),
    ];
    for (endpoint, rule) in refusals {
        let world = world().await;
        world.fault(FaultRule { endpoint: endpoint.into(), ..rule });
        let agent = |row: LabelRow| async { Outcome::to("complete").with_label_row(row).with_priority(0.5) };
        let runner = || world.runner().stage("Agent 1", agent);
        let report = runner().run().await.unwrap();
        assert_eq!((report.counts().failed, world.at("Agent 1")), (3, 3), "{endpoint}: {report}");
        let report = runner().configure(with_notes).run().await.unwrap();
        assert_eq!((report.counts().failure_routed, world.at("Repair")), (3, 3), "{endpoint}: {report}");
        let error = report.records[0].error().unwrap();
        assert!(error.starts_with("could not s"), "{error}");
        let (_, item) = data_of(&world, report.records[0].task).await;
        assert_eq!(item.client_metadata["agent_error"], error);
    }
}

#[tokio::test]
async fn a_save_that_may_succeed_later_keeps_its_task() {
    for rule in [
        FaultRule { status: Some(503), ..FaultRule::default() },
        FaultRule { code: Some("AUTHORISATION_ERROR".into()), ..FaultRule::default() },
        FaultRule { html: true, status: Some(200), ..FaultRule::default() },
    ] {
        let world = world().await;
        world.fault(FaultRule { endpoint: SAVE.into(), ..rule });
        let agent = |row: LabelRow| async { Outcome::to("complete").with_label_row(row) };
        let report = world.runner().configure(with_notes).stage("Agent 1", agent).run().await.unwrap();
        assert_eq!((report.counts().failed, world.at("Agent 1")), (3, 3), "{report}");
        let is_save = |outcome: &TaskOutcome| matches!(outcome, TaskOutcome::Failed { step: Step::Save, .. });
        assert!(report.records.iter().all(|record| is_save(&record.outcome)), "{report}");
    }
}

#[tokio::test]
async fn an_outage_sends_no_task_away() {
    let world = world().await;
    let endpoint = "POST /public labelrowmetadata GET".into();
    world.fault(FaultRule { endpoint, code: Some("AUTHORISATION_ERROR".into()), ..FaultRule::default() });
    let runner = world.runner().configure(with_notes);
    let report = runner.stage("Agent 1", |_row: LabelRow| async { "complete" }).run().await.unwrap();
    assert_eq!((report.counts().failed, report.counts().retries), (3, 0), "{report}");
    // Nor when the agent itself asks, of another project say.
    let agent = |project: Project| async move {
        project.label_rows(&LabelRowFilter::new()).await?;
        Ok::<_, BoxError>("complete")
    };
    let report = world.runner().configure(with_notes).stage("Agent 1", agent).run().await.unwrap();
    assert_eq!((report.counts().failed, world.at("Agent 1")), (3, 3), "{report}");
}

#[tokio::test]
async fn a_move_that_fails_is_commented_on_only_when_it_succeeds() {
    let world = world().await;
    world.fault(FaultRule { endpoint: ACTIONS.into(), status: Some(503), ..FaultRule::default() });
    let runner =
        || world.runner().configure(with_notes).stage("Agent 1", || async { Err::<(), _>("poison") });
    let report = runner().run().await.unwrap();
    assert_eq!((report.counts().failed, world.at("Agent 1")), (3, 3), "{report}");
    world.sandbox.set_faults(FaultPlan::default()).unwrap();
    let report = runner().run().await.unwrap();
    assert_eq!(report.counts().failure_routed, 3, "{report}");
    for record in &report.records {
        assert_eq!(comments(&world, record.data_hash).await, ["The agent failed: poison"]);
    }
}

/// Runs an agent during whose work somebody else takes its task elsewhere, and labels it there.
async fn overtaken(recheck_after: Duration) -> (World, RunReport) {
    let world = world().await;
    let other: TaskUuid = world.state().tasks[1].uuid.into();
    let done = Arc::new(AtomicBool::new(false));
    let agent = move |project: Project, stage: Stage, row: LabelRow| {
        let first = !done.swap(true, Ordering::SeqCst);
        async move {
            if first {
                project.proceed(stage.uuid, &[(other, stage.pathways()[1].uuid)]).await.unwrap();
            }
            Outcome::to("complete").with_label_row(row)
        }
    };
    let runner = world.runner().configure(|options| options.recheck_after = recheck_after);
    let report = runner.stage("Agent 1", agent).run().await.unwrap();
    (world, report)
}

#[tokio::test]
async fn old_labels_are_not_saved_over_those_of_whoever_took_the_task() {
    let (world, report) = overtaken(Duration::ZERO).await;
    assert_eq!(
        (report.counts().moved, report.counts().gone, report.counts().labels_saved),
        (2, 1, 2),
        "{report}"
    );
    let state = world.state();
    let task = state.tasks.iter().find(|task| task.stage == "Repair").unwrap();
    let row = state.rows.iter().find(|row| row.data_hash == task.data_hash).unwrap();
    assert_eq!(row.saves, 0);
    // Fresh ones are not worth another request.
    let (_, report) = overtaken(Duration::from_secs(3600)).await;
    assert_eq!(
        (report.counts().moved, report.counts().gone, report.counts().labels_saved),
        (2, 1, 3),
        "{report}"
    );
}

#[tokio::test]
async fn labels_are_not_saved_when_nobody_can_say_where_the_task_is() {
    let world = world().await;
    let endpoint = "POST /public labelrowmetadata GET".into();
    world.fault(FaultRule { endpoint, after: 1, status: Some(503), ..FaultRule::default() });
    let agent = |row: LabelRow| async { Outcome::to("complete").with_label_row(row) };
    let runner = world.runner().configure(|options| options.recheck_after = Duration::ZERO);
    let report = runner.stage("Agent 1", agent).run().await.unwrap();
    assert_eq!((report.counts().failed, report.counts().labels_saved), (3, 0), "{report}");
    assert!(report.records[0].error().unwrap().contains("still at its stage"), "{report}");
}
