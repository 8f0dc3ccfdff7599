//! Pre-labels images: boxes whatever is strongly coloured, with the first bounding box class of the
//! ontology, so that an annotator only has to correct it. Put your model where `salient` is.
//!
//! ```sh
//! cargo run -p encord-examples --bin prelabel_images -- --project-hash H
//! ```
//!
//! Tasks of other types stay where they are.

use std::process::ExitCode;

use anyhow::{Context, Result};
use encord_agents::client::ItemType;
use encord_agents::labels::ObjectInstance;
use encord_agents::labels::row::Details;
use encord_agents::labels::shape::{BoundingBox, ShapeKind};
use encord_agents::media::{Limits, RgbArray, image};
use encord_agents::prelude::*;
use encord_agents::runner::ExtractError;
use encord_examples::{exit_code, first_agent_stage, first_pathway, project_from_arguments};

/// How sure an annotator may be of a box that no model drew.
const CONFIDENCE: f64 = 0.5;

async fn prelabel(stage: Stage, asset: Result<Asset, ExtractError>, mut row: LabelRow) -> Result<Outcome> {
    // A group has no file of its own, so its extractor fails; that is no failure of this agent.
    let Some(asset) = asset.ok().filter(|asset| asset.item().item_type == ItemType::Image) else {
        return Ok(Outcome::stay());
    };
    let picture = image::decode(asset.path(), &Limits::default())?;
    if let Some(found) = salient(&picture)? {
        let class = row.ontology().objects().iter().find(|class| class.shape() == ShapeKind::BoundingBox);
        let mut object = ObjectInstance::new(class.context("the ontology has no class of bounding boxes")?);
        object.set_with(0, found, Details::predicted(CONFIDENCE)?)?;
        row.add_object(object)?;
    }
    Ok(first_pathway(&stage)?.with_label_row(row))
}

/// The smallest box around all pixels of strong colour, which the samples' discs have and their grounds have not.
fn salient(picture: &RgbArray) -> Result<Option<BoundingBox>> {
    let (height, width, _) = picture.dim();
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let strong = places.filter(|&(x, y)| {
        let channels = [0, 1, 2].map(|channel| picture[[y, x, channel]]);
        channels.iter().max().zip(channels.iter().min()).is_some_and(|(high, low)| high - low > 90)
    });
    let extent = strong.fold(None, |extent: Option<[usize; 4]>, (x, y)| {
        let [left, top, right, bottom] = extent.unwrap_or([x, y, x, y]);
        Some([left.min(x), top.min(y), right.max(x), bottom.max(y)])
    });
    let Some([left, top, right, bottom]) = extent else { return Ok(None) };
    let [x, y, w, h] = [left, top, right + 1 - left, bottom + 1 - top].map(|pixels| pixels as f64);
    Ok(Some(BoundingBox::from_pixels(x, y, w, h, width.try_into()?, height.try_into()?)?))
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<ExitCode> {
    let project = project_from_arguments().await?;
    let stage = first_agent_stage(&project)?.uuid;
    Ok(Runner::new().with_project(project).stage(stage, prelabel).run_cli().await)
}
