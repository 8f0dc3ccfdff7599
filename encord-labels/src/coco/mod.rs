//! COCO files: labels of images and frames for training tools.
//!
//! [`export`] writes what Encord's own exporter writes, except where that is wrong:
//! * dynamic answers are those of the frame (the exporter looks them up by the number of the picture),
//! * the visibility of skeleton vertices is read from where documents keep it, so hidden joints are 1 and not 2,
//! * an object without an entry in `object_answers` is an object without answers, not an error,
//! * what COCO cannot express is counted in [`Export::skipped`].
//!
//! [`shape_of`] turns an annotation into a shape again and [`import`] puts whole files into label rows. Both take
//! everything the exporter makes, which is more than Encord's importer does: besides boxes, polygons and bitmasks
//! also rotated boxes, lines, points and skeletons.

mod answers;
mod export;
mod fill;
mod import;
mod model;
mod read;

pub use export::{Export, ExportOptions, export};
pub use import::{ImportReport, Placement, Skipped, import, shape_of};
pub use model::{Annotation, Category, Dataset, Image, Rle, RleCounts, Segmentation};
