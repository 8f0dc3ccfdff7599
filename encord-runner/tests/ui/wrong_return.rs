//! A return value that is not an outcome.

use encord_runner::{AgentTask, Runner};

async fn agent(task: AgentTask) -> usize {
    task.data_title.len()
}

fn main() {
    let _ = Runner::new().stage("Agent 1", agent);
}
