//! Checking objects against their class and the limits of the row they are part of.

use super::annotation::Track;
use super::object::{Extent, ObjectInstance};
use super::place::Place;
use crate::error::{Error, Result};
use crate::id::SpaceId;
use crate::range::{Frame, FrameSet};
use crate::shape::Shape;

/// Most frames an object is put on at once; each takes about 200 bytes.
const MOST_FRAMES: u64 = 1 << 26;

impl ObjectInstance {
    pub(super) fn check_shape(&self, shape: &Shape) -> Result<()> {
        if shape.kind() != self.class.shape() {
            return Err(Error::mismatch(
                format!("the class \"{}\"", self.class.name()),
                format!("a {}", self.class.shape()),
                format!("a {}", shape.kind()),
            ));
        }
        shape.check()
    }

    /// Checks that the object does not end up both on the row and on spaces.
    pub(super) fn check_side(&self, space: Option<&SpaceId>) -> Result<()> {
        match space {
            None if !self.spaces.is_empty() => Err(Error::conflict(format!(
                "the object {} lies on spaces, so it cannot lie on the row itself",
                self.hash
            ))),
            Some(_) if !self.root.is_empty() => Err(Error::conflict(format!(
                "the object {} lies on the row itself, so it cannot lie on a space",
                self.hash
            ))),
            _ => Ok(()),
        }
    }

    pub(super) fn check_frames(
        &self,
        space: Option<&SpaceId>,
        frames: &FrameSet,
        shape: &Shape,
    ) -> Result<()> {
        if frames.len() > MOST_FRAMES {
            return Err(Error::invalid(format!("{} frames are more than an object can be on", frames.len())));
        }
        let Some(place) = self.place(space)? else { return Ok(()) };
        place.check_kind(self.class.shape())?;
        if place.continuous {
            return Err(Error::conflict("a continuous scene has events instead of frames; use upsert"));
        }
        place.check_frames(frames)?;
        if matches!(shape, Shape::Bitmask(_)) {
            frames.iter().try_for_each(|frame| place.check_mask(shape, frame))?;
        }
        Ok(())
    }

    /// Checks that a frame with a dynamic answer exists: on the row, or on any of the spaces the object lies on.
    pub(super) fn check_answered<'p>(
        &self,
        frame: Frame,
        root: &Place,
        space: impl Fn(&SpaceId) -> Option<&'p Place>,
    ) -> Result<()> {
        if self.spaces.is_empty() {
            return root.last_frame().map_or(Ok(()), |_| root.check(frame));
        }
        let lasts: Option<Vec<Frame>> =
            self.spaces.keys().map(|id| space(id).and_then(Place::last_frame)).collect();
        match lasts.and_then(|lasts| lasts.into_iter().max()) {
            Some(last) if frame > last => Err(Error::out_of_bounds(frame, last)),
            _ => Ok(()),
        }
    }

    /// The limits of a file, if the object is part of a row.
    pub(super) fn place(&self, space: Option<&SpaceId>) -> Result<Option<&Place>> {
        let Some(places) = self.places.as_deref() else { return Ok(None) };
        match space {
            None => Ok(Some(&places.root)),
            Some(id) => places.spaces.get(id).map(Some).ok_or_else(|| {
                Error::not_found("space", id.as_str(), places.spaces.keys().map(SpaceId::as_str))
            }),
        }
    }

    /// Checks all of one extent against the limits of its file.
    pub(super) fn check_extent(&self, extent: &Extent, place: &Place) -> Result<()> {
        self.check_extent_kind(extent)?;
        if !extent.is_empty() {
            place.check_kind(self.class.shape())?;
        }
        let what = || format!("the object {}", self.hash);
        match extent {
            Extent::Frames(track) => {
                if place.continuous {
                    return super::event::check_events(self, track);
                }
                place.check_frames(&track.frames())?;
                for (frame, annotation) in track.entries() {
                    place.check_mask(&annotation.shape, *frame)?;
                    if annotation.event.is_some() {
                        return Err(Error::conflict("only continuous scenes have events"));
                    }
                }
                Ok(())
            }
            Extent::Ranges { ranges, .. } => {
                if place.html {
                    return Err(Error::mismatch(what(), "HTML ranges", "ranges"));
                }
                ranges.last().map_or(Ok(()), |last| place.check(last))
            }
            Extent::Html { .. } if !place.html => Err(Error::mismatch(what(), "ranges", "HTML ranges")),
            Extent::Html { .. } => Ok(()),
        }
    }

    pub(super) fn check_extent_kind(&self, extent: &Extent) -> Result<()> {
        use crate::shape::ShapeKind::Text;
        let fits = match extent {
            Extent::Frames(track) => track.is_empty() || !self.class.shape().is_range(),
            Extent::Ranges { .. } => self.class.shape().is_range(),
            Extent::Html { .. } => self.class.shape() == Text,
        };
        if fits {
            return Ok(());
        }
        let expected = format!("a {}", self.class.shape());
        Err(Error::mismatch(format!("the class \"{}\"", self.class.name()), expected, extent.describe()))
    }

    pub(super) fn extent(&self, space: Option<&SpaceId>) -> Option<&Extent> {
        match space {
            None => Some(&self.root),
            Some(id) => self.spaces.get(id),
        }
    }

    pub(super) fn extent_mut(&mut self, space: Option<&SpaceId>) -> &mut Extent {
        match space {
            None => &mut self.root,
            Some(id) => self.space_extent_mut(id),
        }
    }
}

impl Extent {
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Self::Frames(_) => "on frames",
            Self::Ranges { .. } => "ranges",
            Self::Html { .. } => "HTML ranges",
        }
    }
}

impl FrameSet {
    /// The frames of the set on which a track is; neither long sets nor long tracks are walked in full.
    pub(super) fn iter_within<'t>(&'t self, track: &'t Track) -> impl Iterator<Item = Frame> + 't {
        let entries = track.entries();
        self.ranges().iter().flat_map(move |range| {
            let start = entries.partition_point(|(frame, _)| *frame < range.start);
            entries[start..].iter().map(|(frame, _)| *frame).take_while(|frame| *frame <= range.end)
        })
    }
}
