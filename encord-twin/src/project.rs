//! The twin project, and how twins are found in it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use encord_client::{Client, InitialiseArgs, LabelRowFilter, Project};
use encord_labels::LabelRow;
use encord_labels::id::{DataHash, PathwayUuid, ProjectHash, StageUuid, TaskUuid};

use crate::cache::Cache;
use crate::error::{Error, Result};
use crate::task::{self, TwinTask};

/// What belongs to a data unit in the twin project.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Twin {
    /// The label row. Each lookup hands out its own copy.
    pub row: LabelRow,
    /// The task, if tasks are asked for and the data unit has one.
    pub task: Option<TwinTask>,
}

/// What to look up, and how long to remember it.
#[derive(Debug, Clone)]
#[must_use]
pub struct TwinOptions {
    labels: bool,
    tasks: bool,
    branch: Option<String>,
    children: bool,
    client_metadata: bool,
    initialise: InitialiseArgs,
    capacity: usize,
    lifetime: Duration,
}

impl Default for TwinOptions {
    fn default() -> Self {
        Self {
            labels: true,
            tasks: true,
            branch: None,
            children: false,
            client_metadata: false,
            initialise: InitialiseArgs::default(),
            capacity: 1000,
            lifetime: Duration::from_secs(60),
        }
    }
}

impl TwinOptions {
    /// Labels and tasks of the main branch; at most 1000 twins are remembered, for a minute each.
    pub fn new() -> Self {
        Self::default()
    }

    /// Label rows without their labels.
    pub fn without_labels(mut self) -> Self {
        self.labels = false;
        self
    }

    /// Label rows without their tasks.
    pub fn without_tasks(mut self) -> Self {
        self.tasks = false;
        self
    }

    /// Label rows of this branch.
    pub fn with_branch(mut self, name: impl Into<String>) -> Self {
        self.branch = Some(name.into());
        self
    }

    /// Finds members of data groups, too.
    pub fn with_children(mut self) -> Self {
        self.children = true;
        self
    }

    /// With the client metadata of the data.
    pub fn with_client_metadata(mut self) -> Self {
        self.client_metadata = true;
        self
    }

    /// What to read along with the labels.
    pub fn with_initialise_args(mut self, args: InitialiseArgs) -> Self {
        self.initialise = args;
        self
    }

    /// How many twins to remember, and for how long. Zero of either switches the memory off.
    pub fn with_cache(mut self, capacity: usize, lifetime: Duration) -> Self {
        self.capacity = capacity;
        self.lifetime = lifetime;
        self
    }
}

/// A project in which twins are looked up. Cloning is cheap and shares what is remembered.
#[derive(Clone)]
pub struct TwinProject {
    shared: Arc<Shared>,
}

struct Shared {
    project: Project,
    options: TwinOptions,
    cache: Mutex<Cache<Arc<Twin>>>,
}

impl TwinProject {
    /// Opens a twin project with the default options.
    ///
    /// # Errors
    /// [`Error::NoAccess`] if the key may not see it, [`Error::NotFound`] if the platform says that it does not
    /// exist.
    pub async fn open(client: &Client, project: ProjectHash) -> Result<Self> {
        Self::open_with(client, project, TwinOptions::default()).await
    }

    /// Opens a twin project.
    ///
    /// # Errors
    /// As [`TwinProject::open`].
    pub async fn open_with(client: &Client, project: ProjectHash, options: TwinOptions) -> Result<Self> {
        let opened = client.project(project).await.map_err(|source| match source {
            source @ encord_client::Error::NotFound(_) => {
                Error::NotFound { project, source: Arc::new(source) }
            }
            denied if denied.is_access_denied() => Error::NoAccess { project, source: Arc::new(denied) },
            source => Error::Request { project, source: Arc::new(source) },
        })?;
        Ok(Self::new(opened, options))
    }

    /// Looks up twins in a project that is open already.
    pub fn new(project: Project, options: TwinOptions) -> Self {
        let cache = Mutex::new(Cache::new(options.capacity, options.lifetime));
        Self { shared: Arc::new(Shared { project, options, cache }) }
    }

    /// The twin project.
    pub fn project(&self) -> &Project {
        &self.shared.project
    }

