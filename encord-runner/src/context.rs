//! Everything known about one task while it is worked on.
//!
//! Extractors read from here. What comes in bulk is filled in before the first attempt; what is fetched on
//! demand is kept, so that it is fetched once per task. Dropping the context removes the task's files.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use encord_client::{AgentTask, Client, Project, Stage, StorageItem};
use encord_labels::id::ItemUuid;
use encord_labels::{LabelRow, LabelRowMetadata};
use futures::future::BoxFuture;
use tokio::sync::OnceCell;

use crate::asset::Asset;
use crate::error::{BoxError, ExtractError};
use crate::needs::Needs;
use crate::source::ItemStore;

/// One task and what was fetched for it: what extractors are made from.
pub struct TaskContext {
    pub(crate) client: Option<Client>,
    pub(crate) project: Option<Project>,
    pub(crate) stage: Arc<Stage>,
    pub(crate) task: AgentTask,
    /// When fetching for the task began.
    pub(crate) fetched_at: Instant,
    pub(crate) label_row: Fetched<Box<LabelRow>>,
    /// Whether `label_row` holds labels, or could not get them.
    pub(crate) labels: Result<(), ExtractError>,
    pub(crate) storage_item: Fetched<Box<StorageItem>>,
    pub(crate) items: Option<Arc<dyn ItemStore>>,
    pub(crate) asset: OnceCell<Asset>,
    children: OnceCell<Arc<[StorageItem]>>,
    child_assets: Mutex<HashMap<ItemUuid, Arc<OnceCell<Asset>>>>,
    shared: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    clean_up: Mutex<Vec<BoxFuture<'static, ()>>>,
}

/// Something that was fetched in bulk, or why it is not there. What is large is boxed, as tasks are handed around.
pub(crate) type Fetched<T> = Result<T, ExtractError>;

impl TaskContext {
    pub(crate) fn new(stage: Arc<Stage>, task: AgentTask) -> Self {
        TaskContext {
            client: None,
            project: None,
            stage,
            task,
            fetched_at: Instant::now(),
            label_row: Err(ExtractError::NotFetched { what: "the label row", needs: Needs::LABEL_ROW }),
            labels: Err(ExtractError::NotFetched { what: "the labels", needs: Needs::LABELS }),
            storage_item: Err(ExtractError::NotFetched {
                what: "the storage item",
                needs: Needs::STORAGE_ITEM,
            }),
            items: None,
            asset: OnceCell::new(),
            children: OnceCell::new(),
            child_assets: Mutex::default(),
            shared: Mutex::default(),
            clean_up: Mutex::default(),
        }
    }

    /// The task.
    #[must_use]
    pub fn task(&self) -> &AgentTask {
        &self.task
    }

    /// The stage the task is at.
    #[must_use]
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// The runner's client.
    ///
    /// # Errors
    /// [`ExtractError::NotGiven`] in a context that was built without one.
    pub fn client(&self) -> Result<&Client, ExtractError> {
        self.client.as_ref().ok_or(ExtractError::NotGiven { what: "client" })
    }

    /// The project of the run.
    ///
    /// # Errors
    /// [`ExtractError::NotGiven`] in a context that was built without one.
    pub fn project(&self) -> Result<&Project, ExtractError> {
        self.project.as_ref().ok_or(ExtractError::NotGiven { what: "project" })
    }

    /// The label row with its labels. The extractor that asks must include [`Needs::LABELS`].
    ///
    /// # Errors
    /// When there is none, when it could not be fetched, or when it was not asked for.
    pub fn label_row(&self) -> Result<&LabelRow, ExtractError> {
        let row = self.label_row.as_deref().map_err(Clone::clone)?;
        self.labels.clone()?;
        Ok(row)
    }

    /// The row of the label listing. The extractor that asks must include [`Needs::LABEL_ROW`].
    ///
    /// # Errors
    /// When there is none, when it could not be fetched, or when it was not asked for.
    pub fn label_row_metadata(&self) -> Result<&LabelRowMetadata, ExtractError> {
        self.label_row.as_deref().map(LabelRow::metadata).map_err(Clone::clone)
    }

    /// The storage item. The extractor that asks must include [`Needs::STORAGE_ITEM`].
    ///
    /// # Errors
    /// When it is gone, could not be fetched, or was not asked for.
    pub fn storage_item(&self) -> Result<&StorageItem, ExtractError> {
        self.storage_item.as_deref().map_err(Clone::clone)
    }

