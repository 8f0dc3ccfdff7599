//! The maps of answers about objects, which also hold the objects that are ranges of a file.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::frames::keep_other_names;
use super::{Reader, part};
use crate::error::{Error, Located, Result};
use crate::extra::Extra;
use crate::id::SpaceId;
use crate::json::Cursor;
use crate::ontology::{Attribute, ObjectClass};
use crate::range::FrameSet;
use crate::row::annotation::Details;
use crate::row::answer::{FindAttribute, ReadAnswer, drop_equal};
use crate::row::html::HtmlRange;
use crate::row::object::{Extent, ObjectInstance};
use crate::row::place::Place;
use crate::row::space::Space;
use crate::shape::ShapeKind;

/// One entry of `object_answers`, before the object it is about is known.
#[derive(Default)]
struct AnswerMapEntry<'a> {
    object_hash: Option<Cow<'a, str>>,
    feature_hash: Option<Cow<'a, str>>,
    number: Option<u64>,
    answers: Option<&'a str>,
    ranges: Option<&'a str>,
    html: Option<&'a str>,
    spaces: Option<&'a str>,
    known: [Option<Cow<'a, str>>; 3],
    details: Details,
}

impl Reader<'_> {
    /// Reads answers and range objects; entries about unknown objects are given back to be kept.
    pub(super) fn read_object_answers(&mut self, text: &str) -> Result<Map<String, Value>> {
        let mut orphans = Map::new();
        part(text).object(|cursor, key| {
            let start = cursor.position();
            let entry = self.read_answer_entry(cursor)?;
            if !self.take_answer_entry(entry)? {
                orphans.insert(key.into_owned(), Cursor::new(cursor.since(start)).value()?);
            }
            Ok(())
        })?;
        Ok(orphans)
    }

    fn read_answer_entry<'a>(&mut self, cursor: &mut Cursor<'a>) -> Result<AnswerMapEntry<'a>> {
        let mut entry = AnswerMapEntry::default();
        let mut extra = Extra::default();
        let (reading, recent) = (&mut self.reading, &mut self.recent);
        cursor.object(|cursor, key| {
            match &*key {
                "objectHash" => entry.object_hash = Some(cursor.string()?),
                "featureHash" => entry.feature_hash = cursor.nullable(Cursor::string)?,
                "objectNumber" => entry.number = cursor.nullable(Cursor::whole)?,
                "classifications" => entry.answers = Some(cursor.set_aside()?),
                "range" => entry.ranges = Some(cursor.set_aside()?),
                "range_html" => entry.html = Some(cursor.set_aside()?),
                "spaces" => entry.spaces = Some(cursor.set_aside()?),
                "name" => entry.known[0] = cursor.nullable(Cursor::string)?,
                "color" => entry.known[1] = cursor.nullable(Cursor::string)?,
                "value" => entry.known[2] = cursor.nullable(Cursor::string)?,
                _ => {
                    if !entry.details.read_key(&key, cursor, reading, recent)? {
                        extra.insert(key, cursor.value()?);
                    }
                }
            }
            Ok(())
        })?;
        entry.details.extra = extra;
        Ok(entry)
    }

    /// Gives an entry to its object; false if there is no such object.
    fn take_answer_entry(&mut self, entry: AnswerMapEntry<'_>) -> Result<bool> {
        let hash = entry.object_hash.as_deref().ok_or_else(|| Error::missing("objectHash"))?;
        let answers = entry.answers.ok_or_else(|| Error::missing("classifications"))?;
        let index = match (self.objects.get_index_of(hash), &entry.feature_hash) {
            (Some(index), _) => index,
            (None, Some(feature_hash)) => {
                let class = self.object_class(feature_hash).under("featureHash")?;
                if !class.shape().is_range() {
                    return Ok(false);
                }
                self.insert_object(hash, class)?
            }
            (None, None) => return Ok(false),
        };
        if self.objects[index].always_answered {
            return Err(Error::conflict(format!("another entry has the object hash {hash} too")))
                .under("objectHash");
        }
        let class = self.objects[index].class.clone();
        let mut details = entry.details;
        let (root, spaces) = if class.shape().is_range() {
            drop_equal(&mut details.extra, "shape", class.shape().as_str());
            keep_other_names(&mut details.extra, &entry.known, &class);
            if entry.html.is_some_and(|text| text != "null") {
                // Ranges of HTML files stand apart; plain ones beside them are kept as they are.
                keep_parts(&mut details.extra, [("range", entry.ranges)])?;
                drop_empty(&mut details.extra, "range");
            }
            (self.read_root_ranges(entry.ranges, entry.html)?, self.read_range_spaces(entry.spaces)?)
        } else {
            // Entries of shapes on frames only repeat what the frames say; they are kept as they are.
            let texts = ["name", "color", "value"].into_iter().zip(entry.known);
            for (key, text) in texts.chain([("featureHash", entry.feature_hash)]) {
                if let Some(text) = text {
                    details.extra.insert(key, text.into());
                }
            }
            let parts = [("range", entry.ranges), ("range_html", entry.html), ("spaces", entry.spaces)];
            keep_parts(&mut details.extra, parts)?;
            let says_where = details.extra.get("spaces");
            if says_where.is_some_and(|spaces| only_repeats(spaces, &self.objects[index])) {
                details.extra.remove("spaces");
            }
            (None, Vec::new())
        };
        let find = attributes_of(&class);
        let object = &mut self.objects[index];
        if let Some(root) = root {
            object.root = root;
        }
        object.always_answered = true;
        object.number = entry.number;
        object.details = details;
        for (id, extent) in spaces {
            *object.space_extent_mut(&id) = extent;
        }
        read_answers(answers, object, &find).under("classifications")?;
        Ok(true)
    }

    fn read_root_ranges(&self, ranges: Option<&str>, html: Option<&str>) -> Result<Option<Extent>> {
        let html = html.filter(|text| *text != "null");
        if let Some(text) = html {
            let ranges = HtmlRange::read_list(&mut part(text)).under("range_html")?;
            return Ok(Some(Extent::Html { ranges, extra: Extra::default() }));
        }
        if self.root.html && !self.root.has_frames() {
            return Err(Error::missing("range_html"));
        }
        match ranges {
            Some(text) => {
                let ranges = FrameSet::read(&mut part(text)).under("range")?;
                ranges.last().map_or(Ok(()), |last| self.root.check(last)).under("range")?;
                Ok(Some(Extent::Ranges { ranges, extra: Extra::default() }))
            }
            // It is written as what it means.
            None if self.root.has_frames() => {
                Ok(Some(Extent::Ranges { ranges: FrameSet::new(), extra: Extra::default() }))
            }
            None => Err(Error::missing("range")),
        }
    }

    fn read_range_spaces(&self, text: Option<&str>) -> Result<Vec<(SpaceId, Extent)>> {
        let mut spaces = Vec::new();
        let Some(text) = text else { return Ok(spaces) };
        part(text)
            .object(|cursor, id| {
                let extent = read_range_space(cursor)?;
                let place = self.spaces.get(&*id).map(Space::place);
                if let (Extent::Ranges { ranges, .. }, Some(place)) = (&extent, place) {
                    ranges.last().map_or(Ok(()), |last| place.check(last)).under("range")?;
                }
                spaces.push((SpaceId::from(&*id), extent));
                Ok(())
            })
            .under("spaces")?;
        Ok(spaces)
    }

    /// Reads dynamic answers; entries about unknown objects are given back to be kept.
    pub(super) fn read_object_actions(&mut self, text: &str) -> Result<Map<String, Value>> {
        let mut orphans = Map::new();
        let mut acted = HashSet::new();
        part(text).object(|cursor, key| {
            let start = cursor.position();
            let (mut object_hash, mut actions) = (None, None);
            let mut extra = Extra::default();
            cursor.object(|cursor, key| {
                match &*key {
                    "objectHash" => object_hash = Some(cursor.string()?),
                    "actions" => actions = Some(cursor.set_aside()?),
                    _ => extra.insert(key, cursor.value()?),
                }
                Ok(())
            })?;
            let object_hash = object_hash.ok_or_else(|| Error::missing("objectHash"))?;
            let actions = actions.ok_or_else(|| Error::missing("actions"))?;
            match self.objects.get_full_mut(&*object_hash) {
                Some((index, ..)) if !acted.insert(index) => {
                    Err(Error::conflict(format!("another entry has the object hash {object_hash} too")))
                        .under("objectHash")
                }
                Some((.., object)) => {
                    let find = attributes_of(&object.class.clone());
                    object.action_extra = extra;
                    read_answers(actions, object, &find).under("actions")?;
                    check_answered(object, &self.root, &self.spaces).under("actions")
                }
                None => {
                    orphans.insert(key.into_owned(), Cursor::new(cursor.since(start)).value()?);
                    Ok(())
                }
            }
        })?;
        Ok(orphans)
    }
}

