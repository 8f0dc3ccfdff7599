//! What a platform or a user can get wrong: each is told in words that help, and harms no other task.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;
mod tamper;

use std::sync::Arc;

use encord_client::{Client, PrivateKey};
use encord_runner::{AgentTask, Asset, Error, LabelRow, Outcome, RunReport, Runner, StorageItem};
use encord_sandbox::{FaultPlan, FaultRule, Sandbox};
use serde_json::Value;
use support::{ACTIONS, SAVE, World, images};
use tamper::Tamper;

/// A runner on the same project, whose answers are changed on their way.
async fn tampered(
    world: &World,
    change: impl Fn(&str, &mut Value) + Send + Sync + 'static,
) -> Result<Runner, encord_client::Error> {
    let key = world.sandbox.private_key_openssh().unwrap();
    let client = Client::builder()
        .private_key(PrivateKey::from_openssh(key, None).unwrap())
        .domain(world.sandbox.url())
        .transport(Arc::new(Tamper::new(change)))
        .build()?;
    Ok(Runner::new().with_project(client.project(world.project.hash()).await?))
}

/// Calls for everything a batch is fetched for.
async fn everything(_task: AgentTask, _item: StorageItem, _asset: Asset, row: LabelRow) -> Outcome {
    Outcome::to("complete").with_label_row(row).with_priority(0.5)
}

/// The only failure of a report, after one attempt, and that all the others moved.
fn only_failure(report: &RunReport, moved: u64) -> String {
    assert_eq!(
        (report.counts().moved, report.counts().failed, report.exit_code()),
        (moved, 1, 1),
        "{report}"
    );
    let failure = report.failures().next().unwrap();
    assert_eq!(failure.attempts, 1, "{report}");
    failure.error().unwrap().to_owned()
}

#[tokio::test]
async fn a_task_without_a_label_row_fails_alone() {
    let world = images(5).await;
    let missing = world.state().tasks[3].data_hash.to_string();
    let lost = missing.clone();
    let runner = tampered(&world, move |endpoint, answer| {
        if endpoint.ends_with("labelrowmetadata") {
            let rows = answer["response"].as_array_mut().unwrap();
            rows.retain(|row| row["data_hash"] != lost.as_str());
        }
    });
    let report = runner.await.unwrap().stage("Agent 1", everything).run().await.unwrap();
    let error = only_failure(&report, 4);
    assert!(error.contains(&format!("no label row for data unit {missing} on branch \"main\"")), "{error}");
    assert_eq!((world.at("Agent 1"), world.at("Complete")), (1, 4));
}

#[tokio::test]
async fn a_task_whose_labels_or_item_are_left_out_fails_alone() {
    for (part, expected) in
        [("labelrow", "fetching the labels"), ("get-bulk", "is gone or this key may not read it")]
    {
        let world = images(4).await;
        let runner = tampered(&world, move |endpoint, answer| {
            if endpoint.ends_with(part) {
                let list = if part == "labelrow" { &mut answer["response"] } else { &mut answer["results"] };
                // The answer to a save has no list.
                if let Some(list) = list.as_array_mut() {
                    list.remove(1);
                }
            }
        });
        let report = runner.await.unwrap().stage("Agent 1", everything).run().await.unwrap();
        let error = only_failure(&report, 3);
        assert!(error.contains(expected), "{part}: {error}");
        assert_eq!((world.at("Agent 1"), world.at("Complete")), (1, 3));
    }
}

#[tokio::test]
async fn items_that_come_in_another_order_go_to_their_own_tasks() {
    let world = images(6).await;
    let runner = tampered(&world, |endpoint, answer| {
        if endpoint.ends_with("get-bulk") {
            answer["results"].as_array_mut().unwrap().reverse();
        }
        if endpoint.ends_with("labelrow")
            && let Some(rows) = answer["response"].as_array_mut()
        {
            rows.reverse();
        }
    });
    let agent = async |task: AgentTask, item: StorageItem, row: LabelRow| -> Result<&'static str, String> {
        let own = item.name == task.data_title && row.metadata().data_title() == task.data_title;
        let document = row.to_document().map_err(|error| error.to_string())?;
        let own = own && document["data_hash"] == task.data_hash.to_string().as_str();
        if own { Ok("complete") } else { Err(format!("{} got {}", task.data_title, item.name)) }
    };
    let report = runner.await.unwrap().stage("Agent 1", agent).run().await.unwrap();
    assert_eq!(report.counts().moved, 6, "{report}");
}

