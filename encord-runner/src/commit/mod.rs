//! From decisions to the platform: label rows are saved, then priorities set, then tasks moved.
//!
//! Each step goes out as one bundle per project. When the bundle fails, its parts are sent one by one so that only
//! the bad ones fail. A task whose save failed is not moved, unless the platform will always refuse it and there is a
//! failure pathway. What was not confirmed is reported as not done.

mod bundle;
mod moves;
mod whereabouts;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use encord_client::{Project, Stage};
use encord_labels::LabelRow;
use encord_labels::id::{DataHash, PathwayUuid, ProjectHash, StageUuid};
use futures::FutureExt;
use tracing::{error, info, warn};

use self::bundle::{Refused, in_bundle};
pub(crate) use self::moves::Move;
use self::moves::{Moved, Mover};
use self::whereabouts::reject_departed;
use crate::beside::Side;
use crate::error::panic_message;
use crate::execute::{Decision, Executed, Failure};
use crate::note::Notes;
use crate::report::{Step, TaskOutcome, TaskRecord};

/// A task whose agent is done, with what is still to be sent.
pub(crate) struct Pending {
    pub(crate) record: TaskRecord,
    decision: Decision,
    failure_pathway: Option<PathwayUuid>,
    /// From when on the labels are too old to be saved without another look at the task; `None` for never.
    recheck_at: Option<Instant>,
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
        let recheck_at = executed.recheck_at;
        let decision = match executed.decision {
            Ok(decision) => {
                record.outcome = TaskOutcome::Stayed;
                decision
            }
            Err(Failure { message, is_outage }) => {
                record.is_outage = is_outage;
                record.outcome = TaskOutcome::Failed { error: message, step: Step::Agent };
                // A sound task must not leave by the failure pathway because the platform was out of reach.
                let pathway = if is_outage { None } else { failure_pathway };
                Decision { pathway, ..Decision::default() }
            }
        };
        Pending { record, decision, failure_pathway, recheck_at }
    }

    /// Whether anything has to be sent.
    pub(crate) fn is_settled(&self) -> bool {
        let Decision { pathway, label_row, priority, beside } = &self.decision;
        pathway.is_none() && label_row.is_none() && priority.is_none() && beside.is_empty()
    }

    /// Whether labels are to be saved, here or in another project.
    fn saves(&self) -> bool {
        let Decision { label_row, beside, .. } = &self.decision;
        label_row.is_some() || beside.iter().any(|side| side.label_row.is_some())
    }

    /// The task stays where it is, and nothing more is sent for it.
    fn fail(&mut self, step: Step, failure: Failure) {
        let Failure { message: error, is_outage } = failure;
        warn!(task = %self.record.task, data_hash = %self.record.data_hash, "{error}");
        self.record.is_outage = is_outage;
        self.drop_decision(TaskOutcome::Failed { error, step });
    }

    /// As [`Pending::fail`], but a task that would be refused again and again leaves by the failure pathway.
    fn refuse(&mut self, step: Step, action: &str, refused: Refused) {
        self.fail(step, refused.failure.of(action));
        if refused.is_final {
            self.decision.pathway = self.failure_pathway;
        }
    }

    fn drop_decision(&mut self, outcome: TaskOutcome) {
        self.record.outcome = outcome;
        self.decision = Decision::default();
    }
}

/// Sends everything that the tasks of one stage led to and says how each of them ended.
///
/// Should that panic, which nothing in here is known to do, the tasks are reported as failed.
pub(crate) async fn commit(
    project: &Project,
    stage: &Stage,
    pending: Vec<Pending>,
    notes: &Notes,
) -> Vec<TaskRecord> {
    let known: Vec<TaskRecord> = pending.iter().map(|task| task.record.clone()).collect();
    let answered: Vec<_> = pending
        .iter()
        .flat_map(|task| task.decision.beside.iter().filter_map(|side| side.after.clone()))
        .collect();
    let sent = AssertUnwindSafe(send(project, stage, pending, notes)).catch_unwind().await;
    for after in answered {
        if catch_unwind(AssertUnwindSafe(|| after())).is_err() {
            warn!("what was to be called after changes to another project panicked");
        }
    }
    sent.unwrap_or_else(|panic| {
        let error = format!("saving and moving panicked: {}", panic_message(panic.as_ref()));
        error!(tasks = known.len(), "{error}");
        let failed = |record: TaskRecord| {
            let outcome = TaskOutcome::Failed { error: error.clone(), step: Step::Save };
            TaskRecord { outcome, ..record }
        };
        known.into_iter().map(failed).collect()
    })
}

