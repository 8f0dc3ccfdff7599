//! The command line of a queue, as a program of its own: what it prints and how it exits.

use std::process::{Command, Stdio};

use encord_runner::{AgentTask, Runner};
use serde_json::Value;

use crate::place::Place;
use crate::support::{World, client, images};

const URL: &str = "QUEUE_TEST_CLI_URL";
const KEY: &str = "QUEUE_TEST_CLI_KEY";
const LINE: &str = "QUEUE_TEST_CLI_LINE";
/// The task whose agent fails.
const BAD: &str = "QUEUE_TEST_CLI_BAD";

on_each_engine! {
    commands_say_what_they_did
}

/// Does nothing unless it was started by a test below.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn program() {
    let Ok(url) = std::env::var(URL) else { return };
    let variable = |name| std::env::var(name).unwrap_or_default();
    let bad = variable(BAD);
    let agent = move |task: AgentTask| {
        let fails = task.uuid.to_string() == bad;
        async move { if fails { Err("out of luck") } else { Ok("complete") } }
    };
    let runner =
        Runner::new().with_client(client(&url, &variable(KEY))).configure(|options| options.num_retries = 0);
    let code = runner.stage("Agent 1", agent).run_queue_cli_with(variable(LINE).split(' ')).await;
    let codes =
        [0_u8, 1, 2].map(|code| (i32::from(code), format!("{:?}", std::process::ExitCode::from(code))));
    let (number, _) = codes.iter().find(|(_, text)| *text == format!("{code:?}")).unwrap();
    std::process::exit(*number);
}

/// The exit code of a command, and what it printed: one JSON value after the other.
async fn run(world: &World, queue: &str, bad: &str, command: &str) -> (i32, Vec<Value>) {
    let hash = world.project.hash();
    // A file takes the number of deliveries from the command that fills it, a server from the one that works.
    let line =
        format!("program {command} --quiet --json --max-deliveries 1 --project-hash {hash} --queue {queue}");
    let mut program = Command::new(std::env::current_exe().unwrap());
    program
        .args(["--exact", "command_line::program", "--nocapture"])
        .env(URL, world.sandbox.url())
        .env(KEY, world.sandbox.private_key_openssh().unwrap())
        .env(LINE, line)
        .env(BAD, bad)
        .stderr(Stdio::null());
    let output = tokio::task::spawn_blocking(move || program.output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // The test harness says something of its own before.
    let json = text.find('{').map_or("", |start| &text[start..]);
    let values = serde_json::Deserializer::from_str(json).into_iter::<Value>();
    (output.status.code().unwrap_or(-1), values.map_while(Result::ok).collect())
}

async fn commands_say_what_they_did(place: &Place) {
    let world = images(3).await;
    let bad = world.state().tasks[1].uuid.to_string();
    let address = place.address();
    let told = async |bad: &str, command: &str| run(&world, &address, bad, command).await;
    let (code, printed) = told("", "enqueue").await;
    assert_eq!((code, &printed[0]["new"], &printed[0]["known"]), (0, &3.into(), &0.into()));
    assert_eq!(printed[0]["stages"][0]["stage"], "Agent 1");
    let (code, printed) = told("", "status").await;
    assert_eq!((code, &printed[0]["stages"][0]["waiting"]), (0, &3.into()), "{printed:?}");
    let (code, printed) = told(&bad, "work --until-empty --concurrency 2").await;
    assert_eq!((code, &printed[0]["done"], &printed[0]["dead"]), (1, &2.into(), &1.into()), "{printed:?}");
    let (code, printed) = told("", "dead list").await;
    let dead = &printed[0]["dead"][0];
    assert_eq!((code, &dead["key"], &dead["deliveries"]), (0, &Value::from(bad.as_str()), &1.into()));
    assert!(dead["error"].as_str().unwrap().contains("out of luck"), "{dead}");
    for missing in ["dead retry 00000000-0000-0000-0000-000000000007", "dead drop *", "dead drop >"] {
        let (code, printed) = told("", missing).await;
        assert_eq!((code, printed[0]["missing"].as_array().unwrap().len()), (1, 1), "{missing}: {printed:?}");
    }
    let (code, printed) = told("", &format!("dead retry {bad}")).await;
    assert_eq!((code, &printed[0]["retried"]), (0, &1.into()), "{printed:?}");
    assert_eq!(
        told("", "dead drop --all").await,
        (0, vec![serde_json::json!({"dropped": 0, "missing": []})])
    );
    let (code, printed) = told("", "work --until-empty").await;
    assert_eq!((code, &printed[0]["done"]), (0, &1.into()), "{printed:?}");
    let (code, printed) = told("", "results").await;
    assert_eq!((code, printed.len()), (0, 3));
    assert!(printed.iter().all(|completion| completion["success"] == true), "{printed:?}");
    assert_eq!(told("", "results --after 18446744073709551615").await, (0, Vec::new()));
    assert_eq!(world.at("Complete"), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_that_cannot_start_say_so() {
    let world = images(1).await;
    let place = Place::file().unwrap();
    let address = place.address();
    for (queue, command) in [
        ("amqp://127.0.0.1", "status"),
        ("no/such/folder/queue.db", "enqueue"),
        ("nats://127.0.0.1:1", "status"),
        (address.as_str(), "work --concurrency 0"),
        (address.as_str(), "work --lease 1"),
        (address.as_str(), "status --stage Nowhere"),
        (address.as_str(), "jump"),
    ] {
        assert_eq!(run(&world, queue, "", command).await, (2, Vec::new()), "{queue} {command}");
    }
}
