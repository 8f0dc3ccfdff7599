//! The sequential runner on the sandbox when nothing goes wrong.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use encord_runner::extract::FromRef;
use encord_runner::{
    AgentTask, Asset, BoxError, Client, Error, FromTask, LabelRow, LabelRowMetadata, Needs, Outcome, Project,
    ReportFile, Runner, Stage, StageOptions, State, StorageItem, TaskContext, TaskOutcome, blocking,
};
use encord_sandbox::Sandbox;
use support::{World, images, is_moved};

async fn everything(task: AgentTask, row: LabelRow, item: StorageItem) -> Outcome {
    assert_eq!(row.metadata().data_hash(), task.data_hash.to_string());
    assert_eq!(row.metadata().backing_item_uuid(), Some(item.uuid));
    assert!(item.signed_url.is_some());
    Outcome::to("complete").with_label_row(row).with_priority(0.25)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_task_is_done_once_in_few_requests() {
    let world = images(520).await;
    let report = world.runner().stage("Agent 1", everything).run().await.unwrap();
    assert_eq!((report.counts().moved, report.counts().labels_saved, report.exit_code()), (520, 520, 0));
    let state = world.state();
    assert_eq!(state.tasks_per_stage["Complete"], 520);
    assert!(state.tasks.iter().all(|task| task.moved == 1 && task.priority == Some(0.25)));
    assert!(state.rows.iter().all(|row| row.saves == 1));
    let requests = world.requests();
    assert!(requests <= 20, "{requests} requests for two batches: {:#?}", world.sandbox.requests());
}

#[tokio::test]
async fn nothing_is_saved_that_the_agent_did_not_return() {
    let world = images(3).await;
    async fn agent(_row: LabelRow) -> Option<&'static str> {
        None
    }
    let report = world.runner().stage("Agent 1", agent).run().await.unwrap();
    assert_eq!(report.counts().stayed, 3);
    assert!(
        report.records.iter().all(|record| record.outcome == TaskOutcome::Stayed && !record.labels_saved)
    );
    assert!(world.state().rows.iter().all(|row| row.saves == 0));
    assert_eq!(world.at("Agent 1"), 3);
}

#[tokio::test]
async fn the_limit_of_tasks_is_exact() {
    let world = images(9).await;
    let limited = |options: &mut encord_runner::RunOptions| {
        options.max_tasks_per_stage = Some(5);
        options.task_batch_size = 2;
    };
    let report =
        world.runner().configure(limited).stage("Agent 1", || async { "complete" }).run().await.unwrap();
    assert_eq!(report.counts().tasks(), 5);
    assert_eq!(world.at("Complete"), 5);
}

#[tokio::test]
async fn a_priority_needs_no_label_row_and_may_be_zero() {
    let world = images(2).await;
    let agent = || async { Outcome::stay().with_priority(0.0) };
    let report = world.runner().stage("Agent 1", agent).run().await.unwrap();
    assert!(report.is_success(), "{report}");
    assert!(world.state().tasks.iter().all(|task| task.priority == Some(0.0)));
    let names: Vec<_> = world.sandbox.requests().endpoints.into_keys().collect();
    assert!(!names.iter().any(|name| name.contains("labelrow")), "{names:?}");
}

#[tokio::test]
async fn stages_run_in_order_and_by_title_or_uuid() {
    let builder =
        Sandbox::builder().project("p").stage_agent("First", ["on"]).stage_agent("Second", ["on"]).images(4);
    let world = World::start(builder).await;
    let second = world.project.stages()[1].uuid;
    let order = Arc::new(Mutex::new(Vec::new()));
    async fn note(stage: Stage, State(order): State<Arc<Mutex<Vec<String>>>>) -> &'static str {
        order.lock().unwrap().push(stage.title);
        "on"
    }
    let runner = world.runner().with_state(Arc::clone(&order));
    let report = runner.stage("First", note).stage(second, note).run().await.unwrap();
    assert_eq!(report.stages.len(), 2);
    assert_eq!(*order.lock().unwrap(), [["First"; 4], ["Second"; 4]].concat());
    assert_eq!(world.at("Complete"), 4);
}

