//! Templates that name the vertices of a skeleton and join them by edges.

use serde_json::{Map, Value, json};

use super::append;
use crate::error::{Error, Located, Result};
use crate::extra::Extra;
use crate::id::FeatureHash;
use crate::json::{Fields, describe, expect_object};
use crate::shape::{Skeleton, Vertex, check_finite};

/// What a skeleton consists of.
#[derive(Debug, Clone, PartialEq)]
pub struct SkeletonTemplate {
    name: String,
    width: f64,
    height: f64,
    vertices: Vec<TemplateVertex>,
    edges: Map<String, Value>,
    feature_hash: Option<FeatureHash>,
    extra: Extra,
    outer: Extra,
}

/// One vertex of a [`SkeletonTemplate`].
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateVertex {
    key: String,
    x: f64,
    y: f64,
    name: String,
    color: String,
    value: String,
    feature_hash: Option<FeatureHash>,
    extra: Extra,
}

/// Colour of vertices and edges that have none. The platform writes it with five zeros.
const DEFAULT_COLOR: &str = "#00000";

impl SkeletonTemplate {
    /// A template with vertices at places in a box of `width` × `height`, and no edges.
    pub fn new<'a>(
        name: impl Into<String>,
        width: f64,
        height: f64,
        vertices: impl IntoIterator<Item = (&'a str, f64, f64)>,
    ) -> Self {
        let vertices = vertices.into_iter().enumerate().map(|(index, (name, x, y))| TemplateVertex {
            key: index.to_string(),
            x,
            y,
            name: name.to_owned(),
            color: DEFAULT_COLOR.to_owned(),
            value: String::new(),
            feature_hash: Some(FeatureHash::random_class()),
            extra: Extra::default(),
        });
        Self {
            name: name.into(),
            width,
            height,
            vertices: vertices.collect(),
            edges: Map::new(),
            feature_hash: None,
            extra: Extra::default(),
            outer: Extra::default(),
        }
    }

    /// With an edge between two vertices, counted from 0; whether there are such vertices is checked when the template
    /// is added to an ontology.
    #[must_use]
    pub fn with_edge(mut self, from: usize, to: usize) -> Self {
        let ends = self.edges.entry(from.to_string()).or_insert_with(|| json!({}));
        if let Value::Object(ends) = ends {
            ends.insert(to.to_string(), json!({"color": DEFAULT_COLOR}));
        }
        self
    }

    pub(super) fn with_feature_hash(mut self, feature_hash: FeatureHash) -> Self {
        self.feature_hash = Some(feature_hash);
        self
    }

    /// Title.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Width of the box the vertices are placed in.
    pub fn width(&self) -> f64 {
        self.width
    }

    /// Height of the box the vertices are placed in.
    pub fn height(&self) -> f64 {
        self.height
    }

    /// The vertices in order.
    pub fn vertices(&self) -> &[TemplateVertex] {
        &self.vertices
    }

    /// Pairs of vertex keys that are joined.
    pub fn edges(&self) -> impl Iterator<Item = (&str, &str)> {
        self.edges.iter().flat_map(|(from, ends)| {
            ends.as_object()
                .into_iter()
                .flat_map(move |ends| ends.keys().map(move |to| (from.as_str(), to.as_str())))
        })
    }

    /// The feature hash it shares with its object class.
    pub fn feature_hash(&self) -> Option<&FeatureHash> {
        self.feature_hash.as_ref()
    }

    /// A skeleton with every vertex of the template at a place, in the template's order.
    ///
    /// Colours, values and hashes come from the template; visibility is kept as given.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] unless each vertex is given exactly once.
    pub fn instantiate(&self, vertices: impl IntoIterator<Item = Vertex>) -> Result<Skeleton> {
        let mut given: Vec<Vertex> = vertices.into_iter().collect();
        let mut placed = Vec::with_capacity(self.vertices.len());
        for template in &self.vertices {
            let index = given.iter().position(|vertex| *vertex.name == *template.name).ok_or_else(|| {
                Error::invalid(format!("the vertex \"{}\" of the skeleton is missing", template.name))
            })?;
            let mut vertex = given.swap_remove(index);
            vertex.feature_hash = template.feature_hash.clone();
            placed.push(vertex);
        }
        match given.first() {
            None => Ok(Skeleton { vertices: placed }),
            Some(vertex) => Err(Error::not_found(
                "vertex",
                &*vertex.name,
                self.vertices.iter().map(|vertex| vertex.name.as_str()),
            )),
        }
    }