#[tokio::test]
async fn an_item_that_fails_its_batch_fails_alone() {
    let world = images(4).await;
    // The bulk request is refused because of one item; asked for alone, only the first of them is refused.
    let rule = |endpoint: &str| FaultRule {
        endpoint: endpoint.into(),
        status: Some(404),
        times: Some(1),
        ..FaultRule::default()
    };
    let rules = vec![rule("POST */get-bulk"), rule("GET */storage/items/{item}")];
    world.sandbox.set_faults(FaultPlan { seed: 1, rules }).unwrap();
    let report = world.runner().stage("Agent 1", everything).run().await.unwrap();
    let error = only_failure(&report, 3);
    assert!(error.contains("fetching the storage item: not found"), "{error}");
}

#[tokio::test]
async fn an_outage_during_the_fetch_is_not_retried_task_by_task() {
    for endpoint in ["POST /public labelrowmetadata GET", "POST /public labelrow PUT", "POST */get-bulk"] {
        let world = images(5).await;
        world.fault(FaultRule { endpoint: endpoint.into(), status: Some(503), ..FaultRule::default() });
        let report = world.runner().stage("Agent 1", everything).run().await.unwrap();
        assert_eq!((report.counts().failed, report.counts().retries), (5, 0), "{endpoint}: {report}");
        let error = report.failures().next().unwrap().error().unwrap();
        assert!(error.contains("server error: a fault was asked for"), "{error}");
        world.sandbox.set_faults(FaultPlan::default()).unwrap();
        let report = world.runner().stage("Agent 1", everything).run().await.unwrap();
        assert_eq!((report.counts().moved, report.exit_code()), (5, 0), "{report}");
    }
}

/// What the platform can answer, or not, and what the message must say.
fn answers() -> Vec<(FaultRule, &'static str)> {
    let status = |status| FaultRule { status: Some(status), ..FaultRule::default() };
    let html = FaultRule { html: true, ..FaultRule::default() };
    vec![
        (status(401), "not authenticated"),
        (status(403), "not authorised"),
        (status(404), "not found"),
        (status(405), "not allowed"),
        (status(413), "request too large"),
        (status(422), "unexpected answer"),
        (FaultRule { retry_after: Some(3600), ..status(429) }, "rate limit exceeded"),
        (FaultRule { retry_after: Some(3600), ..status(503) }, "server error"),
        (html.clone(), "HTML page"),
        (FaultRule { retry_after: Some(3600), status: Some(502), ..html }, "server error"),
    ]
}

#[tokio::test]
async fn no_answer_to_a_fetch_harms_more_than_its_task() {
    let endpoints = ["POST /public labelrowmetadata GET", "POST /public labelrow PUT"];
    for (fault, expected) in answers() {
        for endpoint in endpoints {
            let world = images(3).await;
            world.fault(FaultRule { endpoint: endpoint.into(), ..fault.clone() });
            let report = world.runner().stage("Agent 1", everything).run().await.unwrap();
            assert_eq!(
                (report.counts().failed, report.exit_code()),
                (3, 1),
                "{endpoint} {fault:?}: {report}"
            );
            for failure in report.failures() {
                let error = failure.error().unwrap();
                assert!(error.contains(expected) && !error.contains('\n'), "{endpoint} {fault:?}: {error}");
            }
            let state = world.state();
            assert!(state.tasks.iter().all(|task| task.moved == 0 && task.priority.is_none()));
            assert!(state.rows.iter().all(|row| row.saves == 0));
        }
    }
}

