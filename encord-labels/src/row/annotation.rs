//! One object on one frame: its shape, and who drew it when.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::extra::Extra;
use crate::json::{Cursor, Emitter, Reading};
use crate::range::{Frame, FrameSet};
use crate::shape::{Shape, ShapeSource, write_shape};
use crate::time::Timestamp;

/// Who made something when, and how sure they were.
///
/// `None` means that the document does not say.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Details {
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// E-mail address of who made it; the platform fills in the caller's.
    pub created_by: Option<Arc<str>>,
    /// When it was changed last.
    pub last_edited_at: Option<Timestamp>,
    /// E-mail address of who changed it last.
    pub last_edited_by: Option<Arc<str>>,
    /// From 0 to 1; people's labels have 1.
    pub confidence: Option<f64>,
    /// Whether a person made it.
    pub manual_annotation: Option<bool>,
    /// Whether it is marked as deleted.
    pub is_deleted: Option<bool>,
    pub(crate) extra: Extra,
}

impl Details {
    /// The details of something made now, by hand, with full confidence.
    pub fn by_hand() -> Self {
        let now = Timestamp::now();
        Self {
            created_at: Some(now.clone()),
            last_edited_at: Some(now),
            confidence: Some(1.0),
            manual_annotation: Some(true),
            ..Self::default()
        }
    }

    /// The details of something a model made now with the given confidence.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] unless the confidence lies between 0 and 1.
    pub fn predicted(confidence: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&confidence) {
            return Err(Error::invalid(format!(
                "the confidence is {confidence}, but must lie between 0 and 1"
            )));
        }
        Ok(Self { confidence: Some(confidence), manual_annotation: Some(false), ..Self::by_hand() })
    }

    /// Keys of the document that this version does not know, such as reviews.
    pub fn extra(&self) -> &Extra {
        &self.extra
    }

    /// Applies a change if what comes of it is valid. Authors that were there before may be anything.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Self)) -> Result<()> {
        let mut changed = self.clone();
        change(&mut changed);
        changed.check()?;
        let authors =
            [(&self.created_by, &changed.created_by), (&self.last_edited_by, &changed.last_edited_by)];
        for (before, after) in authors {
            if let Some(author) = after.as_deref().filter(|_| before != after)
                && !is_email(author)
            {
                return Err(Error::invalid(format!("the author {author:?} is no e-mail address")));
            }
        }
        *self = changed;
        Ok(())
    }

    pub(crate) fn check(&self) -> Result<()> {
        match self.confidence {
            Some(confidence) if !confidence.is_finite() => {
                Err(Error::invalid(format!("the confidence is {confidence}, but must be a finite number")))
            }
            _ => Ok(()),
        }
    }

    /// Reads the value under `key` if it is one of these details.
    #[inline]
    pub(crate) fn read_key(
        &mut self,
        key: &str,
        cursor: &mut Cursor<'_>,
        reading: &mut Reading,
        recent: &mut Recent,
    ) -> Result<bool> {
        match Detail::of(key) {
            Some(which) => self.read(which, cursor, reading, recent).map(|()| true),
            None => Ok(false),
        }
    }

    /// Reads the value of one of these details.
    #[inline]
    pub(crate) fn read(
        &mut self,
        which: Detail,
        cursor: &mut Cursor<'_>,
        reading: &mut Reading,
        recent: &mut Recent,
    ) -> Result<()> {
        let mut text = |last: &mut Option<Arc<str>>| {
            cursor.nullable(|cursor| Ok(reading.share_near(&cursor.string()?, last)))
        };
        match which {
            Detail::CreatedAt => self.created_at = text(&mut recent.created_at)?.map(Timestamp::from),
            Detail::CreatedBy => self.created_by = text(&mut recent.created_by)?,
            Detail::LastEditedAt => {
                self.last_edited_at = text(&mut recent.last_edited_at)?.map(Timestamp::from);
            }
            Detail::LastEditedBy => self.last_edited_by = text(&mut recent.last_edited_by)?,
            Detail::Confidence => self.confidence = cursor.nullable(Cursor::number)?,
            Detail::ManualAnnotation => self.manual_annotation = cursor.nullable(Cursor::boolean)?,
            Detail::IsDeleted => self.is_deleted = cursor.nullable(Cursor::boolean)?,
        }
        Ok(())
    }

    /// Makes one of these details unknown.
    #[inline]
    pub(crate) fn forget(&mut self, which: Detail) {
        match which {
            Detail::CreatedAt => self.created_at = None,
            Detail::CreatedBy => self.created_by = None,
            Detail::LastEditedAt => self.last_edited_at = None,
            Detail::LastEditedBy => self.last_edited_by = None,
            Detail::Confidence => self.confidence = None,
            Detail::ManualAnnotation => self.manual_annotation = None,
            Detail::IsDeleted => self.is_deleted = None,
        }
    }
}

/// Whether the platform's tools take a text for an e-mail address.
fn is_email(text: &str) -> bool {
    let mut parts = text.split('@');
    let (Some(name), Some(domain)) = (parts.next(), parts.next()) else { return false };
    // A dot with something on both sides of it.
    let mut inner = domain.char_indices().skip(1).map(|(at, c)| (at + 1, c));
    !name.is_empty() && inner.any(|(after, c)| c == '.' && after < domain.len())
}

