//! From a label document to the model.
//!
//! One pass over the text builds the objects frame by frame; the maps of answers, which come before the frames in
//! a document but refer to the objects on them, are set aside as slices of the text and read afterwards. Nothing
//! of a row changes unless the whole document was read.

mod answers;
mod classifications;
mod entry;
mod frames;
mod units;

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::annotation::Recent;
use super::content::Content;
use super::data_type::DataType;
use super::event::check_ends;
use super::lookup::Lookup;
use super::metadata::LabelRowMetadata;
use super::object::ObjectInstance;
use super::place::{Place, Places};
use super::space::Space;
use super::unit::DataUnit;
use crate::error::{Error, Located, Result};
use crate::id::{ObjectHash, SpaceId};
use crate::json::{Cursor, Reading, describe};
use crate::ontology::{ObjectClass, Ontology};
use entry::Entry;

/// Keys every document has.
const REQUIRED: [&str; 14] = [
    "label_hash",
    "branch_name",
    "created_at",
    "last_edited_at",
    "data_hash",
    "dataset_hash",
    "dataset_title",
    "data_title",
    "data_type",
    "label_status",
    "object_answers",
    "classification_answers",
    "object_actions",
    "data_units",
];

/// Keys whose values must be strings.
const TEXTS: [&str; 6] =
    ["branch_name", "data_hash", "dataset_hash", "dataset_title", "data_title", "data_type"];

/// The model as far as it has been read.
pub(super) struct Reader<'r> {
    metadata: &'r LabelRowMetadata,
    ontology: &'r Ontology,
    data_type: DataType,
    reading: Reading,
    recent: Recent,
    objects: IndexMap<ObjectHash, ObjectInstance>,
    /// Object classes by feature hash, as they are met.
    classes: HashMap<Box<str>, Arc<ObjectClass>>,
    units: Vec<DataUnit>,
    spaces: IndexMap<SpaceId, Space>,
    /// The entries of the list of objects that was read last, by place.
    entries: Vec<Entry<'r>>,
    /// Where the next object on a frame is likely to be found among the objects.
    next_object: usize,
    root: Place,
    /// Whether spaces exist by being mentioned, as in continuous scenes that declare none.
    spaces_by_mention: bool,
}

/// Reads a document into the content of a row.
pub(super) fn read_document<'r>(
    json: &'r [u8],
    metadata: &'r LabelRowMetadata,
    ontology: &'r Ontology,
) -> Result<Content> {
    let mut cursor = Cursor::from_slice(json)?;
    let mut reader = Reader {
        metadata,
        ontology,
        data_type: metadata.data_type(),
        reading: Reading::default(),
        recent: Recent::default(),
        objects: IndexMap::new(),
        classes: HashMap::new(),
        units: Vec::new(),
        spaces: IndexMap::new(),
        entries: Vec::new(),
        next_object: 0,
        root: Place::default(),
        spaces_by_mention: false,
    };
    let mut head = Map::new();
    let (mut units, mut have_units, mut spaces) = (None, false, None);
    let (mut object_answers, mut classification_answers, mut object_actions) = (None, None, None);
    cursor.object(|cursor, key| {
        match &*key {
            "object_answers" => object_answers = Some(cursor.set_aside()?),
            "classification_answers" => classification_answers = Some(cursor.set_aside()?),
            "object_actions" => object_actions = Some(cursor.set_aside()?),
            "data_units" => {
                // Scenes must know their spaces first, and what is said about events.
                match head.get("data_type").and_then(Value::as_str).map(str::parse) {
                    Some(Ok(data_type)) if data_type != DataType::Scene && !have_units => {
                        reader.set_data_type(data_type);
                        reader.read_units_at(cursor)?;
                    }
                    _ => units = Some(cursor.set_aside()?),
                }
                have_units = true;
            }
            "spaces" => spaces = Some(cursor.set_aside()?),
            _ => {
                head.insert(key.into_owned(), cursor.value()?);
            }
        }
        Ok(())
    })?;
    cursor.end()?;
    reader.check_head(&head)?;
    for (key, found) in [
        ("object_answers", object_answers),
        ("classification_answers", classification_answers),
        ("object_actions", object_actions),
        ("data_units", have_units.then_some("")),
    ] {
        if found.is_none() {
            return Err(Error::missing(key));
        }
    }
    let continuous = head.get("scene").and_then(|scene| scene.get("isContinuous")).is_some_and(is_truthy);
    reader.root.continuous = continuous && reader.data_type == DataType::Scene;
    reader.read_spaces_facts(spaces).under("spaces")?;
    reader.spaces_by_mention = reader.root.continuous && spaces.is_some() && reader.spaces.is_empty();
    if let Some(units) = units {
        reader.read_units(units).under("data_units")?;
    }
    reader.read_spaces(spaces).under("spaces")?;
    let orphans = reader.read_object_answers(object_answers.unwrap_or("{}")).under("object_answers")?;
    let orphan_actions =
        reader.read_object_actions(object_actions.unwrap_or("{}")).under("object_actions")?;
    let (classifications, orphan_classifications) = reader
        .read_classification_answers(classification_answers.unwrap_or("{}"))
        .under("classification_answers")?;
    reader.add_mentioned_spaces(&classifications);
    let places = Places {
        spaces: reader.spaces.iter().map(|(id, space)| (id.clone(), space.place())).collect(),
        root: reader.root,
    };
    let mut content = Content {
        head,
        data_type: reader.data_type,
        units: reader.units,
        spaces: reader.spaces,
        spaces_by_mention: reader.spaces_by_mention,
        objects: reader.objects,
        classifications,
        orphan_object_answers: orphans,
        orphan_object_actions: orphan_actions,
        orphan_classification_answers: orphan_classifications,
        places: Arc::new(places),
        covered: HashMap::new(),
        lookup: Lookup::default(),
    };
    check_ends(&content)?;
    content.attach_all();
    Ok(content)
}

impl Reader<'_> {
    fn check_head(&mut self, head: &Map<String, Value>) -> Result<()> {
        let structured = ["object_answers", "classification_answers", "object_actions", "data_units"];
        for key in REQUIRED {
            if !structured.contains(&key) && !head.contains_key(key) {
                return Err(Error::missing(key));
            }
        }
        for key in TEXTS {
            match head.get(key) {
                Some(Value::String(_)) | None => {}
                Some(other) => return Err(Error::wrong_type("a string", describe(other))).under(key),
            }
        }
        for key in ["label_hash", "created_at", "last_edited_at", "label_status"] {
            match head.get(key) {
                Some(Value::String(_) | Value::Null) | None => {}
                Some(other) => return Err(Error::wrong_type("a string or null", describe(other))).under(key),
            }
        }
        let name = head.get("data_type").and_then(Value::as_str).unwrap_or_default();
        let data_type = name.parse().under("data_type")?;
        if self.units.is_empty() {
            self.set_data_type(data_type);
        }
        Ok(())
    }

    fn set_data_type(&mut self, data_type: DataType) {
        self.data_type = data_type;
        self.root = Place::of_row(data_type, self.metadata);
    }
}

/// Truth as the platform's scripts see it.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// A cursor over a part of the document that was set aside.
fn part(text: &str) -> Cursor<'_> {
    Cursor::new(text)
}
