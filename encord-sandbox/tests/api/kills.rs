//! A sandbox that is killed while it stores: what was answered is there afterwards, and nothing half done.
//!
//! `ENCORD_SANDBOX_KILLS=200 cargo test -p encord-sandbox kills` kills more often than the default.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::wire::{Wire, http, secret_of};

const PROJECT: &str = "0c000000-0000-4000-8000-000000000001";
const STAGES: [&str; 2] = ["0c000000-0000-4000-8000-00000000000a", "0c000000-0000-4000-8000-00000000000b"];
/// Clients at work at the same time, each with tasks of its own.
const GROUPS: usize = 4;
/// Tasks and label rows that one request changes.
const BUNDLE: usize = 10;

/// The program, with its state in a folder.
struct Program {
    child: Child,
    wire: Wire,
}

impl Program {
    fn start(folder: &Path) -> Self {
        let key = folder.join("key");
        let mut command = Command::new(env!("CARGO_BIN_EXE_encord-sandbox"));
        command.args(["serve", "--seed"]).arg(folder.join("seed.json")).arg("--key-out").arg(&key);
        command.arg("--data-dir").arg(folder.join("data")).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).expect("the sandbox starts again after a kill");
        let url = ready["url"].as_str().unwrap().to_owned();
        let key = secret_of(&std::fs::read_to_string(key).unwrap());
        Self { child, wire: Wire { http: http(), url, key } }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    async fn state(&self) -> Value {
        let url = format!("{}/_sandbox/state/projects/{PROJECT}?documents=true", self.wire.url);
        self.wire.http.get(url).send().await.unwrap().json().await.unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One bundle of tasks and rows, and how many changes to it were answered with success.
#[derive(Default)]
struct Group {
    tasks: Vec<Uuid>,
    labels: Vec<Uuid>,
    data: Vec<Uuid>,
    moves: AtomicU64,
    saves: AtomicU64,
}

impl Group {
    /// Moves and saves the bundle over and over until the sandbox is gone.
    async fn work(&self, wire: &Wire) -> Option<()> {
        loop {
            let moves = self.moves.load(Ordering::Relaxed);
            let from = STAGES[moves as usize % 2];
            let actions: Vec<Value> = self
                .tasks
                .iter()
                .map(|task| json!({"taskUuid": task, "action": "PATHWAY_ACTION", "pathwayName": "on"}))
                .collect();
            let target = format!("/v2/public/projects/{PROJECT}/workflow/stages/{from}/actions");
            let sent = wire.signed(Method::POST, &target, Some(&json!(actions))).send().await.ok()?;
            assert_eq!(sent.status(), StatusCode::OK);
            sent.bytes().await.ok()?;
            self.moves.store(moves + 1, Ordering::Relaxed);

            let version = self.saves.load(Ordering::Relaxed) + 1;
            let documents: Vec<Value> = self
                .labels
                .iter()
                .zip(&self.data)
                .map(|(label, data)| {
                    json!({
                        "label_hash": label, "data_hash": data, "data_units": {}, "object_answers": {},
                        "classification_answers": {}, "version": version,
                    })
                })
                .collect();
            let payload =
                json!({"multi_request": true, "labels": documents, "validate_before_saving": false});
            let query = wire.query(("project", PROJECT), "labelrow", "POST", json!(self.labels), payload);
            let answer: Value = query.send().await.ok()?.json().await.ok()?;
            assert_eq!(answer["status"], 200, "{answer}");
            self.saves.store(version, Ordering::Relaxed);
        }
    }

    /// Compares with what is there after a kill, and goes on from it.
    fn check(&self, state: &Value) {
        let all = |list: &str, key: &str, ids: &[Uuid], value: &dyn Fn(&Value) -> u64| {
            let entries = state[list].as_array().unwrap();
            let of = |id: &Uuid| entries.iter().find(|entry| entry[key] == id.to_string()).unwrap();
            let mut values: Vec<u64> = ids.iter().map(|id| value(of(id))).collect();
            values.dedup();
            assert_eq!(values.len(), 1, "a request was done in part: {values:?}");
            values[0]
        };
        let moved = all("tasks", "uuid", &self.tasks, &|task| task["moved"].as_u64().unwrap());
        let answered = self.moves.swap(moved, Ordering::Relaxed);
        assert!((answered..=answered + 1).contains(&moved), "{moved} moves, {answered} were answered");
        for task in &self.tasks {
            let entry = state["tasks"].as_array().unwrap().iter().find(|one| one["uuid"] == task.to_string());
            assert_eq!(entry.unwrap()["stage_uuid"], STAGES[moved as usize % 2], "moves and stage disagree");
        }
        let saved = all("rows", "label_hash", &self.labels, &|row| row["saves"].as_u64().unwrap());
        let version =
            all("rows", "label_hash", &self.labels, &|row| row["document"]["version"].as_u64().unwrap_or(0));
        let answered = self.saves.swap(saved, Ordering::Relaxed);
        assert!((answered..=answered + 1).contains(&saved), "{saved} saves, {answered} were answered");
        assert_eq!(version, saved, "count and document disagree");
    }
}

fn write_seed(path: PathBuf) {
    let stage = |index: usize| {
        json!({
            "uuid": STAGES[index], "type": "AGENT", "title": format!("Agent {index}"),
            "pathways": [{"name": "on", "destination": STAGES[1 - index]}],
        })
    };
    let seed = json!({
        "ontologies": [{"title": "o"}],
        "workflow_templates": [{"title": "ring", "stages": [stage(0), stage(1)]}],
        "datasets": [{"title": "d", "items": [{"generate": "image", "count": GROUPS * BUNDLE}]}],
        "projects": [{
            "project_hash": PROJECT, "title": "p", "ontology": "o", "workflow_template": "ring", "datasets": ["d"],
        }],
    });
    std::fs::write(path, seed.to_string()).unwrap();
}

/// Bundles of the tasks, with label rows that exist.
async fn groups(program: &Program) -> Vec<Arc<Group>> {
    let project = PROJECT.parse().unwrap();
    let parsed = |value: &Value| value.as_str().unwrap().parse::<Uuid>().unwrap();
    let tasks = program.wire.tasks(project, STAGES[0].parse().unwrap()).await;
    let mut groups = Vec::new();
    for bundle in tasks.chunks(BUNDLE) {
        let data: Vec<Uuid> = bundle.iter().map(|task| parsed(&task["dataHash"])).collect();
        let payload = json!({"multi_request": true});
        let rows = program.wire.of_project(project, "labelrow", "PUT", json!(data), payload).await;
        let labels = rows.as_array().unwrap().iter().map(|row| parsed(&row["label_hash"])).collect();
        let tasks = bundle.iter().map(|task| parsed(&task["uuid"])).collect();
        groups.push(Arc::new(Group { tasks, labels, data, ..Group::default() }));
    }
    groups
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_leave_nothing_half_done() {
    let kills = std::env::var("ENCORD_SANDBOX_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(6);
    let folder = tempfile::tempdir().unwrap();
    write_seed(folder.path().join("seed.json"));
    let mut program = Program::start(folder.path());
    let groups = groups(&program).await;
    for kill in 0..kills {
        let workers: Vec<_> = groups
            .iter()
            .map(|group| {
                let (group, wire) = (Arc::clone(group), program.wire.clone());
                tokio::spawn(async move { group.work(&wire).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(20 + kill * 37 % 150)).await;
        // What an upload that is cut off leaves behind.
        std::fs::write(folder.path().join("data/files/.tmpAbCdEf"), "half").unwrap();
        program.kill();
        for worker in workers {
            assert_eq!(worker.await.unwrap(), None);
        }
        program = Program::start(folder.path());
        let state = program.state().await;
        groups.iter().for_each(|group| group.check(&state));
        assert_eq!(
            std::fs::read_dir(folder.path().join("data/files")).unwrap().count(),
            0,
            "parts are removed"
        );
    }
    let done: u64 = groups.iter().map(|group| group.moves.load(Ordering::Relaxed)).sum();
    assert!(done >= kills, "only {done} moves between {kills} kills");
}

#[test]
fn a_kill_at_the_first_start_is_no_loss() {
    let folder = tempfile::tempdir().unwrap();
    write_seed(folder.path().join("seed.json"));
    for pause in [0, 5, 20] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_encord-sandbox"));
        command.args(["serve", "--seed"]).arg(folder.path().join("seed.json"));
        command.arg("--data-dir").arg(folder.path().join("data")).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    Program::start(folder.path()).kill();
}
