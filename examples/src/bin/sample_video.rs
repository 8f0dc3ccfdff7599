//! Looks at every tenth frame of a video and sets the priority by how much happens: the mean difference between
//! neighbouring samples.
//!
//! ```sh
//! cargo run -p encord-examples --features video --bin sample_video -- --project-hash H
//! ```
//!
//! Needs the development packages of FFmpeg (`cargo xtask setup`). Tasks of other types stay where they are.

use std::process::ExitCode;

use anyhow::Result;
use encord_agents::client::ItemType;
use encord_agents::media::RgbArray;
use encord_agents::media::video::{Backend, Sampling, Video};
use encord_agents::prelude::*;
use encord_agents::runner::ExtractError;
use encord_examples::{exit_code, first_agent_stage, first_pathway, project_from_arguments};

/// Decoding keeps a core busy, so this is a function that may block; the runner gives it a thread.
fn by_motion(stage: Stage, asset: Result<Asset, ExtractError>) -> Result<Outcome> {
    let is_video =
        |asset: &Asset| [ItemType::Video, ItemType::ImageSequence].contains(&asset.item().item_type);
    let Some(asset) = asset.ok().filter(is_video) else { return Ok(Outcome::stay()) };
    let video = Video::open(asset.path(), Backend::best()?)?;
    let (mut motion, mut before): (f64, Option<RgbArray>) = (0.0, None);
    for frame in video.sample(&Sampling::Every(10))? {
        let pixels = frame?.pixels;
        if let Some(before) = before.as_ref().filter(|before| before.dim() == pixels.dim()) {
            motion = motion.max(difference(before, &pixels));
        }
        before = Some(pixels);
    }
    Ok(first_pathway(&stage)?.with_priority(motion))
}

/// 0 for equal pictures, 1 for black against white.
fn difference(one: &RgbArray, other: &RgbArray) -> f64 {
    let sum: u64 = one.iter().zip(other).map(|(one, other)| u64::from(one.abs_diff(*other))).sum();
    sum as f64 / 255.0 / one.len().max(1) as f64
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<ExitCode> {
    let project = project_from_arguments().await?;
    let stage = first_agent_stage(&project)?.uuid;
    Ok(Runner::new().with_project(project).stage(stage, blocking(by_motion)).run_cli().await)
}
