//! Working through queues: which tasks are taken when, and what runs beside what.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::QueueRunner;
use super::engine::{Delivery, Engine, QueueId};
use super::lane::Lane;
use super::observe;
use crate::error::Error;
use crate::shutdown::{StopHandle, Urgency};

/// The pause before a queue that failed is asked again.
pub(super) const OUTAGE_PAUSE: Duration = Duration::from_millis(500);

/// How a worker behaves.
#[derive(Clone, Debug)]
pub struct WorkOptions {
    /// How many tasks (or batches of tasks) are worked on at the same time. Default: 1.
    pub concurrency: usize,
    /// How many tasks are given to an agent's handler together, so that their rows, labels and items are fetched,
    /// and the tasks moved, in bulk. They are acknowledged one by one. Default: 1.
    pub batch: usize,
    /// Return when nothing waits and nothing runs, in this worker or any other. Default: wait for more.
    pub until_empty: bool,
    /// After this long without a sign of life a worker counts as dead and its tasks are given to others. Running
    /// tasks may take longer: their worker renews the lease. At least 3 s. Default: 30 s.
    pub lease: Duration,
    /// How often to look for tasks when there are none. Default: 250 ms.
    pub poll_every: Duration,
    /// The pause before a failed task is delivered again; it doubles with each failure, up to 10 minutes. The pauses
    /// while the platform is out of reach begin with it too, and double up to a minute. Default: 1 s.
    pub retry_pause: Duration,
    /// How long the queue may be out of reach before the worker gives up. Default: 5 minutes.
    pub patience: Duration,
}

impl Default for WorkOptions {
    fn default() -> Self {
        WorkOptions {
            concurrency: 1,
            batch: 1,
            until_empty: false,
            lease: Duration::from_secs(30),
            poll_every: Duration::from_millis(250),
            retry_pause: Duration::from_secs(1),
            patience: Duration::from_secs(300),
        }
    }
}

impl WorkOptions {
    fn validate(&self) -> Result<(), Error> {
        let refuse =
            |option, problem: &str| Err(Error::InvalidOption { option, problem: problem.to_owned() });
        match self {
            WorkOptions { concurrency: 0, .. } => refuse("concurrency", "0 is not allowed; use at least 1"),
            WorkOptions { batch: 0, .. } => refuse("batch", "0 is not allowed; use at least 1"),
            WorkOptions { lease, .. } if lease.as_secs() < 3 => refuse("lease", "use at least 3 s"),
            _ => Ok(()),
        }
    }
}

/// What a worker did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WorkReport {
    /// Tasks done, those included that turned out to be done or gone before.
    pub done: u64,
    /// Deliveries that failed; the tasks come again or are dead.
    pub failed: u64,
    /// Deliveries that ended because the platform was out of reach. They do not count against their tasks, which come
    /// again.
    pub handed_back: u64,
    /// Tasks given up.
    pub dead: u64,
    /// Deliveries that were not the first of their task.
    pub redelivered: u64,
}

impl WorkReport {
    pub(super) fn add(&mut self, other: WorkReport) {
        self.done += other.done;
        self.handed_back += other.handed_back;
        self.failed += other.failed;
        self.dead += other.dead;
        self.redelivered += other.redelivered;
    }
}

type Taken = (Arc<Lane>, Vec<Box<dyn Delivery>>);

impl QueueRunner {
    /// Works on the queued tasks of all registered stages until told to stop by the runner's
    /// [`StopHandle`], or until the queues are empty. Start as many workers as you like, in one
    /// process or several.
    ///
    /// A task is delivered at least once. When a worker dies in the middle, its tasks are delivered again; those it
    /// had moved by then count as done. Such tasks are run one at a time with nothing beside them, so that one which
    /// kills its worker takes no others along. A task that fails, or kills its worker, too often is dead.
    ///
    /// While the platform is out of reach, tasks go back into the queue without that counting against them, and the
    /// worker tries again after growing pauses.
    ///
    /// # Errors
    /// When options make no sense, or the queue is out of reach at the start or for longer than
    /// [`patience`](WorkOptions::patience). Failures of tasks are in the report and the queue.
    pub async fn work(&self, queue: &dyn Engine, options: WorkOptions) -> Result<WorkReport, Error> {
        options.validate()?;
        let _signals = self.signals.then(|| self.stop.on_signals());
        let lanes = self.lanes(queue, &options).await?;
        let mut work = Work {
            lanes,
            options,
            running: JoinSet::new(),
            suspects: VecDeque::new(),
            report: WorkReport::default(),
        };
        let watched = self.agent_stages().map(|stage| self.queue_id(stage.uuid)).collect::<Result<_, _>>()?;
        let ended = tokio::select! {
            ended = work.take_and_run(&self.stop) => ended,
            () = observe::watch(queue, watched) => Ok(()),
        };
        // Also after the queue was lost: what runs may still end well and be acknowledged.
        work.run_suspects(&self.stop).await;
        work.finish(&self.stop).await;
        let WorkReport { done, failed, handed_back, dead, redelivered } = work.report;
        info!(done, failed, handed_back, dead, redelivered, "worker ends");
        ended.map(|()| work.report)
    }

