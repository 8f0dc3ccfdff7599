//! What can go wrong with twins.

use std::sync::Arc;

use encord_labels::id::{DataHash, ProjectHash};

/// The result of the calls of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a twin could not be opened or found.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The key may not see the twin project. The platform gives the same answer for projects that do not exist.
    #[error(
        "no access to twin project {project}: add the key's user to it, and check the hash and the domain: {source}"
    )]
    NoAccess {
        /// The project.
        project: ProjectHash,
        /// What the platform answered.
        source: Arc<encord_client::Error>,
    },
    /// There is no such project.
    #[error("there is no twin project {project}: {source}")]
    NotFound {
        /// The project.
        project: ProjectHash,
        /// What the platform answered.
        source: Arc<encord_client::Error>,
    },
    /// A project cannot be its own twin: saving the twin's labels would overwrite the task's.
    #[error("project {0} cannot be its own twin; give the hash of another project")]
    OwnTwin(ProjectHash),
    /// The twin project does not have the data unit.
    #[error("twin project {project} does not have data unit {data}")]
    Missing {
        /// The project.
        project: ProjectHash,
        /// The data unit.
        data: DataHash,
    },
    /// The twin's task was to take a pathway, but it has none to take.
    #[error(
        "the twin of data unit {data} in project {project} is not at an agent stage, so its task cannot be moved"
    )]
    NotAtAgentStage {
        /// The project.
        project: ProjectHash,
        /// The data unit.
        data: String,
    },
    /// A request failed.
    #[error("project {project}: {source}")]
    Request {
        /// The project.
        project: ProjectHash,
        /// Why.
        source: Arc<encord_client::Error>,
    },
}

impl Error {
    /// True when the same call may succeed later without any change.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Request { source, .. } => source.is_retryable(),
            _ => false,
        }
    }
}
