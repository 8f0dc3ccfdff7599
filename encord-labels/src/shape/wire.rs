//! The wire form of shapes: which keys of a frame object hold geometry, and how they become a [`Shape`].
//!
//! Geometry that says more than the model can hold (unknown keys, an unusual form) is kept as it came, beside the
//! shape, and written back as long as nobody changes the shape.

use std::collections::BTreeMap;

use super::*;
use crate::error::{Error, Located, Result};
use crate::extra::Extra;
use crate::json::{Cursor, Emitter, Kind, Reading, Spelling};

/// The keys that can hold geometry.
const KEYS: [&str; 13] = [
    "boundingBox",
    "rotatableBoundingBox",
    "polygon",
    "polygons",
    "polyline",
    "point",
    "skeleton",
    "bitmask",
    "cuboid",
    "cuboid_2d",
    "circle",
    "ellipse",
    "segmentation",
];

/// The geometry as it came, kept if the shape alone could not reproduce it.
pub(crate) type ShapeSource = Extra;

/// The values under geometry keys of one frame object.
#[derive(Debug, Default)]
pub(crate) struct Pieces<'a> {
    first: Option<(&'static str, &'a str)>,
    more: Vec<(&'static str, &'a str)>,
    /// The first value if it was read at once, and whether it holds more than the shape.
    read: Option<(Shape, bool)>,
    mask: MaskFields<'a>,
}

impl<'a> Pieces<'a> {
    /// Keeps the next value if `key` is one of geometry. It is read at once if it is that of an object of the shape
    /// `expected`, as it nearly always is.
    #[inline]
    pub(crate) fn take(
        &mut self,
        key: &str,
        expected: Option<ShapeKind>,
        cursor: &mut Cursor<'a>,
        reading: &mut Reading,
    ) -> Result<bool> {
        let known = expected.and_then(|kind| main_key(kind).filter(|main| *main == key));
        let Some(key) = known.or_else(|| KEYS.into_iter().find(|known| *known == key)) else {
            return Ok(false);
        };
        let start = cursor.position();
        let whole = |kind: &ShapeKind| *kind != ShapeKind::Polygon;
        match expected.filter(whole) {
            Some(kind) if known.is_some() && self.is_empty() && cursor.kind()? != Kind::Null => {
                reading.take_oddity();
                let shape = match kind {
                    ShapeKind::Bitmask => read_bitmask(cursor, reading, &mut self.mask)?.into(),
                    _ => read_one(kind, cursor, reading)?,
                };
                self.read = Some((shape, reading.take_oddity()));
            }
            _ => {
                cursor.set_aside()?;
            }
        }
        let piece = (key, cursor.since(start));
        match self.first {
            None => self.first = Some(piece),
            Some(_) => self.more.push(piece),
        }
        Ok(true)
    }

    pub(crate) fn clear(&mut self) {
        (self.first, self.read) = (None, None);
        self.more.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &'a str)> + '_ {
        self.first.into_iter().chain(self.more.iter().copied())
    }

    /// The shape under `key` and whether it says more, if it was read at once and is the only one.
    fn take_read(&mut self, key: &str) -> Option<(Shape, bool)> {
        let only = self.more.iter().all(|(other, _)| *other != key);
        self.read.take_if(|(shape, _)| only && main_key(shape.kind()) == Some(key))
    }

    /// The last value under `key` that is not null.
    fn get(&self, key: &str) -> Option<&'a str> {
        self.iter().filter(|(name, text)| *name == key && *text != "null").map(|(_, text)| text).last()
    }
}

/// Whether geometry of `kind` is written under `key`.
pub(crate) fn is_key_of(kind: ShapeKind, key: &str) -> bool {
    match kind {
        ShapeKind::Polygon => key == "polygon" || key == "polygons",
        other => main_key(other) == Some(key),
    }
}

