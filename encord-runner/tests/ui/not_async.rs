//! A function that is not async.

use encord_runner::{AgentTask, Runner};

fn agent(_task: AgentTask) -> &'static str {
    "complete"
}

fn main() {
    let _ = Runner::new().stage("Agent 1", agent);
}
