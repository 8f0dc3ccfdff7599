//! Continuous scenes: objects that appear, move and vanish at moments in time instead of being drawn on frames.
//!
//! An object has events. An upsert says what it looks like from then on; a delete says that it is gone from then on.
//! Positions are nanoseconds. The last event of an object is always a delete; while an object is edited it may lack its
//! end for a moment, but a row with such an object can neither be written nor read.

use super::annotation::{Annotation, Details, Event, Interpolation, Track};
use super::content::Content;
use super::object::ObjectInstance;
use crate::error::{Error, Result};
use crate::range::{Frame, FrameRange, FrameSet};
use crate::shape::{Cuboid, Point, Point2d, Point3d, Shape, ShapeKind, zeroed};

/// Confidence of positions between two events.
const DERIVED_CONFIDENCE: f64 = 0.99;

/// What an object of a continuous scene looks like at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// The shape, worked out if the object is moving.
    pub shape: Shape,
    /// The event the shape follows from.
    pub since: Frame,
    /// The confidence of that event, or 0.99 for a position that was worked out.
    pub confidence: Option<f64>,
}

impl ObjectInstance {
    /// Says what the object looks like from a moment on; replaces an upsert that is there.
    ///
    /// Without `interpolation` the one of the event before is kept up. After the last delete the object needs another
    /// one ([`ObjectInstance::delete_at`]) before its row can be written.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for a shape that does not fit the class or cannot be an event, [`Error::Conflict`] if the
    /// object is part of a row that is no continuous scene.
    pub fn upsert(
        &mut self,
        time: Frame,
        shape: impl Into<Shape>,
        interpolation: Option<Interpolation>,
        details: Details,
    ) -> Result<()> {
        let shape = self.check_event(shape.into(), interpolation, &details)?;
        let track = self.events_mut()?;
        let before = upsert_at(track, time).map(|index| &track.entries()[index].1);
        let inherited = before.and_then(|annotation| annotation.interpolation);
        let mut annotation = Annotation::new(shape, details);
        annotation.event = Some(Event::Upsert);
        // Holding is what happens anyway.
        annotation.interpolation = interpolation.or(inherited).filter(|mode| *mode != Interpolation::Hold);
        track.merge(vec![(time, annotation)]);
        prune(track);
        Ok(())
    }

    /// Says that the object is gone from a moment on; does nothing if it is not there. At the very moment it
    /// appears, that appearance is removed.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the object is part of a row that is no continuous scene.
    pub fn delete_at(&mut self, time: Frame) -> Result<()> {
        self.check_event_class()?;
        let kind = self.class.shape();
        let track = self.events_mut()?;
        let Some(index) = upsert_at(track, time) else { return Ok(()) };
        let (start, opening) = &track.entries()[index];
        let opens = index == 0 || track.entries()[index - 1].1.event == Some(Event::Delete);
        if *start == time && opens {
            track.retain(|frame| frame != time);
        } else {
            let mut annotation = Annotation::new(zeroed(kind)?, opening.details.clone());
            annotation.event = Some(Event::Delete);
            track.merge(vec![(time, annotation)]);
        }
        prune(track);
        hold_at_ends(track);
        Ok(())
    }

    /// Puts one event exactly as given, for copying events that exist; replaces one that is there.
    ///
    /// # Errors
    /// As [`ObjectInstance::upsert`].
    pub fn put_event(
        &mut self,
        time: Frame,
        event: Event,
        shape: impl Into<Shape>,
        interpolation: Option<Interpolation>,
        details: Details,
    ) -> Result<()> {
        let shape = self.check_event(shape.into(), interpolation, &details)?;
        let mut annotation = Annotation::new(shape, details);
        annotation.event = Some(event);
        annotation.interpolation = interpolation;
        self.events_mut()?.merge(vec![(time, annotation)]);
        Ok(())
    }

    /// Removes the event at a moment. An object that lost its last delete needs another one before its row can be
    /// written.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none.
    pub fn remove_event(&mut self, time: Frame) -> Result<()> {
        let track = self.events_mut()?;
        if track.get(time).is_none() {
            return Err(Error::not_found("event at the time", time.to_string(), []));
        }
        track.retain(|frame| frame != time);
        prune(track);
        hold_at_ends(track);
        Ok(())
    }

    /// When the object is there: from each upsert up to the moment before the next delete.
    pub fn presence(&self) -> FrameSet {
        let mut ranges = Vec::new();
        let mut start = None;
        for (time, annotation) in self.annotations() {
            match annotation.event {
                Some(Event::Delete) => {
                    let range = start.take().zip(time.checked_sub(1));
                    ranges.extend(range.map(|(start, end)| FrameRange { start, end }));
                }
                _ => {
                    start.get_or_insert(time);
                }
            }
        }
        ranges.extend(start.map(|start| FrameRange { start, end: Frame::MAX }));
        ranges.into_iter().collect()
    }

