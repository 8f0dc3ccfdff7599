//! One entry of a frame's `objects`, as the document spells it.
//!
//! Most of what an object says on a frame it said on the frame before, in the same words. So an entry stays where it
//! was read, and the next one at its place in the list begins with comparing text: what is spelled alike is not
//! read again. Documents with a million entries are read in half the time this way.

use std::borrow::Cow;

use crate::error::Result;
use crate::extra::Extra;
use crate::json::{Cursor, Reading, Spelling};
use crate::row::annotation::{Detail, Details, Event, Interpolation, Recent};
use crate::shape::{Pieces, ShapeKind};

type Text<'a> = Option<Cow<'a, str>>;

/// What an entry says, piece by piece; what it means is for the reader to find out.
#[derive(Default)]
pub(super) struct Entry<'a> {
    pub(super) object_hash: Text<'a>,
    pub(super) feature_hash: Text<'a>,
    pub(super) shape_name: Text<'a>,
    /// Name, colour and value.
    pub(super) names: [Text<'a>; 3],
    pub(super) details: Details,
    pub(super) event: Option<Event>,
    pub(super) interpolation: Option<Interpolation>,
    /// Keys that this version does not know; those of one entry only.
    pub(super) extra: Extra,
    pub(super) pieces: Pieces<'a>,
    /// The object this is about, once found; forgotten as soon as an entry differs in what it was found by.
    pub(super) object: Option<usize>,
    /// Whether name, colour and value are known to be those of the ontology.
    pub(super) usual_names: bool,
    kind: Option<ShapeKind>,
    /// The fields that are set, in the order of the document.
    fields: Vec<Field>,
    spelling: Spelling<'a>,
}

/// A key of an entry that has a place in [`Entry`].
#[derive(Debug, Clone, Copy, PartialEq)]
enum Field {
    ObjectHash,
    FeatureHash,
    Shape,
    Name(usize),
    Event,
    Interpolation,
    Detail(Detail),
}

impl Field {
    fn of(key: &str) -> Option<Self> {
        Some(match key {
            "objectHash" => Self::ObjectHash,
            "featureHash" => Self::FeatureHash,
            "shape" => Self::Shape,
            "name" => Self::Name(0),
            "color" => Self::Name(1),
            "value" => Self::Name(2),
            "event" => Self::Event,
            "interpolate" => Self::Interpolation,
            _ => Self::Detail(Detail::of(key)?),
        })
    }
}

impl<'a> Entry<'a> {
    /// Reads the next entry over this one.
    pub(super) fn read(
        &mut self,
        cursor: &mut Cursor<'a>,
        reading: &mut Reading,
        recent: &mut Recent,
    ) -> Result<()> {
        let same = cursor.object_like(&self.spelling)?;
        while self.fields.len() > same {
            if let Some(field) = self.fields.pop() {
                self.forget(field);
            }
        }
        self.pieces.clear();
        self.extra = Extra::default();
        let mut spelling = std::mem::take(&mut self.spelling);
        let mut twice = false;
        cursor.rest_of_object(same, &mut spelling, |cursor, key| {
            if let Some(field) = Field::of(&key) {
                twice |= self.fields.contains(&field);
                self.fields.push(field);
                self.read_field(field, cursor, reading, recent)?;
                return Ok(true);
            }
            if !self.pieces.take(&key, self.kind, cursor, reading)? {
                self.extra.insert(key, cursor.value()?);
            }
            Ok(false)
        })?;
        if twice {
            // The last one counts, which the next entry cannot know from what it has in common with this one.
            spelling.forget();
        }
        self.spelling = spelling;
        Ok(())
    }

    #[inline]
    fn read_field(
        &mut self,
        field: Field,
        cursor: &mut Cursor<'a>,
        reading: &mut Reading,
        recent: &mut Recent,
    ) -> Result<()> {
        match field {
            Field::ObjectHash => self.object_hash = Some(cursor.string()?),
            Field::FeatureHash => self.feature_hash = Some(cursor.string()?),
            Field::Shape => {
                let name = cursor.string()?;
                self.kind = name.parse().ok();
                self.shape_name = Some(name);
            }
            Field::Name(which) => self.names[which] = cursor.nullable(Cursor::string)?,
            Field::Event => self.event = cursor.nullable(Event::read)?,
            Field::Interpolation => self.interpolation = cursor.nullable(Interpolation::read)?,
            Field::Detail(which) => self.details.read(which, cursor, reading, recent)?,
        }
        Ok(())
    }

    #[inline]
    fn forget(&mut self, field: Field) {
        match field {
            Field::ObjectHash => (self.object_hash, self.object) = (None, None),
            Field::FeatureHash => (self.feature_hash, self.object) = (None, None),
            Field::Shape => (self.shape_name, self.kind, self.object) = (None, None, None),
            Field::Name(which) => self.names[which] = None,
            Field::Event => self.event = None,
            Field::Interpolation => self.interpolation = None,
            Field::Detail(which) => self.details.forget(which),
        }
        self.usual_names &= self.object.is_some() && !matches!(field, Field::Name(_));
    }
}
