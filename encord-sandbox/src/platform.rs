//! Everything one sandbox shares between its requests.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use crate::auth::BearerTokens;
use crate::blobs::UrlSigner;
use crate::clock::Moment;
use crate::faults::Faults;
use crate::files::Files;
use crate::gate::ControlToken;
use crate::journal::Journal;
use crate::origin::Origin;
use crate::persist::Database;
use crate::store::Store;
use crate::webhooks::Trust;

/// Sizes and times a sandbox keeps to.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Largest body of an API request, in bytes. Larger ones are answered with 413.
    pub api_body: usize,
    /// Largest uploaded file, in bytes.
    pub upload: u64,
    /// How long a client may take to send its headers or its whole API body.
    pub request_time: Duration,
    /// How long a transfer of file bytes or an answer may stand still.
    pub stall_time: Duration,
    /// How long a signed URL can be used.
    pub signed_url_lifetime: Duration,
    /// How far the creation time of a signature may be from now.
    pub signature_window: Duration,
    /// How long an upload job stays pending before its files are looked at; nothing
    /// by default, so that tests do not wait.
    pub job_time: Duration,
    /// Tasks, items or label rows named by one request.
    pub bundle: usize,
    /// Tasks on one page of a listing.
    pub task_page: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            api_body: 256 << 20,
            upload: 8 << 30,
            request_time: Duration::from_secs(60),
            stall_time: Duration::from_secs(60),
            signed_url_lifetime: Duration::from_secs(3600),
            signature_window: Duration::from_secs(300),
            job_time: Duration::ZERO,
            bundle: 1000,
            task_page: 100,
        }
    }
}

/// The shared state. The store sits behind closures, so that no lock can be
/// held across an await.
pub(crate) struct Platform {
    store: RwLock<Store>,
    database: Option<Database>,
    broken: AtomicBool,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    pub(crate) tokens: BearerTokens,
    pub(crate) urls: UrlSigner,
    pub(crate) files: Files,
    pub(crate) trust: Trust,
    pub(crate) control_token: Option<ControlToken>,
    pub(crate) limits: Limits,
}

impl Platform {
    pub(crate) fn new(
        origin: Origin,
        trust: Trust,
        control_token: Option<ControlToken>,
        limits: Limits,
    ) -> Self {
        let Origin { mut store, database, files, private_key: _ } = origin;
        // What the seed put at a stage did not arrive there.
        store.take_arrivals();
        Self {
            store: RwLock::new(store),
            database,
            broken: AtomicBool::new(false),
            journal: Journal::default(),
            faults: Faults::default(),
            tokens: BearerTokens::new(),
            urls: UrlSigner::new(limits.signed_url_lifetime),
            files,
            trust,
            control_token,
            limits,
        }
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&Store) -> T) -> T {
        look(&self.store.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The only way to change the state. With a database, the change is stored
    /// before this returns.
    pub(crate) fn write<T>(&self, change: impl FnOnce(&mut Store) -> T) -> T {
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut store);
        store.announce_arrivals(Moment::now());
        if let Some(database) = &self.database
            && let Err(error) = database.save(&mut store)
        {
            tracing::error!(%error, "the state cannot be stored; every request is refused from now on");
            self.broken.store(true, Ordering::Relaxed);
        }
        result
    }

    /// Whether a change could not be stored, so that no answer can be trusted.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }
}