    /// The file of the data unit, downloaded by the first caller and shared by all others of this task.
    /// The extractor that asks must include [`Needs::ASSET`].
    ///
    /// # Errors
    /// When the item has no single file (image groups and the like), is gone, or the download fails. A failed
    /// download is tried again by the next caller.
    pub async fn asset(&self) -> Result<Asset, ExtractError> {
        let download = || async {
            let item = self.storage_item()?;
            if !item.has_file() {
                return Err(ExtractError::NoSingleFile { item: item.uuid, kind: item.item_type.to_string() });
            }
            Asset::download(self.items()?, item.clone()).await
        };
        self.asset.get_or_try_init(download).await.cloned()
    }

    /// How much room the file takes or will take on disk, as far as is known.
    pub(crate) fn known_bytes(&self) -> Option<u64> {
        match self.asset.get() {
            Some(asset) => Some(asset.temporary_bytes()),
            None => self.storage_item.as_ref().ok()?.file_size,
        }
    }

    /// The parts of an image group, image sequence, DICOM series or data group, in order, listed once per task.
    ///
    /// # Errors
    /// When the item is gone or the platform cannot list its parts.
    pub async fn child_items(&self) -> Result<Arc<[StorageItem]>, ExtractError> {
        let list = || async {
            let children = self.items()?.children(self.storage_item()?).await;
            children.map(Into::into).map_err(|source| ExtractError::Fetch {
                what: "listing the child items",
                source: Arc::new(source),
            })
        };
        self.children.get_or_try_init(list).await.cloned()
    }

    /// The file of one of the [child items](TaskContext::child_items), downloaded once per task.
    ///
    /// # Errors
    /// When the item is gone or the download fails.
    pub async fn child_asset(&self, item: &StorageItem) -> Result<Asset, ExtractError> {
        let cell = Arc::clone(lock(&self.child_assets).entry(item.uuid).or_default());
        let download = || async { Asset::download(self.items()?, item.clone()).await };
        cell.get_or_try_init(download).await.cloned()
    }

    /// A value shared by all extractors and attempts of this task, made by the first that asks.
    ///
    /// The type is the key, so use a type of your own. A failure is not kept: the next caller tries again.
    ///
    /// # Errors
    /// The error of `make`.
    pub async fn shared<T, E, F>(&self, make: F) -> Result<Arc<T>, E>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T, E>>,
    {
        let Some(cell) = self.shared_cell() else { return make.await.map(Arc::new) };
        cell.get_or_try_init(|| async { make.await.map(Arc::new) }).await.cloned()
    }

    /// Leaves a value for the extractors of this task, as [`prefetch`](crate::FromTask::prefetch) does for a whole
    /// batch: [`shared`](TaskContext::shared) then returns it instead of making one. A value that is there
    /// already stays.
    pub fn share<T: Send + Sync + 'static>(&self, value: T) {
        if let Some(cell) = self.shared_cell() {
            cell.set(Arc::new(value)).ok();
        }
    }

    /// `None` only if a value of another type were kept under this one, which cannot happen.
    fn shared_cell<T: Send + Sync + 'static>(&self) -> Option<Arc<OnceCell<Arc<T>>>> {
        let mut shared = lock(&self.shared);
        let any = shared.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(OnceCell::<Arc<T>>::new()));
        Arc::clone(any).downcast().ok()
    }

    /// Runs something when the current attempt is over, whether the agent returned, failed, panicked or timed
    /// out. The last one registered runs first, each for at most another `task_timeout` if there is one. A custom
    /// extractor uses this to close what it opened when dropping the value is not enough.
    pub fn defer(&self, clean_up: impl Future<Output = ()> + Send + 'static) {
        lock(&self.clean_up).push(Box::pin(clean_up));
    }

    /// What was deferred since the last call, in the order to run it.
    pub(crate) fn take_clean_up(&self) -> Vec<BoxFuture<'static, ()>> {
        let mut deferred = std::mem::take(&mut *lock(&self.clean_up));
        deferred.reverse();
        deferred
    }

    fn items(&self) -> Result<&dyn ItemStore, ExtractError> {
        self.items.as_deref().ok_or(ExtractError::NotGiven { what: "source of files" })
    }

    /// Makes every extractor of a parameter list by hand, as the runner does for each attempt.
    ///
    /// # Errors
    /// The rejection of the extractor.
    pub async fn extract<T, S>(&self, state: &S) -> Result<T, BoxError>
    where
        T: crate::extract::FromTask<S>,
    {
        T::from_task(self, state).await.map_err(Into::into)
    }
}

impl std::fmt::Debug for TaskContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskContext")
            .field("stage", &self.stage.title)
            .field("task", &self.task.uuid)
            .finish_non_exhaustive()
    }
}

/// No code of ours panics while holding one of these locks, and the data would still be sound if it did.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
