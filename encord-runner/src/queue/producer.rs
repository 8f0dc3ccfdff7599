//! The producer's side: listing a stage into a queue, and following what becomes of the tasks.

use std::time::Duration;

use futures::{Stream, TryStreamExt};
use serde::Serialize;
use tracing::{Instrument, info, info_span};

use super::engine::{Completion, Engine, QueueId};
use super::{QueueRunner, TaskSpec, observe};
use crate::error::Error;
use crate::stage::{self, StageRef};

/// How many specs are handed to the engine together.
const PUSH_SIZE: usize = 500;

/// How many completions are read together.
const READ_SIZE: usize = 500;

/// How many tasks [`QueueRunner::enqueue`] listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Enqueued {
    /// Put into the queue.
    pub new: u64,
    /// In the queue already: waiting, running or dead.
    pub known: u64,
}

impl QueueRunner {
    /// The queue of a stage.
    ///
    /// # Errors
    /// When the project has no such agent stage.
    pub fn queue_id(&self, stage: impl Into<StageRef>) -> Result<QueueId, Error> {
        let stage = stage::resolve(&self.project, &stage.into())?;
        Ok(QueueId { project: self.project.hash(), stage: stage.uuid })
    }

    /// Puts all tasks that are at a stage now into a queue, page by page. A task that is in the queue already,
    /// dead ones included, is not put in twice.
    ///
    /// # Errors
    /// When the stage does not exist, the tasks cannot be listed or the queue cannot be written. What was listed
    /// before is in the queue then; calling again goes on.
    pub async fn enqueue(&self, queue: &dyn Engine, stage: impl Into<StageRef>) -> Result<Enqueued, Error> {
        let id = self.queue_id(stage)?;
        let span = info_span!(
            "enqueue",
            project = %id.project,
            stage = %id.stage,
            queue = queue.name(),
            trace = tracing::field::Empty,
        );
        let trace = observe::trace_of(&span);
        span.record("trace", &trace);
        self.enqueue_into(queue, id, &trace).instrument(span).await
    }

    async fn enqueue_into(&self, queue: &dyn Engine, id: QueueId, trace: &str) -> Result<Enqueued, Error> {
        let mut enqueued = Enqueued::default();
        let mut chunks = std::pin::pin!(self.specs(id.stage)?.try_chunks(PUSH_SIZE));
        loop {
            let (specs, failure): (Vec<TaskSpec>, _) = match chunks.try_next().await {
                Ok(Some(specs)) => (specs, None),
                Ok(None) => break,
                Err(futures::stream::TryChunksError(specs, error)) => (specs, Some(error)),
            };
            let new = queue.push(id, &specs, trace).await?;
            enqueued.new += new;
            enqueued.known += specs.len() as u64 - new;
            if let Some(failure) = failure {
                return Err(failure);
            }
        }
        info!(new = enqueued.new, known = enqueued.known, "enqueued");
        Ok(enqueued)
    }
}

/// Completions as they come, beginning after a position (0 for all that are kept). The stream never ends by itself;
/// with `try_for_each` it is a callback.
///
/// ```no_run
/// # use encord_runner::queue::{self, Engine, QueueId};
/// # use futures::TryStreamExt;
/// # async fn example(queue: &dyn Engine, id: QueueId) -> Result<(), encord_runner::Error> {
/// queue::follow(queue, id, 0, std::time::Duration::from_millis(250))
///     .try_for_each(async |completion| {
///         println!("{}: {}", completion.position, completion.json);
///         Ok(())
///     })
///     .await
/// # }
/// ```
pub fn follow(
    queue: &dyn Engine,
    id: QueueId,
    after: u64,
    poll_every: Duration,
) -> impl Stream<Item = Result<Completion, Error>> + '_ {
    let pages = futures::stream::try_unfold(after, move |after| async move {
        loop {
            let page = queue.completions(id, after, READ_SIZE).await?;
            if let Some(last) = page.last() {
                let position = last.position;
                let page = futures::stream::iter(page.into_iter().map(Ok::<_, Error>));
                return Ok::<_, Error>(Some((page, position)));
            }
            tokio::time::sleep(poll_every).await;
        }
    });
    pages.try_flatten()
}
