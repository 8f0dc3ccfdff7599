//! The COCO file: what its JSON looks like.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Result;
use crate::shape::Bitmask;

/// A whole COCO file.
///
/// Keys that COCO does not define are kept in `extra` and written back.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Dataset {
    /// About the file.
    #[serde(default)]
    pub info: Value,
    /// The classes.
    #[serde(default)]
    pub categories: Vec<Category>,
    /// The pictures.
    pub images: Vec<Image>,
    /// The labels.
    pub annotations: Vec<Annotation>,
    /// Other keys.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// A class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Category {
    /// What kind of class it is; exports write the shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supercategory: Option<String>,
    /// Identifies the class in this file; exports count from 1.
    pub id: u64,
    /// The title of the class.
    pub name: String,
    /// Other keys.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// A picture: an image, a frame, a slice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// Identifies the picture in this file; exports count from 0.
    pub id: u64,
    /// Where the file was.
    #[serde(default)]
    pub coco_url: Option<String>,
    /// Name of the file.
    #[serde(default)]
    pub file_name: Option<String>,
    /// Rows in pixels.
    pub height: u32,
    /// Columns in pixels.
    pub width: u32,
    /// Other keys.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// A label on a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Annotation {
    /// Area in square pixels.
    #[serde(default)]
    pub area: f64,
    /// Left, top, width and height in pixels.
    pub bbox: [f64; 4],
    /// The class.
    pub category_id: u64,
    /// The picture.
    pub image_id: u64,
    /// 1 if the area is given as a run-length mask.
    #[serde(default)]
    pub iscrowd: u8,
    /// The area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segmentation: Option<Segmentation>,
    /// Named points as x, y and visibility (0 not labelled, 1 hidden, 2 visible).
    #[serde(default)]
    pub keypoints: Option<Vec<f64>>,
    /// Number of named points.
    #[serde(default)]
    pub num_keypoints: Option<u64>,
    /// Identifies the annotation in this file; exports count from 0.
    pub id: u64,
    /// What Encord adds: track, answers, rotation, who made it.
    #[serde(default)]
    pub attributes: serde_json::Map<String, Value>,
    /// Other keys.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// An area in one of COCO's two forms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Segmentation {
    /// Closed outlines, each as x and y in pixels in turn.
    Outlines(Vec<Vec<f64>>),
    /// A mask.
    Mask(Rle),
}

/// A run-length mask, column by column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rle {
    /// Height and width in pixels.
    pub size: [u32; 2],
    /// The runs.
    pub counts: RleCounts,
}

/// The runs of a mask, compressed or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RleCounts {
    /// As the string `pycocotools` writes.
    Compressed(String),
    /// As numbers: unset, set, unset, …
    Plain(Vec<u64>),
}

impl Dataset {
    /// Reads a COCO file.
    ///
    /// # Errors
    /// [`Error::Syntax`](crate::Error::Syntax) for text that is not JSON; otherwise the error names the JSON path of
    /// what is missing or wrong.
    pub fn from_slice(json: &[u8]) -> Result<Self> {
        super::read::dataset(json)
    }
}

impl Rle {
    /// The mask in COCO's form, compressed.
    ///
    /// # Errors
    /// As [`Bitmask::to_coco_rle`].
    pub fn from_mask(mask: &Bitmask) -> Result<Self> {
        let counts = RleCounts::Compressed(mask.to_coco_rle()?);
        Ok(Self { size: [mask.height(), mask.width()], counts })
    }

    /// The mask in Encord's form.
    ///
    /// # Errors
    /// As [`Bitmask::from_coco_rle`].
    pub fn to_mask(&self) -> Result<Bitmask> {
        let [height, width] = self.size;
        match &self.counts {
            RleCounts::Compressed(counts) => Bitmask::from_coco_rle(height, width, counts),
            RleCounts::Plain(counts) => Bitmask::from_coco_counts(height, width, counts),
        }
    }
}
