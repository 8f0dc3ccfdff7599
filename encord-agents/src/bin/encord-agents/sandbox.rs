//! `sandbox`: a local stand-in for the platform, from a seed file or with a few generated images.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use encord_sandbox::{Options, Sandbox as Server, Seed};
use serde_json::json;

use crate::{Failure, say};

#[derive(Subcommand)]
pub(crate) enum Sandbox {
    /// Serve what a seed file describes until SIGTERM or SIGINT
    Serve {
        /// The seed file (JSON); paths in it are relative to it
        #[arg(long, value_name = "FILE")]
        seed: PathBuf,
        #[command(flatten)]
        listen: Listen,
    },
    /// Serve one project with generated images and a stage "Agent 1" until SIGTERM or SIGINT
    Demo {
        /// How many images
        #[arg(long, default_value_t = 10, value_name = "N")]
        images: u64,
        #[command(flatten)]
        listen: Listen,
    },
}

#[derive(Args)]
pub(crate) struct Listen {
    /// The port to listen on; 0 picks a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Where to write the private key, if the seed has no keys of its own
    #[arg(long, value_name = "FILE")]
    key_out: Option<PathBuf>,
}

impl Sandbox {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (seed, listen) = match self {
            Sandbox::Serve { seed, listen } => (Seed::from_file(seed)?, listen),
            Sandbox::Demo { images, listen } => (
                Server::builder().project("Demo").stage_agent("Agent 1", ["complete"]).images(images).seed(),
                listen,
            ),
        };
        let mut options = Options::default();
        (options.host, options.port, options.key_out) = (listen.host, listen.port, listen.key_out);
        // Listening for signals begins before the line that says all is ready.
        let stopped = tokio::spawn(interrupted());
        let server = Server::start_with(seed, options).await?;
        let project = server.project("Demo");
        let mut ready = json!({"url": server.url(), "private_key_path": server.private_key_path()});
        if let Some(project) = project {
            ready["project_hash"] = json!(project.to_string());
        }
        say(&ready.to_string())?;
        stopped.await?;
        server.stop().await;
        Ok(())
    }
}

#[cfg(unix)]
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn interrupted() {
    let _ = tokio::signal::ctrl_c().await;
}
