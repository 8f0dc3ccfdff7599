//! `encord-sandbox serve`: a sandbox on the command line.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use encord_sandbox::{ControlToken, Error, Options, Sandbox, Seed};
use serde_json::json;

#[derive(Parser)]
#[command(version, about = "A local stand-in for the Encord platform")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve what a seed file describes until SIGTERM or SIGINT.
    ///
    /// With ENCORD_SANDBOX_TOKEN in the environment, other machines may use /_sandbox and the status page when they
    /// show it; otherwise only this one may.
    Serve {
        /// The seed file (JSON); paths in it are relative to it.
        #[arg(long)]
        seed: PathBuf,
        /// The port to listen on; 0 picks a free one.
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// The address to listen on.
        #[arg(long, default_value = "127.0.0.1")]
        host: String,
        /// Where to write the private key, if the seed has no keys of its own.
        #[arg(long)]
        key_out: Option<PathBuf>,
        /// Keep the state in this folder over restarts.
        #[arg(long)]
        data_dir: Option<PathBuf>,
        /// Also trust the certificates in this PEM file when an https webhook is called.
        #[arg(long, value_name = "FILE")]
        webhook_roots: Option<PathBuf>,
        /// How long signed URLs can be used, in seconds.
        #[arg(long, default_value_t = 3600)]
        signed_url_seconds: u64,
        /// How long upload jobs stay pending, in seconds.
        #[arg(long, default_value_t = 0.0, value_name = "SECONDS")]
        job_seconds: f64,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match run(Arguments::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), Error> {
    let Command::Serve {
        seed,
        port,
        host,
        key_out,
        data_dir,
        webhook_roots,
        signed_url_seconds,
        job_seconds,
    } = command;
    let mut options = Options::default();
    (options.host, options.port, options.key_out, options.data_dir) = (host, port, key_out, data_dir);
    options.webhook_roots = webhook_roots;
    let token = std::env::var("ENCORD_SANDBOX_TOKEN").ok().filter(|token| !token.is_empty());
    options.control_token = token.as_deref().map(ControlToken::new);
    options.limits.signed_url_lifetime = Duration::from_secs(signed_url_seconds);
    // What is no length of time, such as a negative number, is none at all.
    options.limits.job_time = Duration::try_from_secs_f64(job_seconds).unwrap_or_default();
    let sandbox = Sandbox::start_with(Seed::from_file(seed)?, options).await?;
    let interrupted = interrupted();
    announce(&sandbox);
    match interrupted {
        Ok(interrupted) => interrupted.await,
        Err(error) => {
            tracing::warn!(%error, "cannot listen for signals, so only a kill ends the program");
            std::future::pending().await
        }
    }
    tracing::info!("stopping");
    sandbox.stop().await;
    Ok(())
}

/// The one line on stdout that says that the sandbox is ready.
#[expect(clippy::print_stdout, reason = "this line is the interface of the program")]
fn announce(sandbox: &Sandbox) {
    println!("{}", json!({"url": sandbox.url(), "private_key_path": sandbox.private_key_path()}));
}

/// Starts to listen for SIGTERM and SIGINT now; the future waits for one. Done
/// before the ready line, since whoever reads it may end the program at once.
#[cfg(unix)]
fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
