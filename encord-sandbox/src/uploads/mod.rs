//! Uploads: files that arrive through signed URLs, and the jobs that make
//! storage items of them.

mod avi;
mod ingest;
mod jobs;
mod receive;
mod request;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use self::jobs::{Job, JobState, Target, start};
pub(crate) use self::receive::receive;
pub(crate) use self::request::JobRequest;
use crate::clock::Moment;
use crate::store::ItemKind;

/// A place for a file, named by the uuid its item will have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) uuid: Uuid,
    pub(crate) kind: ItemKind,
    pub(crate) received: bool,
    #[serde(default)]
    pub(crate) created_at: Moment,
}

impl Upload {
    /// How jobs name the file.
    pub(crate) fn object_key(uuid: Uuid) -> String {
        format!("uploads/{uuid}")
    }

    fn of_key(key: &str) -> Option<Uuid> {
        key.strip_prefix("uploads/")?.parse().ok()
    }
}