#[tokio::test]
async fn one_stage_runs_alone() {
    let builder = Sandbox::builder().project("p").stage_agent("A", ["on"]).stage_agent("B", ["on"]).images(2);
    let world = World::start(builder).await;
    let agent = || async { "on" };
    let runner = || world.runner().stage("A", agent).stage("Nowhere", agent);
    let report = runner().run_stage("A").await.unwrap();
    assert_eq!((report.stages.len(), world.at("B")), (1, 2));
    let error = runner().run_stage("B").await.unwrap_err();
    assert!(
        matches!(&error, Error::NotRegistered { registered, .. } if registered.contains("\"A\"")),
        "{error}"
    );
}

/// Lower-case titles, counted in the state.
struct Title(String);

#[derive(Clone)]
struct App {
    calls: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct Calls(Arc<AtomicUsize>);

impl FromRef<App> for Calls {
    fn from_ref(app: &App) -> Self {
        Calls(Arc::clone(&app.calls))
    }
}

impl FromTask<App> for Title {
    const NEEDS: Needs = <(LabelRowMetadata, State<Calls>) as FromTask<App>>::NEEDS;
    type Rejection = BoxError;

    async fn from_task(ctx: &TaskContext, app: &App) -> Result<Self, BoxError> {
        let (metadata, State(calls)): (LabelRowMetadata, State<Calls>) = ctx.extract(app).await?;
        // Shared by all extractors of the task, so it is made once.
        let title = ctx
            .shared(async {
                calls.0.fetch_add(1, Ordering::SeqCst);
                Ok::<_, BoxError>(metadata.data_title().to_lowercase())
            })
            .await?;
        Ok(Title(title.to_string()))
    }
}

#[tokio::test]
async fn custom_extractors_nest_and_share() {
    let world = images(3).await;
    let app = App { calls: Arc::default() };
    async fn agent(a: Title, (b, _project): (Title, Project), _client: Client) -> &'static str {
        assert_eq!(a.0, b.0);
        "complete"
    }
    let report = world.runner().with_state(app.clone()).stage("Agent 1", agent).run().await.unwrap();
    assert!(report.is_success(), "{report}");
    assert_eq!(app.calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn sixteen_parameters_and_blocking_agents_work() {
    type T = AgentTask;
    #[allow(clippy::too_many_arguments)]
    fn agent(
        _: T,
        _: T,
        _: T,
        _: T,
        _: T,
        _: T,
        _: T,
        _: T,
        _: T,
        _: T,
        _: T,
        _: T,
        _: T,
        _: T,
        _: T,
        task: T,
    ) -> String {
        assert!(!task.data_title.is_empty());
        "complete".to_owned()
    }
    let world = images(2).await;
    let report = world.runner().stage("Agent 1", blocking(agent)).run().await.unwrap();
    assert!(report.records.iter().all(|record| is_moved(&record.outcome)), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn assets_are_fetched_once_and_removed() {
    let world = images(6).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    async fn agent(
        a: Asset,
        b: Asset,
        State(seen): State<Arc<Mutex<Vec<std::path::PathBuf>>>>,
    ) -> &'static str {
        assert_eq!(a.path(), b.path());
        assert_eq!(std::fs::metadata(a.path()).unwrap().len(), a.item().file_size.unwrap());
        let mut seen = seen.lock().unwrap();
        seen.push(a.path().to_owned());
        assert!(seen.len() != 3, "the third task panics");
        "complete"
    }
    let runner = world.runner().with_state(Arc::clone(&seen)).configure(|options| options.num_retries = 0);
    let report = runner.stage("Agent 1", agent).run().await.unwrap();
    assert_eq!(
        (report.counts().moved, report.counts().failed),
        (2, 4),
        "a poisoned lock fails the rest: {report}"
    );
    let seen = seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    assert!(seen.iter().all(|path| !path.exists()), "{seen:?}");
    let counts = world.sandbox.requests().endpoints;
    let downloads: u64 =
        counts.iter().filter(|(name, _)| name.contains("blob")).map(|(_, endpoint)| endpoint.count).sum();
    assert_eq!(downloads, 6, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_agents_run_at_the_same_time() {
    let world = images(20).await;
    #[derive(Clone, Default)]
    struct Gauge(Arc<AtomicUsize>, Arc<AtomicUsize>);
    async fn agent(State(Gauge(now, most)): State<Gauge>) -> &'static str {
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        now.fetch_sub(1, Ordering::SeqCst);
        "complete"
    }
    let run = async |concurrency: usize| {
        let gauge = Gauge::default();
        let limited = |options: &mut encord_runner::RunOptions| {
            options.concurrency = concurrency;
            options.max_tasks_per_stage = Some(10);
        };
        let runner = world.runner().configure(limited).with_state(gauge.clone());
        assert!(runner.stage("Agent 1", agent).run().await.unwrap().is_success());
        gauge.1.load(Ordering::SeqCst)
    };
    assert_eq!(run(1).await, 1);
    assert_eq!(run(4).await, 4);
    assert_eq!(world.at("Complete"), 20);
}

#[tokio::test]
async fn polling_finds_new_tasks_and_stops_gently() {
    let world = images(2).await;
    let runner = world.runner().configure(|options| options.refresh_every = Some(Duration::from_secs(3600)));
    let (wake, stop) = (runner.wake_handle(), runner.stop_handle());
    let passes = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&passes);
    let agent = move |_: AgentTask| {
        // Two tasks that stay are seen in every pass.
        let seen = count.fetch_add(1, Ordering::SeqCst) + 1;
        if seen == 2 {
            wake.notify_one();
        }
        if seen == 3 {
            stop.stop();
        }
        async {}
    };
    let report = runner.stage("Agent 1", agent).run().await.unwrap();
    assert!(report.stopped && report.is_success());
    assert_eq!((passes.load(Ordering::SeqCst), report.counts().stayed), (3, 3));
}

#[tokio::test]
async fn the_report_goes_to_a_file_line_by_line() {
    let world = images(3).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.jsonl");
    let agent = |task: AgentTask| async move {
        if task.data_title.contains('1') { Err("odd") } else { Ok("complete") }
    };
    let runner = world.runner().configure(|options| options.num_retries = 1);
    let report =
        runner.with_observer(ReportFile::create(&path).unwrap()).stage("Agent 1", agent).run().await.unwrap();
    let lines = std::fs::read_to_string(&path).unwrap();
    let records: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len(), 3);
    let failed = records.iter().filter(|record| record["outcome"] == "failed").count();
    assert_eq!(failed as u64, report.counts().failed);
    let failed = records.iter().find(|record| record["outcome"] == "failed").unwrap();
    assert_eq!(
        (&failed["error"], &failed["step"], &failed["attempts"]),
        (&"odd".into(), &"agent".into(), &2.into())
    );
}

#[tokio::test]
async fn the_set_up_is_checked_before_any_task() {
    let world = images(1).await;
    let agent = || async { "complete" };
    let refused = async |runner: Runner| runner.run().await.unwrap_err().to_string();
    let check = |error: String, parts: &[&str]| {
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    };
    let uuid = world.project.stages()[0].uuid;
    check(
        refused(world.runner().stage("agent1", agent)).await,
        &["did you mean \"Agent 1\"?", &uuid.to_string()],
    );
    check(refused(world.runner().stage("Complete", agent)).await, &["no agent stage \"Complete\""]);
    check(refused(world.runner().stage("Agent 1", agent).stage(uuid, agent)).await, &["has two agents"]);
    check(refused(world.runner()).await, &["no agent is registered"]);
    check(refused(Runner::new().stage("Agent 1", agent)).await, &["no project"]);
    let zero = world.runner().configure(|options| options.task_batch_size = 0).stage("Agent 1", agent);
    check(refused(zero).await, &["task_batch_size", "at least 1"]);
    let pathway = world.runner().configure(|options| options.failure_pathway = Some("complet".into()));
    check(
        refused(pathway.stage("Agent 1", agent)).await,
        &["no pathway \"complet\", did you mean \"complete\"?"],
    );
    let other = world
        .runner()
        .stage("Agent 1", agent)
        .run_on("566bf9d7-c55a-45f8-91a6-e55e9b9b1325".parse().unwrap());
    check(other.await.unwrap_err().to_string(), &["is bound to project", "566bf9d7"]);
    let replaced = StageOptions::default().with_overwrite(true);
    let runner = world.runner().stage("Agent 1", || async { "nowhere" }).stage_with(uuid, replaced, agent);
    assert_eq!(runner.run().await.unwrap().counts().moved, 1);
}
