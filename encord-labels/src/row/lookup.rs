//! Finding what is on a frame of the row itself without looking at everything.
//!
//! To look at one frame every object is asked, which costs nothing beforehand. Who walks over all frames would pay that
//! on each. So once asking has cost as much as an index, one is made, and the whole walk is linear. A change forgets it.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::annotation::{Annotation, Track};
use super::classification::ClassificationInstance;
use super::content::Content;
use super::object::ObjectInstance;
use crate::id::FeatureHash;
use crate::range::Frame;

/// What is known about what is where.
#[derive(Debug, Default)]
pub(crate) struct Lookup {
    objects: Lazy<Vec<(Frame, usize)>>,
    classifications: Lazy<Vec<Stretches>>,
}

/// An index that is made once it pays.
#[derive(Debug, Default)]
struct Lazy<T> {
    asked: AtomicUsize,
    index: OnceLock<T>,
}

/// Ranges of one class of classifications, by start; normally none overlaps another.
#[derive(Debug, Default)]
struct Stretches {
    /// Start, end, and position of the classification in the row.
    ranges: Vec<(Frame, Frame, usize)>,
    /// The furthest end up to each range.
    furthest: Vec<Frame>,
}

impl Lookup {
    /// Forgets everything, as it may not be so any more.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// What is known is no part of a row's content: a copy finds out for itself.
impl Clone for Lookup {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Lookup {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Lazy<T> {
    /// The index, if asking without it has cost more than `size` by now. Asking once costs `cost`.
    fn get(&self, cost: usize, size: impl FnOnce() -> usize, make: impl FnOnce() -> T) -> Option<&T> {
        if let Some(index) = self.index.get() {
            return Some(index);
        }
        let asked = self.asked.fetch_add(cost, Ordering::Relaxed);
        (asked > 0 && asked >= size()).then(|| self.index.get_or_init(make))
    }
}

impl Content {
    /// The objects on a frame of the row itself, in order, with what they look like there.
    pub(super) fn objects_on(&self, frame: Frame) -> Vec<(&ObjectInstance, &Annotation)> {
        let tracks = || self.objects.values().filter_map(|object| object.root.track());
        let make = || {
            let tracks = self.objects.values().enumerate();
            let tracks = tracks.filter_map(|(place, object)| Some((place, object.root.track()?.entries())));
            let frames =
                tracks.flat_map(|(place, track)| track.iter().map(move |(frame, _)| (*frame, place)));
            let mut entries: Vec<_> = frames.collect();
            entries.sort();
            entries
        };
        let lazy = &self.lookup.objects;
        let Some(index) = lazy.get(self.objects.len(), || tracks().map(Track::len).sum(), make) else {
            let objects = self.objects.values();
            return objects.filter_map(|object| Some((object, object.on_frame(frame)?))).collect();
        };
        let start = index.partition_point(|(other, _)| *other < frame);
        let here = index[start..].iter().take_while(|(other, _)| *other == frame);
        here.filter_map(|(_, place)| {
            let object = &self.objects[*place];
            Some((object, object.on_frame(frame)?))
        })
        .collect()
    }

    /// The classifications about a frame of the row itself, in order.
    pub(super) fn classifications_on(&self, frame: Frame) -> Vec<&ClassificationInstance> {
        let all = || self.classifications.values();
        let size = || all().map(|instance| instance.ranges.ranges().len()).sum();
        let lazy = &self.lookup.classifications;
        let Some(classes) = lazy.get(self.classifications.len(), size, || stretches(self)) else {
            return all().filter(|instance| instance.ranges.contains(frame)).collect();
        };
        let mut places: Vec<usize> = classes.iter().flat_map(|class| class.at(frame)).collect();
        places.sort_unstable();
        places.into_iter().map(|place| &self.classifications[place]).collect()
    }
}

fn stretches(content: &Content) -> Vec<Stretches> {
    let mut classes: HashMap<&FeatureHash, Stretches> = HashMap::new();
    for (place, instance) in content.classifications.values().enumerate() {
        let ranges = instance.ranges.ranges().iter().map(|range| (range.start, range.end, place));
        classes.entry(instance.class.feature_hash()).or_default().ranges.extend(ranges);
    }
    let mut classes: Vec<Stretches> = classes.into_values().collect();
    for class in &mut classes {
        class.ranges.sort_unstable();
        let mut furthest = 0;
        class.furthest.extend(class.ranges.iter().map(|(_, end, _)| {
            furthest = furthest.max(*end);
            furthest
        }));
    }
    classes
}

impl Stretches {
    fn at(&self, frame: Frame) -> impl Iterator<Item = usize> {
        let after = self.ranges.partition_point(|(start, ..)| *start <= frame);
        let reaching = (0..after).rev().take_while(move |index| self.furthest[*index] >= frame);
        reaching.filter(move |index| self.ranges[*index].1 >= frame).map(|index| self.ranges[index].2)
    }
}
