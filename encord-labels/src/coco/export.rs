//! From label rows to a COCO file.

use std::collections::{BTreeMap, HashMap};

use geo::{Area, BoundingRect, Coord, LineString, Polygon};
use serde_json::{Map, Value, json};

use super::answers::flat_answers;
use super::fill;
use super::model::{Annotation, Category, Dataset, Image, Rle, Segmentation};
use crate::error::{Error, Located, Result};
use crate::geometry::Scale;
use crate::id::ObjectHash;
use crate::ontology::Ontology;
use crate::range::{Frame, FrameSet};
use crate::row::{Content, DataType, DataUnit, LabelRow, ObjectInstance, size_of};
use crate::shape::{self, Bitmask, Point, Polyline, Shape, ShapeKind, Skeleton, Visibility};

/// What an export contains.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ExportOptions {
    /// Whether frames of videos are exported; on unless switched off.
    pub videos: bool,
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self { videos: true }
    }
}

/// An export, and what did not fit into it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Export {
    /// The file.
    pub dataset: Dataset,
    /// How many labels of each kind COCO has no form for: circles, ellipses, cuboids, points and lines in space.
    pub skipped: BTreeMap<ShapeKind, u64>,
}

/// Makes a COCO file of the labels of some rows.
///
/// Pictures are the images of images and image groups, and the frames of videos, DICOM series and NIfTI volumes that
/// hold an object or are in the range of a classification. Other rows, and labels on spaces, have no place in it.
///
/// # Errors
/// [`Error::NotInitialised`] for a row without labels,
/// [`Error::InvalidValue`] for masks that cannot be decoded and for more than 16 million labelled frames.
pub fn export<'a>(
    rows: impl IntoIterator<Item = &'a LabelRow>,
    ontology: &Ontology,
    options: &ExportOptions,
) -> Result<Export> {
    let mut exporter = Exporter::new(ontology);
    for row in rows {
        exporter.add(row, options)?;
    }
    Ok(Export { dataset: exporter.dataset, skipped: exporter.skipped })
}

/// A classification of a file of unknown length may be about more frames than there is memory for.
const MOST_PICTURES: u64 = 1 << 24;

struct Exporter {
    dataset: Dataset,
    skipped: BTreeMap<ShapeKind, u64>,
    categories: HashMap<String, u64>,
    tracks: HashMap<ObjectHash, usize>,
}

impl Exporter {
    fn new(ontology: &Ontology) -> Self {
        let mut dataset = Dataset { info: info(None), ..Dataset::default() };
        let mut categories = HashMap::new();
        let classes = ontology.objects().iter();
        for class in classes.filter(|class| !matches!(class.shape(), ShapeKind::Audio | ShapeKind::Text)) {
            let id = dataset.categories.len() as u64 + 1;
            let mut extra = BTreeMap::new();
            if class.shape() == ShapeKind::Point {
                extra.insert("keypoints".to_owned(), json!("keypoint"));
                extra.insert("skeleton".to_owned(), json!([]));
            }
            categories.insert(class.feature_hash().as_str().to_owned(), id);
            let supercategory = Some(class.shape().as_str().to_owned());
            dataset.categories.push(Category { supercategory, id, name: class.name().to_owned(), extra });
        }
        Self { dataset, skipped: BTreeMap::new(), categories, tracks: HashMap::new() }
    }

    fn add(&mut self, row: &LabelRow, options: &ExportOptions) -> Result<()> {
        let content = row.content()?;
        if self.dataset.info["description"].is_null() {
            self.dataset.info = info(Some(row.metadata().data_title()));
        }
        match content.data_type {
            DataType::Video if !options.videos => return Ok(()),
            DataType::Video | DataType::Image | DataType::ImageGroup | DataType::Dicom | DataType::Nifti => {}
            _ => return Ok(()),
        }
        let mut by_frame: BTreeMap<Frame, Vec<&ObjectInstance>> = BTreeMap::new();
        for object in content.objects.values() {
            for (frame, _) in object.annotations() {
                by_frame.entry(frame).or_default().push(object);
            }
        }
        for unit in &content.units {
            for frame in frames(content, unit, &by_frame)? {
                let image = image(content.data_type, unit, frame, self.dataset.images.len() as u64);
                for object in by_frame.get(&frame).into_iter().flatten() {
                    self.annotate(object, frame, &image)?;
                }
                self.dataset.images.push(image);
            }
        }
        Ok(())
    }

