//! `print`: the agent stages of a project, or what support asks for first.

use clap::Subcommand;
use encord_agents::client::Client;
use encord_agents::labels::id::ProjectHash;

use crate::{Failure, say};

#[derive(Subcommand)]
pub(crate) enum Print {
    /// One line per agent stage of a project
    AgentNodes {
        /// The project's hash
        project_hash: ProjectHash,
        /// Show the pathways of each stage too
        #[arg(long)]
        pathways: bool,
    },
    /// Versions and platform
    SystemInfo,
}

impl Print {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        match self {
            Print::AgentNodes { project_hash, pathways } => agent_nodes(project_hash, pathways).await,
            Print::SystemInfo => system_info(),
        }
    }
}

async fn agent_nodes(project_hash: ProjectHash, pathways: bool) -> Result<(), Failure> {
    let client = Client::from_env()?;
    let project = client.project(project_hash).await.map_err(|error| {
        let hint = if error.is_access_denied() {
            format!("; asked {}, set ENCORD_DOMAIN if the project is in another region", client.domain())
        } else {
            String::new()
        };
        format!("{error}{hint}")
    })?;
    let mut none = true;
    for stage in project.stages().iter().filter(|stage| stage.is_agent()) {
        none = false;
        say(&format!("AgentStage(title={:?}, uuid=\"{}\")", stage.title, stage.uuid))?;
        for pathway in stage.pathways().iter().filter(|_| pathways) {
            say(&format!("  Pathway(name={:?}, uuid=\"{}\")", pathway.name, pathway.uuid))?;
        }
    }
    if none { Err(format!("project {project_hash} has no agent stage").into()) } else { Ok(()) }
}

fn system_info() -> Result<(), Failure> {
    say(&format!("encord-agents {}", env!("CARGO_PKG_VERSION")))?;
    say(&format!("system {} {}", std::env::consts::OS, std::env::consts::ARCH))?;
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    say(&format!("processors {processors}"))?;
    let features = [
        ("audio", cfg!(feature = "audio")),
        ("cli", cfg!(feature = "cli")),
        ("dicom", cfg!(feature = "dicom")),
        ("geometry", cfg!(feature = "geometry")),
        ("http", cfg!(feature = "http")),
        ("image", cfg!(feature = "image")),
        ("ndarray", cfg!(feature = "ndarray")),
        ("progress", cfg!(feature = "progress")),
        ("queue-embedded", cfg!(feature = "queue-embedded")),
        ("queue-nats", cfg!(feature = "queue-nats")),
        ("webhook", cfg!(feature = "webhook")),
    ];
    let enabled: Vec<_> = features.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
    say(&format!("features {}", enabled.join(" ")))?;
    for name in ["ENCORD_SSH_KEY", "ENCORD_SSH_KEY_FILE", "ENCORD_DOMAIN"] {
        let value = std::env::var(name).unwrap_or_default();
        let shown = match (name, value.as_str()) {
            (_, "") => "not set",
            ("ENCORD_SSH_KEY", _) => "set",
            (_, value) => value,
        };
        say(&format!("{name} {shown}"))?;
    }
    Ok(())
}
