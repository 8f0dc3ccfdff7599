//! What a listing of label rows says about one row, before its labels are fetched.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::data_type::DataType;
use crate::error::{Error, Located, Result};
use crate::id::{ItemUuid, LabelHash, StageUuid, TaskUuid};
use crate::json::{describe, expect_object};
use crate::redact::RedactedMap;

/// One entry of a listing of label rows. Unknown keys are kept.
///
/// ```
/// use encord_labels::{DataType, LabelRowMetadata};
/// let metadata = LabelRowMetadata::from_json(serde_json::json!({
///     "branch_name": "main", "data_hash": "d", "dataset_hash": "s", "dataset_title": "Set", "data_title": "a.mp4",
///     "data_type": "VIDEO", "data_link": null, "label_status": "NOT_LABELLED", "number_of_frames": 10, "spaces": {},
/// }))?;
/// assert_eq!((metadata.data_type(), metadata.number_of_frames()), (DataType::Video, Some(10)));
/// # Ok::<(), encord_labels::Error>(())
/// ```
///
/// The `Debug` form shows links without their queries, which may be signatures.
#[derive(Clone, PartialEq)]
pub struct LabelRowMetadata {
    /// Shared between copies, as agents get a copy of each row and hardly ever change this.
    fields: Arc<Map<String, Value>>,
    data_type: DataType,
    label_hash: Option<LabelHash>,
    task_uuid: Option<TaskUuid>,
    stage: Option<(StageUuid, String)>,
    item_uuid: Option<ItemUuid>,
}

const TEXTS: [&str; 5] = ["branch_name", "data_hash", "dataset_hash", "dataset_title", "data_title"];
const PRESENT: [&str; 3] = ["data_link", "label_status", "spaces"];

impl LabelRowMetadata {
    /// Reads one entry of a listing.
    ///
    /// # Errors
    /// [`Error::MissingKey`] and [`Error::WrongType`] for the keys every entry has, [`Error::Unsupported`] for an
    /// unknown data type.
    pub fn from_json(entry: Value) -> Result<Self> {
        let fields = expect_object(entry)?;
        for key in TEXTS {
            match fields.get(key) {
                Some(Value::String(_)) => {}
                Some(other) => return Err(Error::wrong_type("a string", describe(other))).under(key),
                None => return Err(Error::missing(key)),
            }
        }
        if let Some(key) = PRESENT.into_iter().find(|key| !fields.contains_key(*key)) {
            return Err(Error::missing(key));
        }
        let data_type = match fields.get("data_type") {
            Some(Value::String(name)) => name.parse().under("data_type")?,
            Some(other) => return Err(Error::wrong_type("a string", describe(other))).under("data_type"),
            None => return Err(Error::missing("data_type")),
        };
        match fields.get("number_of_frames") {
            None | Some(Value::Null) => {}
            Some(count) if count.as_u64().is_some() => {}
            Some(other) => {
                return Err(Error::wrong_type("a whole number", describe(other))).under("number_of_frames");
            }
        }
        let stage = match fields.get("workflow_graph_node") {
            None | Some(Value::Null) => None,
            Some(node) => Some(read_stage(node).under("workflow_graph_node")?),
        };
        Ok(Self {
            data_type,
            // Some hashes of detached rows are no UUIDs; those rows cannot be addressed on the platform anyway.
            label_hash: text(&fields, "label_hash").and_then(|hash| hash.parse().ok()),
            task_uuid: read_uuid(&fields, "task_uuid")?.map(TaskUuid::new),
            item_uuid: read_uuid(&fields, "backing_item_uuid")?.map(ItemUuid::new),
            stage,
            fields: Arc::new(fields),
        })
    }

    /// The entry as it was read.
    pub fn to_json(&self) -> Value {
        Value::Object((*self.fields).clone())
    }

