//! Writes sample media of every type into a folder, with the seed that serves them from a sandbox.
//!
//! ```sh
//! cargo run -p encord-examples --bin sample_seed -- target/samples
//! cargo run -p encord-sandbox -- serve --seed target/samples/seed.json --port 8765 --key-out target/samples/key
//! ```
#![allow(clippy::print_stdout, reason = "printing is what a command line tool does")]

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use encord_examples::samples;

#[derive(Parser)]
struct Arguments {
    /// Where the files go; created when it is not there.
    folder: PathBuf,
}

fn main() -> Result<()> {
    let folder = Arguments::parse().folder;
    let samples = samples::make(&folder)?;
    let path = folder.join("seed.json");
    let seed = serde_json::to_string_pretty(&samples::seed(&samples))?;
    std::fs::write(&path, seed).with_context(|| format!("cannot write {}", path.display()))?;
    for (kind, reason) in &samples.left_out {
        println!("left out: {kind}, because {reason}");
    }
    println!("{} samples, served by {}", samples.items.len(), path.display());
    Ok(())
}
