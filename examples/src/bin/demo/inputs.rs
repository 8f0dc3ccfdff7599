//! The demo's own extractors: media that consist of several files, or that the media crate has no extractor for.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use encord_agents::client::ItemType;
use encord_agents::media::audio::Audio;
use encord_agents::media::dicom::DicomFile;
use encord_agents::media::{Limits, RgbArray, image};
use encord_agents::prelude::*;
use encord_agents::runner::Needs;
use flate2::read::GzDecoder;
use ndarray::{Array1, Array2, Axis};

use crate::find;
use crate::gallery::View;

/// What listing the parts of an item takes.
const PARTS: Needs = Needs::SIGNED_URL;

/// The pictures of a group, in order.
pub(crate) struct Pictures(pub(crate) Vec<RgbArray>);

impl<S: Sync> FromTask<S> for Pictures {
    const NEEDS: Needs = PARTS;
    type Rejection = anyhow::Error;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self> {
        let decode = |asset: Asset| Ok(image::decode(asset.path(), &Limits::default())?);
        Ok(Self(parts(ctx).await?.into_iter().map(decode).collect::<Result<_>>()?))
    }
}

/// The slices of a CT series in Hounsfield units, in order of the label row's frames.
pub(crate) struct Slices(pub(crate) Vec<Array2<f32>>);

impl<S: Sync> FromTask<S> for Slices {
    const NEEDS: Needs = PARTS;
    type Rejection = anyhow::Error;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self> {
        Ok(Self(parts(ctx).await?.iter().map(|asset| read_slice(asset.path())).collect::<Result<_>>()?))
    }
}

/// The samples of a recording, all channels as one.
pub(crate) struct Sound {
    samples: Array1<f32>,
    samples_per_second: u32,
}

impl<S: Sync> FromTask<S> for Sound {
    const NEEDS: Needs = Needs::ASSET;
    type Rejection = anyhow::Error;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self> {
        Self::read(ctx.asset().await?.path())
    }
}

impl Sound {
    fn read(path: &Path) -> Result<Self> {
        let samples = Audio::open(path, &Limits::default())?.samples()?;
        Ok(Self { samples: samples.mono(), samples_per_second: samples.sample_rate })
    }

    /// The first and last millisecond of the loud part.
    pub(crate) fn loud_part(&self) -> Option<(u64, u64)> {
        find::loud_part(self.samples.view(), self.samples_per_second)
    }

    /// What the report shows of it.
    pub(crate) fn view(&self) -> View {
        View::sound(self.samples.view(), self.samples_per_second)
    }
}

/// The members of a data group of a recording and a text.
pub(crate) struct Pair {
    pub(crate) sound: Sound,
    pub(crate) sound_name: String,
    pub(crate) text: String,
    pub(crate) text_name: String,
}

impl<S: Sync> FromTask<S> for Pair {
    const NEEDS: Needs = PARTS;
    type Rejection = anyhow::Error;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self> {
        let parts = parts(ctx).await?;
        let part = |kind: ItemType| {
            let found = parts.iter().find(|asset| asset.item().item_type == kind);
            found.with_context(|| format!("the group has no {kind}"))
        };
        let (sound, text) = (part(ItemType::Audio)?, part(ItemType::PlainText)?);
        Ok(Self {
            sound: Sound::read(sound.path())?,
            sound_name: sound.item().name.clone(),
            text: std::fs::read_to_string(text.path())?,
            text_name: text.item().name.clone(),
        })
    }
}

/// What a PDF or NIfTI file holds, in a few words.
pub(crate) fn summary_of_file(path: &Path, kind: ItemType) -> Result<String> {
    match kind {
        ItemType::Pdf => {
            let text = String::from_utf8_lossy(&std::fs::read(path)?).into_owned();
            Ok(format!("PDF with {} pages", text.matches("/Type /Page ").count()))
        }
        ItemType::Nifti => {
            let mut header = [0; 48];
            GzDecoder::new(std::fs::File::open(path)?).read_exact(&mut header)?;
            let size = |index: usize| i16::from_le_bytes([header[40 + index * 2], header[41 + index * 2]]);
            Ok(format!("NIfTI volume of {} × {} × {} voxels", size(1), size(2), size(3)))
        }
        other => bail!("no idea what is inside {other}"),
    }
}

/// The files an item consists of, downloaded, in order.
async fn parts(ctx: &TaskContext) -> Result<Vec<Asset>> {
    let mut assets = Vec::new();
    for item in ctx.child_items().await?.iter() {
        assets.push(ctx.child_asset(item).await?);
    }
    Ok(assets)
}

fn read_slice(path: &Path) -> Result<Array2<f32>> {
    let frames = DicomFile::open(path, &Limits::default())?.rescaled()?;
    Ok(frames.index_axis_move(Axis(0), 0))
}
