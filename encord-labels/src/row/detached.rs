//! Rows of files that are on no platform, for tests and for trying things out.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::LabelRow;
use super::data_type::DataType;
use super::metadata::LabelRowMetadata;
use crate::error::Result;
use crate::ontology::Ontology;

/// Stands for everything such a row has no hash of.
const NOWHERE: &str = "00000000-0000-0000-0000-000000000000";

impl LabelRow {
    /// An initialised row without labels, of a file that is on no platform: for tests and for trying things out.
    ///
    /// `length` is the number of frames, images, pages or slices; milliseconds for audio. `size` is the width and height
    /// in pixels of files that have them. Groups and scenes have no spaces.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use encord_labels::{DataType, LabelRow, Ontology, ontology::ObjectClass, shape::{BoundingBox, ShapeKind}};
    /// let ontology = Ontology::new().with_object(ObjectClass::new("Car", ShapeKind::BoundingBox))?;
    /// let mut row = LabelRow::detached("clip.mp4", DataType::Video, 10, (640, 480), Arc::new(ontology))?;
    /// let mut car = row.new_object("Car")?;
    /// car.set(0..=9, BoundingBox::new(0.1, 0.1, 0.2, 0.2)?)?;
    /// row.add_object(car)?;
    /// assert_eq!(row.frame(9)?.objects().count(), 1);
    /// # Ok::<(), encord_labels::Error>(())
    /// ```
    ///
    /// # Errors
    /// None that is known; the row is read as every other.
    pub fn detached(
        title: &str,
        data_type: DataType,
        length: u64,
        size: (u32, u32),
        ontology: Arc<Ontology>,
    ) -> Result<Self> {
        let duration = (data_type == DataType::Audio).then_some(length as f64 / 1000.0);
        let (width, height) = size;
        let about = json!({
            "label_hash": NOWHERE, "branch_name": "main", "created_at": null, "last_edited_at": null,
            "data_hash": NOWHERE, "dataset_hash": NOWHERE, "dataset_title": "", "data_title": title,
            "label_status": "LABEL_IN_PROGRESS", "annotation_task_status": "QUEUED", "is_shadow_data": false,
        });
        let mut metadata = about.clone();
        metadata["data_type"] = data_type.as_str().to_uppercase().into();
        (metadata["data_link"], metadata["spaces"]) = (Value::Null, json!({}));
        (metadata["number_of_frames"], metadata["duration"]) = (json!(length), json!(duration));
        (metadata["width"], metadata["height"]) = (json!(width), json!(height));
        let mut document = about;
        document["data_type"] = data_type.as_str().into();
        for key in ["object_answers", "classification_answers", "object_actions", "spaces"] {
            document[key] = json!({});
        }
        let units = if data_type == DataType::ImageGroup { length } else { 1 };
        let units = (0..units).map(|sequence| unit(title, data_type, sequence, size));
        document["data_units"] = Value::Object(units.collect::<Map<_, _>>());
        let mut row = Self::new(LabelRowMetadata::from_json(metadata)?, ontology);
        row.initialise_from_value(document)?;
        Ok(row)
    }
}

fn unit(title: &str, data_type: DataType, sequence: u64, (width, height): (u32, u32)) -> (String, Value) {
    // Images of a group need hashes of their own.
    let hash = format!("{}{sequence:012}", &NOWHERE[..24]);
    let hash = if data_type == DataType::ImageGroup { hash } else { NOWHERE.to_owned() };
    let unit = json!({
        "data_hash": hash, "data_title": title, "data_link": "", "data_type": mime_type(data_type),
        "data_sequence": sequence, "width": width, "height": height, "labels": {},
    });
    (hash, unit)
}

fn mime_type(data_type: DataType) -> &'static str {
    match data_type {
        DataType::Video => "video/mp4",
        DataType::Image | DataType::ImageGroup => "image/png",
        DataType::Dicom | DataType::DicomStudy => "application/dicom",
        DataType::Nifti => "application/nifti",
        DataType::Audio => "audio/wav",
        DataType::PlainText => "text/plain",
        DataType::Pdf => "application/pdf",
        DataType::TimeSeries | DataType::Group | DataType::Scene => "application/octet-stream",
    }
}
