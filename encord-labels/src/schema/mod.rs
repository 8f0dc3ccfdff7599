//! Asking a language model the questions of an ontology.
//!
//! A schema built here can be handed to any model that follows JSON schemas: every object lists all its properties
//! as required and allows no others, and what may stay unanswered may be null, as strict modes demand. The answer
//! comes back as label instances, ready to be placed on frames.
//!
//! Archived attributes and options are not offered, and dynamic attributes are not asked: their answers belong to
//! frames, which the model does not see.

mod question;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use self::question::{CLASS, Keys, Question, object_schema, read_all};
use crate::error::{Error, Located, Result};
use crate::json::describe;
use crate::ontology::{ClassificationClass, ObjectClass};
use crate::row::{ClassificationInstance, ObjectInstance};

/// Questions about a whole file or frame: one property per classification class.
///
/// ```
/// use encord_labels::ontology::{Attribute, ClassificationClass, Ontology};
/// use encord_labels::schema::ClassificationSchema;
/// let ontology = Ontology::new()
///     .with_classification(ClassificationClass::new(Attribute::radio("Weather", ["sun", "rain"]).required()))?;
///
/// let schema = ClassificationSchema::new(ontology.classifications());
/// assert_eq!(schema.to_json()["properties"]["weather"]["enum"], serde_json::json!(["sun", "rain"]));
///
/// let instances = schema.parse(r#"{"weather": "rain"}"#)?;
/// assert_eq!(instances.len(), 1);
/// # Ok::<(), encord_labels::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ClassificationSchema {
    classes: Vec<(Arc<ClassificationClass>, Question)>,
}

/// The question which class an object belongs to, and what its attributes are.
///
/// The answer has no coordinates: this is for objects that were found already and are to be named.
#[derive(Debug, Clone)]
pub struct ObjectSchema {
    classes: Vec<(Arc<ObjectClass>, String, Vec<Question>)>,
}

impl ClassificationSchema {
    /// Asks about all the classes.
    pub fn new<'a>(classes: impl IntoIterator<Item = &'a Arc<ClassificationClass>>) -> Self {
        let mut keys = Keys::default();
        let classes = classes.into_iter().filter_map(|class| {
            let attribute = class.attributes().first().filter(|attribute| !attribute.is_archived())?;
            Some((class.clone(), Question::new(keys.key(attribute.name()), attribute.clone())))
        });
        Self { classes: classes.collect() }
    }

    /// The JSON schema.
    pub fn to_json(&self) -> Value {
        object_schema(self.classes.iter().map(|(_, question)| (question.key.clone(), question.schema())))
    }

    /// Reads an answer given as text. Classes answered with null give no instance.
    ///
    /// # Errors
    /// [`Error::Syntax`] for text that is not JSON; otherwise the JSON path of what does not follow the schema.
    pub fn parse(&self, answer: &str) -> Result<Vec<ClassificationInstance>> {
        self.parse_value(&serde_json::from_str(answer).map_err(Error::syntax)?)
    }

    /// As [`ClassificationSchema::parse`], for an answer that is JSON already.
    ///
    /// # Errors
    /// The JSON path of what does not follow the schema.
    pub fn parse_value(&self, answer: &Value) -> Result<Vec<ClassificationInstance>> {
        let fields = expect_fields(answer)?;
        let questions: Vec<&Question> = self.classes.iter().map(|(_, question)| question).collect();
        for key in fields.keys() {
            if !questions.iter().any(|question| question.key == *key) {
                return Err(Error::not_found("question", key, questions.iter().map(|q| q.key.as_str())))
                    .under(key);
            }
        }
        let mut instances = Vec::new();
        for (class, question) in &self.classes {
            let mut given = Vec::new();
            let value = fields.get(&question.key).unwrap_or(&Value::Null);
            question.read(value, &mut given).under(&question.key)?;
            if !given.is_empty() {
                let mut instance = ClassificationInstance::new(class);
                for (attribute, given) in given {
                    instance.answer(&attribute, given).under(&question.key)?;
                }
                instances.push(instance);
            }
        }
        Ok(instances)
    }
}

impl ObjectSchema {
    /// Lets one of the classes be chosen.
    pub fn new<'a>(classes: impl IntoIterator<Item = &'a Arc<ObjectClass>>) -> Self {
        let mut words = Keys::default();
        let classes = classes.into_iter().filter(|class| !class.is_archived()).map(|class| {
            (class.clone(), words.unique(class.name().to_owned()), Question::all(class.attributes()))
        });
        Self { classes: classes.collect() }
    }

    /// The JSON schema: an object with the single property `object`.
    pub fn to_json(&self) -> Value {
        let branches = self.classes.iter().map(|(class, word, questions)| {
            let choice = json!({
                "type": "string",
                "enum": [word],
                "description": format!("A {} called \"{}\".", class.shape().as_str().replace('_', " "), class.name()),
            });
            let first = (CLASS.to_owned(), choice);
            object_schema(std::iter::once(first).chain(questions.iter().map(|q| (q.key.clone(), q.schema()))))
        });
        let object = json!({
            "anyOf": branches.collect::<Vec<_>>(),
            "description": "The class that fits best, with its attributes.",
        });
        object_schema([(OBJECT.to_owned(), object)])
    }

    /// Reads an answer given as text into an object without coordinates.
    ///
    /// # Errors
    /// [`Error::Syntax`] for text that is not JSON; otherwise the JSON path of what does not follow the schema.
    pub fn parse(&self, answer: &str) -> Result<ObjectInstance> {
        self.parse_value(&serde_json::from_str(answer).map_err(Error::syntax)?)
    }

    /// As [`ObjectSchema::parse`], for an answer that is JSON already.
    ///
    /// # Errors
    /// The JSON path of what does not follow the schema.
    pub fn parse_value(&self, answer: &Value) -> Result<ObjectInstance> {
        let object = expect_fields(answer)?.get(OBJECT).ok_or_else(|| Error::missing(OBJECT))?;
        self.parse_object(object).under(OBJECT)
    }

    fn parse_object(&self, object: &Value) -> Result<ObjectInstance> {
        let fields = expect_fields(object)?;
        let word = match fields.get(CLASS) {
            Some(Value::String(word)) => word,
            Some(other) => {
                return Err(Error::wrong_type("the name of a class", describe(other))).under(CLASS);
            }
            None => return Err(Error::missing(CLASS)),
        };
        let (class, _, questions) = self
            .classes
            .iter()
            .find(|(_, known, _)| known == word)
            .ok_or_else(|| {
                Error::not_found(
                    "object class",
                    word,
                    self.classes.iter().map(|(_, known, _)| known.as_str()),
                )
            })
            .under(CLASS)?;
        let mut given = Vec::new();
        read_all(questions, fields, &[CLASS], &mut given)?;
        let mut instance = ObjectInstance::new(class);
        for (attribute, given) in given {
            instance.answer(&attribute, given)?;
        }
        Ok(instance)
    }
}

/// The property that holds the chosen object.
const OBJECT: &str = "object";

fn expect_fields(answer: &Value) -> Result<&Map<String, Value>> {
    answer.as_object().ok_or_else(|| Error::wrong_type("an object", describe(answer)))
}
