//! Projects: what they are, which there are, and what hangs on them.

use std::fmt;
use std::sync::Arc;

use encord_labels::Ontology;
use encord_labels::id::{DatasetHash, OntologyHash, ProjectHash, StageUuid, TemplateHash};
use futures::stream::Stream;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::Result;
use crate::lenient::wire_enum;
use crate::query::Target;
use crate::retry::Safety;
use crate::time::DateTime;
use crate::v1::{Entity, Operation};
use crate::workflow::{Stage, WireWorkflow};

const CREATE: Operation =
    Operation { query_type: "project", verb: "POST", label: "(create project)", safety: Safety::Once };
const DELETE: Operation = Operation {
    query_type: "project",
    verb: "DELETE",
    label: "(delete project)",
    safety: Safety::Idempotent,
};

wire_enum! {
    /// How a project organises its work.
    ProjectKind {
        /// Stages and pathways.
        Workflow = "workflow",
        /// The older kind without stages.
        ManualQa = "manual_qa",
    }
}

wire_enum! {
    /// How far a project has come.
    ProjectStatus {
        /// Nothing was done yet.
        NotStarted = "notStarted",
        /// Work goes on.
        InProgress = "inProgress",
        /// Work is being checked.
        InReview = "inReview",
        /// Work rests.
        Paused = "paused",
        /// All is done.
        Completed = "completed",
        /// It was given up.
        Cancelled = "cancelled",
        /// It was put away.
        Archived = "archived",
    }
}

/// A project with its workflow and ontology. Cloning is cheap.
#[derive(Clone)]
pub struct Project {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    entity: Entity,
    summary: ProjectSummary,
    ontology: Arc<Ontology>,
}

/// A project without its ontology, as listings return it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ProjectSummary {
    /// Identity of the project.
    pub hash: ProjectHash,
    /// Name of the project.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// How it organises its work.
    pub kind: ProjectKind,
    /// How far it has come, if known.
    pub status: Option<ProjectStatus>,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub last_edited_at: DateTime,
    /// Identity of its ontology.
    pub ontology_hash: OntologyHash,
    /// The stages of its workflow; empty for projects without one.
    pub stages: Vec<Stage>,
}

impl Project {
    /// Identity of the project.
    pub fn hash(&self) -> ProjectHash {
        self.shared.summary.hash
    }

    /// Name of the project.
    pub fn title(&self) -> &str {
        &self.shared.summary.title
    }

    /// How the project organises its work.
    pub fn kind(&self) -> ProjectKind {
        self.shared.summary.kind
    }

    /// All that listings say about the project.
    pub fn summary(&self) -> &ProjectSummary {
        &self.shared.summary
    }

    /// The stages of the workflow, as they were when the project was read.
    pub fn stages(&self) -> &[Stage] {
        &self.shared.summary.stages
    }

    /// What may be labelled in this project.
    pub fn ontology(&self) -> &Arc<Ontology> {
        &self.shared.ontology
    }

    /// The client the project was read with.
    pub fn client(&self) -> &Client {
        &self.shared.client
    }

    /// The datasets of the project.
    ///
    /// # Errors
    /// Those of every request, see [`Error`](crate::Error).
    pub async fn datasets(&self) -> Result<Vec<ProjectDataset>> {
        #[derive(Deserialize)]
        struct Datasets {
            results: Vec<ProjectDataset>,
        }
        Ok(self.client().v2_get::<Datasets>(format!("{}/datasets", self.path())).await?.results)
    }

    pub(crate) fn entity(&self) -> &Entity {
        &self.shared.entity
    }

    pub(crate) fn path(&self) -> String {
        project_path(self.hash())
    }

    pub(crate) fn stage_path(&self, stage: StageUuid) -> String {
        format!("{}/workflow/stages/{stage}", self.path())
    }
}

impl fmt::Debug for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Project").field("summary", self.summary()).finish_non_exhaustive()
    }
}

/// A dataset of a project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ProjectDataset {
    /// Identity of the dataset.
    #[serde(rename = "datasetHash", alias = "dataset_hash")]
    pub hash: DatasetHash,
    /// Name of the dataset.
    pub title: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
}

/// Which projects to list. All conditions must hold; texts with `like` use `%` for anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProjectFilter {
    /// Projects with exactly this title.
    pub title_eq: Option<String>,
    /// Projects whose title matches.
    pub title_like: Option<String>,
    /// Projects with exactly this description.
    pub desc_eq: Option<String>,
    /// Projects whose description matches.
    pub desc_like: Option<String>,
    /// Projects made before.
    pub created_before: Option<DateTime>,
    /// Projects made after.
    pub created_after: Option<DateTime>,
    /// Projects last changed before.
    pub edited_before: Option<DateTime>,
    /// Projects last changed after.
    pub edited_after: Option<DateTime>,
    /// Projects with one of these tags.
    pub tags: Vec<String>,
    /// Also projects of the organisation that the user is not a member of.
    pub include_org_access: bool,
}

