//! What the agents saw, kept for the report: small copies, never the media themselves.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use image::{ImageFormat, RgbImage};
use ndarray::{ArrayView1, ArrayView2, ArrayView3};

/// The views of each data unit, by data hash. Cheap to clone; all clones are the same gallery.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gallery {
    views: Arc<Mutex<BTreeMap<String, Vec<View>>>>,
}

/// One thing to look at.
#[derive(Clone, Debug)]
pub(crate) enum View {
    /// A picture, or one frame or slice of something longer.
    Picture { frame: usize, png: Vec<u8>, width: usize, height: usize },
    /// A recording as loudness over time, at equal distances.
    Sound { levels: Vec<f32>, milliseconds: u64 },
    /// A text.
    Text(String),
}

impl Gallery {
    /// Adds a view of a data unit.
    pub(crate) fn add(&self, data_hash: impl ToString, view: View) {
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        views.entry(data_hash.to_string()).or_default().push(view);
    }

    /// What was added for a data unit, in order of frames.
    pub(crate) fn of(&self, data_hash: &str) -> Vec<View> {
        let views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = views.get(data_hash).cloned().unwrap_or_default();
        found.sort_by_key(|view| if let View::Picture { frame, .. } = view { *frame } else { 0 });
        found
    }
}

impl View {
    /// A copy of a picture, `[height, width, 3]` RGB.
    pub(crate) fn picture(frame: usize, picture: ArrayView3<u8>) -> Result<Self> {
        let (height, width, _) = picture.dim();
        let pixels = picture.iter().copied().collect();
        let image = RgbImage::from_raw(u32::try_from(width)?, u32::try_from(height)?, pixels)
            .context("the array is no RGB picture")?;
        let mut png = Cursor::new(Vec::new());
        image.write_to(&mut png, ImageFormat::Png)?;
        Ok(Self::Picture { frame, png: png.into_inner(), width, height })
    }

    /// A copy of a slice in Hounsfield units, with a window for soft tissue and bone.
    pub(crate) fn slice(frame: usize, slice: ArrayView2<f32>) -> Result<Self> {
        let grey = slice.mapv(|value| ((value + 160.0) / 560.0 * 255.0).clamp(0.0, 255.0) as u8);
        let (rows, columns) = grey.dim();
        let wide = grey.insert_axis(ndarray::Axis(2));
        Self::picture(frame, wide.broadcast((rows, columns, 3)).context("a slice has no pixels")?)
    }

    /// The loudness of a recording in steps.
    pub(crate) fn sound(samples: ArrayView1<f32>, samples_per_second: u32) -> Self {
        const STEPS: usize = 200;
        let step = samples.len().div_ceil(STEPS).max(1);
        let loudest =
            |part: ArrayView1<f32>| part.iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
        let levels = samples.axis_chunks_iter(ndarray::Axis(0), step).map(loudest).collect();
        let milliseconds = samples.len() as u64 * 1000 / u64::from(samples_per_second.max(1));
        Self::Sound { levels, milliseconds }
    }
}
