//! What the measuring programs in `src/bin` share: how a program that is measured reports.
#![allow(clippy::print_stdout, reason = "the figures are this program's output")]

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Prints the line that `xtask/bench` reads.
pub fn report(time: Duration) {
    let seconds = time.as_secs_f64();
    match peak_bytes() {
        Some(bytes) => println!("{{\"seconds\": {seconds}, \"peak_bytes\": {bytes}}}"),
        None => println!("{{\"seconds\": {seconds}}}"),
    }
}

/// The processor time that this process has used so far. What waits for nothing is measured with it, because it does
/// not count what else the machine is doing.
pub fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// The most memory this process has had, where Linux says it. What it says to the parent of a process includes what
/// the parent had when it started it.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}
