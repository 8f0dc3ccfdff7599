//! Video through FFmpeg: list the packets once, then decode no more than the wanted frames need.
//!
//! Sequential work runs on the decoder's own frame threads. Sparse work over several groups of pictures runs on
//! two decoders, each with every other run. Irregular or damaged files are decoded from the start and counted.

mod convert;
mod damage;
mod decode;
mod index;
mod input;
mod plan;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use self::decode::Pick;
use self::index::Index;
use self::input::{Input, Mode};
use self::plan::Run;
use super::lanes::{self, Frames, Halt, Lane};
use super::turn::Turn;
use super::{Engine, VideoFacts, out_of_range};
use crate::error::Result;
use crate::limits::Limits;
use crate::source::Source;

/// Memory for decoded frames that wait in one lane, in bytes.
const LANE_BYTES: u64 = 96 << 20;

/// With one decoder a restart empties its pipeline: it has to skip more packets than this to be worth it.
const RESTART: usize = 8;

/// Opens a file.
pub(super) fn open(path: &Path, limits: &Limits) -> Result<Arc<Ffmpeg>> {
    damage::listen();
    let (facts, turn) = Input::open(path)?.facts(path)?;
    limits.check_picture(&path.display().to_string(), facts.width.into(), facts.height.into(), 3)?;
    let file = File { path: path.into(), limits: *limits, facts, turn };
    Ok(Arc::new(Ffmpeg { file: Arc::new(file), index: Mutex::default(), times: Mutex::default() }))
}

/// The engine behind [`Backend::Ffmpeg`](super::Backend::Ffmpeg).
pub(super) struct Ffmpeg {
    file: Arc<File>,
    index: Mutex<Option<Arc<Index>>>,
    times: Mutex<Option<Arc<[f64]>>>,
}

/// What every worker has to know.
struct File {
    path: Box<Path>,
    limits: Limits,
    facts: VideoFacts,
    turn: Turn,
}

impl File {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// How many decoded frames may wait in one lane.
    fn capacity(&self) -> usize {
        let frame = u64::from(self.facts.width) * u64::from(self.facts.height) * 3;
        (LANE_BYTES / frame.max(1)).clamp(2, 64) as usize
    }
}

impl Engine for Ffmpeg {
    fn facts(&self) -> &VideoFacts {
        &self.file.facts
    }

    fn times(&self) -> Result<Arc<[f64]>> {
        let mut times = self.times.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(times) = &*times {
            return Ok(Arc::clone(times));
        }
        let index = self.index()?;
        let counted: Arc<[f64]> = if index.irregular.is_none() {
            index.times(Input::open(&self.file.path)?.tick()).into()
        } else {
            let count = |mode| decode::sequential(&self.file, None, mode, &Pick::Nothing, |_| Ok(()));
            let counted = count(Mode::Fast(threads())).or_else(|halt| match halt {
                Halt::Damaged(_) => count(Mode::Certain),
                halt => Err(halt),
            });
            counted
                .map_err(|halt| match halt {
                    Halt::Failed(error) | Halt::Damaged(error) => error,
                    Halt::Closed => input::broken(&self.file.path, "decoding stopped"),
                })?
                .into()
        };
        *times = Some(Arc::clone(&counted));
        Ok(counted)
    }

    fn all(self: Arc<Self>) -> Result<Frames> {
        let lane = self.spawn_sequential(None, Mode::Fast(threads()), Pick::AllAfter(0))?;
        Ok(Frames::from_lane(lane).or_else(Box::new(move |delivered| {
            let index = self.index()?;
            let lane = self.spawn_sequential(Some(index), Mode::Certain, Pick::AllAfter(delivered))?;
            Ok(Frames::from_lane(lane))
        })))
    }

