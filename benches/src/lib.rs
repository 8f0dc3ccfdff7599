//! What the measuring programs in `src/bin` share: how a program that is measured reports.
#![allow(clippy::print_stdout, reason = "the figures are this program's output")]

use std::time::Duration;

/// Prints the line that `xtask/bench` reads.
pub fn report(time: Duration) {
    println!("{{\"seconds\": {}}}", time.as_secs_f64());
}