async fn send(project: &Project, stage: &Stage, mut pending: Vec<Pending>, notes: &Notes) -> Vec<TaskRecord> {
    reject_departed(project, stage, &mut pending).await;
    save_labels(project, &mut pending).await;
    set_priorities(project, &mut pending).await;
    // Written again after a move that failed, it says the same.
    notes.write_metadata(project, &errors(&pending, |task| task.decision.pathway.is_some())).await;
    move_beside(&mut pending).await;
    move_tasks(project, stage, &mut pending).await;
    // A comment written again would be a second one, so only those get it that will not come back.
    let is_routed = |task: &Pending| matches!(task.record.outcome, TaskOutcome::FailureRouted { .. });
    notes.comment(project, &errors(&pending, is_routed)).await;
    pending.into_iter().map(|task| task.record).collect()
}

/// The errors of some of the tasks, with the data units they are about.
fn errors(pending: &[Pending], wanted: impl Fn(&Pending) -> bool) -> Vec<(DataHash, &str)> {
    let failed = pending.iter().filter(|task| wanted(task));
    failed.filter_map(|task| Some((task.record.data_hash, task.record.error()?))).collect()
}

async fn save_labels(project: &Project, pending: &mut [Pending]) {
    let mut groups: Groups<ProjectHash, (usize, LabelRow)> = Groups::default();
    for (index, task) in pending.iter_mut().enumerate() {
        if let Some(row) = task.decision.label_row.take() {
            groups.of(project, project.hash()).push((index, *row));
        }
        for side in &mut task.decision.beside {
            if let Some(row) = side.label_row.take() {
                groups.of(&side.project, side.project.hash()).push((index, row));
            }
        }
    }
    for (_, target, rows) in groups.0 {
        let is_own = target.hash() == project.hash();
        let results = in_bundle(&rows, |rows| {
            let target = target.clone();
            async move {
                let rows: Vec<&LabelRow> = rows.iter().map(|(_, row)| row).collect();
                target.save_labels(&rows, false).await
            }
            .boxed()
        })
        .await;
        let place = if is_own { String::new() } else { format!(" in project {}", target.hash()) };
        let action = format!("could not save the label row{place}");
        for ((index, _), result) in rows.iter().zip(results) {
            match result {
                Ok(()) => pending[*index].record.labels_saved |= is_own,
                Err(refused) => pending[*index].refuse(Step::Save, &action, refused),
            }
        }
    }
}

/// What goes to several projects, in the order in which they first occurred.
struct Groups<K, T>(Vec<(K, Project, Vec<T>)>);

impl<K, T> Default for Groups<K, T> {
    fn default() -> Self {
        Groups(Vec::new())
    }
}

impl<K: PartialEq, T> Groups<K, T> {
    fn of(&mut self, project: &Project, key: K) -> &mut Vec<T> {
        let place = self.0.iter().position(|(known, _, _)| *known == key).unwrap_or_else(|| {
            self.0.push((key, project.clone(), Vec::new()));
            self.0.len() - 1
        });
        &mut self.0[place].2
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
            Err(refused) => pending[*index].refuse(Step::Priority, "could not set the priority", refused),
        }
    }
}

/// Moves tasks of other projects. They go before the runner's own: a task that stays is worked on again, and then
/// shows what is still to be done beside it.
async fn move_beside(pending: &mut [Pending]) {
    let mut groups: Groups<(ProjectHash, StageUuid), Move> = Groups::default();
    for (index, task) in pending.iter().enumerate() {
        for Side { project, moved, .. } in &task.decision.beside {
            if let Some((stage, step)) = moved {
                groups.of(project, (project.hash(), *stage)).push(Move { index, ..*step });
            }
        }
    }
    for ((hash, stage), project, moves) in groups.0 {
        let results = Mover { project: &project, stage }.run(&moves, false).await;
        for (wanted, result) in moves.iter().zip(results) {
            let failure = match result {
                Moved::Done => continue,
                Moved::Gone => Failure { message: "it has left its stage".to_owned(), is_outage: false },
                Moved::Failed(failure) => failure,
            };
            let task = &mut pending[wanted.index];
            let action = format!("could not move task {} of project {hash}", wanted.task);
            task.fail(Step::Move, failure.of(&action));
        }
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
    let results = Mover { project, stage: stage.uuid }.run(&moves, false).await;
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
            (Moved::Failed(failure), None) => {
                task.fail(Step::Move, failure.of("could not move the task"));
            }
            (Moved::Failed(Failure { message, .. }), Some(_)) => {
                warn!(task = %wanted.task, "could not send the task along the failure pathway: {message}");
            }
        }
    }
}
