//! Classes of objects and of classifications.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::attribute::{self, Attribute, AttributeOption, Found, read_attributes};
use super::{append, flags, read_class_id, wire_value};
use crate::error::{Error, Located, Result};
use crate::extra::Extra;
use crate::id::FeatureHash;
use crate::json::Fields;
use crate::shape::ShapeKind;

/// A class of objects: things that are drawn on frames or are ranges of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectClass {
    id: String,
    name: String,
    value: String,
    color: String,
    shape: ShapeKind,
    feature_hash: FeatureHash,
    required: bool,
    archived: bool,
    attributes: Vec<Arc<Attribute>>,
    extra: Extra,
}

/// A class of classifications: answers about a whole frame or file.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassificationClass {
    id: String,
    feature_hash: FeatureHash,
    global: bool,
    attributes: Vec<Arc<Attribute>>,
    extra: Extra,
}

/// Colours given to new object classes in turn.
const COLORS: [&str; 27] = [
    "#D33115", "#E27300", "#16406C", "#FE9200", "#FCDC00", "#DBDF00", "#A4DD00", "#68CCCA", "#73D8FF",
    "#AEA1FF", "#FCC400", "#B0BC00", "#68BC00", "#16A5A5", "#009CE0", "#7B64FF", "#FA28FF", "#B3B3B3",
    "#9F0500", "#C45100", "#FB9E00", "#808900", "#194D33", "#0C797D", "#0062B1", "#653294", "#AB149E",
];

impl ObjectClass {
    /// A class of objects of one shape. Its id and colour are chosen when it joins an ontology.
    pub fn new(name: impl Into<String>, shape: ShapeKind) -> Self {
        let name = name.into();
        Self {
            id: String::new(),
            value: wire_value(&name),
            name,
            color: String::new(),
            shape,
            feature_hash: FeatureHash::random_class(),
            required: false,
            archived: false,
            attributes: Vec::new(),
            extra: Extra::default(),
        }
    }

    /// With a colour, like `#d33115`.
    #[must_use]
    pub fn with_color(mut self, color: impl Into<String>) -> Self {
        self.color = color.into();
        self
    }

    /// With one more attribute.
    #[must_use]
    pub fn with_attribute(mut self, attribute: Attribute) -> Self {
        self.attributes.push(Arc::new(attribute));
        self
    }

    /// Marked as required.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Title.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The title as label documents spell it: lower case, spaces as underscores.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Colour, like `#D33115`.
    pub fn color(&self) -> &str {
        &self.color
    }

    /// What its objects look like.
    pub fn shape(&self) -> ShapeKind {
        self.shape
    }

    /// Whether every file must have one.
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// Whether it was retired.
    pub fn is_archived(&self) -> bool {
        self.archived
    }

    pub(super) fn read(value: Value) -> Result<Self> {
        let mut fields = Fields::new(value)?;
        let id = read_class_id(fields.require("id")?).under("id")?;
        let (name, color) = (fields.string("name")?, fields.string("color")?);
        let shape = ShapeKind::parse(&fields.string("shape")?).under("shape")?;
        let feature_hash = fields.string("featureNodeHash")?.into();
        let (required, archived) = (fields.flag("required")?, fields.flag("archived")?);
        let attributes = read_attributes(&mut fields, "attributes")?;
        let (value, extra) = (wire_value(&name), fields.rest());
        Ok(Self { id, name, value, color, shape, feature_hash, required, archived, attributes, extra })
    }

    pub(super) fn complete(&mut self, id: u64, last_color: Option<&str>) {
        self.complete_ids(id);
        if self.color.is_empty() {
            let last = last_color.and_then(|last| COLORS.iter().position(|color| *color == last));
            self.color = COLORS[last.map_or(0, |index| (index + 1) % COLORS.len())].to_owned();
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("id".into(), json!(self.id));
        map.insert("name".into(), json!(self.name));
        map.insert("color".into(), json!(self.color));
        map.insert("shape".into(), json!(self.shape.as_str()));
        map.insert("featureNodeHash".into(), json!(self.feature_hash.as_str()));
        flags(&mut map, Some(self.required), self.archived);
        if !self.attributes.is_empty() {
            map.insert("attributes".into(), self.attributes_to_json());
        }
        append(&mut map, &self.extra);
        Value::Object(map)
    }
}

impl ClassificationClass {
    /// A class that asks one attribute, whose name is the class's title.
    pub fn new(attribute: Attribute) -> Self {
        Self {
            id: String::new(),
            feature_hash: FeatureHash::random_class(),
            global: false,
            attributes: vec![Arc::new(attribute)],
            extra: Extra::default(),
        }
    }

