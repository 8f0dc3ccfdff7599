//! The answer to a task spec, in the form of the Python package's `TaskCompletionResult`.

use encord_labels::id::{PathwayUuid, StageUuid, TaskUuid};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::report::{TaskOutcome, TaskRecord};

/// How one task from a queue ended.
///
/// As JSON it is what the Python package writes for one task: `task_uuid`, `stage_uuid`, `success`, `pathway`,
/// `error`, in this order and with nulls.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TaskCompletion {
    /// The task, as the spec named it.
    pub task: TaskUuid,
    /// The stage.
    pub stage: StageUuid,
    /// How it ended.
    pub outcome: TaskOutcome,
}

impl TaskCompletion {
    pub(crate) fn new(record: &TaskRecord) -> Self {
        TaskCompletion { task: record.task, stage: record.stage, outcome: record.outcome.clone() }
    }

    /// The task's agent returned no pathway: a completion for tests of engines and consumers.
    #[must_use]
    pub fn stayed(task: TaskUuid, stage: StageUuid) -> Self {
        TaskCompletion { task, stage, outcome: TaskOutcome::Stayed }
    }

    /// The task had left the stage before its agent was called.
    pub(crate) fn gone(task: TaskUuid, stage: StageUuid) -> Self {
        TaskCompletion { task, stage, outcome: TaskOutcome::Gone }
    }

    /// Whether the agent did its work: everything but a failure and a task that had gone.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self.outcome, TaskOutcome::Moved { .. } | TaskOutcome::Stayed | TaskOutcome::Rejected)
    }

    /// Whether nothing would be gained by delivering the task again: it is done, or it is gone.
    #[must_use]
    pub fn is_final(&self) -> bool {
        !matches!(self.outcome, TaskOutcome::Failed { .. })
    }

    /// The pathway the task took.
    #[must_use]
    pub fn pathway(&self) -> Option<PathwayUuid> {
        match self.outcome {
            TaskOutcome::Moved { pathway } | TaskOutcome::FailureRouted { pathway, .. } => Some(pathway),
            _ => None,
        }
    }

    /// The error, if the task failed.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        match &self.outcome {
            TaskOutcome::Failed { error, .. } | TaskOutcome::FailureRouted { error, .. } => Some(error),
            _ => None,
        }
    }

    /// How the task ended, in one word: `moved`, `stayed`, `gone`, `rejected`, `failed`, `failure_routed`.
    #[must_use]
    pub fn outcome_name(&self) -> &'static str {
        match self.outcome {
            TaskOutcome::Moved { .. } => "moved",
            TaskOutcome::Stayed => "stayed",
            TaskOutcome::Gone => "gone",
            TaskOutcome::Rejected => "rejected",
            TaskOutcome::Failed { .. } => "failed",
            TaskOutcome::FailureRouted { .. } => "failure_routed",
        }
    }

    /// The same with at most so many bytes of its error.
    pub(crate) fn with_error_cut(&self, most: usize) -> Self {
        let mut completion = self.clone();
        if let TaskOutcome::Failed { error, .. } | TaskOutcome::FailureRouted { error, .. } =
            &mut completion.outcome
        {
            error.truncate(cut(error, most).len());
        }
        completion
    }

    fn to_value(&self) -> Value {
        json!({
            "task_uuid": self.task,
            "stage_uuid": self.stage,
            "success": self.is_success(),
            "pathway": self.pathway(),
            "error": self.error(),
        })
    }

    /// The completion as compact JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }
}

impl Serialize for TaskCompletion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

