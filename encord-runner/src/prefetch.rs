//! From the needs of an agent to the contexts of a batch, in as few requests as possible.
//!
//! Rows, labels and items come in bulk and are matched by their ids: a row by data hash and branch, an item by
//! its uuid. What is missing for one task is that task's problem and is kept in its context as the reason.

use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use encord_client::{AgentTask, Client, Error, InitialiseArgs, Project, RowFailure, Stage, StorageItem};
use encord_labels::LabelRow;
use encord_labels::id::{DataHash, ItemUuid};
use futures::FutureExt;
use futures::future::join_all;
use tracing::warn;

use crate::agent::Agent;
use crate::context::TaskContext;
use crate::error::ExtractError;
use crate::needs::Needs;
use crate::registry::Prepared;
use crate::sequential::StageOptions;
use crate::source::{ItemStore, Platform};

/// How many single requests run at the same time after a bulk request failed.
const REPLAY_WIDTH: usize = 8;
/// The pauses before a bulk request is sent again. The client has tried it several times by then, but a failure here
/// would fail a whole batch.
const BULK_PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(3)];

/// When the platform asks for more patience than this, the tasks are left at their stage for the next pass.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Makes contexts for the tasks of one stage.
#[derive(Clone)]
pub(crate) struct Prefetch {
    project: Project,
    items: Arc<dyn ItemStore>,
    stage: Arc<Stage>,
    agent: Arc<dyn Agent>,
    needs: Needs,
    options: Arc<StageOptions>,
}

impl Prefetch {
    pub(crate) fn new(project: Project, prepared: &Prepared) -> Self {
        let items: Arc<dyn ItemStore> =
            Arc::new(Platform { client: project.client().clone(), max_bytes: prepared.max_asset_bytes });
        Prefetch {
            project,
            items,
            stage: Arc::clone(&prepared.stage),
            agent: Arc::clone(&prepared.agent),
            needs: prepared.agent.needs(),
            options: Arc::clone(&prepared.options),
        }
    }

    /// Fetches what the tasks need. Never fails as a whole: what went wrong is in the contexts it concerns.
    pub(crate) async fn contexts(&self, tasks: Vec<AgentTask>) -> Vec<TaskContext> {
        let client: &Client = self.project.client();
        let mut contexts: Vec<TaskContext> = tasks
            .into_iter()
            .map(|task| {
                let mut ctx = TaskContext::new(Arc::clone(&self.stage), task);
                ctx.client = Some(client.clone());
                ctx.project = Some(self.project.clone());
                ctx.items = Some(Arc::clone(&self.items));
                ctx
            })
            .collect();
        if contexts.is_empty() {
            return contexts;
        }
        if self.needs.contains(Needs::LABEL_ROW) {
            self.list_rows(&mut contexts).await;
        }
        if self.needs.contains(Needs::STORAGE_ITEM) {
            let items = self.fetch_items(&contexts).await;
            for (ctx, item) in contexts.iter_mut().zip(items) {
                ctx.storage_item = item.map(Box::new);
            }
        }
        if self.needs.contains(Needs::LABELS) {
            self.initialise(&mut contexts).await;
        }
        if AssertUnwindSafe(self.agent.prefetch(&contexts)).catch_unwind().await.is_err() {
            warn!("an extractor panicked while it fetched for a batch; it is asked again for each task");
        }
        contexts
    }