/// The key under which geometry of `kind` is written.
pub(crate) fn main_key(kind: ShapeKind) -> Option<&'static str> {
    Some(match kind {
        ShapeKind::BoundingBox => "boundingBox",
        ShapeKind::RotatableBoundingBox => "rotatableBoundingBox",
        ShapeKind::Polygon => "polygon",
        ShapeKind::Polyline => "polyline",
        ShapeKind::Point => "point",
        ShapeKind::Skeleton => "skeleton",
        ShapeKind::Bitmask => "bitmask",
        ShapeKind::Cuboid => "cuboid",
        ShapeKind::Cuboid2d => "cuboid_2d",
        ShapeKind::Circle => "circle",
        ShapeKind::Ellipse => "ellipse",
        ShapeKind::Segmentation => "segmentation",
        ShapeKind::Audio | ShapeKind::TimeRange | ShapeKind::Text => return None,
    })
}

/// Reads the geometry of an object whose class has the shape `kind`.
pub(crate) fn read_shape(
    kind: ShapeKind,
    pieces: &mut Pieces<'_>,
    reading: &mut Reading,
) -> Result<(Shape, ShapeSource)> {
    let key = main_key(kind).ok_or_else(|| {
        Error::invalid(format!("objects of the shape {kind} are ranges and cannot lie on a frame"))
    })?;
    let (shape, odd) = match pieces.take_read(key) {
        Some(read) => read,
        None => {
            reading.take_oddity();
            let shape = if kind == ShapeKind::Polygon {
                read_polygon(pieces, reading)?
            } else {
                let text = pieces.get(key).ok_or_else(|| Error::missing(key))?;
                read_one(kind, &mut Cursor::new(text), reading).under(key)?
            };
            (shape, reading.take_oddity())
        }
    };
    let mut source = ShapeSource::default();
    if odd {
        for (name, text) in pieces.iter().filter(|(name, _)| is_key_of(kind, name)) {
            source.insert(name, Cursor::new(text).value()?);
        }
    }
    Ok((shape, source))
}

fn read_one(kind: ShapeKind, cursor: &mut Cursor<'_>, reading: &mut Reading) -> Result<Shape> {
    Ok(match kind {
        ShapeKind::BoundingBox => BoundingBox::read(cursor, reading)?.into(),
        ShapeKind::RotatableBoundingBox => RotatableBoundingBox::read(cursor, reading)?.into(),
        ShapeKind::Polyline => Polyline::read(cursor, reading)?.into(),
        ShapeKind::Point => Point::read(cursor, reading)?.into(),
        ShapeKind::Skeleton => Skeleton::read(cursor, reading)?.into(),
        ShapeKind::Bitmask => read_bitmask(cursor, reading, &mut MaskFields::default())?.into(),
        ShapeKind::Cuboid => Cuboid::read(cursor, reading)?.into(),
        ShapeKind::Cuboid2d => Cuboid2d::read(cursor, reading)?.into(),
        ShapeKind::Circle => Circle::read(cursor, reading)?.into(),
        ShapeKind::Ellipse => Ellipse::read(cursor, reading)?.into(),
        ShapeKind::Segmentation => {
            let segmentation = Segmentation::from_rle(&*cursor.string()?);
            segmentation.check()?;
            segmentation.into()
        }
        ShapeKind::Polygon | ShapeKind::Audio | ShapeKind::TimeRange | ShapeKind::Text => {
            return Err(Error::unsupported("geometry of the shape", kind.as_str()));
        }
    })
}

fn read_polygon(pieces: &Pieces<'_>, reading: &mut Reading) -> Result<Shape> {
    let areas =
        pieces.get("polygons").map(|text| Polygon::read_areas(&mut Cursor::new(text)).under("polygons"));
    let areas = areas.transpose()?;
    // An empty `polygon` beside `polygons` says nothing.
    let ring = pieces
        .get("polygon")
        .map(|text| Polygon::read_ring(&mut Cursor::new(text), reading).under("polygon"));
    let ring = ring.transpose()?.filter(|ring| !(ring.is_empty() && areas.is_some()));
    Polygon::from_wire(ring, areas, reading).map(Shape::from)
}

