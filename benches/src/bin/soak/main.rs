//! `cargo xtask soak`: runners and queue workers on one project of a platform that fails at random, while they are
//! killed, stopped and started again and somebody else moves tasks away. Afterwards the platform's own journal is
//! held against what the agents were to do: nothing lost, nothing done twice, nothing written that was not returned.
//!
//! The same program is supervisor and worker; a worker is started with `--worker`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what a command line tool does")]

mod agent;
mod chaos;
mod check;
mod worker;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Parser;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::check::Figures;
use crate::worker::Kind;

#[derive(Parser)]
#[command(
    about = "Runs agents on a failing platform, kills them, and proves that nothing was lost or doubled"
)]
struct Arguments {
    /// How long to go on; the round that runs then is finished.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Where the dice start; a failing round prints its own, to be replayed with `--rounds 1`.
    #[arg(long)]
    seed: Option<u64>,
    /// End after this many rounds, however short.
    #[arg(long)]
    rounds: Option<u64>,
    /// The number of tasks of each round.
    #[arg(long, default_value_t = 300)]
    tasks: u64,
    /// The share of requests that go wrong.
    #[arg(long, default_value_t = 0.1)]
    faults: f64,
    /// Be a worker of this kind; the supervisor starts them.
    #[arg(long, hide = true)]
    worker: Option<Kind>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.worker {
        Some(kind) => worker::run(kind).await,
        None => supervise(&arguments).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn supervise(arguments: &Arguments) -> Result<()> {
    ensure!((0.0..=0.5).contains(&arguments.faults), "--faults is a share from 0 to 0.5");
    let end = Instant::now() + Duration::try_from_secs_f64(arguments.minutes * 60.0)?;
    let mut seed = arguments.seed.unwrap_or_else(|| rand::rng().random());
    let mut sum = Figures::default();
    println!("{}", Figures::heading());
    for round in 1.. {
        let figures = chaos::round(seed, arguments.tasks, arguments.faults).await?;
        println!("{figures}  seed {seed}");
        for problem in &figures.problems {
            println!("    {problem}");
        }
        sum += figures;
        if Instant::now() >= end || arguments.rounds.is_some_and(|rounds| round >= rounds) {
            break;
        }
        seed = StdRng::seed_from_u64(seed).random();
    }
    println!("{sum}  in all");
    ensure!(
        sum.problems.is_empty(),
        "{} problems, listed above with the seeds to replay",
        sum.problems.len()
    );
    Ok(())
}
