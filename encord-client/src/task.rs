//! Tasks: the positions of data units in a workflow, and how to list those of a stage.

use std::collections::HashSet;

use encord_labels::id::{DataHash, DatasetHash, LabelHash, StageUuid, TaskUuid};
use futures::stream::{self, Stream, StreamExt};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::lenient::wire_enum;
use crate::page;
use crate::project::Project;
use crate::query::Target;
use crate::time::DateTime;

/// So many data hashes go into one address; longer ones are refused by common servers.
const HASHES_PER_REQUEST: usize = 100;

wire_enum! {
    /// Where a task stands within its stage.
    TaskStatus {
        /// Nobody has it.
        New = "NEW",
        /// Somebody has it.
        Assigned = "ASSIGNED",
        /// Somebody had it and gave it back.
        Released = "RELEASED",
        /// Somebody passed it over.
        Skipped = "SKIPPED",
        /// It was done and is to be done again.
        Reopened = "REOPENED",
        /// It is done.
        Completed = "COMPLETED",
    }
}

/// One kind of task: what every kind has, and what only this one has.
macro_rules! task {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            /// Identity of the task.
            pub uuid: TaskUuid,
            /// When the task was made.
            #[serde(alias = "created_at")]
            pub created_at: DateTime,
            /// When the task last changed.
            #[serde(alias = "updated_at")]
            pub updated_at: DateTime,
            /// The data unit it is about.
            #[serde(alias = "data_hash")]
            pub data_hash: DataHash,
            /// Name of the data unit.
            #[serde(alias = "data_title")]
            pub data_title: String,
            $($(#[$field_meta])* pub $field: $type,)*
        }
    };
}

task! {
    /// A task in an agent stage.
    AgentTask {
        /// Where it stands within its stage.
        status: TaskStatus,
        /// The branch its labels are on.
        #[serde(alias = "label_branch_name")]
        label_branch_name: String,
        /// Email of who has it.
        #[serde(default)]
        assignee: Option<String>,
        /// Email of who acted on it last.
        #[serde(default, alias = "last_actioned_by")]
        last_actioned_by: Option<String>,
    }
}

task! {
    /// A task in an annotation stage, or the share of one annotator of a consensus task.
    #[non_exhaustive]
    AnnotationTask {
        /// Where it stands within its stage.
        status: TaskStatus,
        /// The branch its labels are on.
        #[serde(alias = "label_branch_name")]
        label_branch_name: String,
        /// Email of who has it.
        #[serde(default)]
        assignee: Option<String>,
    }
}

task! {
    /// A task in a review stage.
    #[non_exhaustive]
    ReviewTask {
        /// Where it stands within its stage.
        status: TaskStatus,
        /// Email of who has it.
        #[serde(default)]
        assignee: Option<String>,
    }
}

task! {
    /// A task in a consensus annotation stage.
    #[non_exhaustive]
    ConsensusAnnotationTask {
        /// The shares of the annotators; actions on them go to the consensus stage.
        #[serde(default)]
        subtasks: Vec<AnnotationTask>,
    }
}

task! {
    /// A task in a consensus review stage.
    #[non_exhaustive]
    ConsensusReviewTask {
        /// Where it stands within its stage.
        status: TaskStatus,
        /// Email of who has it.
        #[serde(default)]
        assignee: Option<String>,
        /// The independent labels to choose from.
        #[serde(default)]
        options: Vec<ConsensusOption>,
    }
}

/// The labels of one annotator, as a consensus reviewer sees them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ConsensusOption {
    /// Email of the annotator.
    pub annotator: String,
    /// The branch the labels are on.
    #[serde(alias = "label_branch_name")]
    pub label_branch_name: String,
    /// The label row, if it has been initialised.
    #[serde(default, alias = "label_hash")]
    pub label_hash: Option<LabelHash>,
}

task! {
    /// A task in a final stage.
    #[non_exhaustive]
    DoneTask {}
}

/// Which tasks of a stage to list. All conditions must hold; the default lists everything.
///
/// A list that is set but empty matches nothing, and then no request is sent. (The platform itself takes an empty
/// list for "no condition".)
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskFilter {
    /// Tasks of these data units.
    pub data_hashes: Option<Vec<DataHash>>,
    /// Tasks of data units in these datasets.
    pub dataset_hashes: Option<Vec<DatasetHash>>,
    /// Tasks whose data title contains this text.
    pub data_title_contains: Option<String>,
    /// Tasks of these people. Not for final stages.
    pub user_emails: Option<Vec<String>>,
    /// Tasks with one of these statuses. Not for consensus annotation and final stages.
    pub statuses: Option<Vec<TaskStatus>>,
}

impl TaskFilter {
    /// Lists everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only tasks of these data units.
    #[must_use]
    pub fn with_data_hashes(mut self, hashes: impl IntoIterator<Item = DataHash>) -> Self {
        self.data_hashes = Some(hashes.into_iter().collect());
        self
    }

    /// Only tasks of data units in these datasets.
    #[must_use]
    pub fn with_dataset_hashes(mut self, hashes: impl IntoIterator<Item = DatasetHash>) -> Self {
        self.dataset_hashes = Some(hashes.into_iter().collect());
        self
    }

    /// Only tasks whose data title contains this text.
    #[must_use]
    pub fn with_data_title_contains(mut self, text: impl Into<String>) -> Self {
        self.data_title_contains = Some(text.into());
        self
    }

