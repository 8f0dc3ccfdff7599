//! From decisions to the platform: label rows are saved, then priorities set, then tasks moved.
//!
//! Each step goes out as one bundle. When the bundle fails, its parts are sent one by one so that only the bad
//! ones fail. A task whose save failed is not moved. What was not confirmed is reported as not done.

use std::slice;
use std::time::Duration;

use encord_client::{Error, Project, Stage, TaskFilter};
use encord_labels::LabelRow;
use encord_labels::id::{DataHash, PathwayUuid, TaskUuid};
use futures::future::{BoxFuture, join_all};
use futures::{FutureExt, TryStreamExt};
use tracing::{debug, info, warn};

use crate::error::full_message;
use crate::execute::{Decision, Executed, Failure};
use crate::note::write_notes;
use crate::report::{Step, TaskOutcome, TaskRecord};

/// How many parts of a failed bundle are sent at the same time.
const REPLAY_WIDTH: usize = 8;
/// How often a move whose effect is unknown is looked at and sent again.
const MOVE_ROUNDS: u32 = 4;
/// How many data hashes fit into the address of one listing without making it too long for servers.
const LISTING_WIDTH: usize = 100;
/// The first pause between rounds; it doubles.
const ROUND_PAUSE: Duration = Duration::from_millis(200);

/// A task whose agent is done, with what is still to be sent.
pub(crate) struct Pending {
    pub(crate) record: TaskRecord,
    decision: Decision,
}

impl Pending {
    /// Joins what is known of a task with how working on it ended.
    pub(crate) fn new(
        mut record: TaskRecord,
        executed: Executed,
        failure_pathway: Option<PathwayUuid>,
    ) -> Self {
        record.attempts = executed.attempts;
        record.duration = executed.duration;
        let decision = match executed.decision {
            Ok(decision) => {
                record.outcome = TaskOutcome::Stayed;
                decision
            }
            Err(Failure { message, is_outage }) => {
                record.outcome = TaskOutcome::Failed { error: message, step: Step::Agent };
                // A sound task must not leave by the failure pathway because the platform was out of reach.
                let pathway = if is_outage { None } else { failure_pathway };
                Decision { pathway, ..Decision::default() }
            }
        };
        Pending { record, decision }
    }

    /// Whether anything has to be sent.
    pub(crate) fn is_settled(&self) -> bool {
        let Decision { pathway, label_row, priority } = &self.decision;
        pathway.is_none() && label_row.is_none() && priority.is_none()
    }

    fn fail(&mut self, step: Step, error: String) {
        warn!(task = %self.record.task, data_hash = %self.record.data_hash, "{error}");
        self.record.outcome = TaskOutcome::Failed { error, step };
        self.decision = Decision::default();
    }
}

/// Sends everything that the tasks of one stage led to and says how each of them ended.
///
/// With a key for notes, the errors of tasks on their way along the failure pathway are written down first.
pub(crate) async fn commit(
    project: &Project,
    stage: &Stage,
    mut pending: Vec<Pending>,
    note_key: Option<&str>,
) -> Vec<TaskRecord> {
    if let Some(key) = note_key {
        note_failures(project, key, &pending).await;
    }
    save_labels(project, &mut pending).await;
    set_priorities(project, &mut pending).await;
    move_tasks(project, stage, &mut pending).await;
    pending.into_iter().map(|task| task.record).collect()
}

async fn note_failures(project: &Project, key: &str, pending: &[Pending]) {
    let errors: Vec<(DataHash, &str)> = pending
        .iter()
        .filter(|task| task.decision.pathway.is_some())
        .filter_map(|task| Some((task.record.data_hash, task.record.error()?)))
        .collect();
    if !errors.is_empty()
        && let Err(error) = write_notes(project, key, &errors).await
    {
        warn!(tasks = errors.len(), "could not write errors into the client metadata: {error}");
    }
}

async fn save_labels(project: &Project, pending: &mut [Pending]) {
    let rows: Vec<(usize, LabelRow)> = pending
        .iter_mut()
        .enumerate()
        .filter_map(|(index, task)| Some((index, task.decision.label_row.take()?)))
        .collect();
    if rows.is_empty() {
        return;
    }
    let results = in_bundle(&rows, |rows| {
        let project = project.clone();
        async move {
            let rows: Vec<&LabelRow> = rows.iter().map(|(_, row)| row).collect();
            project.save_labels(&rows, false).await
        }
        .boxed()
    })
    .await;
    for ((index, _), result) in rows.iter().zip(results) {
        match result {
            Ok(()) => pending[*index].record.labels_saved = true,
            Err(error) => pending[*index].fail(Step::Save, format!("could not save the label row: {error}")),
        }
    }
}

