//! Which objects of two rows are the same.

use std::collections::{BTreeMap, BTreeSet};

use encord_labels::geometry::Region;
use encord_labels::id::SpaceId;
use encord_labels::row::{HtmlRange, ObjectInstance};
use encord_labels::shape::Shape;
use encord_labels::{Error, Frame, FrameSet, LabelRow};

use super::{Agreement, CompareOptions, Lonely, Pair};

pub(super) fn compare(
    left: &LabelRow,
    right: &LabelRow,
    options: &CompareOptions,
    agreement: &mut Agreement,
) -> Result<(), Error> {
    let (mut on_left, mut on_right) = (places(left)?, places(right)?);
    let keys: BTreeSet<Place<'_>> = on_left.keys().chain(on_right.keys()).copied().collect();
    for place in keys {
        let left_here = on_left.remove(&place).unwrap_or_default();
        let right_here = on_right.remove(&place).unwrap_or_default();
        if left_here.is_empty() || right_here.is_empty() {
            agreement.only_left.extend(left_here.iter().map(|seen| seen.lonely(&place)));
            agreement.only_right.extend(right_here.iter().map(|seen| seen.lonely(&place)));
        } else {
            let size = image_size(left, &place);
            pair_up(&place, &left_here, &right_here, size, options, agreement)?;
        }
    }
    Ok(())
}

/// Where objects can meet: class, space and frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place<'a> {
    feature: &'a str,
    space: Option<&'a SpaceId>,
    frame: Frame,
}

/// An object on one frame, or as a whole if it is ranges of a file.
struct Seen<'a> {
    object: &'a ObjectInstance,
    form: Form<'a>,
}