    fn annotate(&mut self, object: &ObjectInstance, frame: Frame, image: &Image) -> Result<()> {
        let Some(annotation) = object.on_frame(frame) else { return Ok(()) };
        let shape = annotation.shape();
        let drawn = draw(shape, image.width.max(1), image.height.max(1));
        let drawn = drawn.under(object.hash().as_str()).under("objects")?;
        let category = self.categories.get(object.class().feature_hash().as_str());
        let (Some(drawn), Some(category_id)) = (drawn, category) else {
            *self.skipped.entry(shape.kind()).or_default() += 1;
            return Ok(());
        };
        let next = self.tracks.len();
        let track = *self.tracks.entry(object.hash().clone()).or_insert(next);
        let mut attributes = Map::new();
        attributes.insert("track_id".into(), json!(track));
        attributes.insert("encord_track_uuid".into(), json!(object.hash().as_str()));
        if let Shape::RotatableBoundingBox(turned) = shape {
            attributes.insert("rotation".into(), json!(turned.theta));
        }
        attributes.insert("classifications".into(), Value::Object(flat_answers(object, frame)));
        attributes.insert(
            "manual_annotation".into(),
            json!(annotation.details().manual_annotation.unwrap_or(true)),
        );
        self.dataset.annotations.push(Annotation {
            area: drawn.area,
            bbox: drawn.bbox,
            category_id: *category_id,
            image_id: image.id,
            iscrowd: u8::from(matches!(drawn.segmentation, Segmentation::Mask(_))),
            segmentation: Some(drawn.segmentation),
            num_keypoints: drawn.keypoints.as_ref().map(|numbers| numbers.len() as u64 / 3),
            keypoints: drawn.keypoints,
            id: self.dataset.annotations.len() as u64,
            attributes,
            extra: BTreeMap::new(),
        });
        Ok(())
    }
}

fn info(title: Option<&str>) -> Value {
    json!({"description": title, "contributor": null, "date_created": null, "url": null, "version": null, "year": null})
}

/// The frames of a unit that become pictures: those with objects first, then those only classified. They are worked out
/// one by one, since a classification may be about any number of frames.
fn frames(
    content: &Content,
    unit: &DataUnit,
    by_frame: &BTreeMap<Frame, Vec<&ObjectInstance>>,
) -> Result<impl Iterator<Item = Frame>> {
    let mut parts: Vec<FrameSet> = Vec::new();
    if matches!(content.data_type, DataType::Image | DataType::ImageGroup) {
        parts.push(unit.sequence.into());
    } else {
        let mut seen: FrameSet = by_frame.keys().copied().collect();
        parts.push(seen.clone());
        if !content.spaces.keys().any(|id| id.as_str() == "root") {
            for classification in content.classifications.values() {
                let mut new = classification.frames().clone();
                new.remove(&seen);
                seen.insert(&new);
                parts.push(new);
            }
        }
        if seen.len() > MOST_PICTURES {
            return Err(Error::invalid(format!(
                "{} frames are labelled, but a file can have {MOST_PICTURES} pictures",
                seen.len()
            )));
        }
    }
    Ok(parts.into_iter().flat_map(|part| part.into_iter()))
}

fn image(data_type: DataType, unit: &DataUnit, frame: Frame, id: u64) -> Image {
    let hash = unit.data_hash();
    let title = unit.text("data_title").unwrap_or_default();
    let link = unit.text("data_link").map(str::to_owned);
    let side = |side: u64| u32::try_from(side).unwrap_or(u32::MAX);
    let (mut height, mut width) = unit.size().map_or((0, 0), |(height, width)| (side(height), side(width)));
    let mut extra = BTreeMap::new();
    let (mut coco_url, file_name) = match data_type {
        DataType::Video => {
            extra.insert("video_title".to_owned(), json!(title));
            (link, format!("videos/{hash}/{frame}.jpg"))
        }
        DataType::Nifti => (link, format!("nifti/{hash}/{frame}")),
        DataType::Dicom => (Some(String::new()), format!("dicom/{hash}/{frame}")),
        _ => {
            extra.insert("image_title".to_owned(), json!(title));
            (link, format!("images/{hash}.{}", title.rsplit('.').next().unwrap_or_default()))
        }
    };
    let mut file_name = Some(file_name);
    let slice =
        unit.labels.frames.get(&frame).and_then(|extra| extra.get("metadata")).and_then(Value::as_object);
    if let (DataType::Dicom, Some(slice)) = (data_type, slice) {
        if let Some(uid) = slice.get("dicom_instance_uid").and_then(Value::as_str) {
            let part = slice.get("multiframe_frame_number").filter(|number| !number.is_null());
            file_name =
                Some(part.map_or(format!("dicom/{hash}/{uid}"), |part| format!("dicom/{hash}/{uid}/{part}")));
        }
        coco_url = slice.get("file_uri").and_then(Value::as_str).map(str::to_owned);
        if let Some((slice_height, slice_width)) = size_of(slice) {
            (height, width) = (side(slice_height), side(slice_width));
        }
    }
    Image { id, coco_url, file_name, height, width, extra }
}

