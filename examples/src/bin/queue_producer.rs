//! Puts the tasks of the agent stages into a queue, for any number of `queue_worker`s to take, and looks after it.
//!
//! ```sh
//! cargo run -p encord-examples --bin queue_producer -- --project-hash H --queue tasks.db
//! cargo run -p encord-examples --bin queue_producer -- status --project-hash H --queue tasks.db
//! ```
//!
//! Run it as often as you like: a task that is in the queue already is not put in twice. Other commands than
//! `enqueue` are `status`, `dead list`, `dead retry`, `dead drop` and `results`.

use std::process::ExitCode;

use encord_examples::run_queue_program;

/// A producer runs no agent, but a runner wants to know what its stages are for.
async fn left_to_the_workers() {}

#[tokio::main]
async fn main() -> ExitCode {
    run_queue_program("enqueue", |runner, stage| runner.stage(stage.uuid, left_to_the_workers)).await
}