async fn set_priorities(project: &Project, pending: &mut [Pending]) {
    let priorities: Vec<(usize, (DataHash, f64))> = pending
        .iter()
        .enumerate()
        .filter_map(|(index, task)| Some((index, (task.record.data_hash, task.decision.priority?))))
        .collect();
    if priorities.is_empty() {
        return;
    }
    let results = in_bundle(&priorities, |chosen| {
        let project = project.clone();
        let chosen: Vec<(DataHash, f64)> = chosen.iter().map(|(_, pair)| *pair).collect();
        async move { project.set_priorities(&chosen).await }.boxed()
    })
    .await;
    for ((index, (_, priority)), result) in priorities.iter().zip(results) {
        match result {
            Ok(()) => pending[*index].record.priority = Some(*priority),
            Err(error) => {
                pending[*index].fail(Step::Priority, format!("could not set the priority: {error}"))
            }
        }
    }
}

/// Sends all parts at once. If that fails, sends each alone and gives every part its own result.
async fn in_bundle<T, F>(parts: &[T], send: F) -> Vec<Result<(), String>>
where
    F: for<'a> Fn(&'a [T]) -> BoxFuture<'a, Result<(), Error>>,
{
    let Err(error) = send(parts).await else { return vec![Ok(()); parts.len()] };
    let (done, error) = applied_before(error);
    let mut results = vec![Ok(()); done.min(parts.len())];
    let open = &parts[results.len()..];
    let message = full_message(&error);
    if open.len() == 1 || error.is_access_denied() {
        results.resize(parts.len(), Err(message));
        return results;
    }
    warn!(parts = open.len(), "a bundle failed, its parts are sent one by one: {message}");
    for chunk in open.chunks(REPLAY_WIDTH) {
        let answers = join_all(chunk.iter().map(|part| send(slice::from_ref(part)))).await;
        let unreachable = answers.iter().all(|answer| answer.as_ref().is_err_and(Error::is_retryable));
        results.extend(answers.into_iter().map(|answer| answer.map_err(|error| full_message(&error))));
        if unreachable {
            // The platform is down or refuses to be asked; asking for each of the others would not help.
            break;
        }
    }
    results.resize(parts.len(), Err(message));
    results
}

/// A bundle that does not fit into one request goes out as several: how many parts were dealt with before the one
/// that failed, and why it failed.
fn applied_before(error: Error) -> (usize, Error) {
    match error {
        Error::Incomplete { done, source } => (done, *source),
        error => (0, error),
    }
}

