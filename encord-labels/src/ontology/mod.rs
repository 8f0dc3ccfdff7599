//! What may be labelled: object classes, classification classes, their attributes and options.
//!
//! An ontology is read from JSON or built in code, and is shared by all rows of a project behind an `Arc`. Every
//! part of it is addressed by its feature hash; titles are for people and need not be unique.

mod attribute;
mod class;
mod skeleton;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

pub use attribute::{Attribute, AttributeKind, AttributeOption};
pub use class::{ClassificationClass, ObjectClass};
pub use skeleton::{SkeletonTemplate, TemplateVertex};

pub(crate) use attribute::{Found, walk};
pub(crate) use class::{find_by_hash, find_by_title};

use crate::error::{Error, Result};
use crate::extra::Extra;
use crate::json::Fields;
use crate::shape::ShapeKind;

/// The classes, attributes and options of a project.
///
/// ```
/// use encord_labels::ontology::{Attribute, ObjectClass, Ontology};
/// use encord_labels::shape::ShapeKind;
///
/// let ontology = Ontology::new().with_object(
///     ObjectClass::new("Car", ShapeKind::BoundingBox).with_attribute(Attribute::radio("Colour", ["Red", "Blue"])),
/// )?;
/// let car = ontology.object("Car")?;
/// assert_eq!(car.attribute("Colour")?.option("Red")?.value(), "red");
/// assert!(ontology.object("Cra").unwrap_err().to_string().contains("did you mean \"Car\""));
/// # Ok::<(), encord_labels::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ontology {
    objects: Vec<Arc<ObjectClass>>,
    classifications: Vec<Arc<ClassificationClass>>,
    skeleton_templates: Vec<SkeletonTemplate>,
    extra: Extra,
    by_hash: HashMap<Arc<str>, Place>,
}

/// Where a class stands in its list. The first of several classes with one hash counts.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Object(usize),
    Classification(usize),
}

impl Ontology {
    /// An ontology without classes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the structure of an ontology: the object with `objects`, `classifications` and `skeleton_templates`.
    ///
    /// # Errors
    /// The error names the JSON path of what is missing or wrong.
    pub fn from_json(structure: &Value) -> Result<Self> {
        Self::from_value(structure.clone())
    }

    /// As [`Ontology::from_json`], from text.
    ///
    /// # Errors
    /// As [`Ontology::from_json`]; also for text that is not JSON.
    pub fn from_slice(structure: &[u8]) -> Result<Self> {
        Self::from_value(serde_json::from_slice(structure).map_err(Error::syntax)?)
    }

    fn from_value(structure: Value) -> Result<Self> {
        let mut fields = Fields::new(structure)?;
        let objects = fields.list("objects", |item| ObjectClass::read(item).map(Arc::new))?;
        let classifications =
            fields.list("classifications", |item| ClassificationClass::read(item).map(Arc::new))?;
        let skeleton_templates = fields.optional_list("skeleton_templates", SkeletonTemplate::read)?;
        let mut ontology = Self {
            objects,
            classifications,
            skeleton_templates,
            extra: fields.rest(),
            by_hash: HashMap::new(),
        };
        ontology.index();
        Ok(ontology)
    }