    /// Makes sure that this is another project than the one the tasks come from.
    ///
    /// # Errors
    /// [`Error::OwnTwin`] if it is the same.
    pub fn beside(self, project: ProjectHash) -> Result<Self> {
        if self.project().hash() == project { Err(Error::OwnTwin(project)) } else { Ok(self) }
    }

    /// The twin of one data unit; `None` if the project does not have the data unit.
    ///
    /// # Errors
    /// [`Error::Request`] if a request fails or the twin's labels cannot be read.
    pub async fn find_one(&self, data: DataHash) -> Result<Option<Twin>> {
        self.find(&[data]).await?.remove(&data).transpose()
    }

    /// The twins of data units, by data hash; data units that the project does not have are left out.
    ///
    /// However many data units are asked for, this takes one request for the rows, at most two per thousand rows
    /// for their labels, and one per hundred tasks of a stage. A data unit that is in several datasets of the
    /// project has several rows there: the one with labels wins, then the first one listed.
    ///
    /// # Errors
    /// [`Error::Request`] if a request fails. Labels of single twins that cannot be read (or are gone between
    /// two requests) are errors of these twins only.
    pub async fn find(&self, data: &[DataHash]) -> Result<HashMap<DataHash, Result<Twin>>> {
        let mut found = HashMap::with_capacity(data.len());
        let mut wanted = Vec::new();
        let now = Instant::now();
        let begun = {
            let cache = self.cache();
            let mut seen = HashSet::with_capacity(data.len());
            for &hash in data.iter().filter(|hash| seen.insert(**hash)) {
                match cache.get(hash, now) {
                    Some(twin) => drop(found.insert(hash, Ok(Twin::clone(&twin)))),
                    None => wanted.push(hash),
                }
            }
            cache.begin()
        };
        if !wanted.is_empty() {
            let fetched = self.fetch(&wanted).await.map_err(|source| self.request_error(source))?;
            let now = Instant::now();
            let mut cache = self.cache();
            for (hash, twin) in fetched {
                if let Ok(twin) = &twin {
                    cache.put(hash, Arc::new(twin.clone()), begun, now);
                }
                found.insert(hash, twin.map_err(|source| self.request_error(source)));
            }
        }
        Ok(found)
    }

    /// Saves label rows of twins in one bundle; they are looked up anew afterwards.
    ///
    /// # Errors
    /// [`Error::Request`] if the platform refuses the labels or a request fails.
    pub async fn save(&self, rows: &[&LabelRow], validate: bool) -> Result<()> {
        let saved = self.project().save_labels(rows, validate).await;
        for row in rows {
            if let Ok(data) = row.metadata().data_hash().parse() {
                self.forget(data);
            }
        }
        saved.map_err(|source| self.request_error(source))
    }

    /// Sends tasks of twins at one agent stage along their pathways in one bundle; they are looked up anew
    /// afterwards.
    ///
    /// # Errors
    /// [`Error::Request`] as [`Project::proceed`].
    pub async fn proceed(&self, stage: StageUuid, moves: &[(&Twin, PathwayUuid)]) -> Result<()> {
        let tasks: Vec<(TaskUuid, PathwayUuid)> =
            moves.iter().filter_map(|(twin, pathway)| Some((twin.task.as_ref()?.uuid(), *pathway))).collect();
        let moved = self.project().proceed(stage, &tasks).await;
        for (twin, _) in moves {
            if let Some(task) = &twin.task {
                self.forget(task.data_hash());
            }
        }
        moved.map_err(|source| self.request_error(source))
    }

    async fn fetch(
        &self,
        data: &[DataHash],
    ) -> encord_client::Result<HashMap<DataHash, encord_client::Result<Twin>>> {
        let options = &self.shared.options;
        let mut filter = LabelRowFilter::new().with_data_hashes(data.iter().copied());
        filter.branch_name.clone_from(&options.branch);
        filter.include_children = options.children;
        filter.include_client_metadata = options.client_metadata;
        let mut rows = choose(self.project().label_rows(&filter).await?, data);
        let mut failures = HashMap::new();
        if options.labels {
            let initialised = self
                .project()
                .try_initialise_labels(rows.iter_mut().map(|(_, row)| row), &options.initialise);
            failures = initialised.await?.into_iter().map(|failure| (failure.index, failure.error)).collect();
        }
        let mut tasks = if options.tasks { self.tasks(&rows).await? } else { HashMap::new() };
        let twins = rows.into_iter().enumerate().map(|(index, (hash, row))| {
            let task = row.metadata().task_uuid().and_then(|task| tasks.remove(&task));
            (hash, failures.remove(&index).map_or_else(|| Ok(Twin { row, task }), Err))
        });
        Ok(twins.collect())
    }

