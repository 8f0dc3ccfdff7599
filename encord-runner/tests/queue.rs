//! Task specs in, completions out.
#![allow(clippy::unwrap_used)]

mod support;

use encord_runner::queue::{StageHandler, TaskSpec};
use encord_runner::{AgentTask, BoxError, LabelRow, Outcome, Project, Runner, Stage, TaskOutcome};
use futures::TryStreamExt;
use serde_json::{Value, json};
use support::{World, images};

async fn handler<S: Send + Sync + 'static>(runner: Runner<S>) -> StageHandler {
    runner
        .configure(|options| options.num_retries = 0)
        .into_queue()
        .await
        .unwrap()
        .handler("Agent 1")
        .unwrap()
}

async fn specs(world: &World) -> Vec<TaskSpec> {
    let queue = world.runner().stage("Agent 1", || async {}).into_queue().await.unwrap();
    queue.specs("Agent 1").unwrap().try_collect().await.unwrap()
}

fn list(specs: &[TaskSpec]) -> String {
    format!("[{}]", specs.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
}

#[tokio::test]
async fn one_spec_gives_one_completion() {
    let world = images(2).await;
    let specs = specs(&world).await;
    let handler = handler(world.runner().stage("Agent 1", || async { "complete" })).await;
    let answer = handler.handle(&specs[0].to_string()).await.unwrap();
    let stage = &world.project.stages()[0];
    let expected = format!(
        r#"{{"task_uuid":"{}","stage_uuid":"{}","success":true,"pathway":"{}","error":null}}"#,
        specs[0].task(),
        stage.uuid,
        stage.pathways()[0].uuid
    );
    assert_eq!(answer, expected);
    // Delivered again: the task is gone, and nothing happens to the platform.
    let again: Value = serde_json::from_str(&handler.handle(&specs[0].to_string()).await.unwrap()).unwrap();
    assert_eq!(
        (&again["success"], &again["pathway"], &again["error"]),
        (&json!(false), &Value::Null, &Value::Null)
    );
    assert_eq!((world.at("Complete"), world.at("Agent 1")), (1, 1));
}

#[tokio::test]
async fn one_task_of_a_batch_never_harms_another() {
    let world = images(5).await;
    let specs = specs(&world).await;
    let bad = specs[1].task();
    let agent = move |task: AgentTask, row: LabelRow| async move {
        assert!(task.uuid != bad, "this one is bad");
        Outcome::to("complete").with_label_row(row).with_priority(0.5)
    };
    let handler = handler(world.runner().stage("Agent 1", agent)).await;
    let unknown: TaskSpec = specs[0]
        .to_string()
        .replace(&specs[0].task().to_string(), &uuid::Uuid::new_v4().to_string())
        .parse()
        .unwrap();
    let batch = [specs.clone(), vec![unknown.clone(), specs[3].clone()]].concat();
    world.sandbox.reset_counters();
    let completions = handler.handle_specs(&batch).await.unwrap();
    let tasks: Vec<_> = completions.iter().map(|done| done.task).collect();
    assert_eq!(tasks, batch.iter().map(TaskSpec::task).collect::<Vec<_>>());
    let failed: Vec<_> = completions.iter().filter(|done| done.error().is_some()).collect();
    assert_eq!((failed.len(), failed[0].task), (1, bad));
    assert_eq!(completions[5].outcome, TaskOutcome::Gone);
    assert!(completions.iter().filter(|done| done.pathway().is_some()).count() == 5);
    assert!(world.requests() <= 6, "{:#?}", world.sandbox.requests());
    let state = world.state();
    assert!(state.tasks.iter().all(|task| task.moved == u32::from(task.uuid != bad.uuid())));
    assert!(state.rows.iter().all(|row| row.saves <= 1));
}

#[tokio::test]
async fn a_batch_answers_in_the_python_form() {
    let world = images(3).await;
    let specs = specs(&world).await;
    let handler = handler(world.runner().stage("Agent 1", || async { "complete" })).await;
    let answer: Value = serde_json::from_str(&handler.handle(&list(&specs)).await.unwrap()).unwrap();
    let keys: Vec<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["task_uuid", "stage_uuid", "success", "pathway", "error", "tasks"]);
    assert_eq!(answer["success"], answer["task_uuid"]);
    assert_eq!(answer["tasks"].as_array().unwrap().len(), 3);
    world.sandbox.reset_counters();
    let empty: Value = serde_json::from_str(&handler.handle("[]").await.unwrap()).unwrap();
    assert_eq!((&empty["task_uuid"], &empty["success"], world.requests()), (&json!([]), &json!([]), 0));
}

