//! The map of classifications, and the older form that repeats them on every frame.

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{Reader, part};
use crate::error::{Error, Located, Result};
use crate::extra::Extra;
use crate::id::{ClassificationHash, FeatureHash, SpaceId};
use crate::json::Cursor;
use crate::range::FrameSet;
use crate::row::annotation::Details;
use crate::row::answer::ReadAnswer;
use crate::row::classification::{ClassificationInstance, ClassifiedSpace};
use crate::row::place::ROOT_SPACE;
use crate::row::space::Space;

type Classifications = IndexMap<ClassificationHash, ClassificationInstance>;

/// Frames on which older documents repeat a classification, and the details given there.
type Legacy = HashMap<String, (Vec<u64>, Value)>;

impl Reader<'_> {
    /// Reads classifications; entries without a class are given back to be kept.
    pub(super) fn read_classification_answers(
        &mut self,
        text: &str,
    ) -> Result<(Classifications, Map<String, Value>)> {
        let legacy = self.legacy_frames();
        let mut classifications = Classifications::new();
        let mut orphans = Map::new();
        part(text).object(|cursor, key| {
            let start = cursor.position();
            let Some(read) = self.read_classification(cursor, &legacy)? else {
                orphans.insert(key.into_owned(), Cursor::new(cursor.since(start)).value()?);
                return Ok(());
            };
            let hash = read.hash.clone();
            match classifications.insert(hash.clone(), read) {
                None => Ok(()),
                Some(_) => Err(Error::conflict(format!("two entries have the classification hash {hash}"))),
            }
        })?;
        check_overlaps(&classifications, self.spaces.contains_key(ROOT_SPACE))?;
        Ok((classifications, orphans))
    }

    fn read_classification(
        &mut self,
        cursor: &mut Cursor<'_>,
        legacy: &Legacy,
    ) -> Result<Option<ClassificationInstance>> {
        let (mut hash, mut feature_hash, mut answers, mut ranges) = (None, None, None, None);
        let (mut details, mut extra) = (Details::default(), Extra::default());
        let mut spaces = Vec::new();
        let (reading, recent) = (&mut self.reading, &mut self.recent);
        cursor.object(|cursor, key| {
            match &*key {
                "classificationHash" => hash = Some(cursor.string()?),
                "featureHash" => feature_hash = cursor.nullable(Cursor::string)?,
                "classifications" => answers = Some(cursor.set_aside()?),
                "range" => ranges = cursor.nullable(FrameSet::read)?,
                "spaces" => {
                    cursor.nullable(|cursor| {
                        cursor.object(|cursor, id| {
                            spaces.push(read_space(SpaceId::from(&*id), cursor)?);
                            Ok(())
                        })
                    })?;
                }
                _ => {
                    if !details.read_key(&key, cursor, reading, recent)? {
                        extra.insert(key, cursor.value()?);
                    }
                }
            }
            Ok(())
        })?;
        let Some(feature_hash) = feature_hash.filter(|hash| !hash.is_empty()) else {
            return Ok(None);
        };
        let hash = hash.ok_or_else(|| Error::missing("classificationHash"))?;
        if hash.is_empty() {
            return Err(Error::invalid("the hash of a classification must not be empty"))
                .under("classificationHash");
        }
        let class = self.ontology.classification_by_hash(&feature_hash).under("featureHash")?;
        let mut read = ClassificationInstance::bare(class, ClassificationHash::from(&*hash));
        let answers = answers.ok_or_else(|| Error::missing("classifications"))?;
        let find = |feature_hash: &str| class.attribute_by_hash(feature_hash).cloned();
        part(answers)
            .array(|cursor, _| {
                match ReadAnswer::read(cursor, &find)? {
                    ReadAnswer::Static(answer) => read.answers.push(answer),
                    // A classification has one set of answers; a flag in the ontology does not change that.
                    ReadAnswer::Dynamic(answer) => read.answers.push(answer.answer),
                }
                Ok(())
            })
            .under("classifications")?;
        details.extra = extra;
        read.details = details;
        read.ranges = ranges.unwrap_or_default();
        read.spaces = spaces;
        if read.ranges.is_empty() && read.spaces.is_empty() && !class.is_global() {
            adopt_legacy(&mut read, legacy);
        }
        if let (Some(last), Some(end)) = (self.root.last_frame(), read.ranges.last())
            && end > last
        {
            return Err(Error::out_of_bounds(end, last)).under("range");
        }
        for space in &read.spaces {
            let place = self.spaces.get(&space.id).map(Space::place);
            if let (Some(place), Some(end)) = (place, space.ranges.last()) {
                place.check(end).under("range").under(space.id.as_str()).under("spaces")?;
            }
        }
        Ok(Some(read))
    }

    fn legacy_frames(&self) -> Legacy {
        let mut frames = Legacy::new();
        for (frame, entry) in self.units.iter().flat_map(|unit| unit.labels.legacy.iter()) {
            for entry in entry {
                if let Some(hash) = entry.get("classificationHash").and_then(Value::as_str) {
                    frames
                        .entry(hash.to_owned())
                        .or_insert_with(|| (Vec::new(), entry.clone()))
                        .0
                        .push(*frame);
                }
            }
        }
        frames
    }
}

