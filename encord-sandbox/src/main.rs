//! `encord-sandbox serve`: a sandbox on the command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use encord_sandbox::{Error, Options, Sandbox, Seed};
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
        /// How long signed URLs can be used, in seconds.
        #[arg(long, default_value_t = 3600)]
        signed_url_seconds: u64,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(Arguments::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), Error> {
    let Command::Serve { seed, port, host, key_out, data_dir, signed_url_seconds } = command;
    let mut options = Options::default();
    (options.host, options.port, options.key_out, options.data_dir) = (host, port, key_out, data_dir);
    options.limits.signed_url_lifetime = std::time::Duration::from_secs(signed_url_seconds);
    let sandbox = Sandbox::start_with(Seed::from_file(seed)?, options).await?;
    announce(&sandbox);
    interrupted().await;
    tracing::info!("stopping");
    sandbox.stop().await;
    Ok(())
}

/// The one line on stdout that says that the sandbox is ready.
#[expect(clippy::print_stdout, reason = "this line is the interface of the program")]
fn announce(sandbox: &Sandbox) {
    println!("{}", json!({"url": sandbox.url(), "private_key_path": sandbox.private_key_path()}));
}

#[cfg(unix)]
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut stream) => drop(stream.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminate => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn interrupted() {
    let _ = tokio::signal::ctrl_c().await;
}