    /// The structure as JSON, with everything unknown that was read.
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("objects".into(), self.objects.iter().map(|class| class.to_json()).collect());
        map.insert(
            "classifications".into(),
            self.classifications.iter().map(|class| class.to_json()).collect(),
        );
        let templates = self.skeleton_templates.iter().map(|template| template.to_json());
        map.insert("skeleton_templates".into(), templates.collect());
        append(&mut map, &self.extra);
        Value::Object(map)
    }

    /// Object classes in order.
    pub fn objects(&self) -> &[Arc<ObjectClass>] {
        &self.objects
    }

    /// Classification classes in order.
    pub fn classifications(&self) -> &[Arc<ClassificationClass>] {
        &self.classifications
    }

    /// Skeleton templates in order.
    pub fn skeleton_templates(&self) -> &[SkeletonTemplate] {
        &self.skeleton_templates
    }

    /// The only object class with a title.
    ///
    /// # Errors
    /// [`Error::NotFound`] with near matches, [`Error::Ambiguous`] if several have the title.
    pub fn object(&self, title: &str) -> Result<&Arc<ObjectClass>> {
        only("object class", title, &self.objects, |class| class.name())
    }

    /// The object class with a feature hash.
    ///
    /// # Errors
    /// [`Error::NotFound`] with near matches.
    pub fn object_by_hash(&self, feature_hash: &str) -> Result<&Arc<ObjectClass>> {
        match self.by_hash.get(feature_hash) {
            Some(Place::Object(index)) => Ok(&self.objects[*index]),
            _ => Err(Error::not_found(
                "object class with the feature hash",
                feature_hash,
                self.objects.iter().map(|class| class.feature_hash().as_str()),
            )),
        }
    }

    /// The only classification class with a title, which is the name of its attribute.
    ///
    /// # Errors
    /// [`Error::NotFound`] with near matches, [`Error::Ambiguous`] if several have the title.
    pub fn classification(&self, title: &str) -> Result<&Arc<ClassificationClass>> {
        only("classification class", title, &self.classifications, |class| class.name())
    }

    /// The classification class with a feature hash.
    ///
    /// # Errors
    /// [`Error::NotFound`] with near matches.
    pub fn classification_by_hash(&self, feature_hash: &str) -> Result<&Arc<ClassificationClass>> {
        match self.by_hash.get(feature_hash) {
            Some(Place::Classification(index)) => Ok(&self.classifications[*index]),
            _ => Err(Error::not_found(
                "classification class with the feature hash",
                feature_hash,
                self.classifications.iter().map(|class| class.feature_hash().as_str()),
            )),
        }
    }

    /// The attribute with a feature hash, of whatever class and however deep.
    ///
    /// # Errors
    /// [`Error::NotFound`] with near matches.
    pub fn attribute_by_hash(&self, feature_hash: &str) -> Result<&Arc<Attribute>> {
        let mut all = Vec::new();
        let of_objects = self.objects.iter().map(|class| class.attributes());
        for attributes in of_objects.chain(self.classifications.iter().map(|class| class.attributes())) {
            walk(attributes, &mut |attribute| all.push(attribute));
        }
        all.iter().find(|attribute| *attribute.feature_hash() == *feature_hash).copied().ok_or_else(|| {
            let hashes = all.iter().map(|attribute| attribute.feature_hash().as_str());
            Error::not_found("attribute with the feature hash", feature_hash, hashes)
        })
    }

    /// The skeleton template with a name.
    ///
    /// # Errors
    /// [`Error::NotFound`] with near matches, [`Error::Ambiguous`] if several have the name.
    pub fn skeleton_template(&self, name: &str) -> Result<&SkeletonTemplate> {
        only("skeleton template", name, &self.skeleton_templates, SkeletonTemplate::name)
    }

    /// The skeleton template of an object class: the one that shares its feature hash, or else its name.
    pub fn template_of(&self, class: &ObjectClass) -> Option<&SkeletonTemplate> {
        let by_hash = |template: &&SkeletonTemplate| template.feature_hash() == Some(class.feature_hash());
        self.skeleton_templates
            .iter()
            .find(by_hash)
            .or_else(|| self.skeleton_templates.iter().find(|template| template.name() == class.name()))
    }

    /// Adds an object class; a missing id and colour are chosen.
    ///
    /// # Errors
    /// [`Error::Conflict`] if its id or feature hash is taken; [`Error::InvalidValue`] for a nested attribute that is
    /// dynamic, and for attributes under the options of a checklist.
    pub fn add_object(&mut self, mut class: ObjectClass) -> Result<&Arc<ObjectClass>> {
        self.check_hash_free(class.feature_hash().as_str())?;
        check_hashes_differ(class.attributes())?;
        check_nesting(class.attributes(), true)?;
        let last_color = self.objects.last().map(|class| class.color());
        class.complete(next_id(self.objects.iter().map(|class| class.id())), last_color);
        if self.objects.iter().any(|other| other.id() == class.id()) {
            return Err(Error::conflict(format!("the object id {} is taken", class.id())));
        }
        self.by_hash.insert(class.feature_hash().as_str().into(), Place::Object(self.objects.len()));
        self.objects.push(Arc::new(class));
        Ok(&self.objects[self.objects.len() - 1])
    }

    /// Adds a classification class; a missing id is chosen.
    ///
    /// # Errors
    /// [`Error::Conflict`] if its id or feature hash is taken; [`Error::InvalidValue`] for a dynamic attribute, and for
    /// attributes under the options of a checklist.
    pub fn add_classification(
        &mut self,
        mut class: ClassificationClass,
    ) -> Result<&Arc<ClassificationClass>> {
        self.check_hash_free(class.feature_hash().as_str())?;
        check_hashes_differ(class.attributes())?;
        check_nesting(class.attributes(), false)?;
        class.complete(next_id(self.classifications.iter().map(|class| class.id())));
        if self.classifications.iter().any(|other| other.id() == class.id()) {
            return Err(Error::conflict(format!("the classification id {} is taken", class.id())));
        }
        self.by_hash
            .insert(class.feature_hash().as_str().into(), Place::Classification(self.classifications.len()));
        self.classifications.push(Arc::new(class));
        Ok(&self.classifications[self.classifications.len() - 1])
    }

    /// Adds a skeleton template and the object class that uses it; both share one feature hash.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the name or the feature hash is taken; [`Error::InvalidValue`] for numbers that are not
    /// finite and edges between vertices it does not have. Nothing is changed then.
    pub fn add_skeleton(&mut self, template: SkeletonTemplate) -> Result<&Arc<ObjectClass>> {
        template.check()?;
        if self.skeleton_templates.iter().any(|other| other.name() == template.name()) {
            return Err(Error::conflict(format!(
                "there is a skeleton template \"{}\" already",
                template.name()
            )));
        }
        let mut class = ObjectClass::new(template.name(), ShapeKind::Skeleton);
        if let Some(hash) = template.feature_hash() {
            class = class.with_feature_hash(hash.clone());
        }
        let hash = class.feature_hash().clone();
        self.add_object(class)?;
        self.skeleton_templates.push(template.with_feature_hash(hash));
        Ok(&self.objects[self.objects.len() - 1])
    }

    /// As [`Ontology::add_object`], for chaining.
    ///
    /// # Errors
    /// As [`Ontology::add_object`].
    pub fn with_object(mut self, class: ObjectClass) -> Result<Self> {
        self.add_object(class)?;
        Ok(self)
    }

    /// As [`Ontology::add_classification`], for chaining.
    ///
    /// # Errors
    /// As [`Ontology::add_classification`].
    pub fn with_classification(mut self, class: ClassificationClass) -> Result<Self> {
        self.add_classification(class)?;
        Ok(self)
    }

    fn check_hash_free(&self, feature_hash: &str) -> Result<()> {
        if self.by_hash.contains_key(feature_hash) {
            return Err(Error::conflict(format!(
                "the feature hash {feature_hash} is taken by another class"
            )));
        }
        Ok(())
    }

    fn index(&mut self) {
        for (index, class) in self.objects.iter().enumerate() {
            self.by_hash.entry(class.feature_hash().as_str().into()).or_insert(Place::Object(index));
        }
        for (index, class) in self.classifications.iter().enumerate() {
            self.by_hash.entry(class.feature_hash().as_str().into()).or_insert(Place::Classification(index));
        }
    }
}

