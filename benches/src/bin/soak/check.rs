//! Holds the platform's journal against what the agents were to do and what the workers reported.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::AddAssign;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use encord_sandbox::Sandbox;
use serde_json::Value;
use uuid::Uuid;

use crate::agent::{ELSEWHERE, STAGE, expected};

/// What happened, added up over rounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) rounds: u64,
    pub(crate) tasks: u64,
    pub(crate) kills: u64,
    pub(crate) stops: u64,
    /// Tasks that the third party took.
    pub(crate) taken: u64,
    pub(crate) requests: u64,
    pub(crate) faults: u64,
    pub(crate) saves: u64,
    pub(crate) moves: u64,
    /// Lines in the workers' reports.
    pub(crate) reported: u64,
    /// Temporary files that are left when everybody has ended.
    pub(crate) left_files: u64,
    pub(crate) problems: Vec<String>,
}

impl Figures {
    /// The names of the columns.
    pub(crate) fn heading() -> &'static str {
        "rounds  tasks  kills  stops  taken  requests  faults  saves  moves  reports  files  problems"
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { rounds, tasks, kills, stops, taken, requests, faults, saves, moves, .. } = self;
        let (reported, files, problems) = (self.reported, self.left_files, self.problems.len());
        write!(
            f,
            "{rounds:>6} {tasks:>6} {kills:>6} {stops:>6} {taken:>6} {requests:>9} {faults:>7} {saves:>6} \
             {moves:>6} {reported:>8} {files:>6} {problems:>9}"
        )
    }
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.rounds += other.rounds;
        self.tasks += other.tasks;
        self.kills += other.kills;
        self.stops += other.stops;
        self.taken += other.taken;
        self.requests += other.requests;
        self.faults += other.faults;
        self.saves += other.saves;
        self.moves += other.moves;
        self.reported += other.reported;
        self.left_files += other.left_files;
        self.problems.extend(other.problems);
    }
}

/// Where a worker writes its report.
pub(crate) fn report(folder: &Path, worker: u32) -> PathBuf {
    folder.join(format!("{worker}.jsonl"))
}

/// What the journal says of one task.
#[derive(Default)]
struct History {
    /// The stages it was moved to from the agents' stage, in order.
    moved_to: Vec<Uuid>,
    saved: bool,
    saved_before_move: bool,
}

/// Adds what is wrong to the figures.
pub(crate) fn check(sandbox: &Sandbox, project: Uuid, folder: &Path, figures: &mut Figures) -> Result<()> {
    let state = sandbox.state_with_documents(project).context("the project is gone")?;
    let stage = |title: &str| state.stages.iter().find(|stage| stage.title == title).map(|stage| stage.uuid);
    let (here, elsewhere) = (stage(STAGE).context("no stage")?, stage(ELSEWHERE).context("no stage")?);
    let task_of: HashMap<Uuid, Uuid> = state.tasks.iter().map(|task| (task.data_hash, task.uuid)).collect();

    let mut histories: HashMap<Uuid, History> = HashMap::new();
    for effect in sandbox.journal() {
        let uuid = |key: &str| effect[key].as_str().and_then(|text| text.parse::<Uuid>().ok());
        match effect["effect"].as_str() {
            Some("save") => {
                figures.saves += 1;
                let task = uuid("data").and_then(|data| task_of.get(&data).copied());
                histories.entry(task.context("a save of unknown data")?).or_default().saved = true;
            }
            Some("move") if uuid("from") == Some(here) => {
                figures.moves += 1;
                let history = histories.entry(uuid("task").context("a move of nothing")?).or_default();
                history.saved_before_move |= history.saved;
                history.moved_to.push(uuid("to").context("a move to nowhere")?);
            }
            _ => {}
        }
    }

    let mut problems = Vec::new();
    let mut ours = HashSet::new();
    for task in &state.tasks {
        let mut wrong =
            |what: String| problems.push(format!("task {} ({}): {what}", task.uuid, task.data_title));
        let expected = expected(&task.data_hash.to_string());
        let history = histories.remove(&task.uuid).unwrap_or_default();
        match history.moved_to[..] {
            [] => wrong(format!("lost: it is at {:?} and nobody moved it", task.stage)),
            [to] if to == elsewhere => {}
            [to] => {
                ours.insert(task.uuid);
                if Some(to) != stage(expected.way.1) {
                    wrong(format!("moved to {to}, but the agent chose {:?}", expected.way));
                }
                if !history.saved_before_move {
                    wrong("moved before its labels were saved".into());
                }
                if task.priority != Some(expected.priority) {
                    wrong(format!("priority {:?} instead of {}", task.priority, expected.priority));
                }
            }
            _ => wrong(format!("moved {} times", history.moved_to.len())),
        }
    }
    for row in state.rows.iter().filter(|row| row.saves > 0) {
        let expected = expected(&row.data_hash.to_string());
        let answers = answers(row.document.as_ref().unwrap_or(&Value::Null));
        if answers != [expected.answer.as_str()] {
            problems.push(format!("data {}: the labels say {answers:?}", row.data_hash));
        }
    }
    figures.reported += reported(folder, &ours, &mut problems)?;
    figures.left_files = std::fs::read_dir(folder.join("tmp"))?.count() as u64;
    let requests = sandbox.requests().total;
    figures.requests = requests.count;
    figures.faults =
        requests.statuses.iter().filter(|(status, _)| **status == 0 || **status >= 429).map(|(_, n)| n).sum();
    figures.problems = problems;
    Ok(())
}

/// The texts that classifications of a saved document answer.
fn answers(document: &Value) -> Vec<&str> {
    let all = document["classification_answers"].as_object().into_iter().flatten();
    all.flat_map(|(_, entry)| entry["classifications"].as_array().into_iter().flatten())
        .filter_map(|classification| classification["answers"].as_str())
        .collect()
}

/// Checks that every move that a worker reported was made, and reported once; returns the number of reports.
fn reported(folder: &Path, ours: &HashSet<Uuid>, problems: &mut Vec<String>) -> Result<u64> {
    let (mut lines, mut claimed) = (0, HashSet::new());
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        for line in std::fs::read_to_string(&path)?.lines() {
            // The last line of a killed worker may be cut off.
            let Ok(record) = serde_json::from_str::<Value>(line) else { continue };
            lines += 1;
            if record["outcome"] != "moved" {
                continue;
            }
            let task = record["task"]
                .as_str()
                .and_then(|text| text.parse().ok())
                .context("a report without task")?;
            if !ours.contains(&task) {
                problems.push(format!("task {task}: reported as moved, but it was not"));
            }
            if !claimed.insert(task) {
                problems.push(format!("task {task}: reported as moved by two workers"));
            }
        }
    }
    Ok(lines)
}