/// Writes the geometry keys of a shape.
pub(crate) fn write_shape(shape: &Shape, source: &ShapeSource, out: &mut Emitter<'_>) -> Result<()> {
    if !source.is_empty() {
        source.iter().for_each(|(key, value)| out.text_key(key).value(value));
        return Ok(());
    }
    match shape {
        Shape::BoundingBox(shape) => shape.write(out),
        Shape::RotatableBoundingBox(shape) => shape.write(out),
        Shape::Polygon(shape) => shape.write(out),
        Shape::Polyline(shape) => shape.write(out),
        Shape::Point(shape) => shape.write(out),
        Shape::Skeleton(shape) => shape.write(out),
        Shape::Bitmask(shape) => write_bitmask(shape, out),
        Shape::Cuboid(shape) => shape.write(out),
        Shape::Cuboid2d(shape) => shape.write(out),
        Shape::Circle(shape) => shape.write(out),
        Shape::Ellipse(shape) => shape.write(out),
        Shape::Segmentation(shape) => {
            out.key("segmentation").string(shape.rle());
            Ok(())
        }
    }
}

/// The geometry that stands for "gone" in an event that deletes an object.
pub(crate) fn zeroed(kind: ShapeKind) -> Result<Shape> {
    Ok(match kind {
        ShapeKind::BoundingBox => BoundingBox { x: 0.0, y: 0.0, w: 0.0, h: 0.0 }.into(),
        ShapeKind::RotatableBoundingBox => {
            RotatableBoundingBox { x: 0.0, y: 0.0, w: 0.0, h: 0.0, theta: 0.0 }.into()
        }
        ShapeKind::Point => Point::Flat(Point2d { x: 0.0, y: 0.0 }).into(),
        ShapeKind::Circle => Circle { x: 0.0, y: 0.0, r: 0.0, stretch: 0.0, theta: 0.0 }.into(),
        ShapeKind::Ellipse => Ellipse { x: 0.0, y: 0.0, rx: 0.0, ry: 0.0, theta: 0.0 }.into(),
        ShapeKind::Polyline => Polyline::Flat(Vec::new()).into(),
        ShapeKind::Cuboid => Cuboid { position: [0.0; 3], orientation: [0.0; 3], size: [0.0; 3] }.into(),
        other => return Err(Error::invalid(format!("objects of the shape {other} cannot be events"))),
    })
}

/// What masks say beside their pixels, which is mostly what the mask before said.
#[derive(Debug, Default)]
struct MaskFields<'a> {
    spelling: Spelling<'a>,
    /// Which of the keys are set, in the order of the document.
    set: Vec<usize>,
    numbers: [i64; 4],
}

impl MaskFields<'_> {
    const KEYS: [&'static str; 4] = ["top", "left", "height", "width"];
}

fn read_bitmask<'a>(
    cursor: &mut Cursor<'a>,
    reading: &mut Reading,
    fields: &mut MaskFields<'a>,
) -> Result<Bitmask> {
    let mut rle = None;
    let same = cursor.object_like(&fields.spelling)?;
    fields.set.truncate(same);
    let mut twice = false;
    cursor.rest_of_object(same, &mut fields.spelling, |cursor, key| {
        if key == "rleString" {
            rle = Some(cursor.string()?.into_owned());
            return Ok(false);
        }
        let Some(which) = MaskFields::KEYS.iter().position(|known| *known == key) else {
            reading.found_oddity();
            cursor.skip()?;
            return Ok(false);
        };
        fields.numbers[which] = if which < 2 { read_offset(cursor)? } else { read_side(cursor)?.into() };
        twice |= fields.set.contains(&which);
        fields.set.push(which);
        Ok(true)
    })?;
    if twice {
        fields.spelling.forget();
    }
    if let Some(missing) = (0..4).find(|which| !fields.set.contains(which)) {
        return Err(Error::missing(MaskFields::KEYS[missing]));
    }
    let [top, left, height, width] = fields.numbers;
    let rle = rle.ok_or_else(|| Error::missing("rleString"))?;
    // Both were read as sides.
    let mask = Bitmask::from_wire(top, left, height as u32, width as u32, rle);
    if super::rle::fits(mask.rle(), u64::from(mask.height()) * u64::from(mask.width())) {
        return Ok(mask);
    }
    mask.validate().under("rleString")?;
    Ok(mask)
}