    /// Only tasks of these people.
    #[must_use]
    pub fn with_user_emails(mut self, emails: impl IntoIterator<Item = String>) -> Self {
        self.user_emails = Some(emails.into_iter().collect());
        self
    }

    /// Only tasks with one of these statuses.
    #[must_use]
    pub fn with_statuses(mut self, statuses: impl IntoIterator<Item = TaskStatus>) -> Self {
        self.statuses = Some(statuses.into_iter().collect());
        self
    }

    fn matches_nothing(&self) -> bool {
        self.data_hashes.as_ref().is_some_and(Vec::is_empty)
            || self.dataset_hashes.as_ref().is_some_and(Vec::is_empty)
            || self.user_emails.as_ref().is_some_and(Vec::is_empty)
            || self.statuses.as_ref().is_some_and(Vec::is_empty)
    }

    /// One listing, or several if the data hashes do not fit into one address.
    fn targets(&self, path: &str) -> Vec<Target> {
        if self.matches_nothing() {
            return Vec::new();
        }
        let with_hashes = |hashes: &[DataHash]| {
            let mut target = Target::new(path);
            target.push_each("userEmails", self.user_emails.iter().flatten());
            target.push_each("dataHashes", hashes);
            target.push_each("datasetHashes", self.dataset_hashes.iter().flatten());
            target.push_some("dataTitleContains", self.data_title_contains.as_deref());
            target.push_each("statuses", self.statuses.iter().flatten());
            target
        };
        match &self.data_hashes {
            None => vec![with_hashes(&[])],
            Some(hashes) => {
                // A hash that is there twice would list its tasks twice if the two came into different addresses.
                let mut seen = HashSet::with_capacity(hashes.len());
                let hashes: Vec<_> = hashes.iter().copied().filter(|hash| seen.insert(*hash)).collect();
                hashes.chunks(HASHES_PER_REQUEST).map(with_hashes).collect()
            }
        }
    }
}

/// Which conditions a kind of stage understands.
#[derive(Clone, Copy)]
struct Conditions {
    users: bool,
    statuses: bool,
}

const ALL: Conditions = Conditions { users: true, statuses: true };

impl Project {
    /// The tasks of an agent stage, fetched page by page as the stream is read.
    ///
    /// Tasks may be moved out of the stage while the stream is read.
    pub fn agent_tasks(
        &self,
        stage: StageUuid,
        filter: &TaskFilter,
    ) -> impl Stream<Item = Result<AgentTask>> + Send + 'static + use<> {
        page::flatten(self.agent_task_pages(stage, filter))
    }

    /// As [`Project::agent_tasks`], whole pages at a time; no page is empty.
    pub fn agent_task_pages(
        &self,
        stage: StageUuid,
        filter: &TaskFilter,
    ) -> impl Stream<Item = Result<Vec<AgentTask>>> + Send + 'static + use<> {
        self.task_pages(stage, filter, ALL)
    }

    /// The tasks of an annotation stage.
    pub fn annotation_tasks(
        &self,
        stage: StageUuid,
        filter: &TaskFilter,
    ) -> impl Stream<Item = Result<AnnotationTask>> + Send + 'static + use<> {
        page::flatten(self.task_pages(stage, filter, ALL))
    }

    /// The tasks of a review stage.
    pub fn review_tasks(
        &self,
        stage: StageUuid,
        filter: &TaskFilter,
    ) -> impl Stream<Item = Result<ReviewTask>> + Send + 'static + use<> {
        page::flatten(self.task_pages(stage, filter, ALL))
    }

    /// The tasks of a consensus annotation stage. Statuses cannot be filtered here.
    pub fn consensus_annotation_tasks(
        &self,
        stage: StageUuid,
        filter: &TaskFilter,
    ) -> impl Stream<Item = Result<ConsensusAnnotationTask>> + Send + 'static + use<> {
        page::flatten(self.task_pages(stage, filter, Conditions { users: true, statuses: false }))
    }

    /// The tasks of a consensus review stage.
    pub fn consensus_review_tasks(
        &self,
        stage: StageUuid,
        filter: &TaskFilter,
    ) -> impl Stream<Item = Result<ConsensusReviewTask>> + Send + 'static + use<> {
        page::flatten(self.task_pages(stage, filter, ALL))
    }

    /// The tasks of a final stage. People and statuses cannot be filtered here.
    pub fn done_tasks(
        &self,
        stage: StageUuid,
        filter: &TaskFilter,
    ) -> impl Stream<Item = Result<DoneTask>> + Send + 'static + use<> {
        page::flatten(self.task_pages(stage, filter, Conditions { users: false, statuses: false }))
    }

    fn task_pages<T: DeserializeOwned + Send + 'static>(
        &self,
        stage: StageUuid,
        filter: &TaskFilter,
        understood: Conditions,
    ) -> impl Stream<Item = Result<Vec<T>>> + Send + 'static + use<T> {
        let refused = if filter.user_emails.is_some() && !understood.users {
            Some("tasks of this kind of stage cannot be filtered by user")
        } else if filter.statuses.is_some() && !understood.statuses {
            Some("tasks of this kind of stage cannot be filtered by status")
        } else {
            None
        };
        match refused {
            Some(text) => stream::once(async move { Err(Error::invalid(text)) }).left_stream(),
            None => {
                let path = format!("{}/tasks", self.stage_path(stage));
                self.client().pages(filter.targets(&path)).right_stream()
            }
        }
    }
}
