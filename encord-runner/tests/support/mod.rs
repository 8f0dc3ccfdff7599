//! A sandbox, a client for it, and shorthands for looking at what became of its tasks.
#![allow(dead_code, reason = "every test program uses a part of this")]

pub(crate) mod wire;

use std::sync::Arc;
use std::time::Duration;

use encord_client::{Client, ClientBuilder, PrivateKey, Project, RetryPolicy, Timeouts};
use encord_labels::row::{ClassificationInstance, Overlap};
use encord_runner::{BoxError, LabelRow, Runner, TaskOutcome};
use encord_sandbox::{FaultPlan, FaultRule, ProjectState, Sandbox, SandboxBuilder};
use serde_json::{Value, json};

/// The pattern of the request that moves tasks.
pub(crate) const ACTIONS: &str = "POST */actions";
/// The pattern of the request that saves label rows.
pub(crate) const SAVE: &str = "POST /public labelrow POST";

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: Client,
    pub(crate) project: Project,
}

/// A project `p` with a stage `Agent 1` and these many images.
pub(crate) async fn images(count: u64) -> World {
    World::start(Sandbox::builder().project("p").stage_agent("Agent 1", ["complete", "again"]).images(count))
        .await
}

impl World {
    pub(crate) async fn start(builder: SandboxBuilder) -> Self {
        Self::start_with(builder, Timeouts::default()).await
    }

    pub(crate) async fn start_with(builder: SandboxBuilder, timeouts: Timeouts) -> Self {
        let sandbox = builder.start().await.expect("the sandbox starts");
        let key = sandbox.private_key_openssh().expect("the sandbox made a key");
        let client =
            client_builder(sandbox.url(), key).timeouts(timeouts).build().expect("the client is complete");
        let hash = sandbox.project("p").expect("the project exists");
        let project = client.project(hash.into()).await.expect("the project can be read");
        sandbox.reset_counters();
        World { sandbox, client, project }
    }

    pub(crate) fn runner(&self) -> Runner {
        quick_runner(&self.project)
    }

    /// A runner whose requests go through a wire.
    pub(crate) async fn wired_runner(&self, wire: wire::Wire) -> Runner {
        let key = self.sandbox.private_key_openssh().expect("the sandbox made a key");
        let builder = client_builder(self.sandbox.url(), key).transport(Arc::new(wire));
        let client = builder.build().expect("the client is complete");
        quick_runner(&client.project(self.project.hash()).await.expect("the project can be read"))
    }

    pub(crate) fn state(&self) -> ProjectState {
        self.sandbox.state_with_documents(self.project.hash().into()).expect("the project exists")
    }

    pub(crate) fn at(&self, stage: &str) -> usize {
        self.state().tasks_per_stage.get(stage).copied().unwrap_or_default()
    }

    /// How many requests were answered since the last reset, those for files not counted.
    pub(crate) fn requests(&self) -> u64 {
        let counts = self.sandbox.requests().endpoints;
        let api = counts.iter().filter(|(name, _)| name.contains("/public"));
        api.map(|(_, endpoint)| endpoint.count).sum()
    }

    pub(crate) fn fault(&self, rule: FaultRule) {
        self.sandbox.set_faults(FaultPlan { seed: 1, rules: vec![rule] }).expect("the rule makes sense");
    }
}

fn quick_runner(project: &Project) -> Runner {
    Runner::new().with_project(project.clone()).configure(|options| {
        options.retry_backoff = Duration::from_millis(1);
    })
}

/// A client whose pauses are too short to notice.
pub(crate) fn client(url: &str, key: &str) -> Client {
    client_builder(url, key).build().expect("the client is complete")
}

fn client_builder(url: &str, key: &str) -> ClientBuilder {
    let key = PrivateKey::from_openssh(key, None).expect("the key is good");
    Client::builder().private_key(key).domain(url).retry(quick())
}

/// The default policy with pauses too short to notice.
fn quick() -> RetryPolicy {
    RetryPolicy::default().with_delays(Duration::from_millis(5), Duration::from_millis(50))
}

/// The wire form of an ontology with one thing to say, [`describe`].
pub(crate) fn weather() -> Value {
    let sky = json!({"id": "1.1", "featureNodeHash": "sky12345", "type": "text", "name": "Sky", "required": false,
        "dynamic": false});
    json!({"objects": [], "classifications": [{"id": "1", "featureNodeHash": "weather1", "attributes": [sky]}]})
}

/// Labels an image of a project with the ontology [`weather`], unless an earlier run has done so.
pub(crate) fn describe(row: &mut LabelRow, text: String) -> Result<(), BoxError> {
    if row.classifications()?.next().is_none() {
        let mut weather = ClassificationInstance::new(&row.ontology().classifications()[0]);
        weather.set(0..=0)?;
        weather.answer("Sky", text)?;
        row.add_classification(weather, Overlap::Refuse)?;
    }
    Ok(())
}

pub(crate) fn is_moved(outcome: &TaskOutcome) -> bool {
    matches!(outcome, TaskOutcome::Moved { .. })
}
