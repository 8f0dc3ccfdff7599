//! Adding to a row, removing from it, and finding what is there.

use std::collections::HashSet;
use std::sync::Arc;

use super::LabelRow;
use super::classification::ClassificationInstance;
use super::content::Content;
use super::object::{Extent, ObjectInstance};
use super::space::Space;
use crate::error::{Error, Result};
use crate::id::{ClassificationHash, ObjectHash, SpaceId};
use crate::range::FrameSet;

/// What to do where another classification of the same class is already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Overlap {
    /// Refuse the change.
    #[default]
    Refuse,
    /// Take the shared frames from the other; one that has no frame left is removed.
    Replace,
}

impl LabelRow {
    /// A new object of the class with a title, to be drawn and then added with [`LabelRow::add_object`].
    ///
    /// # Errors
    /// [`Error::NotFound`] with near matches, [`Error::Ambiguous`] if several classes have the title.
    pub fn new_object(&self, title: &str) -> Result<ObjectInstance> {
        self.ontology().object(title).map(ObjectInstance::new)
    }

    /// A new classification of the class with a title, to be answered and then added with
    /// [`LabelRow::add_classification`].
    ///
    /// # Errors
    /// [`Error::NotFound`] with near matches, [`Error::Ambiguous`] if several classes have the title.
    pub fn new_classification(&self, title: &str) -> Result<ClassificationInstance> {
        self.ontology().classification(title).map(ClassificationInstance::new)
    }

    /// Adds an object. From then on it is held to the limits of the row.
    ///
    /// # Errors
    /// [`Error::NotInitialised`]; [`Error::Conflict`] if it is on no frame, part of a row already (add a `copy`), or
    /// its hash is taken; [`Error::OutOfBounds`], [`Error::Mismatch`] and [`Error::NotFound`] if it does not fit the
    /// row. The row stays as it was then.
    pub fn add_object(&mut self, mut object: ObjectInstance) -> Result<&mut ObjectInstance> {
        let content = self.content()?;
        if content.objects.contains_key(object.hash.as_str()) {
            return Err(Error::conflict(format!("there is an object with the hash {} already", object.hash)));
        }
        self.check_object(content, &mut object)?;
        let content = self.content_mut()?;
        object.places = Some(content.places.clone());
        let (index, _) = content.objects.insert_full(object.hash.clone(), object);
        Ok(&mut content.objects[index])
    }

    /// Removes an object and gives it back, part of no row.
    ///
    /// # Errors
    /// [`Error::NotInitialised`]; [`Error::NotFound`].
    pub fn remove_object(&mut self, hash: impl AsRef<str>) -> Result<ObjectInstance> {
        let hash = hash.as_ref();
        let content = self.content_mut()?;
        let mut object = content.objects.shift_remove(hash).ok_or_else(|| no_object(content, hash))?;
        object.places = None;
        Ok(object)
    }

    /// Removes the objects that satisfy a condition and gives them back; much faster than one by one.
    ///
    /// # Errors
    /// [`Error::NotInitialised`].
    pub fn remove_objects_if(
        &mut self,
        mut remove: impl FnMut(&ObjectInstance) -> bool,
    ) -> Result<Vec<ObjectInstance>> {
        let content = self.content_mut()?;
        let all = std::mem::take(&mut content.objects);
        let (mut removed, mut kept) = (Vec::new(), Vec::with_capacity(all.len()));
        for (hash, mut object) in all {
            if remove(&object) {
                object.places = None;
                removed.push(object);
            } else {
                kept.push((hash, object));
            }
        }
        content.objects = kept.into_iter().collect();
        Ok(removed)
    }

    /// The object with a hash.
    ///
    /// # Errors
    /// [`Error::NotInitialised`]; [`Error::NotFound`].
    pub fn object(&self, hash: impl AsRef<str>) -> Result<&ObjectInstance> {
        let content = self.content()?;
        content.objects.get(hash.as_ref()).ok_or_else(|| no_object(content, hash.as_ref()))
    }

    /// The object with a hash, to be changed.
    ///
    /// # Errors
    /// [`Error::NotInitialised`]; [`Error::NotFound`].
    pub fn object_mut(&mut self, hash: impl AsRef<str>) -> Result<&mut ObjectInstance> {
        let hash = hash.as_ref();
        let content = self.content_mut()?;
        match content.objects.get_index_of(hash) {
            Some(index) => Ok(&mut content.objects[index]),
            None => Err(no_object(content, hash)),
        }
    }