#[derive(Clone, Copy)]
enum Form<'a> {
    Shape(&'a Shape),
    Ranges(&'a FrameSet),
    Html(&'a [HtmlRange]),
}

impl Seen<'_> {
    fn lonely(&self, place: &Place<'_>) -> Lonely {
        Lonely {
            class: self.object.class().name().to_owned(),
            space: place.space.cloned(),
            frame: place.frame,
            hash: self.object.hash().to_string(),
        }
    }
}

fn places(row: &LabelRow) -> Result<BTreeMap<Place<'_>, Vec<Seen<'_>>>, Error> {
    let mut places: BTreeMap<Place<'_>, Vec<Seen<'_>>> = BTreeMap::new();
    for object in row.objects()? {
        let feature = object.class().feature_hash().as_str();
        let mut put = |space, frame, form| {
            places.entry(Place { feature, space, frame }).or_default().push(Seen { object, form });
        };
        for (frame, annotation) in object.annotations() {
            put(None, frame, Form::Shape(annotation.shape()));
        }
        object.ranges().into_iter().for_each(|ranges| put(None, 0, Form::Ranges(ranges)));
        object.html_ranges().into_iter().for_each(|ranges| put(None, 0, Form::Html(ranges)));
        for space in object.space_ids() {
            let on = Some(space);
            for (frame, annotation) in object.annotations_on(space) {
                put(on, frame, Form::Shape(annotation.shape()));
            }
            object.ranges_on(space).into_iter().for_each(|ranges| put(on, 0, Form::Ranges(ranges)));
            object.html_ranges_on(space).into_iter().for_each(|ranges| put(on, 0, Form::Html(ranges)));
        }
    }
    Ok(places)
}

/// Pairs objects that overlap most first, each at most once.
fn pair_up(
    place: &Place<'_>,
    left: &[Seen<'_>],
    right: &[Seen<'_>],
    size: (u32, u32),
    options: &CompareOptions,
    agreement: &mut Agreement,
) -> Result<(), Error> {
    let outlines = |seen: &[Seen<'_>]| -> Vec<Option<Region>> {
        seen.iter().map(|seen| outline(&seen.form, size)).collect()
    };
    let (on_left, on_right) = (outlines(left), outlines(right));
    let mut overlaps = Vec::new();
    for (l, one) in left.iter().enumerate() {
        for (r, other) in right.iter().enumerate() {
            let iou = overlap((&one.form, &on_left[l]), (&other.form, &on_right[r]))?;
            if iou > 0.0 && iou >= options.min_iou {
                overlaps.push((iou, l, r));
            }
        }
    }
    overlaps.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut free_left, mut free_right) = (vec![true; left.len()], vec![true; right.len()]);
    for (iou, l, r) in overlaps {
        if free_left[l] && free_right[r] {
            (free_left[l], free_right[r]) = (false, false);
            agreement.pairs.push(Pair {
                class: left[l].object.class().name().to_owned(),
                space: place.space.cloned(),
                frame: place.frame,
                left: left[l].object.hash().to_string(),
                right: right[r].object.hash().to_string(),
                iou,
            });
        }
    }
    let still = |free: Vec<bool>, seen: &[Seen<'_>]| -> Vec<Lonely> {
        free.iter().zip(seen).filter(|(free, _)| **free).map(|(_, seen)| seen.lonely(place)).collect()
    };
    agreement.only_left.extend(still(free_left, left));
    agreement.only_right.extend(still(free_right, right));
    Ok(())
}

/// The area of a form, if it has one. Masks need none made for them: they are compared as they are.
fn outline(form: &Form<'_>, (width, height): (u32, u32)) -> Option<Region> {
    match form {
        Form::Shape(Shape::Bitmask(_)) | Form::Ranges(_) | Form::Html(_) => None,
        Form::Shape(shape) => shape.on_image(width, height).ok(),
    }
}

/// How much of their union two forms share. Forms without area, like points, share all or nothing.
fn overlap(left: (&Form<'_>, &Option<Region>), right: (&Form<'_>, &Option<Region>)) -> Result<f64, Error> {
    match (left.0, right.0) {
        (Form::Shape(one), Form::Shape(other)) if one == other => Ok(1.0),
        (Form::Shape(Shape::Bitmask(one)), Form::Shape(Shape::Bitmask(other))) => one.iou(other),
        (Form::Shape(_), Form::Shape(_)) => match (left.1, right.1) {
            (Some(one), Some(other)) if may_meet(one, other) => one.iou(other),
            _ => Ok(0.0),
        },
        (Form::Ranges(one), Form::Ranges(other)) => {
            // As floats, because two long ranges together can be longer than a whole number counts.
            let shared = one.intersection(other).len() as f64;
            let union = one.len() as f64 + other.len() as f64 - shared;
            Ok(if union == 0.0 { 1.0 } else { shared / union })
        }
        (Form::Html(one), Form::Html(other)) if one == other => Ok(1.0),
        _ => Ok(0.0),
    }
}

/// Whether the rectangles around two areas touch, which is much faster to tell than how much the areas share.
fn may_meet(one: &Region, other: &Region) -> bool {
    let (Some(a), Some(b)) = (one.bounding_box(), other.bounding_box()) else { return false };
    a.x <= b.x + b.width && b.x <= a.x + a.width && a.y <= b.y + b.height && b.y <= a.y + a.height
}

/// Pixels of the image at a place. Shapes are in fractions, so where the size is unknown any will do.
fn image_size(row: &LabelRow, place: &Place<'_>) -> (u32, u32) {
    let size = match place.space {
        None => row.frame(place.frame).ok().and_then(|frame| frame.size()),
        Some(space) => row.space(space).ok().and_then(|space| {
            let pixels = |key| space.get(key).and_then(|value| value.as_u64());
            pixels("height").zip(pixels("width"))
        }),
    };
    let known = |pixels: u64| u32::try_from(pixels).ok().filter(|pixels| *pixels > 0);
    size.and_then(|(height, width)| known(width).zip(known(height))).unwrap_or((1000, 1000))
}
