//! Conformance: every operation against `encord-sandbox`, which has its own idea of the protocol.

#![allow(clippy::unwrap_used)]

mod organise;
mod people;
mod refusals;
mod uploads;
mod work;

use std::time::Duration;

use encord_client::{Client, Error, LabelRowFilter, PrivateKey, Project, RetryPolicy, TaskFilter};
use encord_labels::LabelRow;
use encord_labels::id::{DataHash, ProjectHash};
use encord_sandbox::{FaultPlan, FaultRule, Sandbox, SandboxBuilder};
use futures::TryStreamExt;

struct World {
    sandbox: Sandbox,
    client: Client,
    project: Project,
}

impl World {
    async fn new(builder: SandboxBuilder) -> Self {
        Self::of(builder.start().await.unwrap()).await
    }

    async fn of(sandbox: Sandbox) -> Self {
        let client = client(&sandbox);
        let project = client.project(hash(&sandbox)).await.unwrap();
        Self { sandbox, client, project }
    }

    async fn images(count: u64) -> Self {
        Self::new(cats().images(count)).await
    }

    fn faults(&self, rules: impl IntoIterator<Item = FaultRule>) {
        self.sandbox.set_faults(FaultPlan { seed: 7, rules: rules.into_iter().collect() }).unwrap();
    }

    fn state(&self) -> encord_sandbox::ProjectState {
        self.sandbox.state(self.project.hash().uuid()).unwrap()
    }

    async fn tasks(&self) -> Vec<encord_client::AgentTask> {
        let stage = self.project.stages()[0].uuid;
        self.project.agent_tasks(stage, &TaskFilter::new()).try_collect().await.unwrap()
    }

    async fn rows(&self, data: impl IntoIterator<Item = DataHash>) -> Vec<LabelRow> {
        self.project.label_rows(&LabelRowFilter::new().with_data_hashes(data)).await.unwrap()
    }

    /// Sends all these tasks along the first pathway.
    async fn proceed(&self, tasks: &[encord_client::AgentTask]) -> Result<(), Error> {
        let stage = &self.project.stages()[0];
        let pathway = stage.pathways()[0].uuid;
        let moves: Vec<_> = tasks.iter().map(|task| (task.uuid, pathway)).collect();
        self.project.proceed(stage.uuid, &moves).await
    }
}

fn cats() -> SandboxBuilder {
    Sandbox::builder().project("cats").stage_agent("Agent 1", ["complete"])
}

fn client(sandbox: &Sandbox) -> Client {
    let key = PrivateKey::from_openssh(sandbox.private_key_openssh().unwrap(), None).unwrap();
    let retry = RetryPolicy::default().with_delays(Duration::from_millis(1), Duration::from_millis(5));
    Client::builder().private_key(key).domain(sandbox.url()).retry(retry).build().unwrap()
}

fn hash(sandbox: &Sandbox) -> ProjectHash {
    sandbox.project("cats").unwrap().into()
}

fn fault(endpoint: &str) -> FaultRule {
    FaultRule { endpoint: endpoint.to_owned(), ..FaultRule::default() }
}
