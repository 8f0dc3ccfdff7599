//! A future that cannot move between threads.

use std::rc::Rc;

use encord_runner::{AgentTask, Runner};

async fn agent(task: AgentTask) -> String {
    let title = Rc::new(task.data_title);
    std::future::ready(()).await;
    title.to_string()
}

fn main() {
    let _ = Runner::new().stage("Agent 1", agent);
}