#[tokio::test]
async fn no_answer_to_a_save_moves_its_task() {
    for (fault, expected) in answers() {
        let world = images(3).await;
        world.fault(FaultRule { endpoint: SAVE.into(), ..fault.clone() });
        let report = world.runner().stage("Agent 1", everything).run().await.unwrap();
        assert_eq!((report.counts().failed, report.counts().labels_saved), (3, 0), "{fault:?}: {report}");
        let error = report.failures().next().unwrap().error().unwrap();
        assert!(error.contains("could not save the label row") && error.contains(expected), "{error}");
        assert!(world.state().tasks.iter().all(|task| task.moved == 0 && task.priority.is_none()));
    }
}

#[tokio::test]
async fn no_answer_to_a_move_is_taken_for_success() {
    for (fault, expected) in answers() {
        // An answer that is no answer leaves open whether the tasks moved.
        let world = images(3).await;
        world.fault(FaultRule { endpoint: ACTIONS.into(), ..fault.clone() });
        let report = world.runner().stage("Agent 1", || async { "complete" }).run().await.unwrap();
        assert_eq!((report.counts().failed, report.exit_code()), (3, 1), "{fault:?}: {report}");
        let error = report.failures().next().unwrap().error().unwrap();
        assert!(error.contains("could not move the task") && error.contains(expected), "{error}");
        assert!(world.state().tasks.iter().all(|task| task.moved == 0));
    }
}

#[tokio::test]
async fn moves_of_a_bundle_that_was_cut_are_told_apart() {
    let world = images(8).await;
    let other = world.state().tasks[6].uuid;
    // The bundle is too large and goes out as two; the second is rejected because one of its tasks has left.
    world.fault(FaultRule {
        endpoint: ACTIONS.into(),
        after: 1,
        times: Some(1),
        status: Some(413),
        ..FaultRule::default()
    });
    let agent = move |task: AgentTask, project: encord_client::Project| async move {
        if task.uuid.uuid() == other {
            let stage = &project.stages()[0];
            project.proceed(stage.uuid, &[(task.uuid, stage.pathways()[1].uuid)]).await.unwrap();
        }
        "complete"
    };
    let report = world.runner().stage("Agent 1", agent).run().await.unwrap();
    assert_eq!((report.counts().moved, report.counts().gone, report.exit_code()), (7, 1, 0), "{report}");
    assert!(world.state().tasks.iter().all(|task| task.moved == 1));
}

#[tokio::test]
async fn the_kind_of_project_is_checked_before_any_task() {
    let world = images(2).await;
    let runner = tampered(&world, |endpoint, answer| {
        if endpoint.contains("/v2/public/projects/") && answer.get("projectType").is_some() {
            answer["projectType"] = "manual_qa".into();
        }
    });
    let error = runner.await.unwrap().stage("Agent 1", everything).run().await.unwrap_err();
    assert!(matches!(&error, Error::NotAWorkflow { .. }), "{error}");
    assert!(error.to_string().contains("is not a workflow project"), "{error}");

    let builder = Sandbox::builder().project("p").stage("ANNOTATION", "Annotate").images(2);
    let world = World::start(builder).await;
    let error = world.runner().stage("Annotate", everything).run().await.unwrap_err();
    assert!(matches!(&error, Error::NoAgentStage { .. }), "{error}");
    assert!(error.to_string().contains("add one to its workflow"), "{error}");
}

#[tokio::test]
async fn kinds_of_stages_that_are_not_known_yet_do_no_harm() {
    let world = images(2).await;
    let runner = tampered(&world, |endpoint, answer| {
        if endpoint.contains("/v2/public/projects/")
            && let Some(stages) = answer.pointer_mut("/workflow/stages").and_then(Value::as_array_mut)
        {
            stages.push(serde_json::json!({
                "stageType": "TELEPORT", "uuid": "26ad41ef-88c2-49d9-b7c9-90fad57dcafd", "title": "New", "x": [1]
            }));
        }
    });
    let report = runner.await.unwrap().stage("Agent 1", everything).run().await.unwrap();
    assert_eq!(report.counts().moved, 2, "{report}");
}
