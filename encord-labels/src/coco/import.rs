//! From a COCO file to label rows.

use std::collections::HashMap;

use serde_json::Value;

use super::model::{Annotation, Dataset, Image, Segmentation};
use crate::error::{Error, Located, Result};
use crate::geometry::trace;
use crate::ontology::{ObjectClass, Ontology};
use crate::range::Frame;
use crate::row::{Details, LabelRow, ObjectInstance};
use crate::shape::{
    Bitmask, BoundingBox, Point, Point2d, Polygon, Polyline, Ring, RotatableBoundingBox, Shape, ShapeKind,
    Skeleton, Vertex, Visibility,
};

/// Where an imported picture belongs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Placement {
    /// The data row, by its data hash.
    pub data_hash: String,
    /// The frame; 0 for images.
    pub frame: Frame,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportReport {
    /// Objects added.
    pub added: u64,
    /// Annotations left out: their id in the file and why.
    pub skipped: Vec<(u64, Skipped)>,
}

/// Why an annotation was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Skipped {
    /// Nothing says where its picture belongs.
    Picture,
    /// None of the rows has the data hash of its picture.
    Row,
    /// Nothing says which class its category is.
    Category,
}

/// Adds the annotations of a COCO file to label rows, one object each.
///
/// `classes` says which object class, by feature hash, a category becomes, and `pictures` where a picture belongs.
/// What they do not mention is left out and reported. If `confidence_key` is given, that key of an annotation, a number
/// from 0 to 1, becomes the object's confidence.
///
/// # Errors
/// The JSON path of the annotation whose geometry does not fit its class or its row, or whose picture the file does
/// not describe; an unknown feature hash in `classes`. The rows stay as they were then.
pub fn import(
    dataset: &Dataset,
    rows: &mut [LabelRow],
    ontology: &Ontology,
    classes: &HashMap<u64, String>,
    pictures: &HashMap<u64, Placement>,
    confidence_key: Option<&str>,
) -> Result<ImportReport> {
    for feature_hash in classes.values() {
        ontology.object_by_hash(feature_hash)?;
    }
    let images: HashMap<u64, &Image> = dataset.images.iter().map(|image| (image.id, image)).collect();
    let places: HashMap<String, usize> =
        rows.iter().enumerate().map(|(index, row)| (row.metadata().data_hash().to_owned(), index)).collect();
    // Work on copies, so that an error in the middle changes nothing.
    let mut changed: HashMap<usize, LabelRow> = HashMap::new();
    let mut report = ImportReport::default();
    for (index, annotation) in dataset.annotations.iter().enumerate() {
        let Some(picture) = pictures.get(&annotation.image_id) else {
            report.skipped.push((annotation.id, Skipped::Picture));
            continue;
        };
        let Some(place) = places.get(&picture.data_hash) else {
            report.skipped.push((annotation.id, Skipped::Row));
            continue;
        };
        let Some(feature_hash) = classes.get(&annotation.category_id) else {
            report.skipped.push((annotation.id, Skipped::Category));
            continue;
        };
        let class = ontology.object_by_hash(feature_hash)?;
        let image = images
            .get(&annotation.image_id)
            .ok_or_else(|| Error::not_found("image with the id", annotation.image_id.to_string(), []))
            .under("image_id")
            .at(index)
            .under("annotations")?;
        let row = changed.entry(*place).or_insert_with(|| rows[*place].clone());
        add(row, annotation, image, (ontology, class), picture.frame, confidence_key)
            .at(index)
            .under("annotations")?;
        report.added += 1;
    }
    for (place, row) in changed {
        rows[place] = row;
    }
    Ok(report)
}

fn add(
    row: &mut LabelRow,
    annotation: &Annotation,
    image: &Image,
    (ontology, class): (&Ontology, &std::sync::Arc<ObjectClass>),
    frame: Frame,
    confidence_key: Option<&str>,
) -> Result<()> {
    let shape = shape_of(annotation, image, class, ontology)?;
    let mut details = Details::by_hand();
    if let Some(key) = confidence_key
        && let Some(value) = annotation.extra.get(key).or_else(|| annotation.attributes.get(key))
    {
        let confidence = value.as_f64().filter(|confidence| (0.0..=1.0).contains(confidence));
        let confidence =
            confidence.ok_or_else(|| Error::invalid(format!("{value} is no confidence from 0 to 1")));
        details.confidence = Some(confidence.under(key)?);
    }
    let mut object = ObjectInstance::new(class);
    object.set_with(frame, shape, details)?;
    row.add_object(object).map(|_| ())
}

