//! Attributes as questions: which key asks them, what may be answered, and how an answer is read back.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::error::{Error, Located, Result};
use crate::id::FeatureHash;
use crate::json::describe;
use crate::ontology::{Attribute, AttributeKind};
use crate::row::GivenAnswer;

/// An attribute, or a class as a whole, under the key that asks for it.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) key: String,
    pub(super) attribute: Arc<Attribute>,
    choices: Vec<Choice>,
}

/// An option under the word that chooses it, with the questions that follow.
#[derive(Debug, Clone)]
struct Choice {
    word: String,
    feature_hash: FeatureHash,
    follow_up: Vec<Question>,
}

/// Attributes with their answers, each before what is nested below it.
pub(super) type Answers = Vec<(Arc<Attribute>, GivenAnswer)>;

impl Question {
    /// Questions for attributes that stand side by side. Archived and dynamic ones are not asked.
    pub(super) fn all(attributes: &[Arc<Attribute>]) -> Vec<Self> {
        let mut keys = Keys::reserving([CHOICE, CLASS]);
        attributes
            .iter()
            .filter(|attribute| !attribute.is_archived() && !attribute.is_dynamic())
            .map(|attribute| Self::new(keys.key(attribute.name()), attribute.clone()))
            .collect()
    }

    pub(super) fn new(key: String, attribute: Arc<Attribute>) -> Self {
        let mut words = Keys::default();
        let choices = attribute
            .options()
            .iter()
            .filter(|option| !option.is_archived())
            .map(|option| Choice {
                word: words.unique(option.label().to_owned()),
                feature_hash: option.feature_hash().clone(),
                follow_up: Self::all(option.attributes()),
            })
            .collect();
        Self { key, attribute, choices }
    }

    /// The schema of the answer; null is allowed unless the attribute is required.
    pub(super) fn schema(&self) -> Value {
        let required = self.attribute.is_required();
        let kind = |name: &str| if required { json!(name) } else { json!([name, "null"]) };
        let words: Vec<Value> = self.choices.iter().map(|choice| json!(choice.word)).collect();
        let name = self.attribute.name();
        match self.attribute.kind() {
            AttributeKind::Text => {
                json!({"type": kind("string"), "description": format!("Text for \"{name}\".")})
            }
            AttributeKind::Numeric => {
                json!({"type": kind("number"), "description": format!("Number for \"{name}\".")})
            }
            AttributeKind::Checklist => json!({
                "type": kind("array"),
                "items": {"type": "string", "enum": words},
                "description": format!("All options of \"{name}\" that apply."),
            }),
            AttributeKind::Radio if self.choices.iter().all(|choice| choice.follow_up.is_empty()) => {
                let null = (!required).then_some(Value::Null);
                json!({
                    "type": kind("string"),
                    "enum": words.into_iter().chain(null).collect::<Vec<_>>(),
                    "description": format!("The option of \"{name}\" that fits best."),
                })
            }
            AttributeKind::Radio => {
                let null = (!required).then(|| json!({"type": "null"}));
                let branches = self.choices.iter().map(Choice::schema).chain(null);
                json!({
                    "anyOf": branches.collect::<Vec<_>>(),
                    "description": format!("The option of \"{name}\" that fits best."),
                })
            }
        }
    }

    /// Reads the answer and those to the questions that follow, each attribute before what is nested below it.
    pub(super) fn read(&self, answer: &Value, given: &mut Answers) -> Result<()> {
        let attribute = &self.attribute;
        let value = match (attribute.kind(), answer) {
            (_, Value::Null) if attribute.is_required() => {
                return Err(Error::wrong_type("an answer, because the attribute is required", "null"));
            }
            (_, Value::Null) => return Ok(()),
            (AttributeKind::Text, Value::String(text)) => GivenAnswer::Text(text.clone()),
            (AttributeKind::Text, other) => return Err(Error::wrong_type("a text", describe(other))),
            (AttributeKind::Numeric, Value::Number(number)) => GivenAnswer::Exact(number.clone()),
            (AttributeKind::Numeric, other) => return Err(Error::wrong_type("a number", describe(other))),
            (AttributeKind::Checklist, Value::Array(words)) => {
                let mut chosen = Vec::new();
                for (index, word) in words.iter().enumerate() {
                    let hash = &self.choice(word).at(index)?.feature_hash;
                    if !chosen.contains(hash) {
                        chosen.push(hash.clone());
                    }
                }
                GivenAnswer::Hashes(chosen)
            }
            (AttributeKind::Checklist, other) => {
                return Err(Error::wrong_type("a list of options", describe(other)));
            }
            (AttributeKind::Radio, answer) => return self.read_radio(answer, given),
        };
        given.push((attribute.clone(), value));
        Ok(())
    }