    /// What the object looks like at a moment; `None` if it is not there.
    pub fn at(&self, time: Frame) -> Option<Moment> {
        let track = self.root.track()?;
        let index = upsert_at(track, time)?;
        let (since, annotation) = &track.entries()[index];
        let confidence = annotation.details.confidence;
        let still = Moment { shape: annotation.shape.clone(), since: *since, confidence };
        if annotation.interpolation != Some(Interpolation::Linear) || *since == time {
            return Some(still);
        }
        let next = track.entries().get(index + 1).filter(|(_, next)| next.event != Some(Event::Delete));
        let Some((until, next)) = next else { return Some(still) };
        let fraction = (time - since) as f64 / (until - since) as f64;
        match between(&annotation.shape, &next.shape, fraction) {
            Some(shape) => Some(Moment { shape, since: *since, confidence: Some(DERIVED_CONFIDENCE) }),
            None => Some(still),
        }
    }

    fn check_event(
        &self,
        shape: Shape,
        interpolation: Option<Interpolation>,
        details: &Details,
    ) -> Result<Shape> {
        self.check_event_class()?;
        if shape.kind() != self.class.shape() {
            let what = format!("the class \"{}\"", self.class.name());
            return Err(Error::mismatch(what, self.class.shape().as_str(), shape.kind().as_str()));
        }
        shape.check()?;
        details.check()?;
        check_interpolation(self.class.shape(), interpolation)?;
        Ok(shape)
    }

    fn check_event_class(&self) -> Result<()> {
        if let Some(places) = &self.places
            && !places.root.continuous
        {
            return Err(Error::conflict("only continuous scenes have events; use set"));
        }
        zeroed(self.class.shape()).map(|_| ())
    }

    fn events_mut(&mut self) -> Result<&mut Track> {
        let hash = self.hash.clone();
        self.root
            .track_mut()
            .ok_or_else(|| Error::conflict(format!("the object {hash} has ranges, not events")))
    }
}

/// Checks the events of an object that is to be part of a continuous scene.
pub(super) fn check_events(object: &ObjectInstance, track: &Track) -> Result<()> {
    zeroed(object.class.shape())?;
    check_end(object, track).map_err(|(error, _)| error)?;
    track
        .entries()
        .iter()
        .try_for_each(|(_, annotation)| check_interpolation(object.class.shape(), annotation.interpolation))
}

/// Checks that every object of a continuous scene ends: what has no end can neither be saved nor read.
pub(super) fn check_ends(content: &Content) -> Result<()> {
    if !content.places.root.continuous {
        return Ok(());
    }
    content.objects.values().try_for_each(|object| {
        let checked = object.root.track().map_or(Ok(()), |track| check_end(object, track));
        checked.map_err(|(error, time)| content.locate(error, object, time))
    })
}

fn check_end(object: &ObjectInstance, track: &Track) -> Result<(), (Error, Frame)> {
    match track.entries().last() {
        Some((time, last)) if last.event != Some(Event::Delete) => {
            let hash = &object.hash;
            let reason =
                format!("the last event of the object {hash} must be a delete; end it with delete_at");
            Err((Error::conflict(reason), *time))
        }
        _ => Ok(()),
    }
}

fn check_interpolation(kind: ShapeKind, interpolation: Option<Interpolation>) -> Result<()> {
    let moves = matches!(kind, ShapeKind::Point | ShapeKind::Cuboid);
    if interpolation == Some(Interpolation::Linear) && !moves {
        return Err(Error::mismatch("linear interpolation", "a point or cuboid", kind.as_str()));
    }
    Ok(())
}

/// The position of the upsert that holds at a moment.
fn upsert_at(track: &Track, time: Frame) -> Option<usize> {
    let index = match track.position(time) {
        Ok(index) => index,
        Err(after) => after.checked_sub(1)?,
    };
    (track.entries()[index].1.event != Some(Event::Delete)).then_some(index)
}

/// Stops movements towards an upsert that is no longer there.
fn hold_at_ends(track: &mut Track) {
    let entries = track.entries();
    let moves = |annotation: &Annotation| annotation.interpolation == Some(Interpolation::Linear);
    let ends =
        |index: usize| entries.get(index + 1).is_none_or(|(_, next)| next.event == Some(Event::Delete));
    let stranded: Vec<Frame> = entries
        .iter()
        .enumerate()
        .filter(|(index, (_, annotation))| moves(annotation) && ends(*index))
        .map(|(_, (time, _))| *time)
        .collect();
    for time in stranded {
        if let Some(annotation) = track.get_mut(time) {
            annotation.interpolation = None;
        }
    }
}