    /// Adds a classification.
    ///
    /// # Errors
    /// [`Error::NotInitialised`]; [`Error::Conflict`] if it is about nothing, part of a row already (add a `copy`),
    /// its hash is taken, or, unless [`Overlap::Replace`] is given, another one of its class is there;
    /// [`Error::OutOfBounds`] and [`Error::NotFound`] if it does not fit the row. The row stays as it was then.
    pub fn add_classification(
        &mut self,
        mut classification: ClassificationInstance,
        overlap: Overlap,
    ) -> Result<&mut ClassificationInstance> {
        let content = self.content()?;
        if content.classifications.contains_key(classification.hash.as_str()) {
            return Err(Error::conflict(format!(
                "there is a classification with the hash {} already",
                classification.hash
            )));
        }
        self.check_classification(content, &mut classification)?;
        let content = self.content_mut()?;
        make_room(content, &classification, overlap)?;
        classification.places = Some(content.places.clone());
        content.covered_by(classification.class.feature_hash()).insert(&classification.ranges);
        let (index, _) = content.classifications.insert_full(classification.hash.clone(), classification);
        Ok(&mut content.classifications[index])
    }

    /// Removes a classification and gives it back, part of no row.
    ///
    /// # Errors
    /// [`Error::NotInitialised`]; [`Error::NotFound`].
    pub fn remove_classification(&mut self, hash: impl AsRef<str>) -> Result<ClassificationInstance> {
        let hash = hash.as_ref();
        let content = self.content_mut()?;
        let mut removed =
            content.classifications.shift_remove(hash).ok_or_else(|| no_classification(content, hash))?;
        content.forget_legacy(hash, |_| false);
        content.covered.remove(removed.class.feature_hash());
        removed.places = None;
        Ok(removed)
    }

    /// Removes the classifications that satisfy a condition and gives them back; much faster than one by one.
    ///
    /// # Errors
    /// [`Error::NotInitialised`].
    pub fn remove_classifications_if(
        &mut self,
        mut remove: impl FnMut(&ClassificationInstance) -> bool,
    ) -> Result<Vec<ClassificationInstance>> {
        let content = self.content_mut()?;
        let all = std::mem::take(&mut content.classifications);
        let (mut removed, mut kept) = (Vec::new(), Vec::with_capacity(all.len()));
        for (hash, mut classification) in all {
            if remove(&classification) {
                content.covered.remove(classification.class.feature_hash());
                classification.places = None;
                removed.push(classification);
            } else {
                kept.push((hash, classification));
            }
        }
        content.classifications = kept.into_iter().collect();
        let gone: HashSet<&str> = removed.iter().map(|instance| instance.hash.as_str()).collect();
        content.forget_legacy_if(|hash, _| gone.contains(hash));
        Ok(removed)
    }

    /// The classification with a hash.
    ///
    /// # Errors
    /// [`Error::NotInitialised`]; [`Error::NotFound`].
    pub fn classification(&self, hash: impl AsRef<str>) -> Result<&ClassificationInstance> {
        let content = self.content()?;
        content.classifications.get(hash.as_ref()).ok_or_else(|| no_classification(content, hash.as_ref()))
    }

    /// The classification with a hash, to change its answers and details.
    ///
    /// # Errors
    /// [`Error::NotInitialised`]; [`Error::NotFound`].
    pub fn classification_mut(&mut self, hash: impl AsRef<str>) -> Result<&mut ClassificationInstance> {
        let hash = hash.as_ref();
        let content = self.content_mut()?;
        match content.classifications.get_index_of(hash) {
            Some(index) => Ok(&mut content.classifications[index]),
            None => Err(no_classification(content, hash)),
        }
    }

    /// Says anew which frames a classification of the row is about.
    ///
    /// # Errors
    /// [`Error::NotInitialised`]; [`Error::NotFound`]; [`Error::OutOfBounds`]; [`Error::Conflict`] for no frames, a
    /// class about whole files, and, unless [`Overlap::Replace`] is given, frames where another one of the class is.
    pub fn set_classification_frames(
        &mut self,
        hash: impl AsRef<str>,
        frames: impl Into<FrameSet>,
        overlap: Overlap,
    ) -> Result<()> {
        let mut changed = self.classification(hash.as_ref())?.clone();
        changed.places = None;
        changed.ranges = FrameSet::new();
        changed.set(frames)?;
        let content = self.content()?;
        self.check_classification(content, &mut changed)?;
        let content = self.content_mut()?;
        make_room(content, &changed, overlap)?;
        content.covered.remove(changed.class.feature_hash());
        let frames = changed.ranges;
        content.forget_legacy(hash.as_ref(), |frame| frames.contains(frame));
        if let Some(classification) = content.classifications.get_mut(hash.as_ref()) {
            classification.ranges = frames;
        }
        Ok(())
    }