    /// Any field of the entry, known or not.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.fields.get(key).filter(|value| !value.is_null())
    }

    /// The label row's hash; `None` until its labels are initialised for the first time.
    pub fn label_hash(&self) -> Option<LabelHash> {
        self.label_hash
    }

    /// Sets the hash that the platform gave the row when it was initialised.
    pub fn set_label_hash(&mut self, label_hash: LabelHash) {
        self.label_hash = Some(label_hash);
        Arc::make_mut(&mut self.fields).insert("label_hash".into(), label_hash.to_string().into());
    }

    /// The hash of the data.
    pub fn data_hash(&self) -> &str {
        self.required_text("data_hash")
    }

    /// The hash of the group the data belongs to.
    pub fn group_hash(&self) -> Option<&str> {
        text(&self.fields, "group_hash")
    }

    /// The hash of the dataset.
    pub fn dataset_hash(&self) -> &str {
        self.required_text("dataset_hash")
    }

    /// The title of the dataset.
    pub fn dataset_title(&self) -> &str {
        self.required_text("dataset_title")
    }

    /// The title of the data, usually a file name.
    pub fn data_title(&self) -> &str {
        self.required_text("data_title")
    }

    /// The branch of the labels, `main` unless chosen otherwise.
    pub fn branch_name(&self) -> &str {
        self.required_text("branch_name")
    }

    /// The type of the data.
    pub fn data_type(&self) -> DataType {
        self.data_type
    }

    /// Where the data is stored; may be a signed link, which opens the file for whoever has it.
    pub fn data_link(&self) -> Option<&str> {
        text(&self.fields, "data_link")
    }

    /// The MIME type of the file.
    pub fn file_type(&self) -> Option<&str> {
        text(&self.fields, "file_type")
    }

    /// The task the row is in.
    pub fn task_uuid(&self) -> Option<TaskUuid> {
        self.task_uuid
    }

    /// The workflow stage the row is in, with its title.
    pub fn workflow_stage(&self) -> Option<(StageUuid, &str)> {
        self.stage.as_ref().map(|(uuid, title)| (*uuid, title.as_str()))
    }

    /// The priority of the task, 0 to 1.
    pub fn priority(&self) -> Option<f64> {
        self.number("priority")
    }

    /// How far the labels are, like `LABEL_IN_PROGRESS`.
    pub fn label_status(&self) -> Option<&str> {
        text(&self.fields, "label_status")
    }

    /// How far the annotation task is, like `QUEUED`.
    pub fn annotation_task_status(&self) -> Option<&str> {
        text(&self.fields, "annotation_task_status")
    }

    /// Whether the data is used to assess annotators.
    pub fn is_shadow_data(&self) -> bool {
        self.get("is_shadow_data").and_then(Value::as_bool).unwrap_or(false)
    }

    /// Whether the labels are valid for the ontology.
    pub fn is_valid(&self) -> bool {
        self.get("is_valid").and_then(Value::as_bool).unwrap_or(true)
    }

    /// The storage item behind the data.
    pub fn backing_item_uuid(&self) -> Option<ItemUuid> {
        self.item_uuid
    }

    /// Number of frames, pages or slices.
    pub fn number_of_frames(&self) -> Option<u64> {
        self.whole("number_of_frames")
    }

    /// Width in pixels.
    pub fn width(&self) -> Option<u64> {
        self.whole("width")
    }

    /// Height in pixels.
    pub fn height(&self) -> Option<u64> {
        self.whole("height")
    }

    /// Duration in seconds.
    pub fn duration(&self) -> Option<f64> {
        self.number("duration")
    }

    /// Frames per second.
    pub fn fps(&self) -> Option<f64> {
        self.number("frames_per_second")
    }

    /// Metadata the customer attached to the data.
    pub fn client_metadata(&self) -> Option<&Map<String, Value>> {
        self.get("client_metadata").and_then(Value::as_object)
    }

    /// Replaces the metadata the customer attached, for listings that deliver it separately.
    pub fn set_client_metadata(&mut self, metadata: Map<String, Value>) {
        Arc::make_mut(&mut self.fields).insert("client_metadata".into(), Value::Object(metadata));
    }

    /// Facts about each image of an image group.
    pub fn images_data(&self) -> Option<&[Value]> {
        self.get("images_data").and_then(Value::as_array).map(Vec::as_slice)
    }

    /// E-mail address of the person the task is assigned to.
    pub fn assigned_user_email(&self) -> Option<&str> {
        text(&self.fields, "assigned_user_email")
    }

    /// E-mail address of the person who last did something with the task.
    pub fn last_actioned_by_user_email(&self) -> Option<&str> {
        text(&self.fields, "last_actioned_by_user_email")
    }

    /// The member files of a group or scene, by id.
    pub fn spaces(&self) -> Option<&Map<String, Value>> {
        self.get("spaces").and_then(Value::as_object)
    }

    fn required_text(&self, key: &str) -> &str {
        // Checked when the entry was read.
        text(&self.fields, key).unwrap_or_default()
    }

    fn number(&self, key: &str) -> Option<f64> {
        self.get(key).and_then(Value::as_f64)
    }

    fn whole(&self, key: &str) -> Option<u64> {
        let value = self.get(key)?;
        value.as_u64().or_else(|| value.as_f64().filter(|n| *n >= 0.0 && n.fract() == 0.0).map(|n| n as u64))
    }
}

impl fmt::Debug for LabelRowMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LabelRowMetadata ")?;
        // Everything else was read from the fields.
        RedactedMap(&self.fields).fmt(f)
    }
}

fn text<'a>(fields: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    fields.get(key).and_then(Value::as_str)
}

fn read_uuid(fields: &Map<String, Value>, key: &str) -> Result<Option<Uuid>> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => match Uuid::parse_str(text) {
            Ok(uuid) => Ok(Some(uuid)),
            Err(_) => Err(Error::invalid(format!("{text:?} is not a UUID"))).under(key),
        },
        Some(other) => Err(Error::wrong_type("a UUID", describe(other))).under(key),
    }
}

fn read_stage(node: &Value) -> Result<(StageUuid, String)> {
    let map = node.as_object().ok_or_else(|| Error::wrong_type("an object", describe(node)))?;
    let uuid = read_uuid(map, "uuid")?.ok_or_else(|| Error::missing("uuid"))?;
    let title = text(map, "title").ok_or_else(|| Error::missing("title"))?;
    Ok((StageUuid::new(uuid), title.to_owned()))
}
