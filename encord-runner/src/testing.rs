//! Testing an agent without a server: build a context from parts, call the agent, look at its outcome.
//!
//! ```
//! use encord_runner::{AgentTask, testing};
//!
//! async fn by_title(task: AgentTask) -> &'static str {
//!     if task.data_title.ends_with(".mp4") { "video" } else { "other" }
//! }
//!
//! # async fn example() {
//! let ctx = testing::context().with_title("clip.mp4").build();
//! let outcome = testing::run(by_title, &ctx).await.expect("the agent succeeds");
//! assert_eq!(outcome.pathway(), Some(&"video".into()));
//! # }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example());
//! ```

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use encord_client::{
    AgentTask, Client, DateTime, Error, Pathway, Project, Stage, StageKind, StorageItem, TaskStatus,
};
use encord_labels::LabelRow;
use encord_labels::id::{DataHash, ItemUuid, PathwayUuid, StageUuid, TaskUuid};
use futures::future::BoxFuture;
use uuid::Uuid;

use crate::agent::{AgentFn, bind};
use crate::asset::Asset;
use crate::context::TaskContext;
use crate::error::BoxError;
use crate::extract::FromTask;
use crate::outcome::{IntoOutcome, Outcome};
use crate::source::ItemStore;

/// Starts building a context. Without further parts it has a task with the title `data.jpg` at a stage called
/// `Agent 1` whose only pathway is `complete`.
pub fn context() -> ContextBuilder {
    ContextBuilder {
        title: "data.jpg".to_owned(),
        stage: "Agent 1".to_owned(),
        pathways: vec!["complete".to_owned()],
        task: None,
        label_row: None,
        item: None,
        file: None,
        children: Vec::new(),
        client: None,
        project: None,
    }
}

/// Calls an agent once with a context, as the runner does for each attempt.
///
/// # Errors
/// What the agent or one of its extractors returned. A panic of the agent is not caught.
pub async fn run<F, Args>(agent: F, ctx: &TaskContext) -> Result<Outcome, BoxError>
where
    F: AgentFn<Args, Future: Send, Output: IntoOutcome>,
    Args: FromTask<()> + 'static,
{
    run_with_state(agent, ctx, ()).await
}

/// As [`run`], for agents that use the runner's state.
///
/// # Errors
/// As [`run`].
pub async fn run_with_state<F, Args, S>(agent: F, ctx: &TaskContext, state: S) -> Result<Outcome, BoxError>
where
    F: AgentFn<Args, Future: Send, Output: IntoOutcome>,
    Args: FromTask<S> + 'static,
    S: Send + Sync + 'static,
{
    let outcome = bind(agent, Arc::new(state)).attempt(ctx).await;
    for clean_up in ctx.take_clean_up() {
        clean_up.await;
    }
    outcome
}

/// Builds a [`TaskContext`] from parts.
#[must_use = "call build() to get the context"]
#[derive(Debug)]
pub struct ContextBuilder {
    title: String,
    stage: String,
    pathways: Vec<String>,
    task: Option<AgentTask>,
    label_row: Option<LabelRow>,
    item: Option<StorageItem>,
    file: Option<PathBuf>,
    children: Vec<(StorageItem, PathBuf)>,
    client: Option<Client>,
    project: Option<Project>,
}

impl ContextBuilder {
    /// The title of the data unit.
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The title of the stage and the names of its pathways.
    pub fn with_stage<'a>(
        mut self,
        title: impl Into<String>,
        pathways: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        self.stage = title.into();
        self.pathways = pathways.into_iter().map(str::to_owned).collect();
        self
    }

    /// The whole task. Replaces the title.
    pub fn with_task(mut self, task: AgentTask) -> Self {
        self.task = Some(task);
        self
    }

    /// The label row. If it holds labels, agents can take it; otherwise only its metadata. Unless a task is given,
    /// the task is about the row's data unit.
    pub fn with_label_row(mut self, row: LabelRow) -> Self {
        self.label_row = Some(row);
        self
    }

    /// The storage item.
    pub fn with_storage_item(mut self, item: StorageItem) -> Self {
        self.item = Some(item);
        self
    }

    /// The file of the data unit. It is used in place and not removed. Without a storage item, one is made from
    /// the file's name and size.
    pub fn with_asset(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// The next child of the storage item (the next image of a group), and its file.
    pub fn with_child(mut self, item: StorageItem, path: impl Into<PathBuf>) -> Self {
        self.children.push((item, path.into()));
        self
    }

    /// The client.
    pub fn with_client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }

    /// The project, with the client it came from.
    pub fn with_project(mut self, project: Project) -> Self {
        self.client = Some(project.client().clone());
        self.project = Some(project);
        self
    }

    /// The context.
    #[must_use]
    pub fn build(self) -> TaskContext {
        let data_hash = self.label_row.as_ref().and_then(|row| row.metadata().data_hash().parse().ok());
        let task = self.task.unwrap_or_else(|| new_task(self.title, data_hash));
        let mut ctx = TaskContext::new(Arc::new(new_stage(self.stage, self.pathways)), task);
        ctx.client = self.client;
        ctx.project = self.project;
        if let Some(row) = self.label_row {
            ctx.labels = if row.is_initialised() { Ok(()) } else { ctx.labels };
            ctx.label_row = Ok(Box::new(row));
        }
        let item = self.item.or_else(|| self.file.as_deref().map(item_of_file));
        let files = self.children.iter().map(|(item, path)| (item.uuid, path.clone())).collect();
        let children = self.children.into_iter().map(|(item, _)| item).collect();
        ctx.items = Some(Arc::new(LocalItems { children, files }));
        if let Some(item) = item {
            if let Some(path) = self.file {
                ctx.asset.set(Asset::from_file(item.clone(), path)).ok();
            }
            ctx.storage_item = Ok(Box::new(item));
        }
        ctx
    }
}