    /// Makes sure that a continuous scene which declares no spaces has one with this id: a point cloud if it is named
    /// after a stream and a time, like `top@17`, or else a time series.
    ///
    /// # Errors
    /// [`Error::NotInitialised`]; [`Error::NotFound`] if other rows do not have the space.
    pub fn ensure_scene_space(&mut self, id: &SpaceId) -> Result<&Space> {
        let content = self.content_mut()?;
        if !content.spaces.contains_key(id.as_str()) {
            if !content.spaces_by_mention {
                return Err(no_space(content, id));
            }
            let space = Space::mentioned(id.clone());
            Arc::make_mut(&mut content.places).spaces.insert(id.clone(), space.place());
            content.spaces.insert(id.clone(), space);
            content.attach_all();
        }
        self.space(id)
    }

    /// Checks that an object fits the row, and makes it one of the row's ontology.
    fn check_object(&self, content: &Content, object: &mut ObjectInstance) -> Result<()> {
        if object.is_attached() {
            return Err(Error::conflict(format!(
                "the object {} is part of a row already; add a copy of it",
                object.hash
            )));
        }
        let class = self.ontology().object_by_hash(object.class.feature_hash().as_str())?;
        if class.shape() != object.class.shape() {
            let what = format!("the class \"{}\" of the row's ontology", class.name());
            return Err(Error::mismatch(what, class.shape().as_str(), object.class.shape().as_str()));
        }
        object.adopt(class)?;
        if object.root.is_empty() && object.spaces.is_empty() && !object.class.shape().is_range() {
            return Err(Error::conflict(format!(
                "the object {} is on no frame; set its shape first",
                object.hash
            )));
        }
        let places = &content.places;
        if !object.root.is_empty() || object.spaces.is_empty() {
            places.root.check_kind(object.class.shape())?;
            object.check_extent(&object.root, &places.root)?;
            if object.class.shape().is_range() && matches!(object.root, Extent::Frames(_)) {
                return Err(Error::conflict(format!(
                    "the object {} has no ranges; set them first",
                    object.hash
                )));
            }
        }
        for (id, extent) in &object.spaces {
            let place = places.spaces.get(id).ok_or_else(|| no_space(content, id))?;
            object.check_extent(extent, place)?;
        }
        if object.spaces.is_empty()
            && let Some(track) = object.root.track().filter(|track| !track.is_empty())
            && !places.root.continuous
        {
            for entry in object.dynamic.iter() {
                if let Some(frame) = entry.frames.iter().find(|frame| track.get(*frame).is_none()) {
                    return Err(Error::conflict(format!(
                        "the attribute \"{}\" is answered on the frame {frame}, where the object {} is not",
                        entry.answer.attribute.name(),
                        object.hash
                    )));
                }
            }
        }
        Ok(())
    }

    /// Checks that a classification fits the row, and makes it one of the row's ontology.
    fn check_classification(
        &self,
        content: &Content,
        classification: &mut ClassificationInstance,
    ) -> Result<()> {
        if classification.is_attached() {
            return Err(Error::conflict(format!(
                "the classification {} is part of a row already; add a copy of it",
                classification.hash
            )));
        }
        let class = self.ontology().classification_by_hash(classification.class.feature_hash().as_str())?;
        classification.adopt(class)?;
        let places = &content.places;
        let (ranges, spaces) = (&classification.ranges, &classification.spaces);
        // Frames of the row itself are those of its root space, if it has one.
        let has_root_space = places.has_root_space();
        if !spaces.is_empty() && !ranges.is_empty() && !has_root_space {
            return Err(Error::conflict(
                "a classification is about the row itself or about spaces, not both",
            ));
        }
        let by_frames = places.root.has_frames() && !places.root.continuous && !class.is_global();
        if by_frames && ranges.is_empty() && spaces.is_empty() {
            return Err(Error::conflict(format!(
                "the classification {} is on no frame; set its frames first",
                classification.hash
            )));
        }
        if let Some(last) = ranges.last() {
            if !places.root.has_frames() {
                return Err(Error::conflict(
                    "classifications of files without frames are about the whole file",
                ));
            }
            places.root.check(last)?;
        }
        for space in spaces {
            let place = places.spaces.get(&space.id).ok_or_else(|| no_space(content, &space.id))?;
            let by_frames = place.has_frames() && place.frames.is_none();
            if !by_frames && !space.ranges.is_empty() {
                return Err(Error::conflict(format!(
                    "the space {} has no frames, its classifications are about the whole file",
                    space.id
                )));
            }
            if by_frames && !class.is_global() && space.ranges.is_empty() && place.last != Some(0) {
                return Err(Error::conflict(format!(
                    "the classification {} is on no frame of the space {}",
                    classification.hash, space.id
                )));
            }
            if let Some(last) = space.ranges.last() {
                place.check(last)?;
            }
        }
        for space in &mut classification.spaces {
            space.html = places.spaces.get(&space.id).is_some_and(|place| place.html);
        }
        Ok(())
    }

