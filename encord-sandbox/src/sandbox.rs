//! A running sandbox: starting, looking inside, stopping.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempPath;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::error::Error;
use crate::faults::FaultPlan;
use crate::files::Files;
use crate::journal::RequestCounts;
use crate::platform::{Limits, Platform};
use crate::seed::{self, Seed};
use crate::state::{self, ProjectState};
use crate::{routes, server};

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
    /// Sizes and times.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self { host: "127.0.0.1".into(), port: 0, key_out: None, limits: Limits::default() }
    }
}

/// A sandbox that serves until it is stopped or dropped. Any number can run in
/// one process.
pub struct Sandbox {
    platform: Arc<Platform>,
    url: String,
    key: Option<Key>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

struct Key {
    text: String,
    file: KeyFile,
}

enum KeyFile {
    Kept(PathBuf),
    Temporary(TempPath),
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
        // Reading the facts of many files takes a while.
        let planted = tokio::task::spawn_blocking(move || seed::plant(&seed)).await;
        let planted = planted
            .map_err(|error| Error::seed("$", format!("the seed could not be planted: {error}")))??;
        let key = planted.private_key.map(|text| Key::write(text, options.key_out.as_deref())).transpose()?;
        let platform = Arc::new(Platform::new(planted.store, Files::temporary()?, options.limits));
        let address = format!("{}:{}", options.host, options.port);
        let refused = |source| Error::Listen { address: address.clone(), source };
        let listener = TcpListener::bind((options.host.as_str(), options.port)).await.map_err(refused)?;
        let local: SocketAddr = listener.local_addr().map_err(refused)?;
        let router = routes::router(Arc::clone(&platform));
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(server::serve(listener, router, options.limits.request_time, stopped));
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
        self.key.as_ref().map(|key| match &key.file {
            KeyFile::Kept(path) => path.as_path(),
            KeyFile::Temporary(path) => path,
        })
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

impl Key {
    /// Writes the key where only its owner can read it.
    fn write(text: String, path: Option<&Path>) -> Result<Self, Error> {
        let (mut file, file_path) = match path {
            Some(path) => {
                // A file that is there already keeps its mode, so it is replaced.
                let _ = std::fs::remove_file(path);
                let mut options = std::fs::OpenOptions::new();
                options.write(true).create_new(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let file = options.open(path).map_err(|source| Error::Write { path: path.into(), source })?;
                (file, KeyFile::Kept(path.into()))
            }
            None => {
                // Temporary files have mode 600.
                let file = tempfile::Builder::new().prefix("encord-sandbox-").suffix(".key").tempfile();
                let file = file.map_err(|source| Error::Write { path: std::env::temp_dir(), source })?;
                let (file, path) = file.into_parts();
                (file, KeyFile::Temporary(path))
            }
        };
        let written = file.write_all(text.as_bytes());
        let path = path.map_or_else(std::env::temp_dir, Path::to_path_buf);
        written.map_err(|source| Error::Write { path, source })?;
        Ok(Self { text, file: file_path })
    }
}
