//! A parameter that is not an extractor.

use encord_runner::{AgentTask, Runner};

async fn agent(_task: AgentTask, _frames: Vec<u8>) -> &'static str {
    "complete"
}

fn main() {
    let _ = Runner::new().stage("Agent 1", agent);
}
