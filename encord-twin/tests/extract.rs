//! Twins as parameters of agents, run by the sequential runner on the sandbox.

#![allow(clippy::unwrap_used)]

mod world;

use encord_labels::id::ProjectHash;
use encord_runner::{AgentTask, BoxError, Error, FromRef, LabelRow, Outcome, Project, Runner, testing};
use encord_sandbox::{FaultPlan, FaultRule};
use encord_twin::extract::{Twin, TwinOf};
use encord_twin::{Mapping, transfer};

use crate::world::{DATASET, EXPERTS, OWN, TWIN, data, world};

struct Model;
struct Experts;

#[derive(Clone)]
struct App {
    model: TwinOf<Model>,
    experts: TwinOf<Experts>,
}

impl FromRef<App> for TwinOf<Model> {
    fn from_ref(app: &App) -> Self {
        app.model.clone()
    }
}

impl FromRef<App> for TwinOf<Experts> {
    fn from_ref(app: &App) -> Self {
        app.experts.clone()
    }
}

fn model() -> TwinOf<Model> {
    TwinOf::new(TWIN.parse().unwrap())
}

fn app() -> App {
    App { model: model(), experts: TwinOf::new(EXPERTS.parse().unwrap()) }
}

fn runner(project: &Project) -> Runner {
    Runner::new().with_project(project.clone()).configure(|options| options.num_retries = 0)
}

#[tokio::test]
async fn agents_see_the_twin_of_their_task_and_save_it() {
    async fn agent(task: AgentTask, mut row: LabelRow, twin: Option<Twin<Model>>) -> Option<Outcome> {
        let twin = twin?;
        assert_eq!(twin.row.metadata().data_hash(), task.data_hash.to_string());
        assert!(twin.task.is_some());
        let report = transfer(&twin.row, &mut row, &Mapping::new()).unwrap();
        assert!(report.is_complete());
        Some(Outcome::to("complete").with_label_row(row).with_beside(twin.save()))
    }
    let (sandbox, own, _) = world(4).await;
    let report = runner(&own).with_state(model()).stage("Agent 1", agent).run().await.unwrap();
    assert_eq!((report.counts().moved, report.counts().stayed), (4, 2), "{report}");
    let twin = sandbox.state(TWIN.parse().unwrap()).unwrap();
    assert!(twin.rows.len() == 4 && twin.rows.iter().all(|row| row.saves == 1));
    let own = sandbox.state(OWN.parse().unwrap()).unwrap();
    assert_eq!(own.rows.iter().filter(|row| row.saves == 1).count(), 4);
}

#[tokio::test]
async fn several_twins_of_a_batch_cost_the_same_requests_whatever_its_size() {
    async fn agent(model: Option<Twin<Model>>, experts: Option<Twin<Experts>>) -> Result<Outcome, BoxError> {
        let (Some(model), Some(experts)) = (model, experts) else { return Ok(Outcome::to("complete")) };
        assert!(model.task != experts.task);
        let outcome = Outcome::to("complete").with_beside(model.save());
        Ok(outcome.with_beside(experts.save_and_proceed("complete")?))
    }
    let mut requests = Vec::new();
    for images in [3, 100, 298] {
        let (sandbox, own, _) = world(images).await;
        sandbox.reset_counters();
        let report = runner(&own).with_state(app()).stage("Agent 1", agent).run().await.unwrap();
        assert_eq!(report.counts().moved, images as u64 + 2, "{report}");
        requests.push(sandbox.requests().total.count);
        for twin in [TWIN, EXPERTS] {
            let twin = sandbox.state(twin.parse().unwrap()).unwrap();
            assert!(twin.rows.len() == images && twin.rows.iter().all(|row| row.saves == 1));
        }
        let experts = sandbox.state(EXPERTS.parse().unwrap()).unwrap();
        assert_eq!(experts.tasks_per_stage["Complete"], images);
    }
    println!("requests: {requests:?}");
    // Tasks are listed a hundred at a time, because their data hashes are part of the address.
    assert!(requests.iter().all(|count| *count <= requests[0] + 8), "{requests:?}");
    assert!(requests[2] < 40, "{requests:?}");
}

#[tokio::test]
async fn a_task_moves_only_if_its_twin_was_saved() {
    async fn agent(twin: Twin<Model>) -> Outcome {
        Outcome::to("complete").with_beside(twin.save())
    }
    let (sandbox, own, _) = world(2).await;
    let twin_only = FaultRule {
        endpoint: "POST /public labelrow POST".into(),
        status: Some(400),
        ..FaultRule::default()
    };
    sandbox.set_faults(FaultPlan { seed: 1, rules: vec![twin_only] }).unwrap();
    let report = runner(&own).with_state(model()).stage("Agent 1", agent).run().await.unwrap();
    assert_eq!((report.counts().moved, report.counts().failed), (0, 4), "{report}");
    let error = report
        .failures()
        .find_map(|task| task.error().filter(|error| error.contains("could not save")))
        .unwrap();
    assert!(error.contains(&format!("the label row in project {TWIN}")), "{error}");
}

