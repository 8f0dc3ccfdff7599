//! Named vertices after a template.

use std::fmt;
use std::sync::Arc;

use super::{check_finite, check_fractions};
use crate::error::{Error, Located, Result};
use crate::id::FeatureHash;
use crate::json::{Cursor, Emitter, Kind, Reading};

/// The vertices of a skeleton. Which edges join them is part of the ontology's template.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Skeleton {
    /// The vertices in the order of the template.
    pub vertices: Vec<Vertex>,
}

/// One vertex of a [`Skeleton`].
#[derive(Debug, Clone, PartialEq)]
pub struct Vertex {
    /// Fraction of the width.
    pub x: f64,
    /// Fraction of the height.
    pub y: f64,
    /// Name in the template.
    pub name: Arc<str>,
    /// Colour, like `#00ff00`.
    pub color: Option<Arc<str>>,
    /// The vertex in the ontology's template.
    pub feature_hash: Option<FeatureHash>,
    /// Value in the template.
    pub value: Option<Arc<str>>,
    /// Whether it can be seen.
    pub visibility: Option<Visibility>,
}

/// Whether a vertex can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Visibility {
    /// In plain sight.
    Visible,
    /// Outside the image.
    Invisible,
    /// Behind something else.
    Occluded,
    /// Behind another part of the same object.
    SelfOccluded,
}

impl Visibility {
    const ALL: [Self; 4] = [Self::Invisible, Self::Occluded, Self::SelfOccluded, Self::Visible];

    /// The name in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visible => "visible",
            Self::Invisible => "invisible",
            Self::Occluded => "occluded",
            Self::SelfOccluded => "selfOccluded",
        }
    }
}

impl fmt::Display for Visibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Vertex {
    /// A vertex at a place, from fractions.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for numbers far outside the image.
    pub fn new(name: impl Into<Arc<str>>, x: f64, y: f64) -> Result<Self> {
        check_fractions([("x", x), ("y", y)])?;
        Ok(Self { x, y, name: name.into(), color: None, feature_hash: None, value: None, visibility: None })
    }

    fn read(cursor: &mut Cursor<'_>, reading: &mut Reading) -> Result<Self> {
        let (mut x, mut y, mut name) = (None, None, None);
        let (mut color, mut feature_hash, mut value) = (None, None, None);
        let mut visibility = None;
        let mut flags = [false; 4];
        cursor.object(|cursor, key| {
            match &*key {
                "x" => x = Some(cursor.number()?),
                "y" => y = Some(cursor.number()?),
                "name" => name = Some(reading.share(&cursor.string()?)),
                "color" => color = cursor.nullable(|cursor| Ok(reading.share(&cursor.string()?)))?,
                "featureHash" => {
                    feature_hash = cursor.nullable(|cursor| Ok(reading.share(&cursor.string()?)))?;
                }
                "value" => value = cursor.nullable(|cursor| Ok(reading.share(&cursor.string()?)))?,
                "visibility" => {
                    visibility = cursor.nullable(|cursor| {
                        let name = cursor.string()?;
                        Visibility::ALL
                            .into_iter()
                            .find(|visibility| visibility.as_str() == name)
                            .ok_or_else(|| Error::unsupported("visibility", name))
                    })?;
                }
                other => {
                    reading.found_oddity();
                    let flag = Visibility::ALL.iter().position(|visibility| visibility.as_str() == other);
                    match flag {
                        Some(index) if cursor.kind()? == Kind::Bool => flags[index] = cursor.boolean()?,
                        _ => {
                            cursor.skip()?;
                        }
                    }
                }
            }
            Ok(())
        })?;
        if let Some(index) = flags.iter().position(|flag| *flag) {
            visibility = Some(Visibility::ALL[index]);
        }
        Ok(Self {
            x: x.ok_or_else(|| Error::missing("x"))?,
            y: y.ok_or_else(|| Error::missing("y"))?,
            name: name.ok_or_else(|| Error::missing("name"))?,
            color,
            feature_hash: feature_hash.map(FeatureHash::from),
            value,
            visibility,
        })
    }

    fn write(&self, out: &mut Emitter<'_>) -> Result<()> {
        out.object(|out| {
            out.key("x").number(self.x);
            out.key("y").number(self.y);
            out.key("name").string(&self.name);
            let texts = [
                ("color", self.color.as_deref()),
                ("featureHash", self.feature_hash.as_ref().map(FeatureHash::as_str)),
                ("value", self.value.as_deref()),
                ("visibility", self.visibility.map(Visibility::as_str)),
            ];
            for (key, text) in texts {
                if let Some(text) = text {
                    out.key(key).string(text);
                }
            }
            Ok(())
        })
    }
}

impl Skeleton {
    /// A skeleton from its vertices. The ontology's template can make one with the right names and hashes.
    pub fn new(vertices: impl Into<Vec<Vertex>>) -> Self {
        Self { vertices: vertices.into() }
    }

    /// The vertex with a name.
    pub fn vertex(&self, name: &str) -> Option<&Vertex> {
        self.vertices.iter().find(|vertex| &*vertex.name == name)
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.vertices.iter().enumerate().try_for_each(|(index, vertex)| {
            check_finite([("x", vertex.x), ("y", vertex.y)]).under(&index.to_string())
        })
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>, reading: &mut Reading) -> Result<Self> {
        let mut vertices = Vec::new();
        cursor.object(|cursor, key| {
            if key.parse() != Ok(vertices.len()) {
                reading.found_oddity();
            }
            vertices.push(Vertex::read(cursor, reading)?);
            Ok(())
        })?;
        Ok(Self { vertices })
    }

    pub(crate) fn write(&self, out: &mut Emitter<'_>) -> Result<()> {
        out.key("skeleton").object(|out| {
            self.vertices
                .iter()
                .enumerate()
                .try_for_each(|(index, vertex)| vertex.write(out.number_key(index as u64)))
        })
    }
}