#[tokio::test]
async fn what_is_not_a_spec_is_refused() {
    let world = images(1).await;
    let handler = handler(world.runner().stage("Agent 1", || async { "complete" })).await;
    for bad in ["", "nonsense", "{}", r#"{"task_uuid":"26ad41ef-88c2-49d9-b7c9-90fad57dcafd"}"#] {
        let error = handler.handle(bad).await.unwrap_err().to_string();
        assert!(error.starts_with("task spec refused"), "{error}");
    }
    let queue = world.runner().stage("Agent 1", || async {}).into_queue().await.unwrap();
    assert!(queue.handler("Complete").is_err());
    assert_eq!(queue.agent_stages().count(), 1);
}

/// The same task once as it is and once with the branch of another.
#[tokio::test]
async fn a_wrong_duplicate_hides_nothing() {
    for right_first in [true, false] {
        let world = images(1).await;
        let right = specs(&world).await.remove(0);
        let wrong: TaskSpec = right
            .to_string()
            .replace(r#""label_branch_name":"main""#, r#""label_branch_name":"other""#)
            .parse()
            .unwrap();
        assert_eq!((right.branch(), wrong.branch()), ("main", "other"));
        let handler = handler(world.runner().stage("Agent 1", || async { "complete" })).await;
        let batch = if right_first { [right, wrong] } else { [wrong, right] };
        let outcomes = handler.handle_specs(&batch).await.unwrap();
        let moved: Vec<bool> = outcomes.iter().map(|done| support::is_moved(&done.outcome)).collect();
        assert_eq!(moved, [right_first, !right_first], "{outcomes:?}");
        assert_eq!(outcomes.iter().filter(|done| done.outcome == TaskOutcome::Gone).count(), 1);
        assert_eq!(world.at("Complete"), 1);
    }
}

#[tokio::test]
async fn each_task_of_a_batch_says_how_it_ended() {
    let world = images(4).await;
    let specs = specs(&world).await;
    let (stays, is_taken, fails) = (specs[1].task(), specs[2].task(), specs[3].task());
    let agent = move |project: Project, stage: Stage, task: AgentTask| async move {
        if task.uuid == fails {
            return Err(BoxError::from("no idea"));
        }
        if task.uuid == is_taken {
            // As somebody else would meanwhile.
            project.proceed(stage.uuid, &[(task.uuid, stage.pathways()[1].uuid)]).await?;
        }
        Ok((task.uuid != stays).then_some("complete"))
    };
    let handler = handler(world.runner().stage("Agent 1", agent)).await;
    let unknown =
        specs[0].to_string().replace(&specs[0].task().to_string(), &uuid::Uuid::new_v4().to_string());
    let batch = [specs, vec![unknown.parse().unwrap()]].concat();
    let answer: Value = serde_json::from_str(&handler.handle(&list(&batch)).await.unwrap()).unwrap();
    let outcomes: Vec<_> = answer["tasks"].as_array().unwrap().iter().map(|task| &task["outcome"]).collect();
    assert_eq!(outcomes, ["moved", "stayed", "rejected", "failed", "gone"]);
    let successes: Vec<_> = answer["tasks"].as_array().unwrap().iter().map(|task| &task["success"]).collect();
    assert_eq!(successes, [true, true, true, false, false]);
    assert_eq!(answer["success"].as_array().unwrap().len(), 3);
    assert!(answer["error"].as_str().unwrap().contains("no idea"));
    assert!(world.state().tasks.iter().all(|task| task.moved <= 1));
}