impl ProjectFilter {
    /// Lists every project of the user.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only projects whose title matches; `%` stands for anything.
    #[must_use]
    pub fn with_title_like(mut self, pattern: impl Into<String>) -> Self {
        self.title_like = Some(pattern.into());
        self
    }

    /// Only projects with exactly this title.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title_eq = Some(title.into());
        self
    }

    fn target(&self) -> Target {
        let mut target = Target::new("/v2/public/projects");
        target.push_some("titleEq", self.title_eq.as_deref());
        target.push_some("titleLike", self.title_like.as_deref());
        target.push_some("descEq", self.desc_eq.as_deref());
        target.push_some("descLike", self.desc_like.as_deref());
        let date = |date: Option<DateTime>| date.map(DateTime::with_numeric_offset);
        target.push_some("createdBefore", date(self.created_before));
        target.push_some("createdAfter", date(self.created_after));
        target.push_some("editedBefore", date(self.edited_before));
        target.push_some("editedAfter", date(self.edited_after));
        target.push_each("tagsAnyof", &self.tags);
        target.push_bool("includeOrgAccess", self.include_org_access);
        target
    }
}

impl Client {
    /// Reads a project, its workflow and its ontology.
    ///
    /// # Errors
    /// [`Error::Authorisation`](crate::Error::Authorisation) also for projects that do not exist.
    pub async fn project(&self, hash: ProjectHash) -> Result<Project> {
        let wire: WireProject = self.v2_get(project_path(hash)).await?;
        let summary = ProjectSummary::from(wire);
        let ontology = self.ontology(summary.ontology_hash).await?.structure;
        let entity = Entity::Project(hash.to_string());
        Ok(Project { shared: Arc::new(Shared { client: self.clone(), entity, summary, ontology }) })
    }

    /// Lists projects, page by page as the stream is read.
    pub fn projects(
        &self,
        filter: &ProjectFilter,
    ) -> impl Stream<Item = Result<ProjectSummary>> + Send + 'static + use<> {
        use futures::TryStreamExt;
        self.entries::<WireProject>(vec![filter.target()]).map_ok(ProjectSummary::from)
    }
}

/// A project to be made.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[must_use]
pub struct NewProject {
    title: String,
    description: String,
    dataset_hashes: Vec<DatasetHash>,
    workflow_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ontology_hash: Option<OntologyHash>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow_template_id: Option<TemplateHash>,
}

impl NewProject {
    /// A project over these datasets: one task per data unit.
    pub fn new(title: impl Into<String>, datasets: impl IntoIterator<Item = DatasetHash>) -> Self {
        Self {
            title: title.into(),
            description: String::new(),
            dataset_hashes: datasets.into_iter().collect(),
            workflow_type: "manual",
            ontology_hash: None,
            workflow_template_id: None,
        }
    }

    /// Describes it.
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Says what may be labelled.
    pub fn with_ontology(mut self, ontology: OntologyHash) -> Self {
        self.ontology_hash = Some(ontology);
        self
    }

    /// Says which stages there are.
    pub fn with_workflow_template(mut self, template: TemplateHash) -> Self {
        self.workflow_template_id = Some(template);
        self
    }
}

impl Client {
    /// Makes a project.
    ///
    /// # Errors
    /// [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) if the answer was lost; list the projects before
    /// trying again.
    pub async fn create_project(&self, project: &NewProject) -> Result<ProjectHash> {
        self.v1(&Entity::User, CREATE, &(), project).await?.v1_single()
    }

    /// Removes a project with all its labels. There is no way back.
    ///
    /// # Errors
    /// Those of every request, see [`Error`](crate::Error).
    pub async fn delete_project(&self, project: ProjectHash) -> Result<()> {
        self.v1(&Entity::User, DELETE, &project, &()).await?.v1_done()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProject {
    #[serde(alias = "project_hash")]
    project_hash: ProjectHash,
    #[serde(alias = "project_type")]
    project_type: ProjectKind,
    #[serde(default)]
    status: Option<ProjectStatus>,
    title: String,
    #[serde(default, deserialize_with = "crate::lenient::or_default")]
    description: String,
    #[serde(alias = "created_at")]
    created_at: DateTime,
    #[serde(alias = "last_edited_at")]
    last_edited_at: DateTime,
    #[serde(alias = "ontology_hash")]
    ontology_hash: OntologyHash,
    #[serde(default)]
    workflow: Option<WireWorkflow>,
}

impl From<WireProject> for ProjectSummary {
    fn from(wire: WireProject) -> Self {
        Self {
            hash: wire.project_hash,
            title: wire.title,
            description: wire.description,
            kind: wire.project_type,
            status: wire.status,
            created_at: wire.created_at,
            last_edited_at: wire.last_edited_at,
            ontology_hash: wire.ontology_hash,
            stages: wire.workflow.map_or_else(Vec::new, WireWorkflow::into_stages),
        }
    }
}

fn project_path(hash: ProjectHash) -> String {
    format!("/v2/public/projects/{hash}")
}