/// Whether the spaces of an entry are just those the object is drawn on.
fn only_repeats(spaces: &Value, object: &ObjectInstance) -> bool {
    let Some(spaces) = spaces.as_object() else { return false };
    let plain = serde_json::json!({"range": [], "type": "frame"});
    object.class.shape() == ShapeKind::Segmentation
        && spaces.len() == object.spaces.len()
        && spaces.iter().all(|(id, entry)| object.spaces.contains_key(id.as_str()) && *entry == plain)
}

/// Keeps parts of the text that the model of this object has no place for.
fn keep_parts<const N: usize>(extra: &mut Extra, parts: [(&str, Option<&str>); N]) -> Result<()> {
    for (key, text) in parts {
        if let Some(text) = text {
            extra.insert(key, part(text).value()?);
        }
    }
    Ok(())
}

/// Forgets a list that says nothing.
fn drop_empty(extra: &mut Extra, key: &str) {
    if extra.get(key).and_then(Value::as_array).is_some_and(Vec::is_empty) {
        extra.remove(key);
    }
}

fn read_range_space(cursor: &mut Cursor<'_>) -> Result<Extent> {
    let (mut ranges, mut kind) = (None, None);
    let mut extra = Extra::default();
    cursor.object(|cursor, key| {
        match &*key {
            "range" => ranges = Some(cursor.set_aside()?),
            "type" => kind = cursor.nullable(Cursor::string)?,
            _ => extra.insert(key, cursor.value()?),
        }
        Ok(())
    })?;
    let text = ranges.unwrap_or("[]");
    if kind.as_deref() == Some("html") {
        let ranges = HtmlRange::read_pairs(&mut part(text)).under("range")?;
        return Ok(Extent::Html { ranges, extra });
    }
    if let Some(kind) = kind.filter(|kind| kind != "frame") {
        return Err(Error::unsupported("type of range", kind)).under("type");
    }
    let ranges = FrameSet::read(&mut part(text)).under("range")?;
    Ok(Extent::Ranges { ranges, extra })
}

