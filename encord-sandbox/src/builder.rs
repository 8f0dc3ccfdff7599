//! Seeds for tests without a JSON file.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::Error;
use crate::sandbox::{Options, Sandbox};
use crate::seed::{
    DatasetSeed, ItemSeed, LabelSeed, OntologySeed, PathwaySeed, ProjectSeed, Seed, SeedFile, StageSeed,
    TemplateSeed,
};

/// Builds a sandbox for a test; see [`Sandbox::builder`].
///
/// Calls after [`project`](Self::project) say what that project has. A project
/// without stages gets an agent stage `Agent 1` with the pathway `complete`,
/// and every workflow ends with the stage `Complete`.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is started"]
pub struct SandboxBuilder {
    projects: Vec<ProjectPlan>,
    options: Options,
}

#[derive(Clone, Debug, Default)]
struct ProjectPlan {
    title: String,
    hash: Option<Uuid>,
    ontology: Option<Value>,
    stages: Vec<StageSeed>,
    items: Vec<ItemSeed>,
    labels: Vec<LabelSeed>,
}

const DONE: &str = "Complete";

impl Sandbox {
    /// Starts to describe a sandbox for a test.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), encord_sandbox::Error> {
    /// use encord_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::builder()
    ///     .project("cats")
    ///     .stage_agent("Agent 1", ["complete", "again"])
    ///     .images(520)
    ///     .start()
    ///     .await?;
    /// let project = sandbox.project("cats").expect("it was just made");
    /// let state = sandbox.state(project).expect("it was just made");
    /// assert_eq!(state.tasks_per_stage["Agent 1"], 520);
    /// sandbox.stop().await;
    /// # Ok(()) }
    /// ```
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder { projects: Vec::new(), options: Options::default() }
    }
}

impl SandboxBuilder {
    /// Adds a project; the following calls are about it.
    pub fn project(mut self, title: impl Into<String>) -> Self {
        self.projects.push(ProjectPlan { title: title.into(), ..ProjectPlan::default() });
        self
    }

    /// Gives the project a hash of your choice.
    pub fn with_hash(mut self, hash: Uuid) -> Self {
        self.current().hash = Some(hash);
        self
    }

    /// Gives the project an ontology in the platform's JSON form, with the
    /// lists `objects` and `classifications`.
    pub fn ontology(mut self, structure: Value) -> Self {
        self.current().ontology = Some(structure);
        self
    }

    /// Adds an agent stage. Every pathway leads to the next stage.
    pub fn stage_agent<P: Into<String>>(
        self,
        title: impl Into<String>,
        pathways: impl IntoIterator<Item = P>,
    ) -> Self {
        self.stage_agent_to(title, pathways.into_iter().map(|name| (name.into(), String::new())))
    }

    /// Adds an agent stage with pathways to named stages.
    pub fn stage_agent_to<P: Into<String>, D: Into<String>>(
        mut self,
        title: impl Into<String>,
        pathways: impl IntoIterator<Item = (P, D)>,
    ) -> Self {
        let pathways = pathways
            .into_iter()
            .map(|(name, destination)| PathwaySeed {
                uuid: None,
                name: name.into(),
                destination: destination.into(),
            })
            .collect();
        let stage = StageSeed { kind: "AGENT".into(), title: title.into(), pathways, ..StageSeed::default() };
        self.current().stages.push(stage);
        self
    }

    /// Adds a stage of another type, as the seed file spells it, for example
    /// `ANNOTATION` or `REVIEW`.
    pub fn stage(mut self, kind: impl Into<String>, title: impl Into<String>) -> Self {
        let stage = StageSeed { kind: kind.into(), title: title.into(), ..StageSeed::default() };
        self.current().stages.push(stage);
        self
    }

    /// Adds generated images of 16 x 16 pixels.
    pub fn images(self, count: u64) -> Self {
        self.images_of(count, 16, 16)
    }