/// Removes deletes that end nothing.
fn prune(track: &mut Track) {
    let mut there = false;
    let mut idle = Vec::new();
    for (time, annotation) in track.entries() {
        let deletes = annotation.event == Some(Event::Delete);
        if deletes && !there {
            idle.push(*time);
        }
        there = !deletes;
    }
    if !idle.is_empty() {
        track.retain(|time| idle.binary_search(&time).is_err());
    }
}

/// The shape a fraction of the way from one to another.
fn between(from: &Shape, to: &Shape, fraction: f64) -> Option<Shape> {
    let mix = |a: f64, b: f64| a + (b - a) * fraction;
    match (from, to) {
        (Shape::Point(Point::Flat(a)), Shape::Point(Point::Flat(b))) => {
            Some(Point::Flat(Point2d { x: mix(a.x, b.x), y: mix(a.y, b.y) }).into())
        }
        (Shape::Point(Point::Spatial(a)), Shape::Point(Point::Spatial(b))) => {
            Some(Point::Spatial(Point3d { x: mix(a.x, b.x), y: mix(a.y, b.y), z: mix(a.z, b.z) }).into())
        }
        (Shape::Cuboid(a), Shape::Cuboid(b)) => {
            let triple = |a: [f64; 3], b: [f64; 3]| std::array::from_fn(|axis| mix(a[axis], b[axis]));
            Some(
                Cuboid {
                    position: triple(a.position, b.position),
                    orientation: turn(a.orientation, b.orientation, fraction),
                    size: triple(a.size, b.size),
                }
                .into(),
            )
        }
        _ => None,
    }
}

type Quaternion = [f64; 4];

/// The orientation a fraction of the way along the shortest turn.
fn turn(from: [f64; 3], to: [f64; 3], fraction: f64) -> [f64; 3] {
    let (a, mut b) = (quaternion(from), quaternion(to));
    let mut dot: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
    if dot < 0.0 {
        b = b.map(|part| -part);
        dot = -dot;
    }
    let mixed: Quaternion = if dot < 0.9995 {
        let angle = dot.acos();
        let weight = |share: f64| (share * angle).sin() / angle.sin();
        std::array::from_fn(|part| a[part] * weight(1.0 - fraction) + b[part] * weight(fraction))
    } else {
        std::array::from_fn(|part| a[part] + (b[part] - a[part]) * fraction)
    };
    let length = mixed.iter().map(|part| part * part).sum::<f64>().sqrt();
    euler(mixed.map(|part| part / length))
}

/// From Euler angles about X, Y and Z, as (x, y, z, w).
fn quaternion([x, y, z]: [f64; 3]) -> Quaternion {
    let ((sx, cx), (sy, cy), (sz, cz)) = ((x / 2.0).sin_cos(), (y / 2.0).sin_cos(), (z / 2.0).sin_cos());
    [
        sx * cy * cz + cx * sy * sz,
        cx * sy * cz - sx * cy * sz,
        cx * cy * sz + sx * sy * cz,
        cx * cy * cz - sx * sy * sz,
    ]
}

/// Back to Euler angles about X, Y and Z.
fn euler([x, y, z, w]: Quaternion) -> [f64; 3] {
    let m11 = 1.0 - 2.0 * (y * y + z * z);
    let m12 = 2.0 * (x * y - w * z);
    let m13 = 2.0 * (x * z + w * y);
    let m22 = 1.0 - 2.0 * (x * x + z * z);
    let m23 = 2.0 * (y * z - w * x);
    let m32 = 2.0 * (y * z + w * x);
    let m33 = 1.0 - 2.0 * (x * x + y * y);
    let pitch = m13.clamp(-1.0, 1.0).asin();
    // Looking straight along the axis, two of the angles turn about the same line.
    if m13.abs() < 0.999_999_9 {
        [(-m23).atan2(m33), pitch, (-m12).atan2(m11)]
    } else {
        [m32.atan2(m22), pitch, 0.0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_turn_about_one_axis() {
        let [x, y, z] = turn([0.0, 0.0, 0.0], [0.0, 0.0, 1.0], 0.5);
        assert!(x.abs() < 1e-12 && y.abs() < 1e-12 && (z - 0.5).abs() < 1e-12, "{x} {y} {z}");
    }

    #[test]
    fn both_ends_of_a_turn_are_what_they_were() {
        let (from, to) = ([0.3, -0.4, 1.1], [-1.0, 0.5, 0.2]);
        for (fraction, expected) in [(0.0, from), (1.0, to)] {
            let got = turn(from, to, fraction);
            assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{got:?}");
        }
    }
}