    pub(super) fn content_mut(&mut self) -> Result<&mut Content> {
        let content = self.content.as_deref_mut().ok_or(Error::NotInitialised)?;
        content.lookup.forget();
        Ok(content)
    }
}

/// Makes sure that nothing else of the class is where a classification is going to be.
fn make_room(content: &mut Content, new: &ClassificationInstance, overlap: Overlap) -> Result<()> {
    let by_frames = !new.class.is_global() && new.spaces.is_empty() && !new.ranges.is_empty();
    if by_frames && !content.covered_by(new.class.feature_hash()).overlaps(&new.ranges) {
        return Ok(());
    }
    let has_root_space = content.places.has_root_space();
    let rivals: Vec<ClassificationHash> = content
        .classifications
        .values()
        .filter(|other| other.hash != new.hash && collide(other, new, has_root_space))
        .map(|other| other.hash.clone())
        .collect();
    if let Some(rival) = rivals.first().filter(|_| overlap == Overlap::Refuse) {
        return Err(Error::conflict(format!(
            "the classification {rival} of the class \"{}\" is there already; use Overlap::Replace to take its place",
            new.class.name()
        )));
    }
    content.covered.remove(new.class.feature_hash());
    let mut gone = HashSet::new();
    for hash in rivals {
        let Some(rival) = content.classifications.get_mut(hash.as_str()) else { continue };
        let whole = rival.class.is_global();
        rival.ranges.remove(&new.ranges);
        for space in &new.spaces {
            if let Some(theirs) = rival.spaces.iter_mut().find(|other| other.id == space.id) {
                theirs.ranges.remove(&space.ranges);
            }
        }
        rival.spaces.retain(|theirs| {
            !theirs.ranges.is_empty() || !new.spaces.iter().any(|space| space.id == theirs.id)
        });
        let (ranges, off_spaces) = (rival.ranges.clone(), rival.spaces.is_empty());
        content.forget_legacy(hash.as_str(), |frame| ranges.contains(frame));
        if off_spaces && (whole || ranges.is_empty()) {
            gone.insert(hash);
        }
    }
    if !gone.is_empty() {
        content.classifications.retain(|hash, _| !gone.contains(hash));
    }
    Ok(())
}

/// Whether two classifications cannot both be there: on the row itself, or on any space.
fn collide(one: &ClassificationInstance, other: &ClassificationInstance, has_root_space: bool) -> bool {
    let share =
        |one: &FrameSet, other: &FrameSet| (one.is_empty() && other.is_empty()) || one.overlaps(other);
    if one.class.feature_hash() != other.class.feature_hash() {
        return false;
    }
    if let (Some(here), Some(there)) = (one.root_frames(has_root_space), other.root_frames(has_root_space))
        && (one.class.is_global() || share(here, there))
    {
        return true;
    }
    one.spaces.iter().any(|space| {
        let there = other.spaces.iter().find(|there| there.id == space.id);
        there.is_some_and(|there| share(&space.ranges, &there.ranges))
    })
}

fn no_object(content: &Content, hash: &str) -> Error {
    Error::not_found("object with the hash", hash, content.objects.keys().take(1000).map(ObjectHash::as_str))
}

fn no_classification(content: &Content, hash: &str) -> Error {
    let hashes = content.classifications.keys().take(1000).map(ClassificationHash::as_str);
    Error::not_found("classification with the hash", hash, hashes)
}

fn no_space(content: &Content, id: &SpaceId) -> Error {
    Error::not_found("space", id.as_str(), content.spaces.keys().map(SpaceId::as_str))
}