/// Takes frames and details from the entries on frames, for documents that say them nowhere else.
fn adopt_legacy(read: &mut ClassificationInstance, legacy: &Legacy) {
    let Some((frames, entry)) = legacy.get(read.hash.as_str()) else { return };
    read.ranges = frames.iter().copied().collect();
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let details = &mut read.details;
    details.created_at = details.created_at.take().or_else(|| text("createdAt").map(Into::into));
    details.created_by = details.created_by.take().or_else(|| text("createdBy").map(Into::into));
    details.last_edited_at = details.last_edited_at.take().or_else(|| text("lastEditedAt").map(Into::into));
    details.last_edited_by = details.last_edited_by.take().or_else(|| text("lastEditedBy").map(Into::into));
    details.confidence = details.confidence.or_else(|| entry.get("confidence")?.as_f64());
    details.manual_annotation =
        details.manual_annotation.or_else(|| entry.get("manualAnnotation")?.as_bool());
}

fn read_space(id: SpaceId, cursor: &mut Cursor<'_>) -> Result<ClassifiedSpace> {
    let mut space = ClassifiedSpace { id, ranges: FrameSet::new(), html: false, extra: Extra::default() };
    let mut text = None;
    cursor.object(|cursor, key| {
        match &*key {
            "range" => text = Some(cursor.set_aside()?),
            "type" => match &*cursor.string()? {
                "frame" => {}
                "html" => space.html = true,
                other => return Err(Error::unsupported("type of range", other)),
            },
            _ => space.extra.insert(key, cursor.value()?),
        }
        Ok(())
    })?;
    match text {
        Some(text) if space.html => {
            // Classifications are about the whole HTML file; a range is kept but has no meaning.
            let value = part(text).value()?;
            if value.as_array().is_some_and(|items| !items.is_empty()) {
                space.extra.insert("range", value);
            }
        }
        Some(text) => space.ranges = FrameSet::read(&mut part(text)).under("range")?,
        None => {}
    }
    Ok(space)
}

/// Checks that no two classifications of one class share a frame of the row, nor two global ones the file.
///
/// On other spaces the platform's own tools leave such overlaps behind; they are read as they are, so that such rows
/// are not lost, and are for [`LabelRow::validate`](crate::LabelRow::validate) to find.
fn check_overlaps(classifications: &Classifications, has_root_space: bool) -> Result<()> {
    let mut taken: HashMap<&FeatureHash, BTreeSet<(u64, u64)>> = HashMap::new();
    let mut global: HashMap<&FeatureHash, &ClassificationInstance> = HashMap::new();
    for instance in classifications.values() {
        let feature_hash = instance.class.feature_hash();
        if instance.class.is_global() && instance.spaces.is_empty() {
            if let Some(other) = global.insert(feature_hash, instance) {
                return Err(Error::conflict(format!(
                    "the classifications {} and {} are both about the whole file and of one class",
                    other.hash, instance.hash
                )))
                .under(instance.hash.as_str());
            }
            continue;
        }
        let Some(frames) = instance.root_frames(has_root_space) else { continue };
        let ranges = taken.entry(feature_hash).or_default();
        for range in frames.ranges() {
            let before = ranges.range(..=(range.end, u64::MAX)).next_back();
            if before.is_some_and(|(_, end)| *end >= range.start) {
                return Err(Error::conflict(format!(
                    "another classification of the class \"{}\" shares frames with {} to {}",
                    instance.class.name(),
                    range.start,
                    range.end
                )))
                .under("range")
                .under(instance.hash.as_str());
            }
            ranges.insert((range.start, range.end));
        }
    }
    Ok(())
}
