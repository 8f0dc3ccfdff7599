//! Attributes of classes and the options they offer.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{append, flags, only, option_value, read_dotted_id, wire_value};
use crate::error::{Error, Located, Result};
use crate::extra::Extra;
use crate::id::FeatureHash;
use crate::json::Fields;

/// A question about an object or a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    id: String,
    name: String,
    value: String,
    feature_hash: FeatureHash,
    kind: AttributeKind,
    required: bool,
    archived: bool,
    dynamic: bool,
    options: Vec<AttributeOption>,
    extra: Extra,
}

/// How an attribute is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AttributeKind {
    /// One of its options.
    Radio,
    /// Any of its options.
    Checklist,
    /// A text.
    Text,
    /// A number.
    Numeric,
}

impl AttributeKind {
    const ALL: [Self; 4] = [Self::Radio, Self::Checklist, Self::Text, Self::Numeric];

    /// The name in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Radio => "radio",
            Self::Checklist => "checklist",
            Self::Text => "text",
            Self::Numeric => "numeric",
        }
    }
}

/// One answer a radio or checklist attribute offers.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeOption {
    id: String,
    label: String,
    value: String,
    feature_hash: FeatureHash,
    archived: bool,
    attributes: Vec<Arc<Attribute>>,
    extra: Extra,
}

impl Attribute {
    /// A text attribute.
    pub fn text(name: impl Into<String>) -> Self {
        Self::new(name, AttributeKind::Text, Vec::new())
    }

    /// A numeric attribute.
    pub fn numeric(name: impl Into<String>) -> Self {
        Self::new(name, AttributeKind::Numeric, Vec::new())
    }

    /// An attribute answered with one of the options.
    pub fn radio<O: Into<AttributeOption>>(
        name: impl Into<String>,
        options: impl IntoIterator<Item = O>,
    ) -> Self {
        Self::new(name, AttributeKind::Radio, options.into_iter().map(Into::into).collect())
    }

    /// An attribute answered with any number of the options.
    pub fn checklist<O: Into<AttributeOption>>(
        name: impl Into<String>,
        options: impl IntoIterator<Item = O>,
    ) -> Self {
        Self::new(name, AttributeKind::Checklist, options.into_iter().map(Into::into).collect())
    }

    fn new(name: impl Into<String>, kind: AttributeKind, options: Vec<AttributeOption>) -> Self {
        let name = name.into();
        Self {
            id: String::new(),
            value: wire_value(&name),
            name,
            feature_hash: FeatureHash::random_attribute(),
            kind,
            required: false,
            archived: false,
            dynamic: false,
            options,
            extra: Extra::default(),
        }
    }

    /// With a feature hash instead of a random one.
    #[must_use]
    pub fn with_feature_hash(mut self, feature_hash: impl Into<FeatureHash>) -> Self {
        self.feature_hash = feature_hash.into();
        self
    }

    /// Marked as required.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Answered per frame instead of once per object. Only for attributes of object classes that are not nested.
    #[must_use]
    pub fn dynamic(mut self) -> Self {
        self.dynamic = true;
        self
    }

    /// Position in the ontology, like `1.2`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Title.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The title as label documents spell it: lower case, spaces as underscores.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Identity.
    pub fn feature_hash(&self) -> &FeatureHash {
        &self.feature_hash
    }

    /// How it is answered.
    pub fn kind(&self) -> AttributeKind {
        self.kind
    }

    /// Whether people must answer it.
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// Whether it was retired.
    pub fn is_archived(&self) -> bool {
        self.archived
    }

    /// Whether it is answered per frame.
    pub fn is_dynamic(&self) -> bool {
        self.dynamic
    }

    /// What can be chosen; empty for text and numbers.
    pub fn options(&self) -> &[AttributeOption] {
        &self.options
    }

    /// The option with a label.
    ///
    /// # Errors
    /// [`Error::NotFound`] with near matches, [`Error::Ambiguous`] if several have the label.
    pub fn option(&self, label: &str) -> Result<&AttributeOption> {
        only("option", label, &self.options, AttributeOption::label)
    }

    /// The option with a feature hash.
    ///
    /// # Errors
    /// [`Error::NotFound`] with near matches.
    pub fn option_by_hash(&self, feature_hash: &str) -> Result<&AttributeOption> {
        self.options.iter().find(|option| option.feature_hash == *feature_hash).ok_or_else(|| {
            Error::not_found(
                "option with the feature hash",
                feature_hash,
                self.options.iter().map(|option| option.feature_hash.as_str()),
            )
        })
    }

    pub(super) fn read(value: Value) -> Result<Self> {
        let mut fields = Fields::new(value)?;
        let id = read_dotted_id(fields.require("id")?).under("id")?;
        let name = fields.string("name")?;
        let kind = fields.string("type")?;
        let kind = AttributeKind::ALL
            .into_iter()
            .find(|known| known.as_str() == kind)
            .ok_or_else(|| Error::unsupported("attribute type", kind))
            .under("type")?;
        let feature_hash = fields.string("featureNodeHash")?.into();
        if !fields.has("required") {
            return Err(Error::missing("required"));
        }
        let (required, archived, dynamic) =
            (fields.flag("required")?, fields.flag("archived")?, fields.flag("dynamic")?);
        let options = match kind {
            AttributeKind::Radio | AttributeKind::Checklist => fields
                .optional_list("options", |item| AttributeOption::read(item, kind == AttributeKind::Radio))?,
            // Whatever stands there is kept as an unknown key.
            AttributeKind::Text | AttributeKind::Numeric => Vec::new(),
        };
        Ok(Self {
            id,
            value: wire_value(&name),
            name,
            feature_hash,
            kind,
            required,
            archived,
            dynamic,
            options,
            extra: fields.rest(),
        })
    }