    fn read_radio(&self, answer: &Value, given: &mut Answers) -> Result<()> {
        let (choice, fields) = match answer {
            Value::Object(fields) => {
                let word = fields.get(CHOICE).ok_or_else(|| Error::missing(CHOICE))?;
                (self.choice(word).under(CHOICE)?, Some(fields))
            }
            word => (self.choice(word)?, None),
        };
        given.push((self.attribute.clone(), GivenAnswer::Hashes(vec![choice.feature_hash.clone()])));
        let none = Map::new();
        read_all(&choice.follow_up, fields.unwrap_or(&none), &[CHOICE], given)
    }

    fn choice(&self, word: &Value) -> Result<&Choice> {
        let Value::String(word) = word else {
            return Err(Error::wrong_type("the name of an option", describe(word)));
        };
        self.choices.iter().find(|choice| choice.word == *word).ok_or_else(|| {
            Error::not_found("option", word, self.choices.iter().map(|choice| choice.word.as_str()))
        })
    }
}

/// The key under which a choice with further questions names its option.
const CHOICE: &str = "choice";
/// The key under which an object names its class.
pub(super) const CLASS: &str = "class";

impl Choice {
    fn schema(&self) -> Value {
        let choice = (CHOICE.to_owned(), json!({"type": "string", "enum": [self.word]}));
        object_schema(
            std::iter::once(choice).chain(self.follow_up.iter().map(|q| (q.key.clone(), q.schema()))),
        )
    }
}

/// Reads the answers to questions that stand side by side. Keys nobody asked for are refused, missing answers count
/// as null.
pub(super) fn read_all(
    questions: &[Question],
    fields: &Map<String, Value>,
    known: &[&str],
    given: &mut Answers,
) -> Result<()> {
    for key in fields.keys() {
        if !known.contains(&key.as_str()) && !questions.iter().any(|question| question.key == *key) {
            let keys = questions.iter().map(|question| question.key.as_str());
            return Err(Error::not_found("question", key, keys)).under(key);
        }
    }
    for question in questions {
        question.read(fields.get(&question.key).unwrap_or(&Value::Null), given).under(&question.key)?;
    }
    Ok(())
}

/// An object in which every property must be there and nothing else.
pub(super) fn object_schema(properties: impl IntoIterator<Item = (String, Value)>) -> Value {
    let properties: Map<String, Value> = properties.into_iter().collect();
    let required: Vec<&String> = properties.keys().collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// Makes titles into keys that are unique among their neighbours.
#[derive(Debug, Default)]
pub(super) struct Keys(HashSet<String>);

impl Keys {
    /// Without the words that have a meaning of their own.
    fn reserving(words: impl IntoIterator<Item = &'static str>) -> Self {
        Self(words.into_iter().map(str::to_owned).collect())
    }

    /// A key of ASCII letters, digits and underscores, at most 60 long: what every provider accepts.
    pub(super) fn key(&mut self, title: &str) -> String {
        let mut key = String::new();
        for c in title.chars() {
            match c {
                'a'..='z' | '0'..='9' => key.push(c),
                'A'..='Z' => key.push(c.to_ascii_lowercase()),
                _ if !key.is_empty() && !key.ends_with('_') => key.push('_'),
                _ => {}
            }
        }
        key.truncate(56);
        let key = key.trim_end_matches('_');
        self.unique(if key.is_empty() { "question".to_owned() } else { key.to_owned() })
    }

    /// The word itself, or with a number behind it if it is taken.
    pub(super) fn unique(&mut self, word: String) -> String {
        let mut candidate = word.clone();
        let mut number = 2;
        while !self.0.insert(candidate.clone()) {
            candidate = format!("{word}_{number}");
            number += 1;
        }
        candidate
    }
}
