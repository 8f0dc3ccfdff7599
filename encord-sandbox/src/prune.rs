//! Forgetting what nobody can ask for any more: old jobs, uploads that were never
//! made items of, and the files of both and of deleted items.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use uuid::Uuid;

use crate::clock::Moment;
use crate::platform::Platform;
use crate::store::{Bytes, Item};

/// How long uploads and jobs are kept: a job is polled for seven days at most.
const KEPT: Duration = Duration::from_secs(8 * 24 * 3600);
/// How often old ones are looked for.
const PAUSE: Duration = Duration::from_secs(3600);

/// Prunes until the sandbox stops.
pub(crate) async fn run(platform: Arc<Platform>, mut stop: watch::Receiver<bool>) {
    loop {
        platform.prune(Moment::now());
        let stopped = async {
            let _ = stop.wait_for(|stop| *stop).await;
        };
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = stopped => return,
        }
    }
}

impl Platform {
    /// Removes uploads and jobs that are too old, with their files.
    pub(crate) fn prune(&self, now: Moment) {
        let old = |at: Moment| now.seconds_since(at) > KEPT.as_secs_f64();
        let (uploads, jobs) = self.read(|store| {
            let uploads = store.uploads.entries().filter(|(_, upload)| old(upload.created_at));
            let jobs = store.jobs.entries().filter(|(_, job)| old(job.created_at));
            let uploads: Vec<Uuid> = uploads.map(|(uuid, _)| *uuid).collect();
            (uploads, jobs.map(|(uuid, _)| *uuid).collect::<Vec<Uuid>>())
        });
        if uploads.is_empty() && jobs.is_empty() {
            return;
        }
        self.write(|store| {
            for uuid in &uploads {
                store.uploads.remove(uuid);
            }
            for uuid in &jobs {
                store.jobs.remove(uuid);
            }
        });
        let files = uploads.into_iter().map(|upload| self.files.path_of(upload)).collect();
        self.remove_unused(files);
    }

    /// Removes files that belong to no item and no upload, which a kill leaves
    /// behind. Only before the first request: later, a job may be making files.
    pub(crate) fn sweep(&self) {
        let present = self.files.all();
        let stray = self.read(|store| {
            let stray = present.into_iter().filter(|(object, _)| !store.uploads.contains(object));
            stray.map(|(_, path)| path).collect()
        });
        self.remove_unused(stray);
    }

    /// Removes the files of items that were just deleted.
    pub(crate) fn discard(&self, deleted: &[Item]) {
        let files: HashSet<PathBuf> = deleted.iter().filter_map(file_of).cloned().collect();
        let files: HashSet<PathBuf> = files.into_iter().filter(|path| self.files.holds(path)).collect();
        if files.is_empty() {
            return;
        }
        self.write(|store| {
            // Nothing can be made of these uploads again.
            let names = files.iter().filter_map(|path| path.file_name()?.to_str()?.parse::<Uuid>().ok());
            for object in names {
                store.uploads.remove(&object);
            }
        });
        self.remove_unused(files);
    }

    /// Two items may have one file, so a file goes with the last of them.
    fn remove_unused(&self, mut files: HashSet<PathBuf>) {
        if files.is_empty() {
            return;
        }
        self.read(|store| store.items.values().filter_map(file_of).for_each(|path| drop(files.take(path))));
        self.files.remove(files);
    }
}

fn file_of(item: &Item) -> Option<&PathBuf> {
    match &item.bytes {
        Bytes::File(path) => Some(path),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use crate::clock::Moment;
    use crate::files::Files;
    use crate::origin::Origin;
    use crate::platform::{Limits, Platform};
    use crate::store::{ItemKind, Store};
    use crate::uploads::Upload;
    use crate::webhooks::Trust;

    #[test]
    fn old_uploads_go_with_their_files() {
        let files = Files::temporary().unwrap();
        let origin = Origin { store: Store::default(), database: None, files, private_key: None };
        let platform = Platform::new(origin, Trust::default(), None, Limits::default());
        let now = Moment::parse("2025-03-20T00:00:00Z").unwrap();
        let uploads = ["2025-03-01T00:00:00Z", "2025-03-19T00:00:00Z"].map(|at| {
            let (uuid, created_at) = (Uuid::new_v4(), Moment::parse(at).unwrap());
            let upload = Upload { uuid, kind: ItemKind::Image, received: true, created_at };
            platform.write(|store| store.uploads.insert(uuid, upload));
            std::fs::write(platform.files.path_of(uuid), "bytes").unwrap();
            uuid
        });
        platform.prune(now);
        let kept = platform.read(|store| uploads.map(|uuid| store.uploads.contains(&uuid)));
        assert_eq!(kept, [false, true]);
        assert_eq!(uploads.map(|uuid| platform.files.path_of(uuid).exists()), [false, true]);
    }
}
