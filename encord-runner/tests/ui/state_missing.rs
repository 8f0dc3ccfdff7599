//! A runner that was not given the state its agent wants.

use encord_runner::{Runner, State};

#[derive(Clone)]
struct Model;

async fn agent(State(_model): State<Model>) -> &'static str {
    "complete"
}

fn main() {
    let _ = Runner::new().stage("Agent 1", agent);
}