    async fn lanes(&self, queue: &dyn Engine, options: &WorkOptions) -> Result<Vec<Arc<Lane>>, Error> {
        // Agents are called in so many batches at a time, whatever is fetched and answered beside them.
        let turns = Arc::new(Semaphore::new(options.concurrency));
        let mut lanes = Vec::new();
        for stage in self.agent_stages() {
            let id = QueueId { project: self.project.hash(), stage: stage.uuid };
            let session = queue.listen(id, options.lease).await?;
            let (handler, stop, turns) = (self.handler(stage.uuid)?, self.stop.clone(), Arc::clone(&turns));
            lanes.push(Arc::new(Lane::new(handler, session, stop, options.clone(), turns)));
        }
        Ok(lanes)
    }
}

/// A worker at work.
struct Work {
    lanes: Vec<Arc<Lane>>,
    options: WorkOptions,
    running: JoinSet<WorkReport>,
    /// Tasks whose worker died; one of them may have killed it.
    suspects: VecDeque<(Arc<Lane>, Box<dyn Delivery>)>,
    report: WorkReport,
}

impl Work {
    async fn take_and_run(&mut self, stop: &StopHandle) -> Result<(), Error> {
        let mut lost_at: Option<Instant> = None;
        while !stop.is_stopping() {
            self.run_suspects(stop).await;
            let full = self.running.len() >= self.most_at_once();
            let mut pause = self.options.poll_every;
            if !full {
                match self.next(lost_at.is_some()).await {
                    Ok(Next::Tasks((lane, deliveries))) => {
                        lost_at = None;
                        let deliveries = self.set_suspects_apart(&lane, deliveries);
                        self.running.spawn(async move { lane.run(deliveries).await });
                        continue;
                    }
                    Ok(Next::Nothing) => lost_at = None,
                    Ok(Next::Empty) => return Ok(()),
                    Err(failure) => {
                        let since = *lost_at.get_or_insert_with(Instant::now);
                        if since.elapsed() >= self.options.patience {
                            return Err(failure);
                        }
                        warn!("the queue does not answer, trying again: {failure}");
                        pause = OUTAGE_PAUSE;
                    }
                }
            }
            tokio::select! {
                Some(finished) = self.running.join_next(), if !self.running.is_empty() => {
                    self.report.add(finished.unwrap_or_default());
                }
                () = tokio::time::sleep(pause), if !full => {}
                () = stop.at_least(Urgency::Graceful) => {}
            }
        }
        Ok(())
    }

    /// Keeps those to be run alone, returns the others.
    fn set_suspects_apart(
        &mut self,
        lane: &Arc<Lane>,
        deliveries: Vec<Box<dyn Delivery>>,
    ) -> Vec<Box<dyn Delivery>> {
        let (suspects, others) =
            deliveries.into_iter().partition(|delivery| delivery.unanswered_before() > 0);
        let suspects: Vec<Box<dyn Delivery>> = suspects;
        self.suspects.extend(suspects.into_iter().map(|suspect| (Arc::clone(lane), suspect)));
        others
    }

    /// Once the worker is to end, none is begun any more.
    async fn run_suspects(&mut self, stop: &StopHandle) {
        while let Some((lane, suspect)) = self.suspects.pop_front() {
            self.finish(stop).await;
            if stop.is_stopping() {
                self.suspects.push_front((lane, suspect));
                return self.leave_suspects().await;
            }
            self.running.spawn(async move { lane.run_alone(suspect).await });
            self.finish(stop).await;
        }
    }

    /// Gives those back that were not begun, so that they are not taken for ones that killed their worker again.
    async fn leave_suspects(&mut self) {
        for (lane, suspect) in self.suspects.drain(..) {
            lane.leave(&*suspect).await;
        }
    }

    /// Batches in hand. Where batches are quick, as many again as may run are fetched while those run, or answered
    /// after they did: otherwise slots would be idle during either.
    fn most_at_once(&self) -> usize {
        let ahead =
            self.lanes.iter().any(|lane| lane.is_quick()) && !self.lanes.iter().any(|lane| lane.is_slow());
        self.options.concurrency.saturating_mul(if ahead { 2 } else { 1 })
    }

    /// The next tasks of the first stage that has some and does not rest; stages take turns in being the first.
    async fn next(&mut self, was_lost: bool) -> Result<Next, Error> {
        for _ in 0..self.lanes.len() {
            let lane = Arc::clone(&self.lanes[0]);
            let deliveries =
                if lane.rests() { Vec::new() } else { lane.session.take(self.options.batch).await? };
            self.lanes.rotate_left(1);
            if !deliveries.is_empty() {
                return Ok(Next::Tasks((lane, deliveries)));
            }
        }
        if !self.options.until_empty || !self.running.is_empty() || was_lost {
            return Ok(Next::Nothing);
        }
        for lane in &self.lanes {
            if !lane.session.is_empty().await? {
                return Ok(Next::Nothing);
            }
        }
        Ok(Next::Empty)
    }

    async fn finish(&mut self, stop: &StopHandle) {
        loop {
            tokio::select! {
                biased;
                // What still runs is delivered again when its lease has ended.
                () = stop.at_least(Urgency::Now) => return,
                finished = self.running.join_next() => match finished {
                    Some(finished) => self.report.add(finished.unwrap_or_default()),
                    None => return,
                },
            }
        }
    }
}

/// What a look into the queues found.
enum Next {
    Tasks(Taken),
    Nothing,
    Empty,
}