    /// Adds generated images of a size.
    pub fn images_of(mut self, count: u64, width: u32, height: u32) -> Self {
        self.current().items.push(ItemSeed {
            generate: Some("image".into()),
            count: Some(count),
            width: Some(width),
            height: Some(height),
            ..ItemSeed::default()
        });
        self
    }

    /// Adds an item as the seed file describes it. What does not fit is
    /// reported when the sandbox starts.
    pub fn item(mut self, item: Value) -> Self {
        // A misfit becomes an item without a type, which planting refuses with its path.
        self.current().items.push(serde_json::from_value(item).unwrap_or_default());
        self
    }

    /// Gives the data unit with this name a label document from the start.
    pub fn labels(mut self, data_title: impl Into<String>, label_row: Value) -> Self {
        let label_row = label_row.as_object().cloned().unwrap_or_default();
        self.current().labels.push(LabelSeed { data: data_title.into(), branch: None, label_row });
        self
    }

    /// Sets where the sandbox listens and its limits.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Starts the sandbox.
    ///
    /// # Errors
    /// When what was described does not make sense.
    pub async fn start(self) -> Result<Sandbox, Error> {
        let options = self.options.clone();
        Sandbox::start_with(self.seed(), options).await
    }

    /// The seed on its own.
    pub fn seed(self) -> Seed {
        let mut file = SeedFile::default();
        for (index, plan) in self.projects.into_iter().enumerate() {
            plan.add_to(&mut file, index);
        }
        Seed { file, base: ".".into() }
    }

    fn current(&mut self) -> &mut ProjectPlan {
        if self.projects.is_empty() {
            self.projects.push(ProjectPlan { title: "Project".into(), ..ProjectPlan::default() });
        }
        self.projects.last_mut().expect("a project was added if there was none")
    }
}

impl ProjectPlan {
    fn add_to(mut self, file: &mut SeedFile, index: usize) {
        // Titles need not be unique, so the parts of a project refer to each other by hash.
        let (ontology, template, dataset) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
        if self.stages.is_empty() {
            let pathway = PathwaySeed { uuid: None, name: "complete".into(), destination: String::new() };
            let stage = StageSeed { kind: "AGENT".into(), title: "Agent 1".into(), ..StageSeed::default() };
            self.stages.push(StageSeed { pathways: vec![pathway], ..stage });
        }
        if self.stages.last().is_none_or(|stage| stage.kind != "DONE") {
            self.stages.push(StageSeed { kind: "DONE".into(), title: DONE.into(), ..StageSeed::default() });
        }
        let titles: Vec<String> = self.stages.iter().map(|stage| stage.title.clone()).collect();
        for (place, stage) in self.stages.iter_mut().enumerate() {
            let next = titles.get(place + 1).map_or(DONE, |title| title);
            for pathway in stage.pathways.iter_mut().filter(|pathway| pathway.destination.is_empty()) {
                pathway.destination = next.to_owned();
            }
        }
        file.ontologies.push(OntologySeed {
            ontology_hash: Some(ontology),
            title: format!("Ontology {}", index + 1),
            structure: Some(self.ontology.unwrap_or_else(|| json!({"objects": [], "classifications": []}))),
            ..OntologySeed::default()
        });
        file.workflow_templates.push(TemplateSeed {
            template_hash: Some(template),
            title: format!("Template {}", index + 1),
            stages: self.stages,
        });
        file.datasets.push(DatasetSeed {
            dataset_hash: Some(dataset),
            title: format!("Dataset {}", index + 1),
            items: self.items,
            ..DatasetSeed::default()
        });
        file.projects.push(ProjectSeed {
            project_hash: self.hash,
            title: self.title,
            ontology: Some(ontology.to_string()),
            workflow_template: Some(template.to_string()),
            datasets: vec![dataset.to_string()],
            labels: self.labels,
            ..ProjectSeed::default()
        });
    }
}