async fn move_tasks(project: &Project, stage: &Stage, pending: &mut [Pending]) {
    let moves: Vec<Move> = pending
        .iter()
        .enumerate()
        .filter_map(|(index, task)| {
            let (record, pathway) = (&task.record, task.decision.pathway?);
            Some(Move { index, task: record.task, data_hash: record.data_hash, pathway })
        })
        .collect();
    if moves.is_empty() {
        return;
    }
    let results = Mover { project, stage }.run(&moves, false).await;
    for (wanted, result) in moves.iter().zip(results) {
        let task = &mut pending[wanted.index];
        let agent_error = task.record.error().map(str::to_owned);
        match (result, agent_error) {
            (Moved::Done, None) => task.record.outcome = TaskOutcome::Moved { pathway: wanted.pathway },
            (Moved::Done, Some(error)) => {
                task.record.outcome = TaskOutcome::FailureRouted { pathway: wanted.pathway, error };
            }
            (Moved::Gone, None) => {
                info!(task = %wanted.task, "the task has left the stage before it could be moved");
                task.record.outcome = TaskOutcome::Rejected;
            }
            (Moved::Gone, Some(_)) => {}
            (Moved::Failed(error), None) => {
                task.fail(Step::Move, format!("could not move the task: {error}"))
            }
            (Moved::Failed(error), Some(_)) => {
                warn!(task = %wanted.task, "could not send the task along the failure pathway: {error}");
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Move {
    index: usize,
    task: TaskUuid,
    data_hash: DataHash,
    pathway: PathwayUuid,
}

/// How a move ended.
#[derive(Clone)]
enum Moved {
    Done,
    Gone,
    Failed(String),
}

struct Mover<'a> {
    project: &'a Project,
    stage: &'a Stage,
}

impl Mover<'_> {
    /// Moves tasks in one bundle, or one by one if the platform rejects the bundle.
    ///
    /// The platform applies all moves of a request or none, and rejects those of tasks that left the stage. A
    /// request whose answer was lost may have been applied: then the stage is listed again, and only what is
    /// still there is sent again. `uncertain` says that this happened before, in which case a rejected move
    /// was most likely our own.
    fn run<'a>(&'a self, moves: &'a [Move], uncertain: bool) -> BoxFuture<'a, Vec<Moved>> {
        async move {
            let mut results = vec![None; moves.len()];
            let mut open: Vec<usize> = (0..moves.len()).collect();
            let mut uncertain = uncertain;
            let mut last_error = String::new();
            for round in 0..MOVE_ROUNDS {
                if open.is_empty() {
                    break;
                }
                if round > 0 {
                    tokio::time::sleep(ROUND_PAUSE * 2_u32.pow(round - 1)).await;
                }
                if round > 0 && uncertain {
                    match self.still_there(moves, &open).await {
                        Ok(there) => {
                            open.retain(|index| {
                                let moved = !there.contains(&moves[*index].task);
                                if moved {
                                    debug!(task = %moves[*index].task, "confirmed by listing the stage again");
                                    results[*index] = Some(Moved::Done);
                                }
                                !moved
                            });
                        }
                        Err(error) => {
                            last_error = full_message(&error);
                            continue;
                        }
                    }
                    if open.is_empty() {
                        break;
                    }
                }
                let pairs: Vec<_> = open.iter().map(|index| (moves[*index].task, moves[*index].pathway)).collect();
                let Err(error) = self.project.proceed(self.stage.uuid, &pairs).await else {
                    for index in open.drain(..) {
                        results[index] = Some(Moved::Done);
                    }
                    break;
                };
                let (done, error) = applied_before(error);
                for index in open.drain(..done.min(open.len())) {
                    results[index] = Some(Moved::Done);
                }
                last_error = full_message(&error);
                if error.is_outcome_unknown() {
                    uncertain = true;
                } else if !error.is_retryable() {
                    let settled = self.settle(moves, &open, &error, uncertain).await;
                    for (index, result) in open.drain(..).zip(settled) {
                        results[index] = Some(result);
                    }
                }
            }
            results.into_iter().map(|result| result.unwrap_or_else(|| Moved::Failed(last_error.clone()))).collect()
        }
        .boxed()
    }

    /// What a refusal means for each of the moves it was about.
    async fn settle(&self, moves: &[Move], open: &[usize], error: &Error, uncertain: bool) -> Vec<Moved> {
        if open.len() == 1 || error.is_access_denied() {
            let result = match error {
                error if !error.is_rejected() => Moved::Failed(full_message(error)),
                _ if uncertain => Moved::Done,
                _ => Moved::Gone,
            };
            return vec![result; open.len()];
        }
        info!(tasks = open.len(), "a bundle of moves was rejected, they are sent one by one");
        let mut results = Vec::with_capacity(open.len());
        for chunk in open.chunks(REPLAY_WIDTH) {
            let singles = chunk
                .iter()
                .map(|index| async { self.run(slice::from_ref(&moves[*index]), uncertain).await });
            results.extend(join_all(singles).await.into_iter().flatten());
        }
        results
    }

    /// Which of the tasks are still at the stage.
    async fn still_there(&self, moves: &[Move], open: &[usize]) -> Result<Vec<TaskUuid>, Error> {
        let mut there = Vec::new();
        for chunk in open.chunks(LISTING_WIDTH) {
            let hashes: Vec<DataHash> = chunk.iter().map(|index| moves[*index].data_hash).collect();
            let filter = TaskFilter::default().with_data_hashes(hashes);
            let tasks: Vec<_> = self.project.agent_tasks(self.stage.uuid, &filter).try_collect().await?;
            there.extend(tasks.into_iter().map(|task| task.uuid));
        }
        Ok(there)
    }
}
