//! The command-line helper: look at a project, make a key, run a local stand-in for the platform.

mod keygen;
mod print;
mod sandbox;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Helps with task agents for Encord.
///
/// Key and domain come from ENCORD_SSH_KEY or ENCORD_SSH_KEY_FILE, and ENCORD_DOMAIN.
#[derive(Parser)]
#[command(name = "encord-agents", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show facts about a project or this machine
    #[command(subcommand)]
    Print(print::Print),
    /// Make an Ed25519 key pair for signing requests
    Keygen(keygen::Keygen),
    /// Run a local stand-in for the platform
    #[command(subcommand)]
    Sandbox(sandbox::Sandbox),
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Print(print) => print.run().await,
        Command::Keygen(keygen) => keygen.run(),
        Command::Sandbox(sandbox) => sandbox.run().await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What a command failed with: one line for the person at the terminal.
type Failure = Box<dyn std::error::Error>;

/// Writes a line to standard output, which may have been closed by a pipe.
fn say(line: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
