//! Sets the priority of each task from its title, without fetching anything but the tasks themselves:
//! a title that says "urgent" comes first, then the one with the smallest number.
//!
//! ```sh
//! cargo run -p encord-examples --bin priority_by_title -- --project-hash H
//! ```

use std::process::ExitCode;

use anyhow::Result;
use encord_agents::prelude::*;
use encord_examples::{exit_code, first_agent_stage, first_pathway, project_from_arguments};

async fn by_title(task: AgentTask, stage: Stage) -> Result<Outcome> {
    Ok(first_pathway(&stage)?.with_priority(priority(&task.data_title)))
}

/// From 1 (urgent), over 0.9 (number 0) down towards 0; 0.5 without a number.
fn priority(title: &str) -> f64 {
    if title.to_lowercase().contains("urgent") {
        return 1.0;
    }
    let digits: String =
        title.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).take(9).collect();
    digits.parse::<f64>().map_or(0.5, |number| 0.9 / (1.0 + number / 100.0))
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<ExitCode> {
    let project = project_from_arguments().await?;
    let stage = first_agent_stage(&project)?.uuid;
    Ok(Runner::new().with_project(project).stage(stage, by_title).run_cli().await)
}

#[cfg(test)]
mod tests {
    use super::priority;

    #[test]
    fn urgent_titles_come_first_then_small_numbers() {
        assert_eq!(priority("URGENT 7.jpg"), 1.0);
        assert_eq!(priority("clip 0.mp4"), 0.9);
        assert!(priority("clip 12.mp4") > priority("clip 13.mp4"));
        assert_eq!(priority("no number"), 0.5);
        assert!(priority("99999999999999999999") >= 0.0);
    }
}