    /// One listing per label branch, because a branch on which a data unit has no labels yet is only listed
    /// when it is asked for by name.
    async fn list_rows(&self, contexts: &mut [TaskContext]) {
        let mut branches: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, ctx) in contexts.iter().enumerate() {
            branches.entry(ctx.task.label_branch_name.clone()).or_default().push(index);
        }
        for (branch, members) in branches {
            let hashes: Vec<DataHash> = members.iter().map(|index| contexts[*index].task.data_hash).collect();
            let filter =
                self.options.label_rows.clone().with_data_hashes(hashes).with_branch_name(branch.clone());
            let listed = persistently(|| self.project.label_rows(&filter)).await.map_err(Arc::new);
            let (mut rows, failure): (HashMap<String, Listed>, _) = match listed {
                Ok(listed) => {
                    let on_branch = listed.into_iter().filter(|row| row.metadata().branch_name() == branch);
                    let by_hash = |row: LabelRow| (row.metadata().data_hash().to_owned(), Listed::Row(row));
                    (on_branch.map(by_hash).collect(), None)
                }
                Err(source) => {
                    (HashMap::new(), Some(ExtractError::Prefetch { what: "listing the label rows", source }))
                }
            };
            for index in members {
                let data_hash = contexts[index].task.data_hash.to_string();
                let listed = rows.get_mut(&data_hash).map(|row| std::mem::replace(row, Listed::With(index)));
                contexts[index].label_row = match (&failure, listed) {
                    (Some(failure), _) => Err(failure.clone()),
                    (None, Some(Listed::Row(row))) => Ok(Box::new(row)),
                    (None, Some(Listed::With(other))) => contexts[other].label_row.clone(),
                    (None, None) => Err(ExtractError::NoLabelRow { data_hash, branch: branch.clone() }),
                };
            }
        }
    }

    /// Fetches the labels of all rows together, and those of single rows where that failed because of one of them.
    async fn initialise(&self, contexts: &mut [TaskContext]) {
        let mut rows = Vec::with_capacity(contexts.len());
        let mut members = Vec::with_capacity(contexts.len());
        for (index, ctx) in contexts.iter_mut().enumerate() {
            // A context without a row says so when its labels are asked for.
            ctx.labels = Ok(());
            if let Ok(row) = &mut ctx.label_row {
                rows.push(&mut **row);
                members.push(index);
            }
        }
        let args: &InitialiseArgs = &self.options.initialise;
        let mut answer = self.project.try_initialise_labels(again(&mut rows), args).await;
        for pause in BULK_PAUSES {
            let Err(error) = &answer else { break };
            if !waited(error, pause).await {
                break;
            }
            answer = self.project.try_initialise_labels(again(&mut rows), args).await;
        }
        match answer {
            Ok(failures) => {
                for RowFailure { index, error, .. } in failures {
                    contexts[members[index]].labels = Err(labels_error(error));
                }
            }
            Err(error) if members.len() == 1 || error.is_retryable() || error.is_access_denied() => {
                let failure = labels_error(error);
                for index in members {
                    mark_uninitialised(&mut contexts[index], &failure);
                }
            }
            Err(error) => {
                warn!(rows = members.len(), "labels could not be fetched together: {error}");
                for chunk in contexts.chunks_mut(REPLAY_WIDTH) {
                    join_all(chunk.iter_mut().map(|ctx| self.initialise_alone(ctx))).await;
                }
            }
        }
    }

    async fn initialise_alone(&self, ctx: &mut TaskContext) {
        let Ok(row) = &mut ctx.label_row else { return };
        if !row.is_initialised() {
            let fetched = self.project.initialise_labels([&mut **row], &self.options.initialise).await;
            ctx.labels = fetched.map_err(labels_error);
        }
    }

    /// The storage item of each context, in their order.
    async fn fetch_items(&self, contexts: &[TaskContext]) -> Vec<Result<StorageItem, ExtractError>> {
        let wanted: Vec<Result<ItemUuid, ExtractError>> = contexts
            .iter()
            .map(|ctx| {
                let metadata = ctx.label_row_metadata()?;
                metadata
                    .backing_item_uuid()
                    .ok_or_else(|| ExtractError::NoBackingItem { data_hash: ctx.task.data_hash.to_string() })
            })
            .collect();
        let uuids: Vec<ItemUuid> = wanted.iter().filter_map(|uuid| uuid.as_ref().ok().copied()).collect();
        let sign = self.needs.contains(Needs::SIGNED_URL);
        let fetched = self.items_by_uuid(&uuids, sign).await;
        wanted
            .into_iter()
            .map(|uuid| {
                let uuid = uuid?;
                fetched.get(&uuid).cloned().unwrap_or(Err(ExtractError::NoStorageItem { item: uuid }))
            })
            .collect()
    }

    async fn items_by_uuid(
        &self,
        uuids: &[ItemUuid],
        sign: bool,
    ) -> HashMap<ItemUuid, Result<StorageItem, ExtractError>> {
        if uuids.is_empty() {
            return HashMap::new();
        }
        let client = self.project.client();
        let fetch_error =
            |error| ExtractError::Prefetch { what: "fetching the storage item", source: Arc::new(error) };
        match persistently(|| client.storage_items(uuids, sign)).await {
            Ok(items) => items.into_iter().flatten().map(|item| (item.uuid, Ok(item))).collect(),
            Err(error) if error.is_retryable() => {
                let failure = fetch_error(error);
                uuids.iter().map(|uuid| (*uuid, Err(failure.clone()))).collect()
            }
            Err(error) => {
                // One item that is gone or invisible may fail the whole request.
                warn!(items = uuids.len(), "storage items could not be fetched together: {error}");
                let mut items = HashMap::new();
                for chunk in uuids.chunks(REPLAY_WIDTH) {
                    let fetched = join_all(chunk.iter().map(|uuid| client.storage_item(*uuid, sign))).await;
                    items.extend(
                        chunk.iter().copied().zip(fetched.into_iter().map(|item| item.map_err(fetch_error))),
                    );
                }
                items
            }
        }
    }
}

/// A row of a listing: not given to a task yet, or to the one at this place. Two tasks may be about one data unit.
enum Listed {
    Row(LabelRow),
    With(usize),
}

/// Sends a bulk request again when the platform could not answer.
async fn persistently<T, F>(mut request: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    for pause in BULK_PAUSES {
        match request().await {
            Err(error) if waited(&error, pause).await => {}
            answer => return answer,
        }
    }
    request().await
}

/// Waits before a request is sent again, for as long as the platform asked for, if it may help at all.
async fn waited(error: &Error, pause: Duration) -> bool {
    let pause = match error {
        Error::RateLimited { retry_after: Some(asked), .. } => pause.max(*asked),
        _ => pause,
    };
    if !error.is_retryable() || pause > LONGEST_WAIT {
        return false;
    }
    warn!(seconds = pause.as_secs_f64(), "a bulk request failed and is sent again: {error}");
    tokio::time::sleep(pause).await;
    true
}

/// Lends the rows for one request.
fn again<'a>(rows: &'a mut [&mut LabelRow]) -> impl Iterator<Item = &'a mut LabelRow> + Send {
    rows.iter_mut().map(|row| &mut **row)
}

fn labels_error(error: Error) -> ExtractError {
    ExtractError::Prefetch { what: "fetching the labels", source: Arc::new(error) }
}

fn mark_uninitialised(ctx: &mut TaskContext, failure: &ExtractError) {
    if ctx.label_row.as_ref().is_ok_and(|row| !row.is_initialised()) {
        ctx.labels = Err(failure.clone());
    }
}