    fn pick(self: Arc<Self>, numbers: Vec<u64>) -> Result<Frames> {
        let index = self.index()?;
        if index.irregular.is_some() {
            let lane = self.spawn_sequential(None, Mode::Fast(threads()), Pick::Numbers(numbers.clone()))?;
            return Ok(Frames::from_lane(lane)
                .or_else(Box::new(move |delivered| self.certain(None, &numbers, delivered))));
        }
        let count = index.order.len() as u64;
        let existing = numbers.partition_point(|number| *number < count);
        let missing = numbers.get(existing).map(|number| out_of_range(&self.file.path, *number, count));
        let frames = self.planned(&index, &numbers[..existing])?.and_then_fail(missing);
        Ok(frames.or_else(Box::new(move |delivered| self.certain(Some(index), &numbers, delivered))))
    }
}

impl Ffmpeg {
    fn index(&self) -> Result<Arc<Index>> {
        let mut index = self.index.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(index) = &*index {
            return Ok(Arc::clone(index));
        }
        let built = Source::from(&*self.file.path)
            .contain("video", || Index::build(&self.file.path, &self.file.limits))?;
        Ok(Arc::clone(index.insert(Arc::new(built))))
    }

    /// Starts the decoders that the plan for these frames is best served by.
    fn planned(&self, index: &Arc<Index>, numbers: &[u64]) -> Result<Frames> {
        let capacity = self.file.capacity();
        let apart = plan::plan(index, numbers, 0);
        let widest = apart.iter().map(|run| run.wanted.len()).max().unwrap_or(0);
        // A second decoder only helps if it can finish a run while the first still works on the one before.
        if apart.len() > 1 && widest <= capacity && cores() > 1 {
            let schedule: VecDeque<_> =
                apart.iter().enumerate().map(|(number, run)| (number % 2, run.wanted.len())).collect();
            let (mut even, mut odd) = (Vec::new(), Vec::new());
            for (number, run) in apart.into_iter().enumerate() {
                if number % 2 == 0 { even.push(run) } else { odd.push(run) }
            }
            let lanes = [even, odd].map(|runs| self.spawn_runs(Arc::clone(index), runs, 1, capacity));
            let [even, odd] = lanes;
            return Ok(Frames::woven(vec![even?, odd?], schedule));
        }
        let lane = self.spawn_runs(Arc::clone(index), plan::plan(index, numbers, RESTART), threads(), 4)?;
        Ok(Frames::from_lane(lane))
    }

    /// What is still missing after damage, decoded from the start on one thread.
    fn certain(&self, index: Option<Arc<Index>>, numbers: &[u64], delivered: u64) -> Result<Frames> {
        let rest = numbers.get(delivered as usize..).unwrap_or(&[]).to_vec();
        if rest.is_empty() {
            return Err(input::broken(&self.file.path, "it is damaged"));
        }
        Ok(Frames::from_lane(self.spawn_sequential(index, Mode::Certain, Pick::Numbers(rest))?))
    }

    fn spawn_runs(&self, index: Arc<Index>, runs: Vec<Run>, threads: usize, capacity: usize) -> Result<Lane> {
        let file = Arc::clone(&self.file);
        lanes::spawn(Source::from(&*self.file.path), capacity, move |outlet| {
            decode::runs(&file, &index, &runs, threads, outlet)
        })
    }

    fn spawn_sequential(&self, index: Option<Arc<Index>>, mode: Mode, pick: Pick) -> Result<Lane> {
        let file = Arc::clone(&self.file);
        lanes::spawn(Source::from(&*self.file.path), 4, move |outlet| {
            decode::sequential(&file, index.as_deref(), mode, &pick, |frame| outlet.send(frame)).map(drop)
        })
    }
}

/// Cores worth using; the threads of more than a few only cost memory.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |count| count.get().min(8))
}

/// Threads of a decoder that works alone. One more than cores, because the thread that converts frames keeps the
/// decoder's waiting while it does: measured on two cores, a tenth less time for all frames of a video.
fn threads() -> usize {
    cores() + 1
}
