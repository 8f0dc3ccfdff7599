//! Moving tasks so that none is moved twice, whatever happens to the requests.

use std::slice;
use std::time::Duration;

use encord_client::{Error, Project, Stage, StageKind, TaskFilter};
use encord_labels::id::{DataHash, PathwayUuid, StageUuid, TaskUuid};
use futures::future::{BoxFuture, join_all};
use futures::{FutureExt, TryStreamExt};
use tracing::{debug, info};

use super::bundle::{REPLAY_WIDTH, applied_before};
use super::whereabouts::stages_of;
use crate::execute::Failure;

/// How often a move whose effect is unknown is looked at and sent again.
const MOVE_ROUNDS: u32 = 4;
/// How many data hashes fit into the address of one listing without making it too long for servers.
const LISTING_WIDTH: usize = 100;
/// The first pause between rounds; it doubles.
const ROUND_PAUSE: Duration = Duration::from_millis(200);

/// One task and the way it should go.
#[derive(Clone, Copy)]
pub(crate) struct Move {
    /// The place of what the move belongs to, for the caller.
    pub(crate) index: usize,
    pub(crate) task: TaskUuid,
    pub(crate) data_hash: DataHash,
    pub(crate) pathway: PathwayUuid,
}

/// How a move ended.
#[derive(Clone)]
pub(super) enum Moved {
    Done,
    Gone,
    Failed(Failure),
}

pub(super) struct Mover<'a> {
    pub(super) project: &'a Project,
    pub(super) stage: StageUuid,
}

impl Mover<'_> {
    /// Moves tasks in one bundle, or one by one if the platform rejects the bundle.
    ///
    /// The platform applies all moves of a request or none, and rejects those of tasks that left the stage. A
    /// request whose answer was lost may have been applied: then the stage is listed again, and only what is
    /// still there is sent again. `uncertain` says that this happened before. A task that has left the stage
    /// then counts as moved by us only where our pathway leads.
    pub(super) fn run<'a>(&'a self, moves: &'a [Move], uncertain: bool) -> BoxFuture<'a, Vec<Moved>> {
        async move {
            let mut results = vec![None; moves.len()];
            let mut open: Vec<usize> = (0..moves.len()).collect();
            let mut uncertain = uncertain;
            let mut last_failure = Failure { message: String::new(), is_outage: false };
            for round in 0..MOVE_ROUNDS {
                if open.is_empty() {
                    break;
                }
                if round > 0 {
                    tokio::time::sleep(ROUND_PAUSE * 2_u32.pow(round - 1)).await;
                }
                if round > 0 && uncertain {
                    match self.left(moves, &open).await {
                        Ok(left) => {
                            for (index, moved) in left {
                                results[index] = Some(moved);
                            }
                            open.retain(|index| results[*index].is_none());
                        }
                        Err(error) => {
                            last_failure = Failure::from(&error);
                            continue;
                        }
                    }
                    if open.is_empty() {
                        break;
                    }
                }
                let pairs: Vec<_> =
                    open.iter().map(|index| (moves[*index].task, moves[*index].pathway)).collect();
                let Err(error) = self.project.proceed(self.stage, &pairs).await else {
                    for index in open.drain(..) {
                        results[index] = Some(Moved::Done);
                    }
                    break;
                };
                let (done, error) = applied_before(error);
                for index in open.drain(..done.min(open.len())) {
                    results[index] = Some(Moved::Done);
                }
                last_failure = Failure::from(&error);
                if error.is_outcome_unknown() {
                    uncertain = true;
                } else if !error.is_retryable() {
                    let settled = self.settle(moves, &open, &error, uncertain).await;
                    for (index, result) in open.drain(..).zip(settled) {
                        results[index] = Some(result);
                    }
                }
            }
            results
                .into_iter()
                .map(|result| result.unwrap_or_else(|| Moved::Failed(last_failure.clone())))
                .collect()
        }
        .boxed()
    }

    /// What a refusal means for each of the moves it was about.
    async fn settle(&self, moves: &[Move], open: &[usize], error: &Error, uncertain: bool) -> Vec<Moved> {
        if open.len() == 1 || error.is_access_denied() {
            let result = match error {
                error if !error.is_rejected() => Moved::Failed(Failure::from(error)),
                // The refusal may be the echo of our own move.
                _ if uncertain => match self.arrived(moves, open).await {
                    Ok(arrived) => return arrived,
                    Err(error) => Moved::Failed(Failure::from(&error)),
                },
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

    /// Which of the open moves are settled because their tasks have left the stage, and how.
    async fn left(&self, moves: &[Move], open: &[usize]) -> Result<Vec<(usize, Moved)>, Error> {
        let there = self.still_there(moves, open).await?;
        let left: Vec<_> =
            open.iter().copied().filter(|index| !there.contains(&moves[*index].task)).collect();
        let arrived = self.arrived(moves, &left).await?;
        Ok(left.into_iter().zip(arrived).collect())
    }

    /// Which of the tasks are still at the stage.
    async fn still_there(&self, moves: &[Move], open: &[usize]) -> Result<Vec<TaskUuid>, Error> {
        let mut there = Vec::new();
        for chunk in open.chunks(LISTING_WIDTH) {
            let hashes: Vec<DataHash> = chunk.iter().map(|index| moves[*index].data_hash).collect();
            let filter = TaskFilter::default().with_data_hashes(hashes);
            let tasks: Vec<_> = self.project.agent_tasks(self.stage, &filter).try_collect().await?;
            there.extend(tasks.into_iter().map(|task| task.uuid));
        }
        Ok(there)
    }

    /// Whether tasks that have left the stage went where their pathways lead.
    ///
    /// Somebody else may have taken a task elsewhere, and what was not confirmed is not reported as done. Where
    /// nobody can know, because the platform does not say where the pathway ends (it leads through a router, say),
    /// it was us: the request was sent and the task has moved.
    async fn arrived(&self, moves: &[Move], left: &[usize]) -> Result<Vec<Moved>, Error> {
        if left.is_empty() {
            return Ok(Vec::new());
        }
        let now_at = stages_of(self.project, left.iter().map(|index| moves[*index].data_hash)).await?;
        let arrived = |index: &usize| {
            let Move { task, pathway, .. } = moves[*index];
            match (self.destination(pathway), now_at.get(&task)) {
                (Some(destination), Some(stage)) if destination != *stage => {
                    info!(%task, %stage, "the task has left the stage, but not by our pathway");
                    Moved::Gone
                }
                (_, None) => {
                    info!(%task, "the task has left the stage, and the platform does not say for where");
                    Moved::Gone
                }
                _ => {
                    debug!(%task, "confirmed by looking where the task is");
                    Moved::Done
                }
            }
        };
        Ok(left.iter().map(arrived).collect())
    }

    /// The stage that a pathway leads to, where tasks stop.
    fn destination(&self, pathway: PathwayUuid) -> Option<StageUuid> {
        let stages = self.project.stages();
        let here = stages.iter().find(|stage| stage.uuid == self.stage)?;
        let destination = here.pathways().iter().find(|way| way.uuid == pathway)?.destination?;
        let stops = |stage: &&Stage| stage.uuid == destination && !matches!(stage.kind, StageKind::Other(_));
        stages.iter().find(stops).map(|stage| stage.uuid)
    }
}