    /// About the whole file instead of frames.
    #[must_use]
    pub fn global(mut self) -> Self {
        self.global = true;
        self
    }

    /// Title: the name of its first attribute, empty if there is none.
    pub fn name(&self) -> &str {
        self.attributes.first().map_or("", |attribute| attribute.name())
    }

    /// Whether it is about the whole file instead of frames.
    pub fn is_global(&self) -> bool {
        self.global
    }

    pub(super) fn read(value: Value) -> Result<Self> {
        let mut fields = Fields::new(value)?;
        let id = read_class_id(fields.require("id")?).under("id")?;
        let feature_hash = fields.string("featureNodeHash")?.into();
        let attributes = fields.list("attributes", |item| Attribute::read(item).map(Arc::new))?;
        let mut extra = fields.rest();
        let global = extra.get("level").is_some_and(|level| level == "global");
        if global {
            extra.remove("level");
        }
        Ok(Self { id, feature_hash, global, attributes, extra })
    }

    pub(super) fn complete(&mut self, id: u64) {
        self.complete_ids(id);
    }

    pub(super) fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("id".into(), json!(self.id));
        map.insert("featureNodeHash".into(), json!(self.feature_hash.as_str()));
        if self.global {
            map.insert("level".into(), json!("global"));
        }
        map.insert("attributes".into(), self.attributes_to_json());
        append(&mut map, &self.extra);
        Value::Object(map)
    }
}

/// What both kinds of classes have: an identity and a tree of attributes.
macro_rules! class_with_attributes {
    ($class:ty) => {
        impl $class {
            /// With a feature hash instead of a random one.
            #[must_use]
            pub fn with_feature_hash(mut self, feature_hash: impl Into<FeatureHash>) -> Self {
                self.feature_hash = feature_hash.into();
                self
            }

            /// Position in the ontology.
            pub fn id(&self) -> &str {
                &self.id
            }

            /// Identity.
            pub fn feature_hash(&self) -> &FeatureHash {
                &self.feature_hash
            }

            /// Attributes that are not nested.
            pub fn attributes(&self) -> &[Arc<Attribute>] {
                &self.attributes
            }

            /// The only attribute with a title, nested ones included.
            ///
            /// # Errors
            /// [`Error::NotFound`] with near matches, [`Error::Ambiguous`] if several have the title.
            pub fn attribute(&self, title: &str) -> Result<&Arc<Attribute>> {
                find_by_title(&self.attributes, title).map(|found| found.attribute)
            }

            /// The attribute with a feature hash, nested ones included.
            ///
            /// # Errors
            /// [`Error::NotFound`] with near matches.
            pub fn attribute_by_hash(&self, feature_hash: &str) -> Result<&Arc<Attribute>> {
                find_by_hash(&self.attributes, feature_hash).map(|found| found.attribute)
            }

            /// The radio attributes above a nested attribute with the options that lead to it, outermost first.
            ///
            /// # Errors
            /// [`Error::NotFound`] with near matches.
            pub fn path_to(&self, feature_hash: &str) -> Result<Vec<(&Arc<Attribute>, &AttributeOption)>> {
                find_by_hash(&self.attributes, feature_hash).map(|found| found.parents)
            }

            /// Gives the class, and attributes that have none, an id.
            fn complete_ids(&mut self, id: u64) {
                if self.id.is_empty() {
                    self.id = id.to_string();
                }
                for (index, attribute) in self.attributes.iter_mut().enumerate() {
                    Arc::make_mut(attribute).complete(&self.id, index);
                }
            }

            fn attributes_to_json(&self) -> Value {
                self.attributes.iter().map(|attribute| attribute.to_json()).collect()
            }
        }
    };
}

class_with_attributes!(ObjectClass);
class_with_attributes!(ClassificationClass);

/// The only attribute with a title, and the choices that lead to it.
pub(crate) fn find_by_title<'a>(attributes: &'a [Arc<Attribute>], title: &str) -> Result<Found<'a>> {
    let mut all = Vec::new();
    attribute::walk(attributes, &mut |attribute| all.push(attribute));
    let only = super::only("attribute", title, &all, |attribute| attribute.name())?;
    find_by_hash(attributes, only.feature_hash().as_str())
}

/// The attribute with a feature hash and the choices that lead to it.
pub(crate) fn find_by_hash<'a>(attributes: &'a [Arc<Attribute>], feature_hash: &str) -> Result<Found<'a>> {
    attribute::find(attributes, &|attribute| *attribute.feature_hash() == *feature_hash).ok_or_else(|| {
        let mut hashes = Vec::new();
        attribute::walk(attributes, &mut |attribute| hashes.push(attribute.feature_hash().as_str()));
        Error::not_found("attribute with the feature hash", feature_hash, hashes)
    })
}
