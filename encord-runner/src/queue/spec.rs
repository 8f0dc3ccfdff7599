//! The message a queue carries: one task as JSON, in the form of the Python packages.

use std::fmt;

use encord_client::AgentTask;
use encord_labels::id::{DataHash, TaskUuid};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::Error;

/// One task on a queue.
///
/// Written as the Python package's `AgentTask.model_dump_json()` and read from the same, or from its camel case
/// form. Four fields are required: `uuid`, `data_hash`, `data_title`, `label_branch_name`. All others are kept
/// as they are, known or not.
///
/// ```
/// use encord_runner::queue::TaskSpec;
///
/// let json = r#"{"uuid":"26ad41ef-88c2-49d9-b7c9-90fad57dcafd","data_hash":"0e46c215-b5fa-4b0c-9b18-bd763f20134c","data_title":"clip.mp4","label_branch_name":"main","note":1}"#;
/// let spec: TaskSpec = json.parse()?;
/// assert_eq!(spec.data_title(), "clip.mp4");
/// assert_eq!(spec.to_string(), json);
/// # Ok::<(), encord_runner::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TaskSpec {
    task: TaskUuid,
    data_hash: DataHash,
    data_title: String,
    branch: String,
    fields: Map<String, Value>,
}

impl TaskSpec {
    /// The task's uuid.
    #[must_use]
    pub fn task(&self) -> TaskUuid {
        self.task
    }

    /// The data unit of the task.
    #[must_use]
    pub fn data_hash(&self) -> DataHash {
        self.data_hash
    }

    /// The title of the data unit.
    #[must_use]
    pub fn data_title(&self) -> &str {
        &self.data_title
    }

    /// The branch of the task's labels.
    #[must_use]
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// All fields as they were read.
    #[must_use]
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// Reads one spec from a JSON value.
    ///
    /// # Errors
    /// [`Error::Spec`] naming the field that is missing or of the wrong type.
    pub fn from_value(value: Value) -> Result<Self, Error> {
        let Value::Object(fields) = value else {
            return Err(Error::Spec(format!("expected a JSON object, found {}", kind(&value))));
        };
        Ok(TaskSpec {
            task: required(&fields, "uuid", "uuid")?,
            data_hash: required(&fields, "data_hash", "dataHash")?,
            data_title: required(&fields, "data_title", "dataTitle")?,
            branch: required(&fields, "label_branch_name", "labelBranchName")?,
            fields,
        })
    }

    /// Reads one spec, or a list of them.
    ///
    /// # Errors
    /// [`Error::Spec`] when the text is not JSON or an entry is not a spec.
    pub fn list_from_json(json: &str) -> Result<Vec<Self>, Error> {
        match parse(json)? {
            Value::Array(entries) => entries.into_iter().map(TaskSpec::from_value).collect(),
            single => Ok(vec![TaskSpec::from_value(single)?]),
        }
    }
}

impl From<&AgentTask> for TaskSpec {
    fn from(task: &AgentTask) -> Self {
        let text = |text: String| Value::String(text);
        let optional = |text: &Option<String>| text.clone().map_or(Value::Null, Value::String);
        let fields = [
            ("uuid", text(task.uuid.to_string())),
            ("created_at", text(task.created_at.to_string())),
            ("updated_at", text(task.updated_at.to_string())),
            ("status", text(task.status.as_str().to_owned())),
            ("data_hash", text(task.data_hash.to_string())),
            ("data_title", text(task.data_title.clone())),
            ("label_branch_name", text(task.label_branch_name.clone())),
            ("assignee", optional(&task.assignee)),
            ("last_actioned_by", optional(&task.last_actioned_by)),
        ];
        TaskSpec {
            task: task.uuid,
            data_hash: task.data_hash,
            data_title: task.data_title.clone(),
            branch: task.label_branch_name.clone(),
            fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        }
    }
}

impl std::str::FromStr for TaskSpec {
    type Err = Error;

    fn from_str(json: &str) -> Result<Self, Error> {
        TaskSpec::from_value(parse(json)?)
    }
}

/// The spec as compact JSON on one line.
impl fmt::Display for TaskSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string(&self.fields).map_err(|_| fmt::Error)?;
        f.write_str(&json)
    }
}

fn parse(json: &str) -> Result<Value, Error> {
    serde_json::from_str(json).map_err(|error| Error::Spec(format!("not JSON: {error}")))
}

fn required<T: DeserializeOwned>(fields: &Map<String, Value>, name: &str, camel: &str) -> Result<T, Error> {
    let value = fields
        .get(name)
        .or_else(|| fields.get(camel))
        .ok_or_else(|| Error::Spec(format!("field {name:?} is missing")))?;
    T::deserialize(value).map_err(|error| Error::Spec(format!("field {name:?}: {error}")))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PYTHON: &str = r#"{"uuid":"26ad41ef-88c2-49d9-b7c9-90fad57dcafd","created_at":"2025-03-04T10:20:30.123456Z","updated_at":"2025-03-04T10:20:30Z","status":"NEW","data_hash":"0e46c215-b5fa-4b0c-9b18-bd763f20134c","data_title":"Größe.mp4","label_branch_name":"main","assignee":null,"last_actioned_by":null}"#;

    #[test]
    fn the_python_form_is_read_and_written_exactly() {
        let spec: TaskSpec = PYTHON.parse().unwrap();
        assert_eq!(spec.to_string(), PYTHON);
        let task: AgentTask = serde_json::from_str(PYTHON).unwrap();
        assert_eq!(TaskSpec::from(&task).to_string(), PYTHON);
    }

    #[test]
    fn bad_specs_say_what_is_wrong() {
        let check = |json: &str, expected: &str| {
            let error = TaskSpec::list_from_json(json).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check("{", "not JSON");
        check("7", "found a number");
        check("[[]]", "found a list");
        check("{}", r#"field "uuid" is missing"#);
        check(&PYTHON.replace("26ad41ef-", ""), r#"field "uuid""#);
        check(&PYTHON.replace("data_title", "title"), r#"field "data_title" is missing"#);
        assert!(TaskSpec::list_from_json("[]").unwrap().is_empty());
    }
}
