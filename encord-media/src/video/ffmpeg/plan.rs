//! Which packets to decode for the frames that are wanted.
//!
//! Frames are grouped by the key frame they lean on. Between groups the decoder starts afresh, which skips every
//! packet in between; groups that touch, or that nothing would be gained from parting, become one run.

use super::index::Index;

/// A stretch of packets that is decoded in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// The packet to start at, a key frame.
    pub(super) start: usize,
    /// The last packet that is needed.
    pub(super) end: usize,
    /// The frames wanted from it, in order; repeated numbers are repeated.
    pub(super) wanted: Vec<u64>,
}

/// Plans runs for ascending frame numbers that all exist.
///
/// A restart is made only if it skips more than `worth` packets.
pub(super) fn plan(index: &Index, numbers: &[u64], worth: usize) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for number in numbers {
        let packet = index.order[*number as usize] as usize;
        let start = index.key_of(packet);
        match runs.last_mut() {
            // What was planned so far may reach past the key frame: then it goes on without a restart.
            Some(run) if start == run.start || start <= run.end.saturating_add(1).saturating_add(worth) => {
                run.end = run.end.max(packet);
                run.wanted.push(*number);
            }
            _ => runs.push(Run { start, end: packet, wanted: vec![*number] }),
        }
    }
    runs
}
