//! Objects on frames: by far the most of any document.

use std::borrow::Cow;
use std::sync::Arc;

use super::Reader;
use super::entry::Entry;
use crate::error::{Error, Located, Result};
use crate::extra::Extra;
use crate::id::{ObjectHash, SpaceId};
use crate::json::Cursor;
use crate::ontology::ObjectClass;
use crate::range::Frame;
use crate::row::annotation::{Annotation, Details, Event, Interpolation};
use crate::row::object::ObjectInstance;
use crate::row::place::Place;
use crate::row::unit::Labels;
use crate::shape::{ShapeSource, is_key_of, read_shape, zeroed};

/// How many entries of a list of objects are remembered for the next frame.
const REMEMBERED: usize = 64;

/// Where the labels being read belong.
pub(super) struct Target<'t> {
    space: Option<&'t SpaceId>,
    /// Last frame, if there is a limit.
    last: Option<Frame>,
    /// Whether positions are events on a time line.
    continuous: bool,
}

impl<'t> Target<'t> {
    pub(super) fn new(space: Option<&'t SpaceId>, place: &Place) -> Self {
        Self { space, last: place.last, continuous: place.continuous }
    }
}

impl<'r> Reader<'r> {
    /// Reads labels that have one entry per frame. Keys that are no frames go to `other`.
    pub(super) fn read_frames(
        &mut self,
        cursor: &mut Cursor<'r>,
        target: &Target<'_>,
        other: &mut dyn FnMut(&mut Self, &str, &mut Cursor<'r>) -> Result<bool>,
    ) -> Result<Labels> {
        let mut labels = Labels::default();
        cursor.object(|cursor, key| {
            let Ok(frame) = key.trim().parse::<Frame>() else {
                if other(self, &key, cursor)? {
                    return Ok(());
                }
                return Err(Error::invalid("expected the number of a frame as key"));
            };
            self.read_frame(cursor, frame, target, true, &mut labels)
        })?;
        Ok(labels)
    }

    /// Reads one set of labels: the objects of a frame and whatever else it holds.
    pub(super) fn read_frame(
        &mut self,
        cursor: &mut Cursor<'r>,
        frame: Frame,
        target: &Target<'_>,
        objects_required: bool,
        labels: &mut Labels,
    ) -> Result<()> {
        let mut found_objects = false;
        let mut extra = Extra::default();
        cursor.object(|cursor, key| {
            match &*key {
                "objects" => {
                    found_objects = true;
                    cursor
                        .array(|cursor, position| self.read_frame_object(cursor, position, frame, target))?;
                }
                "classifications" => {
                    let mut entries = Vec::new();
                    cursor.array(|cursor, _| {
                        entries.push(cursor.value()?);
                        Ok(())
                    })?;
                    if !entries.is_empty() {
                        labels.legacy.insert(frame, entries);
                    }
                }
                _ => extra.insert(key, cursor.value()?),
            }
            Ok(())
        })?;
        if !found_objects && objects_required {
            return Err(Error::missing("objects"));
        }
        if !extra.is_empty() {
            labels.frames.insert(frame, extra);
        }
        Ok(())
    }

    fn read_frame_object(
        &mut self,
        cursor: &mut Cursor<'r>,
        position: usize,
        frame: Frame,
        target: &Target<'_>,
    ) -> Result<()> {
        let slot = position.min(REMEMBERED - 1);
        if slot >= self.entries.len() {
            self.entries.resize_with(slot + 1, Entry::default);
        }
        let entry = &mut self.entries[slot];
        entry.read(cursor, &mut self.reading, &mut self.recent)?;
        if let Some(last) = target.last.filter(|last| frame > *last) {
            return Err(Error::out_of_bounds(frame, last));
        }
        let index = match self.entries[slot].object {
            Some(index) => index,
            None => self.find_object(slot)?,
        };
        let (object, entry) = (&mut self.objects[index], &mut self.entries[slot]);
        let class = &object.class;
        let (shape, source) = if entry.event == Some(Event::Delete) && entry.pieces.is_empty() {
            (zeroed(class.shape())?, ShapeSource::default())
        } else {
            read_shape(class.shape(), &mut entry.pieces, &mut self.reading)?
        };
        let mut extra = std::mem::take(&mut entry.extra);
        for (key, text) in entry.pieces.iter().filter(|(key, _)| !is_key_of(class.shape(), key)) {
            extra.insert(key, Cursor::new(text).value()?);
        }
        if !entry.usual_names {
            entry.usual_names = !keep_other_names(&mut extra, &entry.names, class);
        }
        check_event(target, entry.event, entry.interpolation, class)?;
        let details = Details { extra, ..entry.details.clone() };
        let (event, interpolation) = (entry.event, entry.interpolation);
        place(object, frame, target, Annotation { shape, source, details, event, interpolation })
    }

    /// Finds the object that an entry is about.
    fn find_object(&mut self, slot: usize) -> Result<usize> {
        let entry = &self.entries[slot];
        let object_hash = entry.object_hash.clone().ok_or_else(|| Error::missing("objectHash"))?;
        let feature_hash = entry.feature_hash.clone().ok_or_else(|| Error::missing("featureHash"))?;
        let shape_name = entry.shape_name.clone().ok_or_else(|| Error::missing("shape"))?;
        let index = self.object_index(&object_hash, &feature_hash)?;
        let class = &self.objects[index].class;
        if class.shape().as_str() != shape_name {
            let expected = format!("the shape {}", class.shape());
            return Err(Error::mismatch(format!("the class \"{}\"", class.name()), expected, shape_name))
                .under("shape");
        }
        self.entries[slot].object = Some(index);
        Ok(index)
    }

    /// The object with a hash, made if it is new.
    fn object_index(&mut self, object_hash: &str, feature_hash: &str) -> Result<usize> {
        // Objects mostly come in the same order on every frame.
        let guess = self.next_object;
        let guessed = self.objects.get_index(guess).filter(|(hash, _)| **hash == *object_hash);
        let known = match guessed {
            Some((_, object)) => Some((guess, object)),
            None => self.objects.get_full(object_hash).map(|(index, _, object)| (index, object)),
        };
        if let Some((index, object)) = known {
            self.next_object = if index + 1 < self.objects.len() { index + 1 } else { 0 };
            if *object.class.feature_hash() == *feature_hash {
                return Ok(index);
            }
            return Err(Error::conflict(format!(
                "the object {object_hash} has the feature hash {feature_hash} here and {} elsewhere",
                object.class.feature_hash()
            )))
            .under("featureHash");
        }
        let class = self.object_class(feature_hash).under("featureHash")?;
        self.insert_object(object_hash, class)
    }

    pub(super) fn insert_object(&mut self, object_hash: &str, class: Arc<ObjectClass>) -> Result<usize> {
        if object_hash.is_empty() {
            return Err(Error::invalid("the hash of an object must not be empty")).under("objectHash");
        }
        let hash = ObjectHash::from(object_hash);
        let (index, _) = self.objects.insert_full(hash.clone(), ObjectInstance::bare(&class, hash));
        Ok(index)
    }

    pub(super) fn object_class(&mut self, feature_hash: &str) -> Result<Arc<ObjectClass>> {
        if let Some(class) = self.classes.get(feature_hash) {
            return Ok(class.clone());
        }
        let class = self.ontology.object_by_hash(feature_hash)?.clone();
        self.classes.insert(feature_hash.into(), class.clone());
        Ok(class)
    }
}

/// Puts an object on a frame.
fn place(
    object: &mut ObjectInstance,
    frame: Frame,
    target: &Target<'_>,
    annotation: Annotation,
) -> Result<()> {
    let extent = match target.space {
        None => &mut object.root,
        Some(space) => object.space_extent_mut(space),
    };
    let added = extent.track_mut().map(|track| track.add(frame, annotation));
    match added {
        Some(Ok(())) => Ok(()),
        _ => Err(Error::conflict(format!("the object {} is on the frame {frame} twice", object.hash))),
    }
}

/// Keeps names, colours and values that differ from the ontology's; says whether there are any.
#[inline]
pub(super) fn keep_other_names(
    extra: &mut Extra,
    found: &[Option<Cow<'_, str>>; 3],
    class: &ObjectClass,
) -> bool {
    let ontology = [("name", class.name()), ("color", class.color()), ("value", class.value())];
    let mut others = false;
    for ((key, text), found) in ontology.into_iter().zip(found) {
        if let Some(found) = found.as_deref().filter(|found| *found != text) {
            extra.insert(key, found.into());
            others = true;
        }
    }
    others
}

fn check_event(
    target: &Target<'_>,
    event: Option<Event>,
    interpolation: Option<Interpolation>,
    class: &ObjectClass,
) -> Result<()> {
    if event.is_some() && !target.continuous {
        return Err(Error::invalid("only continuous scenes have events")).under("event");
    }
    if interpolation == Some(Interpolation::Linear) {
        use crate::shape::ShapeKind::{Cuboid, Point};
        if !target.continuous || !matches!(class.shape(), Point | Cuboid) {
            return Err(Error::invalid("only points and cuboids of continuous scenes move linearly"))
                .under("interpolate");
        }
    }
    Ok(())
}