/// A storage item for a file on disk: its type guessed from the extension, everything else empty.
#[must_use]
pub fn item_of_file(path: &Path) -> StorageItem {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    let (item_type, mime_type) = match extension.as_deref().unwrap_or_default() {
        "png" => ("image", "image/png"),
        "jpg" | "jpeg" => ("image", "image/jpeg"),
        "webp" => ("image", "image/webp"),
        "tif" | "tiff" => ("image", "image/tiff"),
        "mp4" => ("video", "video/mp4"),
        "mov" => ("video", "video/quicktime"),
        "webm" => ("video", "video/webm"),
        "mkv" => ("video", "video/x-matroska"),
        "mp3" => ("audio", "audio/mpeg"),
        "wav" => ("audio", "audio/wav"),
        "flac" => ("audio", "audio/flac"),
        "ogg" => ("audio", "audio/ogg"),
        "pdf" => ("pdf", "application/pdf"),
        "dcm" => ("dicomFile", "application/dicom"),
        "gz" | "nii" => ("nifti", "application/octet-stream"),
        _ => ("plainText", "text/plain"),
    };
    item_with(&name, item_type, mime_type, std::fs::metadata(path).map(|facts| facts.len()).ok())
}

fn item_with(name: &str, item_type: &str, mime_type: &str, size: Option<u64>) -> StorageItem {
    let now = DateTime::now().to_string();
    let item = serde_json::json!({
        "uuid": Uuid::new_v4(), "parent": Uuid::new_v4(), "itemType": item_type, "name": name,
        "clientMetadata": "{}", "owner": "test@example.com", "createdAt": now, "lastEditedAt": now,
        "backedDataUnitsCount": 1, "storageLocation": "encord", "integrationHash": null, "url": null,
        "signedUrl": null, "fileSize": size, "mimeType": mime_type, "duration": null, "fps": null,
        "height": null, "width": null, "dicomInstanceUid": null, "dicomStudyUid": null,
        "dicomSeriesUid": null, "frameCount": null, "audioSampleRate": null, "audioBitDepth": null,
        "audioCodec": null, "audioNumChannels": null,
    });
    serde_json::from_value(item).expect("this is the platform's form of an item")
}

fn new_task(title: String, data_hash: Option<DataHash>) -> AgentTask {
    let now = DateTime::now();
    AgentTask {
        uuid: TaskUuid::random(),
        created_at: now,
        updated_at: now,
        status: TaskStatus::New,
        data_hash: data_hash.unwrap_or_else(DataHash::random),
        data_title: title,
        label_branch_name: "main".to_owned(),
        assignee: None,
        last_actioned_by: None,
    }
}

fn new_stage(title: String, pathways: Vec<String>) -> Stage {
    let pathway = |name| Pathway { uuid: PathwayUuid::random(), name, destination: None };
    let pathways = pathways.into_iter().map(pathway).collect();
    Stage { uuid: StageUuid::random(), title, kind: StageKind::Agent { pathways } }
}

/// Files that are on disk already.
struct LocalItems {
    children: Vec<StorageItem>,
    files: HashMap<ItemUuid, PathBuf>,
}

impl ItemStore for LocalItems {
    fn download<'a>(&'a self, item: &'a StorageItem, to: &'a Path) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let Some(from) = self.files.get(&item.uuid) else {
                let problem = format!("the test gave no file for storage item {}", item.uuid);
                return Err(Error::InvalidInput(problem));
            };
            let copied = tokio::fs::copy(from, to).await;
            copied.map(drop).map_err(|source| Error::Io { path: from.clone(), source })
        })
    }

    fn children<'a>(&'a self, _item: &'a StorageItem) -> BoxFuture<'a, Result<Vec<StorageItem>, Error>> {
        Box::pin(async { Ok(self.children.clone()) })
    }
}