    /// Checks what was built in code.
    pub(super) fn check(&self) -> Result<()> {
        check_finite([("width", self.width), ("height", self.height)])?;
        for vertex in &self.vertices {
            check_finite([("x", vertex.x), ("y", vertex.y)])
                .map_err(|error| Error::invalid(format!("the vertex \"{}\": {error}", vertex.name)))?;
        }
        let is_vertex = |key: &str| self.vertices.iter().any(|vertex| vertex.key == key);
        match self.edges().find(|(from, to)| !is_vertex(from) || !is_vertex(to)) {
            None => Ok(()),
            Some((from, to)) => Err(Error::invalid(format!(
                "the edge from {from} to {to} needs two of the {} vertices of the skeleton \"{}\"",
                self.vertices.len(),
                self.name
            ))),
        }
    }

    pub(super) fn read(value: Value) -> Result<Self> {
        let mut outer = Fields::new(value)?;
        let template = outer.require("template")?;
        let mut read = Self::read_inner(template).under("template")?;
        read.outer = outer.rest();
        Ok(read)
    }

    fn read_inner(value: Value) -> Result<Self> {
        let mut fields = Fields::new(value)?;
        let name = fields.string("name")?;
        let width = read_number(fields.require("width")?).under("width")?;
        let height = read_number(fields.require("height")?).under("height")?;
        let mut vertices = Vec::new();
        for (key, vertex) in expect_object(fields.require("skeleton")?).under("skeleton")? {
            vertices.push(TemplateVertex::read(&key, vertex).under(&key).under("skeleton")?);
        }
        let edges = match fields.take("skeletonEdges").or_else(|| fields.take("skeleton_edges")) {
            Some(edges) => expect_object(edges).under("skeletonEdges")?,
            None => return Err(Error::missing("skeletonEdges")),
        };
        let feature_hash = fields.optional_string("feature_node_hash")?.map(FeatureHash::from);
        let mut extra = fields.rest();
        if extra.get("shape").is_some_and(|shape| shape == "skeleton") {
            extra.remove("shape");
        }
        Ok(Self { name, width, height, vertices, edges, feature_hash, extra, outer: Extra::default() })
    }

    pub(super) fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("name".into(), json!(self.name));
        map.insert("width".into(), json!(self.width));
        map.insert("height".into(), json!(self.height));
        let vertices = self.vertices.iter().map(|vertex| (vertex.key.clone(), vertex.to_json()));
        map.insert("skeleton".into(), Value::Object(vertices.collect()));
        map.insert("skeletonEdges".into(), Value::Object(self.edges.clone()));
        if let Some(hash) = &self.feature_hash {
            map.insert("feature_node_hash".into(), json!(hash.as_str()));
        }
        map.insert("shape".into(), json!("skeleton"));
        append(&mut map, &self.extra);
        let mut outer = Map::new();
        outer.insert("template".into(), Value::Object(map));
        append(&mut outer, &self.outer);
        Value::Object(outer)
    }
}

impl TemplateVertex {
    /// Position in the template's box.
    pub fn position(&self) -> (f64, f64) {
        (self.x, self.y)
    }

    /// Title.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Colour.
    pub fn color(&self) -> &str {
        &self.color
    }

    /// Identity.
    pub fn feature_hash(&self) -> Option<&FeatureHash> {
        self.feature_hash.as_ref()
    }

    fn read(key: &str, value: Value) -> Result<Self> {
        let mut fields = Fields::new(value)?;
        Ok(Self {
            key: key.to_owned(),
            x: read_number(fields.require("x")?).under("x")?,
            y: read_number(fields.require("y")?).under("y")?,
            name: fields.string("name")?,
            color: fields.optional_string("color")?.unwrap_or_else(|| DEFAULT_COLOR.to_owned()),
            value: fields.optional_string("value")?.unwrap_or_default(),
            feature_hash: fields.optional_string("featureHash")?.map(FeatureHash::from),
            extra: fields.rest(),
        })
    }

    fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("x".into(), json!(self.x));
        map.insert("y".into(), json!(self.y));
        map.insert("name".into(), json!(self.name));
        map.insert("color".into(), json!(self.color));
        map.insert("value".into(), json!(self.value));
        if let Some(hash) = &self.feature_hash {
            map.insert("featureHash".into(), json!(hash.as_str()));
        }
        append(&mut map, &self.extra);
        Value::Object(map)
    }
}

/// A number, which templates may also spell as text.
fn read_number(value: Value) -> Result<f64> {
    let number = match &value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number
        .filter(|number| number.is_finite())
        .ok_or_else(|| Error::wrong_type("a finite number", describe(&value)))
}
