//! Workflows: stages, and where a task goes when it leaves one.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The stages of a project, the first of which is where tasks start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Workflow {
    pub(crate) stages: Vec<Stage>,
}

impl Workflow {
    /// What projects without a template get: annotation, then review.
    pub(crate) fn standard() -> Self {
        let [annotate, review, done] = std::array::from_fn(|_| Uuid::new_v4());
        let stage = |uuid, title: &str, kind| Stage { uuid, title: title.to_owned(), kind };
        let stages = vec![
            stage(annotate, "Annotate", StageKind::Annotation { next: review }),
            stage(review, "Review", StageKind::Review { approve: done, reject: annotate }),
            stage(done, "Complete", StageKind::Done),
        ];
        Self { stages }
    }

    pub(crate) fn stage(&self, uuid: Uuid) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.uuid == uuid)
    }
}

/// One stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stage {
    pub(crate) uuid: Uuid,
    pub(crate) title: String,
    pub(crate) kind: StageKind,
}

/// What happens at a stage and where tasks go from it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum StageKind {
    Agent {
        pathways: Vec<Pathway>,
    },
    Annotation {
        next: Uuid,
    },
    Review {
        approve: Uuid,
        reject: Uuid,
    },
    /// Several people label the same data, each on a branch.
    ConsensusAnnotation {
        next: Uuid,
        annotators: usize,
    },
    ConsensusReview {
        approve: Uuid,
        reject: Uuid,
    },
    Router {
        rule: RouterRule,
    },
    Done,
}

impl StageKind {
    pub(crate) fn wire(&self) -> &'static str {
        match self {
            Self::Agent { .. } => "AGENT",
            Self::Annotation { .. } => "ANNOTATION",
            Self::Review { .. } => "REVIEW",
            Self::ConsensusAnnotation { .. } => "CONSENSUS_ANNOTATION",
            Self::ConsensusReview { .. } => "CONSENSUS_REVIEW",
            Self::Router { rule: RouterRule::Percentage(_) } => "PERCENTAGE_ROUTER",
            Self::Router { rule: RouterRule::User { .. } } => "USER_ROUTER",
            Self::Done => "DONE",
        }
    }
}

/// A named way out of an agent stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pathway {
    pub(crate) uuid: Uuid,
    pub(crate) name: String,
    pub(crate) destination: Uuid,
}

/// How a router chooses. Tasks never stay at a router.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum RouterRule {
    /// Destinations with their share in percent.
    Percentage(Vec<(Uuid, f64)>),
    /// Destinations by who acted last; everybody else goes to `otherwise`.
    User { routes: Vec<(Uuid, Vec<String>)>, otherwise: Uuid },
}

impl RouterRule {
    /// The choice for one task. A task's uuid decides percentages, so the same
    /// task always takes the same way.
    pub(crate) fn choose(&self, task: Uuid, actor: &str) -> Option<Uuid> {
        match self {
            Self::Percentage(shares) => {
                let total: f64 = shares.iter().map(|(_, share)| share).sum();
                let mut left = (task.as_u128() % 10_000) as f64 / 10_000.0 * total;
                let hit = shares.iter().find(|(_, share)| {
                    left -= share;
                    left < 0.0
                });
                hit.or(shares.last()).map(|(stage, _)| *stage)
            }
            Self::User { routes, otherwise } => routes
                .iter()
                .find(|(_, users)| users.iter().any(|user| user == actor))
                .map(|(stage, _)| *stage)
                .or(Some(*otherwise)),
        }
    }
}