/// A shape in COCO's terms.
struct Drawn {
    area: f64,
    bbox: [f64; 4],
    segmentation: Segmentation,
    keypoints: Option<Vec<f64>>,
}

impl Drawn {
    fn outline(area: f64, bbox: [f64; 4], points: impl IntoIterator<Item = Coord>) -> Self {
        let outline = points.into_iter().flat_map(|point| [point.x, point.y]).collect();
        Self { area, bbox, segmentation: Segmentation::Outlines(vec![outline]), keypoints: None }
    }

    fn mask(mask: &Bitmask) -> Result<Self> {
        let bbox = mask.bounding_box()?.map_or([0.0; 4], |(rows, columns)| {
            [columns.start, rows.start, columns.end - columns.start, rows.end - rows.start].map(f64::from)
        });
        let segmentation = Segmentation::Mask(Rle::from_mask(mask)?);
        Ok(Self { area: mask.area()? as f64, bbox, segmentation, keypoints: None })
    }
}

fn draw(shape: &Shape, width: u32, height: u32) -> Result<Option<Drawn>> {
    let scale = Scale { width: f64::from(width), height: f64::from(height) };
    Ok(Some(match shape {
        Shape::BoundingBox(b) => draw_box(b, scale),
        Shape::RotatableBoundingBox(b) => draw_box(&b.upright(), scale),
        Shape::Polygon(polygon) if polygon.is_simple() => {
            let line = scale.line(polygon.outline());
            let area = Polygon::new(line.clone(), Vec::new()).unsigned_area();
            Drawn::outline(area, extent(&line), line.0)
        }
        Shape::Polygon(polygon) => Drawn::mask(&fill::fill(&scale.areas(polygon.areas()), width, height)?)?,
        Shape::Polyline(Polyline::Flat(points)) if !points.is_empty() => {
            let line = scale.line(points);
            let there_and_back = line.0.iter().chain(line.0.iter().rev()).copied();
            Drawn::outline(0.0, extent(&line), there_and_back)
        }
        Shape::Bitmask(mask) => Drawn::mask(mask)?,
        Shape::Point(Point::Flat(point)) => {
            let at = scale.point(*point);
            let drawn = Drawn::outline(0.0, [at.x, at.y, 0.0, 0.0], [at]);
            Drawn { keypoints: Some(vec![at.x, at.y, VISIBLE]), ..drawn }
        }
        Shape::Skeleton(skeleton) if !skeleton.vertices.is_empty() => draw_skeleton(skeleton, scale),
        _ => return Ok(None),
    }))
}

fn draw_box(b: &shape::BoundingBox, scale: Scale) -> Drawn {
    let (x, y, w, h) = (b.x * scale.width, b.y * scale.height, b.w * scale.width, b.h * scale.height);
    let corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)].map(|(x, y)| Coord { x, y });
    Drawn::outline(w * h, [x, y, w, h], corners)
}

fn draw_skeleton(skeleton: &Skeleton, scale: Scale) -> Drawn {
    let mut keypoints = Vec::with_capacity(3 * skeleton.vertices.len());
    let mut line = LineString::new(Vec::new());
    for vertex in &skeleton.vertices {
        let at = scale.point(shape::Point2d { x: vertex.x, y: vertex.y });
        let visibility = match vertex.visibility {
            Some(Visibility::Invisible) => NOT_LABELLED,
            Some(Visibility::Occluded | Visibility::SelfOccluded) => HIDDEN,
            _ => VISIBLE,
        };
        keypoints.extend([at.x, at.y, visibility]);
        line.0.push(at);
    }
    let segmentation = Segmentation::Outlines(Vec::new());
    Drawn { area: 0.0, bbox: extent(&line), segmentation, keypoints: Some(keypoints) }
}

const NOT_LABELLED: f64 = 0.0;
const HIDDEN: f64 = 1.0;
const VISIBLE: f64 = 2.0;

fn extent(line: &LineString) -> [f64; 4] {
    line.bounding_rect().map_or([0.0; 4], |rect| [rect.min().x, rect.min().y, rect.width(), rect.height()])
}
