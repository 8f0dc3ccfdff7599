//! The shape of a project's workflow: stages, and the pathways that lead out of agent stages.

use encord_labels::id::{PathwayUuid, StageUuid};
use serde::Deserialize;

/// A stage of a workflow: tasks wait here for somebody or something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Identity of the stage.
    pub uuid: StageUuid,
    /// Name of the stage; not necessarily unique in a project.
    pub title: String,
    /// Who works here.
    pub kind: StageKind,
}

/// Who works on the tasks of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StageKind {
    /// A program, which chooses one of the pathways for each task.
    Agent {
        /// The ways out, possibly none.
        pathways: Vec<Pathway>,
    },
    /// People who label.
    Annotation,
    /// People who check labels.
    Review,
    /// Several people who label the same thing independently.
    ConsensusAnnotation,
    /// People who choose between independent labels.
    ConsensusReview,
    /// Nobody: the end.
    Done,
    /// A kind this version does not know, as written by the platform.
    Other(String),
}

/// A way out of an agent stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pathway {
    /// Identity of the pathway.
    pub uuid: PathwayUuid,
    /// Name of the pathway.
    pub name: String,
    /// The stage it leads to, if the platform tells.
    pub destination: Option<StageUuid>,
}

impl Stage {
    /// The ways out of an agent stage; empty for all other kinds.
    pub fn pathways(&self) -> &[Pathway] {
        match &self.kind {
            StageKind::Agent { pathways } => pathways,
            _ => &[],
        }
    }

    /// True for stages where programs work.
    pub fn is_agent(&self) -> bool {
        matches!(self.kind, StageKind::Agent { .. })
    }
}

impl StageKind {
    /// The kind in the platform's spelling, for instance `AGENT`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Agent { .. } => "AGENT",
            Self::Annotation => "ANNOTATION",
            Self::Review => "REVIEW",
            Self::ConsensusAnnotation => "CONSENSUS_ANNOTATION",
            Self::ConsensusReview => "CONSENSUS_REVIEW",
            Self::Done => "DONE",
            Self::Other(kind) => kind,
        }
    }
}

/// A workflow as the platform sends it.
#[derive(Deserialize)]
pub(crate) struct WireWorkflow {
    stages: Vec<WireStage>,
}

#[derive(Deserialize)]
struct WireStage {
    #[serde(rename = "stageType", alias = "stage_type")]
    kind: String,
    uuid: StageUuid,
    title: String,
    #[serde(default)]
    pathways: Vec<WirePathway>,
}

#[derive(Deserialize)]
struct WirePathway {
    uuid: PathwayUuid,
    #[serde(rename = "title", alias = "name")]
    name: String,
    #[serde(default, rename = "destinationUuid", alias = "destination_uuid")]
    destination: Option<StageUuid>,
}

impl WireWorkflow {
    pub(crate) fn into_stages(self) -> Vec<Stage> {
        self.stages.into_iter().map(Stage::from).collect()
    }
}

impl From<WireStage> for Stage {
    fn from(wire: WireStage) -> Self {
        let pathways = || wire.pathways.into_iter().map(Pathway::from).collect();
        let kind = match wire.kind.as_str() {
            "AGENT" => StageKind::Agent { pathways: pathways() },
            "ANNOTATION" => StageKind::Annotation,
            "REVIEW" => StageKind::Review,
            "CONSENSUS_ANNOTATION" => StageKind::ConsensusAnnotation,
            "CONSENSUS_REVIEW" => StageKind::ConsensusReview,
            "DONE" => StageKind::Done,
            _ => StageKind::Other(wire.kind),
        };
        Self { uuid: wire.uuid, title: wire.title, kind }
    }
}

impl From<WirePathway> for Pathway {
    fn from(wire: WirePathway) -> Self {
        Self { uuid: wire.uuid, name: wire.name, destination: wire.destination }
    }
}