/// The shape of an annotation as objects of a class have it.
///
/// * Bounding boxes take `bbox`; rotatable ones also the angle that exports keep under `attributes.rotation`.
/// * Polygons take every outline as an area of its own, since COCO cannot say what is a hole; masks are traced. Without
///   a segmentation the box is the outline.
/// * Bitmasks take masks of the size of the image; outlines are filled.
/// * Lines take the way there of an exported there-and-back outline; points and skeletons take keypoints.
///
/// # Errors
/// [`Error::InvalidValue`] for geometry that is missing or broken, [`Error::Unsupported`] for other kinds of classes.
pub fn shape_of(
    annotation: &Annotation,
    image: &Image,
    class: &ObjectClass,
    ontology: &Ontology,
) -> Result<Shape> {
    if image.width == 0 || image.height == 0 {
        return Err(Error::invalid(format!("the image {} has no size", image.id)));
    }
    let size = (f64::from(image.width), f64::from(image.height));
    match class.shape() {
        ShapeKind::BoundingBox => Ok(bounding_box(annotation, size)?.into()),
        ShapeKind::RotatableBoundingBox => {
            let theta = annotation.attributes.get("rotation").and_then(Value::as_f64).unwrap_or(0.0);
            Ok(RotatableBoundingBox::new(bounding_box(annotation, size)?, theta)?.into())
        }
        ShapeKind::Polygon => polygon(annotation, size).map(Shape::from),
        ShapeKind::Bitmask => bitmask(annotation, image).map(Shape::from),
        ShapeKind::Polyline => {
            let points = outlines(annotation, size)?.into_iter().next().unwrap_or_default();
            let there = points.len() / 2;
            let (way, back) = points.split_at(there);
            let returns = points.len() % 2 == 0 && way.iter().eq(back.iter().rev());
            Ok(Polyline::new(if returns { way.to_vec() } else { points })?.into())
        }
        ShapeKind::Point => {
            let (x, y, _) = keypoints(annotation)?.next().ok_or_else(|| Error::missing("keypoints"))?;
            Ok(Point::new(x / size.0, y / size.1)?.into())
        }
        ShapeKind::Skeleton => skeleton(annotation, size, class, ontology).map(Shape::from),
        other => Err(Error::unsupported("shape for an import from COCO", other.as_str())),
    }
}

fn bounding_box(annotation: &Annotation, size: (f64, f64)) -> Result<BoundingBox> {
    let [x, y, w, h] = annotation.bbox;
    BoundingBox::new(x / size.0, y / size.1, w / size.0, h / size.1).under("bbox")
}

fn polygon(annotation: &Annotation, size: (f64, f64)) -> Result<Polygon> {
    if let Some(Segmentation::Mask(mask)) = &annotation.segmentation {
        let traced = mask.to_mask().and_then(|mask| trace(&mask)).under("segmentation")?;
        return traced.ok_or_else(|| Error::invalid("the mask has no pixel set")).under("segmentation");
    }
    let areas = outlines(annotation, size)?.into_iter().map(|outline| vec![outline]).collect();
    Polygon::with_areas(areas).under("segmentation")
}

fn bitmask(annotation: &Annotation, image: &Image) -> Result<Bitmask> {
    if let Some(Segmentation::Mask(mask)) = &annotation.segmentation {
        let mask = mask.to_mask().under("segmentation")?;
        if (mask.height(), mask.width()) != (image.height, image.width) {
            return Err(Error::invalid(format!(
                "the mask has {} x {} pixels, the image {} x {}",
                mask.width(),
                mask.height(),
                image.width,
                image.height
            )))
            .under("segmentation");
        }
        return Ok(mask);
    }
    let filled = polygon(annotation, (f64::from(image.width), f64::from(image.height)))?;
    Ok(Shape::from(filled).on_image(image.width, image.height)?.rasterise())
}

/// The outlines as fractions; the box where there are none.
fn outlines(annotation: &Annotation, size: (f64, f64)) -> Result<Vec<Ring>> {
    let Some(Segmentation::Outlines(outlines)) = &annotation.segmentation else {
        let [x, y, w, h] = annotation.bbox;
        let corners = [(x, y), (x, y + h), (x + w, y + h), (x + w, y)];
        return Ok(vec![corners.map(|(x, y)| Point2d { x: x / size.0, y: y / size.1 }).to_vec()]);
    };
    let ring = |numbers: &Vec<f64>| match numbers.as_chunks::<2>() {
        (pairs, []) => Ok(pairs.iter().map(|[x, y]| Point2d { x: x / size.0, y: y / size.1 }).collect()),
        _ => Err(Error::invalid("an outline has an odd number of coordinates")),
    };
    outlines
        .iter()
        .enumerate()
        .map(|(index, numbers)| ring(numbers).at(index).under("segmentation"))
        .collect()
}

fn keypoints(annotation: &Annotation) -> Result<impl Iterator<Item = (f64, f64, f64)> + '_> {
    let numbers = annotation.keypoints.as_deref().ok_or_else(|| Error::missing("keypoints"))?;
    let (points, rest) = numbers.as_chunks::<3>();
    if !rest.is_empty() {
        return Err(Error::invalid("keypoints come in threes: x, y and visibility")).under("keypoints");
    }
    Ok(points.iter().map(|[x, y, visibility]| (*x, *y, *visibility)))
}

/// Keypoints in the order of the class's template.
fn skeleton(
    annotation: &Annotation,
    size: (f64, f64),
    class: &ObjectClass,
    ontology: &Ontology,
) -> Result<Skeleton> {
    let template = ontology
        .template_of(class)
        .ok_or_else(|| Error::not_found("skeleton template of the class", class.name(), []))?;
    let points: Vec<_> = keypoints(annotation)?.collect();
    if points.len() != template.vertices().len() {
        return Err(Error::invalid(format!(
            "{} keypoints do not fit the skeleton \"{}\" of {} vertices",
            points.len(),
            template.name(),
            template.vertices().len()
        )))
        .under("keypoints");
    }
    let vertices = template.vertices().iter().zip(points).map(|(vertex, (x, y, visibility))| {
        let mut placed = Vertex::new(vertex.name(), x / size.0, y / size.1)?;
        placed.visibility = Some(match visibility {
            0.0 => Visibility::Invisible,
            1.0 => Visibility::Occluded,
            _ => Visibility::Visible,
        });
        Ok(placed)
    });
    template.instantiate(vertices.collect::<Result<Vec<_>>>().under("keypoints")?)
}
