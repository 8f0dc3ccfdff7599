//! Objects on frames: by far the most of any document.

use std::borrow::Cow;
use std::sync::Arc;

use super::Reader;
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
use crate::shape::{Pieces, ShapeSource, is_key_of, read_shape, zeroed};

/// Where the labels being read belong.
pub(super) struct Target<'t> {
    pub(super) space: Option<&'t SpaceId>,
    pub(super) place: Place,
}

impl Reader<'_> {
    /// Reads labels that have one entry per frame. Keys that are no frames go to `other`.
    pub(super) fn read_frames(
        &mut self,
        cursor: &mut Cursor<'_>,
        target: &Target<'_>,
        other: &mut dyn FnMut(&mut Self, &str, &mut Cursor<'_>) -> Result<bool>,
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
        cursor: &mut Cursor<'_>,
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
                    cursor.array(|cursor, _| self.read_frame_object(cursor, frame, target))?;
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
        cursor: &mut Cursor<'_>,
        frame: Frame,
        target: &Target<'_>,
    ) -> Result<()> {
        let (mut object_hash, mut feature_hash, mut shape_name) = (None, None, None);
        let mut known: [Option<Cow<'_, str>>; 3] = [None, None, None];
        let mut details = Details::default();
        let (mut event, mut interpolation) = (None, None);
        let mut pieces = Pieces::default();
        let mut extra = Extra::default();
        let (reading, recent) = (&mut self.reading, &mut self.recent);
        cursor.object(|cursor, key| {
            match &*key {
                "objectHash" => object_hash = Some(cursor.string()?),
                "featureHash" => feature_hash = Some(cursor.string()?),
                "shape" => shape_name = Some(cursor.string()?),
                "name" => known[0] = cursor.nullable(Cursor::string)?,
                "color" => known[1] = cursor.nullable(Cursor::string)?,
                "value" => known[2] = cursor.nullable(Cursor::string)?,
                "event" => event = cursor.nullable(Event::read)?,
                "interpolate" => interpolation = cursor.nullable(Interpolation::read)?,
                _ => {
                    if !details.read_key(&key, cursor, reading, recent)? && !pieces.take(&key, cursor)? {
                        extra.insert(key, cursor.value()?);
                    }
                }
            }
            Ok(())
        })?;
        let object_hash = object_hash.ok_or_else(|| Error::missing("objectHash"))?;
        let feature_hash = feature_hash.ok_or_else(|| Error::missing("featureHash"))?;
        let shape_name = shape_name.ok_or_else(|| Error::missing("shape"))?;
        target.place.check(frame)?;
        let index = self.object_index(&object_hash, &feature_hash)?;
        let class = &self.objects[index].class;
        if class.shape().as_str() != shape_name {
            let expected = format!("the shape {}", class.shape());
            return Err(Error::mismatch(format!("the class \"{}\"", class.name()), expected, shape_name))
                .under("shape");
        }
        let (shape, source) = if event == Some(Event::Delete) && pieces.is_empty() {
            (zeroed(class.shape())?, ShapeSource::default())
        } else {
            read_shape(class.shape(), &pieces, &mut self.reading)?
        };
        for (key, text) in pieces.iter().filter(|(key, _)| !is_key_of(class.shape(), key)) {
            extra.insert(key, Cursor::new(text).value()?);
        }
        keep_other_names(&mut extra, known, class);
        check_event(target, event, interpolation, class)?;
        details.extra = extra;
        let annotation = Annotation { shape, source, details, event, interpolation };
        self.place(index, frame, target, annotation)
    }

    fn place(
        &mut self,
        index: usize,
        frame: Frame,
        target: &Target<'_>,
        annotation: Annotation,
    ) -> Result<()> {
        let object = &mut self.objects[index];
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

/// Keeps names, colours and values that differ from the ontology's.
#[inline]
pub(super) fn keep_other_names(extra: &mut Extra, found: [Option<Cow<'_, str>>; 3], class: &ObjectClass) {
    let ontology = [("name", class.name()), ("color", class.color()), ("value", class.value())];
    for ((key, text), found) in ontology.into_iter().zip(found) {
        if let Some(found) = found.filter(|found| found != text) {
            extra.insert(key, found.into());
        }
    }
}

fn check_event(
    target: &Target<'_>,
    event: Option<Event>,
    interpolation: Option<Interpolation>,
    class: &ObjectClass,
) -> Result<()> {
    if event.is_some() && !target.place.continuous {
        return Err(Error::invalid("only continuous scenes have events")).under("event");
    }
    if interpolation == Some(Interpolation::Linear) {
        use crate::shape::ShapeKind::{Cuboid, Point};
        if !target.place.continuous || !matches!(class.shape(), Point | Cuboid) {
            return Err(Error::invalid("only points and cuboids of continuous scenes move linearly"))
                .under("interpolate");
        }
    }
    Ok(())
}