#[tokio::test]
async fn a_task_of_a_twin_that_stands_elsewhere_cannot_be_sent_on() {
    async fn wrong_stage(twin: Twin<Model>) -> Result<Outcome, BoxError> {
        Ok(Outcome::to("complete").with_beside(twin.proceed("complete")?))
    }
    async fn wrong_pathway(twin: Twin<Experts>) -> Result<Outcome, BoxError> {
        Ok(Outcome::to("complete").with_beside(twin.proceed("completed")?))
    }
    let (sandbox, own, _) = world(1).await;
    let report = runner(&own).with_state(app()).stage("Agent 1", wrong_stage).run().await.unwrap();
    assert!(report.to_string().contains("is not at an agent stage"), "{report}");
    let report = runner(&own).with_state(app()).stage("Agent 1", wrong_pathway).run().await.unwrap();
    assert!(report.to_string().contains("did you mean \"complete\"?"), "{report}");
    let state = sandbox.state(OWN.parse().unwrap()).unwrap();
    assert!(state.tasks.iter().all(|task| task.moved == 0));
}

#[tokio::test]
async fn a_task_without_its_twin_fails_alone() {
    async fn agent(_twin: Twin<Model>) -> &'static str {
        "complete"
    }
    let (_sandbox, own, _) = world(3).await;
    let report = runner(&own).with_state(model()).stage("Agent 1", agent).run().await.unwrap();
    assert_eq!((report.counts().moved, report.counts().failed), (3, 2), "{report}");
    assert!(report.to_string().contains("does not have data unit"), "{report}");
}

#[tokio::test]
async fn projects_that_cannot_be_twins_end_the_run_before_it_began() {
    async fn agent(_task: AgentTask, _twin: Option<Twin<Model>>) -> &'static str {
        "complete"
    }
    let (sandbox, own, _) = world(1).await;
    for (twin, expected) in
        [(own.hash(), "cannot be its own twin"), (ProjectHash::random(), "no access to twin")]
    {
        let runner = runner(&own).with_state(TwinOf::<Model>::new(twin)).stage("Agent 1", agent);
        let error = runner.run().await.unwrap_err();
        assert!(matches!(error, Error::Setup { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("Agent 1") && text.contains("parameter 2") && text.contains(expected),
            "{text}"
        );
    }
    assert_eq!(sandbox.state(OWN.parse().unwrap()).unwrap().tasks_per_stage["Agent 1"], 3);
}

#[tokio::test]
async fn an_outage_of_the_twin_leaves_tasks_where_they_are() {
    async fn agent(_twin: Twin<Model>) -> &'static str {
        "complete"
    }
    let (sandbox, own, twins) = world(3).await;
    let state = TwinOf::<Model>::opened(twins);
    sandbox.reset_counters();
    let broken = FaultRule {
        endpoint: "POST /public labelrowmetadata*".into(),
        status: Some(400),
        ..FaultRule::default()
    };
    sandbox.set_faults(FaultPlan { seed: 1, rules: vec![broken] }).unwrap();
    let runner = runner(&own).configure(|options| options.num_retries = 3);
    let report = runner.with_state(state).stage("Agent 1", agent).run().await.unwrap();
    assert_eq!(report.counts().failed, 5, "{report}");
    let listings = sandbox.requests().endpoints["POST /public labelrowmetadata GET"].count;
    assert_eq!(listings, 1, "a failed batch is not asked for again task by task");
    assert!(report.failures().all(|task| task.attempts == 1));
}

#[tokio::test]
async fn data_that_is_gone_by_the_time_it_is_used_fails_only_its_task() {
    async fn agent(twin: Twin<Model>) -> Outcome {
        Outcome::to("complete").with_beside(twin.save())
    }
    let (sandbox, own, _) = world(3).await;
    let gone = data(&own).await[0];
    let client = own.client().clone();
    let remove = move |_| async move {
        client.remove_data(DATASET.parse().unwrap(), &[gone]).await.map_err(BoxError::from)
    };
    let runner = runner(&own).with_state(model()).before_run(remove).stage("Agent 1", agent);
    let report = runner.run().await.unwrap();
    assert_eq!(report.counts().moved, 2, "{report}");
    let twin = sandbox.state(TWIN.parse().unwrap()).unwrap();
    assert_eq!(twin.rows.iter().filter(|row| row.saves == 1).count(), 2);
}

#[tokio::test]
async fn a_unit_test_can_ask_for_a_twin_too() {
    async fn agent(twin: Option<Twin<Model>>) -> &'static str {
        if twin.is_some() { "review" } else { "annotate" }
    }
    let (_sandbox, own, twins) = world(1).await;
    let ctx = testing::context().with_project(own).build();
    let outcome = testing::run_with_state(agent, &ctx, TwinOf::<Model>::opened(twins)).await.unwrap();
    assert_eq!(outcome.pathway(), Some(&"annotate".into()));
}

#[tokio::test]
#[expect(deprecated, reason = "it must work for those who still use it")]
async fn data_can_be_looked_up_as_in_the_python_package() {
    use encord_twin::extract::DataLookup;
    async fn agent(
        task: AgentTask,
        DataLookup(lookup): DataLookup,
    ) -> Result<&'static str, encord_twin::Error> {
        let item = lookup.storage_items(&[task.data_hash], false).await?.remove(&task.data_hash);
        Ok(if item.is_some_and(|item| item.name == task.data_title) { "complete" } else { "nowhere" })
    }
    let (_sandbox, own, _) = world(2).await;
    let report = runner(&own).stage("Agent 1", agent).run().await.unwrap();
    assert_eq!(report.counts().moved, 4, "{report}");
}
