//! An argument type of one's own: agents that take a `Palette` get the three main colours of the picture,
//! whatever it takes to find them.
//!
//! An extractor says in `NEEDS` what must be fetched, so the runner can fetch it for many tasks at once, and
//! makes its value from the task's context. Here it builds on another extractor, the downloaded file, and reads
//! the number of colours from the runner's state.
//!
//! ```sh
//! cargo run -p encord-examples --bin custom_extractor -- --project-hash H
//! ```

use std::collections::HashMap;
use std::process::ExitCode;

use anyhow::{Context, Result};
use encord_agents::media::{Limits, RgbArray, image};
use encord_agents::prelude::*;
use encord_agents::runner::Needs;
use encord_examples::{exit_code, first_agent_stage, first_pathway, project_from_arguments};

/// The most frequent colours of a picture, most frequent first, in steps of 32.
struct Palette(Vec<[u8; 3]>);

/// How many colours a palette has.
#[derive(Clone, Copy)]
struct Colours(usize);

impl FromTask<Colours> for Palette {
    const NEEDS: Needs = <Asset as FromTask<Colours>>::NEEDS;
    type Rejection = anyhow::Error;

    async fn from_task(ctx: &TaskContext, colours: &Colours) -> Result<Self> {
        let asset = ctx.asset().await?;
        let path = asset.path().to_owned();
        // Decoding keeps a core busy for a while; other tasks go on meanwhile.
        let picture = tokio::task::spawn_blocking(move || image::decode(path, &Limits::default())).await??;
        Ok(Self(main_colours(&picture, colours.0)))
    }
}

fn main_colours(picture: &RgbArray, count: usize) -> Vec<[u8; 3]> {
    let mut frequency = HashMap::<[u8; 3], usize>::new();
    for pixel in picture.rows() {
        let colour = [0, 1, 2].map(|channel| pixel[channel] / 32 * 32);
        *frequency.entry(colour).or_default() += 1;
    }
    let mut colours: Vec<_> = frequency.into_iter().collect();
    colours.sort_by_key(|(colour, times)| (std::cmp::Reverse(*times), *colour));
    colours.into_iter().take(count).map(|(colour, _)| colour).collect()
}

async fn by_colour(stage: Stage, palette: Palette) -> Result<Outcome> {
    let [red, green, blue] = palette.0.first().context("the picture has no pixels")?.map(f64::from);
    // The brighter, the sooner.
    Ok(first_pathway(&stage)?.with_priority((red + green + blue) / (3.0 * 255.0)))
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<ExitCode> {
    let project = project_from_arguments().await?;
    let stage = first_agent_stage(&project)?.uuid;
    Ok(Runner::new().with_state(Colours(3)).with_project(project).stage(stage, by_colour).run_cli().await)
}
