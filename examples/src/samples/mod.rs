//! Sample media of every type the platform knows, with the seed that serves it from a sandbox.
//!
//! Each file holds something an agent can find: pictures show a disc, recordings have a loud part, the CT
//! has a dense ball, texts contain a word.
//! Nothing is downloaded; videos need the `ffmpeg` program and are left out without it.

mod audio;
mod dicom;
mod document;
mod nifti;
mod picture;
mod seed;
mod video;

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

pub use document::WORD;
pub use seed::{Ids, seed};

/// What was made: entries for the `items` of a seed's dataset, and what could not be made.
#[derive(Debug, Default)]
pub struct Samples {
    /// One seed item per data unit.
    pub items: Vec<Value>,
    /// The type and the reason of everything that is missing.
    pub left_out: Vec<(&'static str, String)>,
}

/// Writes all samples into a folder, which is created.
pub fn make(folder: &Path) -> Result<Samples> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut samples = Samples::default();

    picture::write(&folder.join("street.jpg"), 320, 240, 0.3)?;
    samples.add(json!({"type": "image", "name": "street.jpg", "file": "street.jpg"}));
    picture::write(&folder.join("plan.png"), 200, 260, 0.7)?;
    samples.add(json!({"type": "image", "name": "plan.png", "file": "plan.png"}));

    let views = ["view-0.jpg", "view-1.jpg", "view-2.png"];
    for (index, (name, size)) in views.iter().zip([(240, 180), (240, 180), (160, 200)]).enumerate() {
        picture::write(&folder.join(name), size.0, size.1, index as f64 / 2.0)?;
    }
    samples.add(json!({"type": "image_group", "name": "views", "files": views}));

    match video::find_encoder() {
        Ok(encoder) => {
            encoder.write(&folder.join("ride.mp4"), 30)?;
            samples.add(json!({"type": "video", "name": "ride.mp4", "file": "ride.mp4"}));
            encoder.write(&folder.join("steps.mp4"), 6)?;
            samples.add(json!({"type": "image_sequence", "name": "steps", "file": "steps.mp4"}));
        }
        Err(reason) => {
            samples.left_out.push(("video", reason.clone()));
            samples.left_out.push(("image_sequence", reason));
        }
    }

    audio::write(&folder.join("call.wav"), 3.0)?;
    samples.add(json!({"type": "audio", "name": "call.wav", "file": "call.wav"}));

    document::write_text(&folder.join("report.txt"))?;
    samples.add(json!({"type": "plain_text", "name": "report.txt", "file": "report.txt"}));
    document::write_pdf(&folder.join("letter.pdf"))?;
    samples.add(json!({"type": "pdf", "name": "letter.pdf", "file": "letter.pdf"}));

    let slices = dicom::write_series(folder, 5)?;
    samples.add(json!({"type": "dicom_series", "name": "ct", "files": slices}));
    nifti::write(&folder.join("brain.nii.gz"))?;
    samples.add(json!({"type": "nifti", "name": "brain.nii.gz", "file": "brain.nii.gz"}));

    audio::write(&folder.join("answer.wav"), 2.0)?;
    document::write_text(&folder.join("answer.txt"))?;
    samples.add(json!({"type": "group", "name": "pair", "items": [
        {"type": "audio", "name": "answer.wav", "file": "answer.wav"},
        {"type": "plain_text", "name": "answer.txt", "file": "answer.txt"},
    ]}));
    Ok(samples)
}

impl Samples {
    /// Adds an item whose client metadata says its type, so that every agent has something to read there.
    fn add(&mut self, mut item: Value) {
        item["client_metadata"] = json!({"item_type": item["type"]});
        self.items.push(item);
    }
}