/// One of the details, by the key that documents have it under.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Detail {
    CreatedAt,
    CreatedBy,
    LastEditedAt,
    LastEditedBy,
    Confidence,
    ManualAnnotation,
    IsDeleted,
}

impl Detail {
    #[inline]
    pub(crate) fn of(key: &str) -> Option<Self> {
        Some(match key {
            "createdAt" => Self::CreatedAt,
            "createdBy" => Self::CreatedBy,
            "lastEditedAt" => Self::LastEditedAt,
            "lastEditedBy" => Self::LastEditedBy,
            "confidence" => Self::Confidence,
            "manualAnnotation" => Self::ManualAnnotation,
            "isDeleted" => Self::IsDeleted,
            _ => return None,
        })
    }
}

/// The strings that came last, likely to come again.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    created_at: Option<Arc<str>>,
    created_by: Option<Arc<str>>,
    last_edited_at: Option<Arc<str>>,
    last_edited_by: Option<Arc<str>>,
}

/// What happens to an object at a moment of a continuous scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// From here on the object is there and looks like this.
    Upsert,
    /// From here on the object is gone.
    Delete,
}

impl Event {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Upsert => "upsert",
            Self::Delete => "delete",
        }
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self> {
        match &*cursor.string()? {
            "upsert" => Ok(Self::Upsert),
            "delete" => Ok(Self::Delete),
            other => Err(Error::unsupported("event", other)),
        }
    }
}

/// How an object moves from one event to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Interpolation {
    /// It stays as it is.
    Hold,
    /// It moves evenly; points and cuboids only.
    Linear,
}

impl Interpolation {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Linear => "linear",
        }
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self> {
        match &*cursor.string()? {
            "hold" => Ok(Self::Hold),
            "linear" => Ok(Self::Linear),
            other => Err(Error::unsupported("interpolation", other)),
        }
    }
}

/// One object on one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    pub(crate) shape: Shape,
    pub(crate) source: ShapeSource,
    pub(crate) details: Details,
    pub(crate) event: Option<Event>,
    pub(crate) interpolation: Option<Interpolation>,
}

impl Annotation {
    pub(crate) fn new(shape: Shape, details: Details) -> Self {
        Self { shape, source: ShapeSource::default(), details, event: None, interpolation: None }
    }

    /// What the object looks like.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Who drew it when.
    pub fn details(&self) -> &Details {
        &self.details
    }

    /// In continuous scenes, what happens here.
    pub fn event(&self) -> Option<Event> {
        self.event
    }

    /// In continuous scenes, how the object moves on from here.
    pub fn interpolation(&self) -> Option<Interpolation> {
        self.interpolation
    }

    pub(crate) fn write_shape(&self, out: &mut Emitter<'_>) -> Result<()> {
        write_shape(&self.shape, &self.source, out)
    }
}

/// The frames of one object, sorted.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Track(Vec<(Frame, Annotation)>);

impl Track {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn entries(&self) -> &[(Frame, Annotation)] {
        &self.0
    }

    pub(crate) fn get(&self, frame: Frame) -> Option<&Annotation> {
        self.position(frame).ok().map(|index| &self.0[index].1)
    }

    pub(crate) fn get_mut(&mut self, frame: Frame) -> Option<&mut Annotation> {
        self.position(frame).ok().map(|index| &mut self.0[index].1)
    }

    /// Adds a frame; gives the annotation back if the frame is taken.
    #[inline]
    pub(crate) fn add(&mut self, frame: Frame, annotation: Annotation) -> Result<(), Box<Annotation>> {
        if self.0.last().is_none_or(|(last, _)| *last < frame) {
            self.0.push((frame, annotation));
            return Ok(());
        }
        match self.position(frame) {
            Ok(_) => Err(Box::new(annotation)),
            Err(index) => {
                self.0.insert(index, (frame, annotation));
                Ok(())
            }
        }
    }

    /// Adds many sorted frames, replacing those that are there.
    pub(crate) fn merge(&mut self, added: Vec<(Frame, Annotation)>) {
        if self.0.last().is_none_or(|(last, _)| added.first().is_some_and(|(first, _)| last < first)) {
            self.0.extend(added);
            return;
        }
        if added.len() == 1 {
            for (frame, annotation) in added {
                match self.position(frame) {
                    Ok(index) => self.0[index].1 = annotation,
                    Err(index) => self.0.insert(index, (frame, annotation)),
                }
            }
            return;
        }
        let mut merged = Vec::with_capacity(self.0.len() + added.len());
        let mut added = added.into_iter().peekable();
        for entry in self.0.drain(..) {
            while let Some(new) = added.next_if(|(frame, _)| *frame < entry.0) {
                merged.push(new);
            }
            merged.push(added.next_if(|(frame, _)| *frame == entry.0).unwrap_or(entry));
        }
        merged.extend(added);
        self.0 = merged;
    }

    /// The frames as a set.
    pub(crate) fn frames(&self) -> FrameSet {
        self.0.iter().map(|(frame, _)| *frame).collect()
    }

    /// Keeps the frames for which `keep` is true.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(Frame) -> bool) {
        self.0.retain(|(frame, _)| keep(*frame));
    }

    pub(crate) fn position(&self, frame: Frame) -> Result<usize, usize> {
        self.0.binary_search_by_key(&frame, |(frame, _)| *frame)
    }
}