/// A look-up for the attributes of a class, quick also for large classes.
fn attributes_of(class: &Arc<ObjectClass>) -> impl Fn(&str) -> Result<Arc<Attribute>> + 'static {
    let class = class.clone();
    move |feature_hash| class.attribute_by_hash(feature_hash).cloned()
}

/// Reads a list of answers into an object.
fn read_answers(text: &str, object: &mut ObjectInstance, find: &FindAttribute<'_>) -> Result<()> {
    part(text).array(|cursor, _| {
        match ReadAnswer::read(cursor, find)? {
            ReadAnswer::Static(answer) => object.answers.push(answer),
            ReadAnswer::Dynamic(answer) => object.dynamic.push(answer),
        }
        Ok(())
    })
}

/// Checks that dynamic answers stay within the files their object lies on.
fn check_answered(object: &ObjectInstance, root: &Place, spaces: &IndexMap<SpaceId, Space>) -> Result<()> {
    let places: HashMap<&SpaceId, Place> =
        object.spaces.keys().filter_map(|id| Some((id, spaces.get(id)?.place()))).collect();
    object.dynamic.iter().enumerate().try_for_each(|(index, entry)| match entry.frames.last() {
        Some(last) => object.check_answered(last, root, |id| places.get(id)).under("range").at(index),
        None => Ok(()),
    })
}
