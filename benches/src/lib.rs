//! What the measuring programs in `src/bin` share: how a program that is measured reports.
#![allow(clippy::print_stdout, reason = "the figures are this program's output")]

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Prints the line that `xtask/bench` reads.
pub fn report(time: Duration) {
    println!("{{\"seconds\": {}{}}}", time.as_secs_f64(), peak_field());
}

/// Measures the time that passes and the processor time that this process uses.
#[derive(Debug)]
pub struct Stopwatch {
    started: Instant,
    used: Duration,
}

impl Stopwatch {
    /// Starts measuring.
    #[must_use]
    pub fn start() -> Self {
        Stopwatch { started: Instant::now(), used: processor_time() }
    }

    /// Prints the line that `xtask/bench` reads, with both times since the start.
    pub fn report(self) {
        let (seconds, cpu) = (self.started.elapsed().as_secs_f64(), processor_time() - self.used);
        println!("{{\"seconds\": {seconds}, \"cpu\": {}{}}}", cpu.as_secs_f64(), peak_field());
    }
}

fn peak_field() -> String {
    peak_bytes().map(|bytes| format!(", \"peak_bytes\": {bytes}")).unwrap_or_default()
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
