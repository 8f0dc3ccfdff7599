//! The position of a twin in its own workflow, whatever kind of stage it stands at.

use std::collections::HashMap;

use encord_client::{
    AgentTask, AnnotationTask, ConsensusAnnotationTask, ConsensusReviewTask, DoneTask, Project, ReviewTask,
    StageKind, TaskFilter,
};
use encord_labels::id::{DataHash, StageUuid, TaskUuid};
use futures::{Stream, TryStreamExt};

/// A task of the twin project, by kind of stage.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TwinTask {
    /// At an agent stage.
    Agent(AgentTask),
    /// At an annotation stage.
    Annotation(AnnotationTask),
    /// At a review stage.
    Review(ReviewTask),
    /// At a consensus annotation stage.
    ConsensusAnnotation(ConsensusAnnotationTask),
    /// At a consensus review stage.
    ConsensusReview(ConsensusReviewTask),
    /// At a final stage.
    Done(DoneTask),
}

impl TwinTask {
    /// Identity of the task.
    pub fn uuid(&self) -> TaskUuid {
        match self {
            Self::Agent(task) => task.uuid,
            Self::Annotation(task) => task.uuid,
            Self::Review(task) => task.uuid,
            Self::ConsensusAnnotation(task) => task.uuid,
            Self::ConsensusReview(task) => task.uuid,
            Self::Done(task) => task.uuid,
        }
    }

    /// The data unit it is about.
    pub fn data_hash(&self) -> DataHash {
        match self {
            Self::Agent(task) => task.data_hash,
            Self::Annotation(task) => task.data_hash,
            Self::Review(task) => task.data_hash,
            Self::ConsensusAnnotation(task) => task.data_hash,
            Self::ConsensusReview(task) => task.data_hash,
            Self::Done(task) => task.data_hash,
        }
    }
}

/// The tasks of data units at one stage. Stages of unknown kinds have none.
pub(crate) async fn tasks_at(
    project: &Project,
    stage: StageUuid,
    data: &[DataHash],
) -> encord_client::Result<HashMap<TaskUuid, TwinTask>> {
    let filter = TaskFilter::new().with_data_hashes(data.iter().copied());
    let kind = project.stages().iter().find(|known| known.uuid == stage).map(|known| &known.kind);
    match kind {
        Some(StageKind::Agent { .. }) => gather(project.agent_tasks(stage, &filter), TwinTask::Agent).await,
        Some(StageKind::Annotation) => {
            gather(project.annotation_tasks(stage, &filter), TwinTask::Annotation).await
        }
        Some(StageKind::Review) => gather(project.review_tasks(stage, &filter), TwinTask::Review).await,
        Some(StageKind::ConsensusAnnotation) => {
            let tasks = project.consensus_annotation_tasks(stage, &filter);
            gather(tasks, TwinTask::ConsensusAnnotation).await
        }
        Some(StageKind::ConsensusReview) => {
            gather(project.consensus_review_tasks(stage, &filter), TwinTask::ConsensusReview).await
        }
        Some(StageKind::Done) => gather(project.done_tasks(stage, &filter), TwinTask::Done).await,
        _ => Ok(HashMap::new()),
    }
}

async fn gather<T>(
    tasks: impl Stream<Item = encord_client::Result<T>> + Send,
    wrap: impl Fn(T) -> TwinTask + Send,
) -> encord_client::Result<HashMap<TaskUuid, TwinTask>> {
    tasks
        .map_ok(|task| {
            let task = wrap(task);
            (task.uuid(), task)
        })
        .try_collect()
        .await
}
