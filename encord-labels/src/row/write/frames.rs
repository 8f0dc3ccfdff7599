//! Objects on frames.

use std::collections::HashMap;
use std::ptr;

use crate::error::Result;
use crate::extra::Extra;
use crate::id::SpaceId;
use crate::json::Emitter;
use crate::ontology::ObjectClass;
use crate::range::Frame;
use crate::row::annotation::{Annotation, Details, Track};
use crate::row::answer::write_unless;
use crate::row::content::Content;
use crate::row::object::ObjectInstance;
use crate::row::unit::Labels;

/// Which objects are on which frames of one file, by frame and then in the order of the objects.
pub(super) struct FrameIndex<'c> {
    tracks: Vec<Drawn<'c>>,
    /// Sorted by frame, and then in the order of the tracks.
    entries: Vec<Entry>,
    /// What every object of a class begins with, as JSON without braces.
    heads: Vec<Vec<u8>>,
    on_space: bool,
}

/// An object on the frames of one file.
struct Drawn<'c> {
    object: &'c ObjectInstance,
    track: &'c Track,
    /// Its class among the heads.
    head: u32,
}

/// One object on one frame. More than four thousand million objects, or frames of one, do not fit into memory.
#[derive(Clone, Copy, Default)]
struct Entry {
    frame: Frame,
    /// The object among the tracks.
    track: u32,
    /// The frame among those of the track.
    position: u32,
}

/// The objects on every space that are drawn there, found in one pass over all objects.
pub(super) struct SpaceTracks<'c>(HashMap<&'c str, Vec<(&'c ObjectInstance, &'c Track)>>);

impl<'c> SpaceTracks<'c> {
    pub(super) fn of(content: &'c Content) -> Self {
        let mut tracks: HashMap<&str, Vec<_>> = HashMap::new();
        for object in content.objects.values() {
            for (id, extent) in &object.spaces {
                if let Some(track) = extent.track() {
                    tracks.entry(id.as_str()).or_default().push((object, track));
                }
            }
        }
        Self(tracks)
    }
}

impl<'c> FrameIndex<'c> {
    pub(super) fn of_root(content: &'c Content) -> Self {
        Self::new(content.objects.values().filter_map(|object| Some((object, object.root.track()?))), false)
    }

    pub(super) fn of_space(tracks: &SpaceTracks<'c>, space: &SpaceId) -> Self {
        Self::new(tracks.0.get(space.as_str()).into_iter().flatten().copied(), true)
    }

