//! Prints one line per frame of a video: number, width, height and, with `--hash`, the SHA-256 of its RGB bytes.
//!
//! ```text
//! cargo run -q --release -p encord-media --example frames --features video-ffmpeg -- clip.mp4 --every 5 --hash
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use encord_media::Result;
use encord_media::video::{Backend, Sampling, Video};
use sha2::{Digest, Sha256};

/// Prints one line per frame of a video.
#[derive(Parser)]
struct Arguments {
    /// The video.
    file: PathBuf,
    /// Which library decodes: ffmpeg or opencv. Default: the fastest that was compiled in.
    #[arg(long)]
    backend: Option<String>,
    /// Every frame (the default).
    #[arg(long, conflicts_with_all = ["every", "rate", "indices"])]
    all: bool,
    /// The first of every N frames.
    #[arg(long, value_name = "N", conflicts_with_all = ["rate", "indices"])]
    every: Option<u64>,
    /// This share of the frames, more than 0 and at most 1.
    #[arg(long, value_name = "R", conflicts_with = "indices")]
    rate: Option<f64>,
    /// Frames of these numbers, separated by commas.
    #[arg(long, value_delimiter = ',')]
    indices: Option<Vec<u64>>,
    /// Print the SHA-256 of the RGB bytes of each frame.
    #[arg(long)]
    hash: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut message = error.to_string();
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                message += &format!(": {error}");
                cause = error.source();
            }
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let backend = match &arguments.backend {
        Some(name) => name.parse()?,
        None => Backend::best()?,
    };
    let sampling = match (arguments.every, arguments.rate, &arguments.indices) {
        (Some(step), _, _) => Sampling::Every(step),
        (_, Some(rate), _) => Sampling::Rate(rate),
        (_, _, Some(indices)) => Sampling::Indices(indices.clone()),
        _ => Sampling::All,
    };
    let mut out = std::io::stdout().lock();
    for frame in Video::open(&arguments.file, backend)?.sample(&sampling)? {
        let frame = frame?;
        let (height, width, _) = frame.pixels.dim();
        let mut line = format!("{} {width} {height}", frame.index);
        if arguments.hash {
            // Arrays from this crate lie row by row, so their bytes are the picture's.
            let hash = Sha256::digest(frame.pixels.as_slice().unwrap_or_default());
            line += &format!(" {hash:x}");
        }
        // Whoever closes the pipe has seen enough.
        if writeln!(out, "{line}").is_err() {
            break;
        }
    }
    Ok(())
}