    /// The tasks of rows, asked for stage by stage.
    async fn tasks(
        &self,
        rows: &[(DataHash, LabelRow)],
    ) -> encord_client::Result<HashMap<TaskUuid, TwinTask>> {
        let mut by_stage: HashMap<StageUuid, Vec<DataHash>> = HashMap::new();
        for (data, row) in rows {
            if let Some((stage, _)) = row.metadata().workflow_stage() {
                by_stage.entry(stage).or_default().push(*data);
            }
        }
        let listings = by_stage.iter().map(|(stage, data)| task::tasks_at(self.project(), *stage, data));
        Ok(futures::future::try_join_all(listings).await?.into_iter().flatten().collect())
    }

    /// Looks the twin of this data unit up anew next time.
    pub fn forget(&self, data: DataHash) {
        self.cache().forget(data);
    }

    fn cache(&self) -> MutexGuard<'_, Cache<Arc<Twin>>> {
        // A panic elsewhere cannot leave the cache half changed: each change is a single call.
        self.shared.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn request_error(&self, source: encord_client::Error) -> Error {
        Error::Request { project: self.project().hash(), source: Arc::new(source) }
    }
}

impl fmt::Debug for TwinProject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwinProject").field("project", &self.project().hash()).finish_non_exhaustive()
    }
}

/// One row per data unit that was asked for; rows with labels win over rows without.
fn choose(rows: Vec<LabelRow>, data: &[DataHash]) -> Vec<(DataHash, LabelRow)> {
    let asked: HashSet<DataHash> = data.iter().copied().collect();
    let mut chosen: Vec<(DataHash, LabelRow)> = Vec::with_capacity(rows.len());
    let mut places: HashMap<DataHash, usize> = HashMap::with_capacity(rows.len());
    for row in rows {
        let Ok(hash) = row.metadata().data_hash().parse::<DataHash>() else { continue };
        if !asked.contains(&hash) {
            continue;
        }
        match places.get(&hash) {
            None => {
                places.insert(hash, chosen.len());
                chosen.push((hash, row));
            }
            Some(&place) => {
                let better = chosen[place].1.metadata().label_hash().is_none();
                if better && row.metadata().label_hash().is_some() {
                    chosen[place].1 = row;
                }
            }
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use encord_labels::id::LabelHash;
    use encord_labels::{LabelRowMetadata, Ontology};

    fn row(data: &str, dataset: &str, label: Option<LabelHash>) -> LabelRow {
        let metadata = LabelRowMetadata::from_json(serde_json::json!({
            "label_hash": label.map(|label| label.to_string()), "branch_name": "main", "data_hash": data,
            "dataset_hash": dataset, "dataset_title": dataset, "data_title": "a.png", "data_type": "IMAGE",
            "data_link": null, "label_status": "NOT_LABELLED", "number_of_frames": 1, "spaces": {},
        }));
        LabelRow::new(metadata.unwrap(), Arc::new(Ontology::new()))
    }

    #[test]
    fn of_data_in_several_datasets_the_row_with_labels_wins_then_the_first() {
        let (data, other) = (DataHash::random(), DataHash::random());
        let text = data.to_string();
        let chosen = |rows: Vec<LabelRow>| -> Vec<String> {
            let rows = choose(rows, &[data]);
            rows.iter().map(|(_, row)| row.metadata().dataset_hash().to_owned()).collect()
        };
        let bare = |dataset| row(&text, dataset, None);
        let labelled = |dataset| row(&text, dataset, Some(LabelHash::random()));
        assert_eq!(chosen(vec![bare("one"), bare("two")]), ["one"]);
        assert_eq!(chosen(vec![bare("one"), labelled("two"), labelled("three")]), ["two"]);
        assert_eq!(chosen(vec![labelled("one"), labelled("two"), bare("three")]), ["one"]);
        // What was not asked for, or has a hash that is none, is left out.
        let strange = row("0", "two", None);
        assert_eq!(chosen(vec![row(&other.to_string(), "one", None), strange, bare("three")]), ["three"]);
    }
}