fn read_side(cursor: &mut Cursor<'_>) -> Result<u32> {
    let side = cursor.whole()?;
    u32::try_from(side).map_err(|_| Error::invalid(format!("{side} pixels are more than a mask can have")))
}

fn read_offset(cursor: &mut Cursor<'_>) -> Result<i64> {
    let number = cursor.number()?;
    if number.fract() == 0.0 && number.abs() < 9e15 {
        Ok(number as i64)
    } else {
        Err(Error::invalid(format!("expected a whole number, found {number}")))
    }
}

fn write_bitmask(mask: &Bitmask, out: &mut Emitter<'_>) -> Result<()> {
    out.key("bitmask").object(|out| {
        out.key("top").integer(mask.top());
        out.key("left").integer(mask.left());
        out.key("height").whole(mask.height().into());
        out.key("width").whole(mask.width().into());
        out.key("rleString").string(mask.rle());
        Ok(())
    })
}

/// Numbers read by key; absent and null ones are empty.
#[derive(Debug)]
pub(crate) struct Numbers<const N: usize>([Option<f64>; N]);

impl<const N: usize> Numbers<N> {
    pub(crate) fn has(&self, index: usize) -> bool {
        self.0[index].is_some()
    }

    /// Fills in a number that may be absent.
    pub(crate) fn or(mut self, index: usize, default: f64) -> Self {
        self.0[index].get_or_insert(default);
        self
    }

    pub(crate) fn required(self, keys: [&'static str; N]) -> Result<[f64; N]> {
        let mut numbers = [0.0; N];
        for index in 0..N {
            numbers[index] = self.0[index].ok_or_else(|| Error::missing(keys[index]))?;
        }
        Ok(numbers)
    }
}

/// Reads an object of numbers. Unknown keys and nulls are oddities.
#[inline]
pub(crate) fn read_numbers<const N: usize>(
    cursor: &mut Cursor<'_>,
    keys: [&'static str; N],
    reading: &mut Reading,
) -> Result<Numbers<N>> {
    let mut numbers = [None; N];
    cursor.object(|cursor, key| {
        match keys.iter().position(|known| *known == key) {
            Some(index) => {
                numbers[index] = cursor.nullable(Cursor::number)?;
                if numbers[index].is_none() {
                    reading.found_oddity();
                }
            }
            None => {
                reading.found_oddity();
                cursor.skip()?;
            }
        }
        Ok(())
    })?;
    Ok(Numbers(numbers))
}

/// Reads points given as a list, or as an object whose keys number them.
pub(crate) fn read_point_list(cursor: &mut Cursor<'_>, reading: &mut Reading) -> Result<Vec<Point>> {
    if cursor.kind()? == Kind::Array {
        reading.found_oddity();
        let mut points = Vec::new();
        cursor.array(|cursor, _| {
            points.push(Point::read_bare(cursor, reading)?);
            Ok(())
        })?;
        return Ok(points);
    }
    let mut points = Vec::new();
    // Only filled once the keys turn out not to count up from 0.
    let mut unordered: BTreeMap<i64, Point> = BTreeMap::new();
    cursor.object(|cursor, key| {
        let index: i64 = key
            .trim()
            .parse()
            .map_err(|_| Error::invalid("points must be numbered, this key is not a number"))?;
        let point = Point::read_bare(cursor, reading)?;
        if unordered.is_empty() && usize::try_from(index) == Ok(points.len()) {
            points.push(point);
            return Ok(());
        }
        reading.found_oddity();
        if unordered.is_empty() {
            unordered = (0..).zip(points.drain(..)).collect();
        }
        match unordered.insert(index, point) {
            None => Ok(()),
            Some(_) => Err(Error::conflict(format!("two points have the number {index}"))),
        }
    })?;
    Ok(if unordered.is_empty() { points } else { unordered.into_values().collect() })
}