    /// Fills in the ids that are missing, below the parent's.
    pub(super) fn complete(&mut self, parent: &str, position: usize) {
        if self.id.is_empty() {
            self.id = format!("{parent}.{}", position + 1);
        }
        for (index, option) in self.options.iter_mut().enumerate() {
            if option.id.is_empty() {
                option.id = format!("{}.{}", self.id, index + 1);
            }
            for (nested, attribute) in option.attributes.iter_mut().enumerate() {
                Arc::make_mut(attribute).complete(&option.id, nested);
            }
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("id".into(), json!(self.id));
        map.insert("name".into(), json!(self.name));
        map.insert("type".into(), json!(self.kind.as_str()));
        map.insert("featureNodeHash".into(), json!(self.feature_hash.as_str()));
        flags(&mut map, Some(self.required), self.archived);
        map.insert("dynamic".into(), json!(self.dynamic));
        if !self.options.is_empty() {
            map.insert("options".into(), self.options.iter().map(AttributeOption::to_json).collect());
        }
        append(&mut map, &self.extra);
        Value::Object(map)
    }
}

impl AttributeOption {
    /// An option with a label.
    pub fn new(label: impl Into<String>) -> Self {
        let label = label.into();
        Self {
            id: String::new(),
            value: option_value(&label),
            label,
            feature_hash: FeatureHash::random_attribute(),
            archived: false,
            attributes: Vec::new(),
            extra: Extra::default(),
        }
    }

    /// With a feature hash instead of a random one.
    #[must_use]
    pub fn with_feature_hash(mut self, feature_hash: impl Into<FeatureHash>) -> Self {
        self.feature_hash = feature_hash.into();
        self
    }

    /// With a value instead of the one made from the label.
    #[must_use]
    pub fn with_value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    /// With an attribute that is asked when this option is chosen. Options of radio attributes only.
    #[must_use]
    pub fn with_attribute(mut self, attribute: Attribute) -> Self {
        self.attributes.push(Arc::new(attribute));
        self
    }

    /// Position in the ontology, like `1.2.1`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Title.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The value in label documents.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Identity.
    pub fn feature_hash(&self) -> &FeatureHash {
        &self.feature_hash
    }

    /// Whether it was retired.
    pub fn is_archived(&self) -> bool {
        self.archived
    }

    /// Attributes that are asked when this option is chosen.
    pub fn attributes(&self) -> &[Arc<Attribute>] {
        &self.attributes
    }

    fn read(value: Value, nested: bool) -> Result<Self> {
        let mut fields = Fields::new(value)?;
        let id = read_dotted_id(fields.require("id")?).under("id")?;
        let (label, value) = (fields.string("label")?, fields.string("value")?);
        let feature_hash = fields.string("featureNodeHash")?.into();
        let archived = fields.flag("archived")?;
        let attributes = if nested { read_attributes(&mut fields, "options")? } else { Vec::new() };
        Ok(Self { id, label, value, feature_hash, archived, attributes, extra: fields.rest() })
    }

    fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("id".into(), json!(self.id));
        map.insert("label".into(), json!(self.label));
        map.insert("value".into(), json!(self.value));
        map.insert("featureNodeHash".into(), json!(self.feature_hash.as_str()));
        flags(&mut map, None, self.archived);
        if !self.attributes.is_empty() {
            map.insert(
                "options".into(),
                self.attributes.iter().map(|attribute| attribute.to_json()).collect(),
            );
        }
        append(&mut map, &self.extra);
        Value::Object(map)
    }
}

impl From<&str> for AttributeOption {
    fn from(label: &str) -> Self {
        Self::new(label)
    }
}

impl From<String> for AttributeOption {
    fn from(label: String) -> Self {
        Self::new(label)
    }
}

/// Reads the list of attributes under `key`, which may be absent.
pub(super) fn read_attributes(fields: &mut Fields, key: &'static str) -> Result<Vec<Arc<Attribute>>> {
    fields.optional_list(key, |item| Attribute::read(item).map(Arc::new))
}

/// An attribute with the choices that lead to it.
pub(crate) struct Found<'a> {
    pub(crate) attribute: &'a Arc<Attribute>,
    /// The radio attributes above it and the options that must be chosen, outermost first.
    pub(crate) parents: Vec<(&'a Arc<Attribute>, &'a AttributeOption)>,
}

/// Every attribute of a tree, depth first, an attribute before those nested under its options.
pub(crate) fn walk<'a>(attributes: &'a [Arc<Attribute>], visit: &mut dyn FnMut(&'a Arc<Attribute>)) {
    for attribute in attributes {
        visit(attribute);
        for option in &attribute.options {
            walk(&option.attributes, visit);
        }
    }
}

/// The first attribute of a tree, depth first, that satisfies a condition.
pub(crate) fn find<'a>(
    attributes: &'a [Arc<Attribute>],
    wanted: &dyn Fn(&Attribute) -> bool,
) -> Option<Found<'a>> {
    for attribute in attributes {
        if wanted(attribute) {
            return Some(Found { attribute, parents: Vec::new() });
        }
        for option in &attribute.options {
            if let Some(mut found) = find(&option.attributes, wanted) {
                found.parents.insert(0, (attribute, option));
                return Some(found);
            }
        }
    }
    None
}
