//! Measures how loud a recording is and sets the priority by it, so that the loudest are looked at first.
//!
//! ```sh
//! cargo run -p encord-examples --bin audio_level -- --project-hash H
//! ```
//!
//! Tasks of other types stay where they are.

use std::process::ExitCode;

use anyhow::Result;
use encord_agents::client::ItemType;
use encord_agents::media::Limits;
use encord_agents::media::audio::Audio;
use encord_agents::prelude::*;
use encord_agents::runner::ExtractError;
use encord_examples::{exit_code, first_agent_stage, first_pathway, project_from_arguments};

/// What counts as silence, in decibels below the loudest possible sound.
const SILENCE: f64 = -60.0;

/// Decoding keeps a core busy, so this is a function that may block; the runner gives it a thread.
fn by_level(stage: Stage, asset: Result<Asset, ExtractError>) -> Result<Outcome> {
    let Some(asset) = asset.ok().filter(|asset| asset.item().item_type == ItemType::Audio) else {
        return Ok(Outcome::stay());
    };
    let samples = Audio::open(asset.path(), &Limits::default())?.samples()?;
    let priority = 1.0 - level(samples.mono().iter().copied()) / SILENCE;
    Ok(first_pathway(&stage)?.with_priority(priority))
}

/// The mean power in decibels, 0 at most and never below silence.
fn level(samples: impl ExactSizeIterator<Item = f32>) -> f64 {
    let count = samples.len().max(1) as f64;
    let power = samples.map(|sample| f64::from(sample).powi(2)).sum::<f64>() / count;
    (10.0 * power.log10()).clamp(SILENCE, 0.0)
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<ExitCode> {
    let project = project_from_arguments().await?;
    let stage = first_agent_stage(&project)?.uuid;
    Ok(Runner::new().with_project(project).stage(stage, blocking(by_level)).run_cli().await)
}

#[cfg(test)]
mod tests {
    use super::{SILENCE, level};

    #[test]
    fn levels_are_decibels() {
        assert_eq!(level([1.0, -1.0].into_iter()), 0.0);
        assert!((level([0.1, -0.1].into_iter()) + 20.0).abs() < 1e-5);
        assert_eq!(level([0.0; 4].into_iter()), SILENCE);
        assert_eq!(level([].into_iter()), SILENCE);
    }
}
