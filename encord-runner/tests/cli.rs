//! The command line: options, exit codes, the report file.

mod support;

use std::process::ExitCode;

use encord_runner::AgentTask;
use support::{World, images};

/// Runs with these flags an agent that fails on one of three tasks if told to.
async fn run(world: &World, fail: bool, flags: &[&str]) -> ExitCode {
    let bad = world.state().tasks[1].uuid;
    let agent = move |task: AgentTask| async move {
        if fail && task.uuid.uuid() == bad { Err("no") } else { Ok("complete") }
    };
    let line = ["program", "--quiet", "--num-retries", "0"].iter().chain(flags);
    world.runner().stage("Agent 1", agent).run_cli_with(line).await
}

fn is(code: ExitCode, expected: u8) -> bool {
    format!("{code:?}") == format!("{:?}", ExitCode::from(expected))
}

#[tokio::test]
async fn exit_codes_tell_how_it_went() {
    let world = images(3).await;
    assert!(is(run(&world, true, &["--max-tasks-per-stage", "2"]).await, 1));
    assert!(is(run(&world, false, &["--project-hash", &world.project.hash().to_string()]).await, 0));
    assert_eq!(world.at("Complete"), 3);
    let other = "566bf9d7-c55a-45f8-91a6-e55e9b9b1325";
    for flags in
        [&["--project-hash", other][..], &["--stage", "Nowhere"], &["--task-batch-size", "0"], &["--what"]]
    {
        assert!(is(run(&world, false, flags).await, 2), "{flags:?}");
    }
    assert!(is(run(&world, false, &["--help"]).await, 0));
}

#[tokio::test]
async fn the_report_file_has_a_line_per_task() {
    let world = images(3).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.jsonl");
    let code = run(&world, true, &["--stage", "Agent 1", "--report", path.to_str().unwrap()]).await;
    assert!(is(code, 1));
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 3);
}