/// Checks that no two attributes or options of a class have one feature hash.
fn check_hashes_differ(attributes: &[Arc<Attribute>]) -> Result<()> {
    let mut hashes = HashSet::new();
    let mut twice = None;
    walk(attributes, &mut |attribute| {
        let options = attribute.options().iter().map(|option| option.feature_hash());
        for hash in options.chain([attribute.feature_hash()]) {
            if !hashes.insert(hash) {
                twice = Some(hash);
            }
        }
    });
    match twice {
        None => Ok(()),
        Some(hash) => Err(Error::conflict(format!(
            "two attributes or options of the class have the feature hash {hash}"
        ))),
    }
}

/// Checks that attributes stand where they can be answered: dynamic ones at the top of object classes, nested ones under
/// the options of radio attributes.
fn check_nesting(attributes: &[Arc<Attribute>], may_be_dynamic: bool) -> Result<()> {
    for attribute in attributes {
        let name = attribute.name();
        if attribute.is_dynamic() && !may_be_dynamic {
            return Err(Error::invalid(format!(
                "the attribute \"{name}\" is dynamic, which only those of objects are that are not nested"
            )));
        }
        for option in attribute.options() {
            if attribute.kind() == AttributeKind::Checklist && !option.attributes().is_empty() {
                return Err(Error::invalid(format!(
                    "the option \"{}\" of the checklist \"{name}\" has attributes, which only those of radio attributes have",
                    option.label()
                )));
            }
            check_nesting(option.attributes(), false)?;
        }
    }
    Ok(())
}

