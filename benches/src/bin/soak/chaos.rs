//! One round: a fresh platform that fails, workers that are killed, a third party that moves tasks away.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use encord_agents::client::{Client, PrivateKey, Project};
use encord_sandbox::{DropWhen, FaultPlan, FaultRule, Sandbox};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use crate::agent::{self, ELSEWHERE, PATHWAYS, STAGE};
use crate::check::{self, Figures};
use crate::worker::{KEY, Kind, PROJECT, QUEUE, REPORT, URL};

/// How long workers are disturbed; after that they are left in peace.
const DISTURBED: Duration = Duration::from_secs(40);
/// The share of tasks that a third party may take.
const TAKEN: f64 = 0.1;

/// Plays one round and checks it.
pub(crate) async fn round(seed: u64, tasks: u64, faults: f64) -> Result<Figures> {
    let mut dice = StdRng::seed_from_u64(seed);
    let sandbox = Sandbox::builder()
        .project("soak")
        .ontology(agent::ontology())
        .stage_agent_to(STAGE, PATHWAYS)
        .stage("ANNOTATION", PATHWAYS[0].1)
        .stage("ANNOTATION", ELSEWHERE)
        .images(tasks)
        .start()
        .await?;
    let folder = tempfile::tempdir()?;
    let mut round = Round {
        hash: sandbox.project("soak").context("the sandbox has no project")?,
        project: project(&sandbox).await?,
        folder: folder.path().to_owned(),
        sandbox,
        workers: Vec::new(),
        started: 0,
        figures: Figures { rounds: 1, tasks, ..Figures::default() },
    };
    round.sandbox.set_faults(plan(dice.random(), faults))?;
    for kind in [Kind::Sequential, Kind::Queue, Kind::Queue] {
        let child = round.start(kind)?;
        round.workers.push((kind, child));
    }
    let begin = Instant::now();
    while round.left() > 0 && begin.elapsed() < DISTURBED {
        tokio::time::sleep(Duration::from_millis(dice.random_range(100..900))).await;
        round.disturb(&mut dice, tasks).await?;
    }
    round.finish().await?;
    check::check(&round.sandbox, round.hash, &round.folder, &mut round.figures)?;
    Ok(std::mem::take(&mut round.figures))
}

struct Round {
    sandbox: Sandbox,
    project: Project,
    hash: Uuid,
    /// Reports, the queue and the workers' temporary files.
    folder: PathBuf,
    workers: Vec<(Kind, Child)>,
    started: u32,
    figures: Figures,
}

impl Round {
    /// Starts a worker with a report of its own.
    fn start(&mut self, kind: Kind) -> Result<Child> {
        self.started += 1;
        let temporary = self.folder.join("tmp");
        std::fs::create_dir_all(&temporary)?;
        let log = std::fs::File::create(self.folder.join(format!("{}.log", self.started)))?;
        let name = match kind {
            Kind::Sequential => "sequential",
            Kind::Queue => "queue",
            Kind::Last => "last",
        };
        Ok(Command::new(std::env::current_exe()?)
            .args(["--worker", name])
            .env(URL, self.sandbox.url())
            .env(KEY, self.sandbox.private_key_openssh().context("the sandbox has no key")?)
            .env(PROJECT, self.hash.to_string())
            .env(QUEUE, self.folder.join("queue.db"))
            .env(REPORT, check::report(&self.folder, self.started))
            .env("TMPDIR", &temporary)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?)
    }

    /// The number of tasks still at the agents' stage.
    fn left(&self) -> usize {
        let state = self.sandbox.state(self.hash);
        state.and_then(|state| state.tasks_per_stage.get(STAGE).copied()).unwrap_or_default()
    }

    /// Does one harm, and starts again whoever is not running.
    async fn disturb(&mut self, dice: &mut StdRng, tasks: u64) -> Result<()> {
        let victim = dice.random_range(0..self.workers.len());
        match dice.random_range(0..10) {
            0..5 => {
                self.workers[victim].1.kill()?;
                self.figures.kills += 1;
            }
            5..7 => {
                let pid = self.workers[victim].1.id().to_string();
                Command::new("kill").args(["-TERM", &pid]).stderr(Stdio::null()).status()?;
                self.figures.stops += 1;
            }
            7..9 if (self.figures.taken as f64) < tasks as f64 * TAKEN => self.take_away(dice).await,
            _ => {}
        }
        for place in 0..self.workers.len() {
            if self.workers[place].1.try_wait()?.is_some() {
                let kind = self.workers[place].0;
                self.workers[place].1 = self.start(kind)?;
            }
        }
        Ok(())
    }

    /// Moves a few tasks where no agent sends them. The move may fail like every other request.
    async fn take_away(&mut self, dice: &mut StdRng) {
        let Some(state) = self.sandbox.state(self.hash) else { return };
        let stage = |title: &str| {
            let found = state.stages.iter().find(|stage| stage.title == title);
            found.map(|stage| stage.uuid.into())
        };
        let (Some(from), Some(to)) = (stage(STAGE), stage(ELSEWHERE)) else { return };
        let mut waiting: Vec<_> = state.tasks.iter().filter(|task| task.stage == STAGE).collect();
        for _ in 0..3.min(waiting.len()) {
            let task = waiting.swap_remove(dice.random_range(0..waiting.len()));
            // One by one: a bundle is refused as a whole when one of its tasks has gone.
            if self.project.move_tasks(from, to, &[task.uuid.into()]).await.is_ok() {
                self.figures.taken += 1;
            }
        }
    }

    /// Ends all harm and lets one undisturbed runner do the rest.
    async fn finish(&mut self) -> Result<()> {
        for (_, mut child) in std::mem::take(&mut self.workers) {
            child.kill()?;
            child.wait()?;
        }
        self.sandbox.set_faults(FaultPlan::default())?;
        // The agents fail now and then, so one pass may leave a few.
        for _ in 0..5 {
            if self.left() == 0 {
                break;
            }
            let mut last = self.start(Kind::Last)?;
            tokio::task::spawn_blocking(move || last.wait()).await??;
        }
        Ok(())
    }
}

impl Drop for Round {
    fn drop(&mut self) {
        for (_, child) in &mut self.workers {
            // It may be gone already; there is nothing else to do about it.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The third party's view of the project.
async fn project(sandbox: &Sandbox) -> Result<Project> {
    let key = sandbox.private_key_openssh().context("the sandbox has no key")?;
    let client =
        Client::builder().domain(sandbox.url()).private_key(PrivateKey::from_openssh(key, None)?).build()?;
    let hash = sandbox.project("soak").context("the sandbox has no project")?;
    Ok(client.project(hash.into()).await?)
}

/// Every kind of fault, together at this rate.
fn plan(seed: u64, rate: f64) -> FaultPlan {
    let any = || FaultRule { endpoint: "*".into(), ..FaultRule::default() };
    let mut rules = vec![
        FaultRule { status: Some(500), ..any() },
        FaultRule { status: Some(503), retry_after: Some(0), ..any() },
        FaultRule { status: Some(429), retry_after: Some(0), ..any() },
        FaultRule { status: Some(502), html: true, ..any() },
        FaultRule { drop: Some(DropWhen::Before), ..any() },
        FaultRule { drop: Some(DropWhen::After), ..any() },
        FaultRule { truncate: true, ..any() },
        FaultRule { latency_ms: 200, ..any() },
        FaultRule { expired: true, endpoint: "GET /_blobs/*".into(), ..any() },
    ];
    let share = rate / rules.len() as f64;
    for rule in &mut rules {
        rule.rate = share;
    }
    FaultPlan { seed, rules }
}