    fn new(tracks: impl Iterator<Item = (&'c ObjectInstance, &'c Track)>, on_space: bool) -> Self {
        let mut heads = Vec::new();
        let mut known: HashMap<*const ObjectClass, u32> = HashMap::new();
        let mut drawn = Vec::new();
        for (object, track) in tracks.filter(|(_, track)| !track.is_empty()) {
            let head = *known.entry(ptr::from_ref(&*object.class)).or_insert_with(|| {
                heads.push(head(&object.class));
                heads.len() as u32 - 1
            });
            drawn.push(Drawn { object, track, head });
        }
        Self { entries: entries_by_frame(&drawn), tracks: drawn, heads, on_space }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries of one frame.
    fn on(&self, frame: Frame) -> &[Entry] {
        let start = self.entries.partition_point(|entry| entry.frame < frame);
        let end = start + self.entries[start..].partition_point(|entry| entry.frame == frame);
        &self.entries[start..end]
    }

    fn write_object(&self, entry: Entry, out: &mut Emitter<'_>) -> Result<()> {
        let Drawn { object, track, head } = &self.tracks[entry.track as usize];
        let annotation = &track.entries()[entry.position as usize].1;
        out.object(|out| {
            let extra = &annotation.details.extra;
            if extra.is_empty() {
                out.entries(&self.heads[*head as usize]);
            } else {
                write_names(&object.class, extra, out);
            }
            out.key("objectHash").string(object.hash.as_str());
            write_details(&annotation.details, !self.on_space, out);
            write_event(annotation, out);
            annotation.write_shape(out)?;
            extra.write(out);
            Ok(())
        })
    }
}

/// Every frame of every track, by frame. Frames are counted where they are dense, which takes one pass.
fn entries_by_frame(tracks: &[Drawn<'_>]) -> Vec<Entry> {
    let all = || {
        (0..).zip(tracks).flat_map(|(track, drawn)| {
            let frames = drawn.track.entries().iter().map(|(frame, _)| *frame);
            (0..).zip(frames).map(move |(position, frame)| Entry { frame, track, position })
        })
    };
    let count: usize = tracks.iter().map(|drawn| drawn.track.len()).sum();
    let last = tracks.iter().filter_map(|drawn| drawn.track.entries().last()).map(|(frame, _)| *frame).max();
    let last = last.and_then(|last| usize::try_from(last).ok());
    let Some(last) = last.filter(|last| last / 4 <= count) else {
        let mut entries: Vec<_> = all().collect();
        // Tracks come in order and each is sorted, so that a stable sort only merges them.
        entries.sort_by_key(|entry| entry.frame);
        return entries;
    };
    let mut starts = vec![0usize; last + 2];
    all().for_each(|entry| starts[entry.frame as usize + 1] += 1);
    for frame in 1..starts.len() {
        starts[frame] += starts[frame - 1];
    }
    let mut entries = vec![Entry::default(); count];
    for entry in all() {
        let place = &mut starts[entry.frame as usize];
        entries[*place] = entry;
        *place += 1;
    }
    entries
}

/// What every object of a class begins with, as JSON without braces.
fn head(class: &ObjectClass) -> Vec<u8> {
    let mut out = Emitter::in_memory();
    write_names(class, &Extra::default(), &mut out);
    // Nothing can fail in memory.
    out.finish().unwrap_or_default()
}

fn write_names(class: &ObjectClass, extra: &Extra, out: &mut Emitter<'_>) {
    write_unless(extra, out, "name", class.name());
    write_unless(extra, out, "color", class.color());
    out.key("shape").string(class.shape().as_str());
    write_unless(extra, out, "value", class.value());
    out.key("featureHash").string(class.feature_hash().as_str());
}

/// Writes who made something when. `null_author` writes an unknown author as null instead of leaving it out.
pub(super) fn write_details(details: &Details, null_author: bool, out: &mut Emitter<'_>) {
    if let Some(time) = &details.created_at {
        out.key("createdAt").string(time.as_str());
    }
    if null_author || details.created_by.is_some() {
        out.key("createdBy").nullable(details.created_by.as_deref());
    }
    if let Some(confidence) = details.confidence {
        out.key("confidence").number(confidence);
    }
    if let Some(manual) = details.manual_annotation {
        out.key("manualAnnotation").boolean(manual);
    }
    if let Some(time) = &details.last_edited_at {
        out.key("lastEditedAt").string(time.as_str());
    }
    if let Some(author) = &details.last_edited_by {
        out.key("lastEditedBy").string(author);
    }
    if let Some(deleted) = details.is_deleted {
        out.key("isDeleted").boolean(deleted);
    }
}

fn write_event(annotation: &Annotation, out: &mut Emitter<'_>) {
    if let Some(event) = annotation.event {
        out.key("event").string(event.as_str());
    }
    if let Some(interpolation) = annotation.interpolation {
        out.key("interpolate").string(interpolation.as_str());
    }
}

/// Writes labels with one entry per frame.
pub(super) fn write_frames(
    index: &FrameIndex<'_>,
    labels: &Labels,
    out: &mut Emitter<'_>,
    more: impl FnOnce(&mut Emitter<'_>) -> Result<()>,
) -> Result<()> {
    let mut beside: Vec<Frame> = labels.frames().collect();
    beside.sort_unstable();
    beside.dedup();
    out.object(|out| {
        let (mut entries, mut beside) = (index.entries.as_slice(), beside.as_slice());
        loop {
            let next = entries.first().map(|entry| entry.frame);
            let Some(frame) = next.into_iter().chain(beside.first().copied()).min() else { break };
            let count = entries.iter().take_while(|entry| entry.frame == frame).count();
            let (now, later) = entries.split_at(count);
            entries = later;
            if beside.first() == Some(&frame) {
                beside = &beside[1..];
            }
            out.number_key(frame);
            write_frame(index, now, frame, labels, out)?;
        }
        labels.other.write(out);
        more(out)
    })
}

/// Writes one set of labels.
pub(super) fn write_flat(
    index: &FrameIndex<'_>,
    frame: Frame,
    labels: &Labels,
    out: &mut Emitter<'_>,
) -> Result<()> {
    write_frame(index, index.on(frame), frame, labels, out)
}

fn write_frame(
    index: &FrameIndex<'_>,
    entries: &[Entry],
    frame: Frame,
    labels: &Labels,
    out: &mut Emitter<'_>,
) -> Result<()> {
    out.object(|out| {
        out.key("objects")
            .array(|out| entries.iter().try_for_each(|entry| index.write_object(*entry, out.item())))?;
        labels.write_frame_rest(frame, out)
    })
}
