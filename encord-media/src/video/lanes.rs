//! Decoding happens on worker threads, one per lane, and frames come out of bounded channels.
//!
//! A bounded channel is what keeps memory constant: a worker that is ahead waits. With two lanes, two decoders
//! work on independent stretches of the file and the frames are woven back into order here. If a worker finds
//! damage, everything still missing is fetched again the slow and certain way.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::Frame;
use crate::error::{Error, Result};
use crate::source::Source;

/// Decoded frames in ascending order. The iterator ends after its first error.
///
/// Decoding runs ahead on worker threads by a bounded number of frames; dropping the iterator stops it.
pub struct Frames {
    lanes: Vec<Lane>,
    /// Which lane delivers how many frames next; `None` is one lane until it closes.
    schedule: Option<VecDeque<(usize, usize)>>,
    delivered: u64,
    fallback: Option<Fallback>,
    /// What to say once everything was delivered.
    tail: Option<Error>,
    /// Keeps the file where it is. After `lanes`, whose workers read it.
    keeper: Option<Source>,
}

/// Starts again after damage, given how many frames were delivered before.
pub(crate) type Fallback = Box<dyn FnOnce(u64) -> Result<Frames> + Send>;

impl Frames {
    /// Frames of one worker, until it ends.
    pub(crate) fn from_lane(lane: Lane) -> Self {
        Self { lanes: vec![lane], schedule: None, delivered: 0, fallback: None, tail: None, keeper: None }
    }

    /// Frames of several workers; the schedule says which of them is next for how many.
    pub(crate) fn woven(lanes: Vec<Lane>, schedule: VecDeque<(usize, usize)>) -> Self {
        Self { lanes, schedule: Some(schedule), delivered: 0, fallback: None, tail: None, keeper: None }
    }

    /// What to do if a worker finds damage.
    pub(crate) fn or_else(mut self, fallback: Fallback) -> Self {
        self.fallback = Some(fallback);
        self
    }

    /// Holds on to a source until the frames are dropped.
    pub(crate) fn keeping(mut self, keeper: Option<Source>) -> Self {
        self.keeper = keeper;
        self
    }

    /// An error to end with.
    pub(crate) fn and_then_fail(mut self, tail: Option<Error>) -> Self {
        self.tail = tail;
        self
    }

    fn next_lane(&mut self) -> Option<usize> {
        let Some(schedule) = &mut self.schedule else { return (!self.lanes.is_empty()).then_some(0) };
        while schedule.front().is_some_and(|(_, count)| *count == 0) {
            schedule.pop_front();
        }
        schedule.front().map(|(lane, _)| *lane)
    }

    fn finish(&mut self) {
        self.lanes.clear();
        self.schedule = None;
        self.fallback = None;
    }
}

impl Iterator for Frames {
    type Item = Result<Frame>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(lane) = self.next_lane() else {
                self.finish();
                return self.tail.take().map(Err);
            };
            match self.lanes[lane].0.recv() {
                Ok(Message::Frame(frame)) => {
                    self.delivered += 1;
                    if let Some((_, count)) = self.schedule.as_mut().and_then(VecDeque::front_mut) {
                        *count -= 1;
                    }
                    return Some(Ok(frame));
                }
                Ok(Message::Damaged(error)) => {
                    let Some(fallback) = self.fallback.take() else {
                        self.finish();
                        self.tail = None;
                        return Some(Err(error));
                    };
                    // The workers stop when their channels close.
                    self.lanes.clear();
                    match fallback(self.delivered) {
                        Ok(frames) => *self = frames.keeping(self.keeper.take()),
                        Err(error) => {
                            self.finish();
                            self.tail = None;
                            return Some(Err(error));
                        }
                    }
                }
                Ok(Message::Failed(error)) => {
                    self.finish();
                    self.tail = None;
                    return Some(Err(error));
                }
                Err(_) => {
                    self.finish();
                    return self.tail.take().map(Err);
                }
            }
        }
    }
}

impl std::iter::FusedIterator for Frames {}

impl std::fmt::Debug for Frames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frames").field("delivered", &self.delivered).finish_non_exhaustive()
    }
}

/// The receiving end of one worker.
pub(crate) struct Lane(Receiver<Message>);

enum Message {
    Frame(Frame),
    Damaged(Error),
    Failed(Error),
}

/// Why a worker stopped before its work was done.
pub(crate) enum Halt {
    /// Nobody wants more frames.
    Closed,
    /// The stream is damaged, or not what its index promised; a decoder that is sure could go on.
    Damaged(Error),
    /// Nothing helps.
    Failed(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Where a worker puts its frames.
pub(crate) struct Outlet(SyncSender<Message>);

impl Outlet {
    /// Delivers a frame; waits while the channel is full.
    pub(crate) fn send(&self, frame: Frame) -> Result<(), Halt> {
        self.0.send(Message::Frame(frame)).map_err(|_| Halt::Closed)
    }
}

/// Starts a worker that may be `capacity` frames ahead.
pub(crate) fn spawn(
    source: Source,
    capacity: usize,
    work: impl FnOnce(&Outlet) -> Result<(), Halt> + Send + 'static,
) -> Result<Lane> {
    let (sender, receiver) = sync_channel(capacity.max(1));
    let outlet = Outlet(sender);
    let worker = thread::Builder::new().name("encord-media decoder".into());
    let about = source.clone();
    worker
        .spawn(move || {
            let result = source
                .contain("video", || Ok(work(&outlet)))
                .unwrap_or_else(|error| Err(Halt::Failed(error)));
            // If nobody listens any more there is nobody to tell.
            let _ = match result {
                Ok(()) | Err(Halt::Closed) => Ok(()),
                Err(Halt::Damaged(error)) => outlet.0.send(Message::Damaged(error)),
                Err(Halt::Failed(error)) => outlet.0.send(Message::Failed(error)),
            };
        })
        .map_err(|error| about.io(error))?;
    Ok(Lane(receiver))
}
