//! Twins as parameters of agents, run by the sequential runner on the sandbox.

#![allow(clippy::unwrap_used)]

mod world;

use encord_runner::{AgentTask, LabelRow, Outcome, Runner};
use encord_twin::extract::{MaybeTwin, Twin, TwinOf};
use encord_twin::{Mapping, TwinOptions, TwinProject, transfer};

use crate::world::{OWN, TWIN, data, world};

struct Model;

#[tokio::test]
async fn agents_see_the_twin_of_their_task() {
    async fn agent(task: AgentTask, mut row: LabelRow, MaybeTwin(twin): MaybeTwin<Model>) -> Option<Outcome> {
        let twin = twin?;
        assert_eq!(twin.row.metadata().data_hash(), task.data_hash.to_string());
        assert!(twin.task.is_some());
        let report = transfer(&twin.row, &mut row, &Mapping::new()).unwrap();
        assert!(report.is_complete());
        twin.project.save(&[&twin.row], false).await.unwrap();
        Some(Outcome::to("complete").with_label_row(row))
    }
    let (sandbox, own, twins) = world(4).await;
    let runner =
        Runner::new().with_project(own).with_state(TwinOf::<Model>::new(twins)).stage("Agent 1", agent);
    let report = runner.run().await.unwrap();
    assert_eq!((report.counts().moved, report.counts().stayed), (4, 2), "{report}");
    let twin = sandbox.state(TWIN.parse().unwrap()).unwrap();
    assert!(twin.rows.len() == 4 && twin.rows.iter().all(|row| row.saves == 1));
    let own = sandbox.state(OWN.parse().unwrap()).unwrap();
    assert_eq!(own.rows.iter().filter(|row| row.saves == 1).count(), 4);
}

#[tokio::test]
async fn a_task_without_its_twin_fails_alone() {
    async fn agent(_twin: Twin<Model>) -> &'static str {
        "complete"
    }
    let (_sandbox, own, twins) = world(3).await;
    let runner =
        Runner::new().with_project(own).with_state(TwinOf::<Model>::new(twins)).stage("Agent 1", agent);
    let report = runner.run().await.unwrap();
    assert_eq!((report.counts().moved, report.counts().failed), (3, 2), "{report}");
}

#[tokio::test]
async fn a_project_is_not_its_own_twin() {
    async fn agent(_twin: MaybeTwin<Model>) -> &'static str {
        "complete"
    }
    let (_sandbox, own, _) = world(1).await;
    assert!(!data(&own).await.is_empty());
    let twins = TwinProject::new(own.clone(), TwinOptions::new());
    let runner =
        Runner::new().with_project(own).with_state(TwinOf::<Model>::new(twins)).stage("Agent 1", agent);
    let report = runner.run().await.unwrap();
    assert_eq!(report.counts().moved, 0);
    assert!(report.to_string().contains("cannot be its own twin"), "{report}");
}
