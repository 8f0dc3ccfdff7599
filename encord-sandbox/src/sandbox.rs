//! A running sandbox: starting, looking inside, stopping.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::error::Error;
use crate::faults::FaultPlan;
use crate::gate::ControlToken;
use crate::journal::RequestCounts;
use crate::keyfile::KeyFile;
use crate::platform::{Limits, Platform};
use crate::seed::Seed;
use crate::server::Patience;
use crate::state::{self, ProjectState};
use crate::webhooks::Trust;
use crate::{origin, prune, routes, server, webhooks};

/// Where and how a sandbox listens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The address; loopback by default.
    pub host: String,
    /// The port; 0 picks a free one.
    pub port: u16,
    /// Where to write the private key. Without it the key goes to a temporary
    /// file that is removed with the sandbox.
    pub key_out: Option<PathBuf>,
    /// Keeps the state in this folder over restarts. A folder that has a state
    /// already wins over the seed.
    pub data_dir: Option<PathBuf>,
    /// A PEM file with certificates that https endpoints of webhooks may show, beside
    /// those that the system trusts.
    pub webhook_roots: Option<PathBuf>,
    /// Lets other machines use `/_sandbox` and the status page too; without it they
    /// are for the machine the sandbox runs on.
    pub control_token: Option<ControlToken>,
    /// Sizes and times.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 0,
            key_out: None,
            data_dir: None,
            webhook_roots: None,
            control_token: None,
            limits: Limits::default(),
        }
    }
}

/// A sandbox that serves until it is stopped or dropped. Any number can run in
/// one process.
pub struct Sandbox {
    platform: Arc<Platform>,
    url: String,
    key: Option<KeyFile>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Sandbox {
    /// Starts a sandbox on a free port of the loopback interface.
    ///
    /// # Errors
    /// When the seed does not make sense, naming the JSON path.
    pub async fn start(seed: Seed) -> Result<Self, Error> {
        Self::start_with(seed, Options::default()).await
    }

    /// Starts a sandbox as the options say.
    ///
    /// # Errors
    /// When the seed does not make sense, the address is taken or the key file
    /// cannot be written.
    pub async fn start_with(seed: Seed, options: Options) -> Result<Self, Error> {
        let trust = options.webhook_roots.as_deref().map(Trust::with_file).transpose()?.unwrap_or_default();
        let data_dir = options.data_dir.clone();
        // Reading the facts of many files takes a while.
        let origin = tokio::task::spawn_blocking(move || origin::open(&seed, data_dir)).await;
        let mut origin =
            origin.map_err(|error| Error::seed("$", format!("the seed could not be planted: {error}")))??;
        let key = origin.private_key.take();
        let key = key.map(|text| KeyFile::new(text, options.key_out.as_deref())).transpose()?;
        let platform = Arc::new(Platform::new(origin, trust, options.control_token, options.limits));
        platform.sweep();
        let address = format!("{}:{}", options.host, options.port);
        let refused = |source| Error::Listen { address: address.clone(), source };
        let listener = TcpListener::bind((options.host.as_str(), options.port)).await.map_err(refused)?;
        let local: SocketAddr = listener.local_addr().map_err(refused)?;
        let router = routes::router(Arc::clone(&platform));
        let (stop, stopped) = watch::channel(false);
        let notifying = webhooks::run(Arc::clone(&platform), stopped.clone());
        let pruning = prune::run(Arc::clone(&platform), stopped.clone());
        let patience = Patience { headers: options.limits.request_time, stall: options.limits.stall_time };
        let serving = server::serve(listener, router, patience, stopped);
        let serving = tokio::spawn(async {
            tokio::join!(pruning, serving, notifying);
        });
        Ok(Self { platform, url: format!("http://{local}"), key, stop, serving })
    }

    /// Where the sandbox is, to be used as the domain of a client:
    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The private key of the first user in OpenSSH form, unless the seed
    /// brought public keys of its own.
    pub fn private_key_openssh(&self) -> Option<&str> {
        self.key.as_ref().map(|key| key.text.as_str())
    }

    /// The file with that key, readable by its owner only.
    pub fn private_key_path(&self) -> Option<&Path> {
        self.key.as_ref().map(KeyFile::path)
    }

    /// The hash of the first project with this title.
    pub fn project(&self, title: &str) -> Option<Uuid> {
        self.platform.read(|store| {
            let titled = store.projects.values().filter(|project| project.title == title);
            titled.min_by_key(|project| (project.created_at, project.hash)).map(|project| project.hash)
        })
    }

    /// What became of a project; `None` if there is no such project.
    pub fn state(&self, project: Uuid) -> Option<ProjectState> {
        self.platform.read(|store| state::of(store, project, false))
    }

    /// The same with the label documents of all rows.
    pub fn state_with_documents(&self, project: Uuid) -> Option<ProjectState> {
        self.platform.read(|store| state::of(store, project, true))
    }

    /// Makes things go wrong from now on, in place of any earlier plan.
    ///
    /// # Errors
    /// When a rule does not make sense.
    pub fn set_faults(&self, plan: FaultPlan) -> Result<(), Error> {
        self.platform.faults.set(plan)
    }

    /// Counts since the start or the last reset.
    pub fn requests(&self) -> RequestCounts {
        self.platform.journal.counts()
    }

    /// What requests changed, in order, as `GET /_sandbox/journal` says it: saves, moves, priorities, webhooks.
    pub fn journal(&self) -> Vec<serde_json::Value> {
        let effects = self.platform.journal.effects();
        effects.iter().map(|effect| serde_json::to_value(effect).unwrap_or_default()).collect()
    }

    /// Starts counting from zero, and empties the journal of effects.
    pub fn reset_counters(&self) {
        self.platform.journal.reset();
    }

    /// Lets requests in flight finish, then stops.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let _ = (&mut self.serving).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.serving.abort();
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Sandbox").field("url", &self.url).finish_non_exhaustive()
    }
}