/// The completions of a batch as one JSON object.
///
/// The first five keys are those of the Python package's batch form: `success` lists the tasks that succeeded,
/// `pathway` the pathways taken. That form cannot say which task took which pathway, so a sixth key, `tasks`,
/// lists one completion per task in the order of the specs, each with its
/// [outcome](TaskCompletion::outcome_name) beside the keys of a single completion. Python ignores what it does not
/// know.
#[must_use]
pub fn batch_to_json(completions: &[TaskCompletion], stage: StageUuid) -> String {
    let tasks: Vec<TaskUuid> = completions.iter().map(|done| done.task).collect();
    let success: Vec<TaskUuid> =
        completions.iter().filter(|done| done.is_success()).map(|done| done.task).collect();
    let pathways: Vec<PathwayUuid> = completions.iter().filter_map(TaskCompletion::pathway).collect();
    let errors: Vec<String> =
        completions.iter().filter_map(|done| Some(format!("{}: {}", done.task, done.error()?))).collect();
    let error = (!errors.is_empty()).then(|| errors.join("\n"));
    let each: Vec<Value> = completions
        .iter()
        .map(|done| {
            let mut value = done.to_value();
            value["outcome"] = json!(done.outcome_name());
            value
        })
        .collect();
    json!({
        "task_uuid": tasks,
        "stage_uuid": stage,
        "success": success,
        "pathway": pathways,
        "error": error,
        "tasks": each,
    })
    .to_string()
}

/// The beginning of a text, at most so many bytes of it.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Step;
    use uuid::Uuid;

    fn done(outcome: TaskOutcome) -> TaskCompletion {
        let task = "5c6cf0c2-00ae-423f-89a7-a58cb216749a".parse().unwrap();
        let stage = "aed09b82-4ca8-4fc2-bfb6-37dd5bae2d26".parse().unwrap();
        TaskCompletion { task, stage, outcome }
    }

    #[test]
    fn each_case_has_the_python_form() {
        let check = |outcome: TaskOutcome, tail: &str| {
            let expected = format!(
                r#"{{"task_uuid":"5c6cf0c2-00ae-423f-89a7-a58cb216749a","stage_uuid":"aed09b82-4ca8-4fc2-bfb6-37dd5bae2d26",{tail}}}"#
            );
            assert_eq!(done(outcome).to_json(), expected);
        };
        let pathway = PathwayUuid::from(Uuid::from_u128(5));
        check(
            TaskOutcome::Moved { pathway },
            r#""success":true,"pathway":"00000000-0000-0000-0000-000000000005","error":null"#,
        );
        check(TaskOutcome::Stayed, r#""success":true,"pathway":null,"error":null"#);
        check(TaskOutcome::Gone, r#""success":false,"pathway":null,"error":null"#);
        check(TaskOutcome::Rejected, r#""success":true,"pathway":null,"error":null"#);
        check(
            TaskOutcome::Failed { error: "no".into(), step: Step::Agent },
            r#""success":false,"pathway":null,"error":"no""#,
        );
    }

    #[test]
    fn a_batch_names_the_successful_ones() {
        let failed = done(TaskOutcome::Failed { error: "no".into(), step: Step::Agent });
        let batch = [done(TaskOutcome::Stayed), failed];
        let value: Value = serde_json::from_str(&batch_to_json(&batch, batch[0].stage)).unwrap();
        assert_eq!(value["success"].as_array().unwrap().len(), 1);
        assert_eq!(value["tasks"].as_array().unwrap().len(), 2);
        assert_eq!(
            (&value["tasks"][0]["outcome"], &value["tasks"][1]["outcome"]),
            (&json!("stayed"), &json!("failed"))
        );
        assert_eq!(value["pathway"], json!([]));
        assert_eq!(value["error"], json!("5c6cf0c2-00ae-423f-89a7-a58cb216749a: no"));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("short", 9), "short");
        let long = "é".repeat(20);
        assert_eq!(cut(&long, 20).len(), 20);
        assert_eq!(cut(&format!("x{long}"), 20).len(), 19);
        let failed = done(TaskOutcome::Failed { error: long, step: Step::Agent });
        assert_eq!(failed.with_error_cut(5).error(), Some("éé"));
    }
}