/// The only item with a title.
pub(crate) fn only<'a, T>(
    what: &'static str,
    title: &str,
    items: &'a [T],
    name: impl Fn(&T) -> &str,
) -> Result<&'a T> {
    let mut found = items.iter().filter(|item| name(item) == title);
    match (found.next(), found.count()) {
        (Some(item), 0) => Ok(item),
        (Some(_), more) => Err(Error::Ambiguous { what, title: title.to_owned(), count: more + 1 }),
        (None, _) => Err(Error::not_found(what, title, items.iter().map(name))),
    }
}

/// Appends kept keys to an object that is being written.
fn append(map: &mut Map<String, Value>, extra: &Extra) {
    for (key, value) in extra.iter() {
        map.insert(key.to_owned(), value.clone());
    }
}

/// One more than the largest id.
fn next_id<'a>(ids: impl Iterator<Item = &'a str>) -> u64 {
    ids.filter_map(|id| id.parse::<u64>().ok()).max().unwrap_or(0).saturating_add(1)
}

/// Reads the id of a class: a whole number, as text or not.
fn read_class_id(value: Value) -> Result<String> {
    match &value {
        Value::Number(number) if number.is_u64() || number.is_i64() => Ok(number.to_string()),
        Value::String(text) if text.trim().parse::<i64>().is_ok() => Ok(text.clone()),
        other => Err(Error::wrong_type("a whole number", crate::json::describe(other))),
    }
}

/// Reads the id of an attribute or option: whole numbers joined by dots.
fn read_dotted_id(value: Value) -> Result<String> {
    match value {
        Value::String(text) if text.split('.').all(|part| part.trim().parse::<i64>().is_ok()) => Ok(text),
        other => Err(Error::wrong_type("whole numbers joined by dots", crate::json::describe(&other))),
    }
}

/// The default `value` of an object or attribute in label documents.
pub(crate) fn wire_value(name: &str) -> String {
    name.to_lowercase().replace(' ', "_")
}

/// The default `value` of an option in an ontology.
fn option_value(label: &str) -> String {
    let joined: String = label.chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect();
    joined.to_lowercase()
}

/// An id and a hash, the flags every node has.
fn flags(map: &mut Map<String, Value>, required: Option<bool>, archived: bool) {
    if let Some(required) = required {
        map.insert("required".into(), json!(required));
    }
    map.insert("archived".into(), json!(archived));
}
