//! Uploads: files that arrive through signed URLs, and the jobs that make
//! storage items of them.

mod avi;
mod ingest;
mod receive;
mod request;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use self::ingest::ingest;
pub(crate) use self::receive::receive;
pub(crate) use self::request::JobRequest;
use crate::store::ItemKind;

/// A place for a file, named by the uuid its item will have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) uuid: Uuid,
    pub(crate) kind: ItemKind,
    pub(crate) received: bool,
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

/// A finished job. Ingesting is quick enough here to be done before the job's
/// uuid is answered.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) made: Vec<Made>,
    pub(crate) errors: Vec<UnitError>,
}

/// An item that a job made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Made {
    pub(crate) item: Uuid,
    pub(crate) name: String,
    /// The data unit, when the upload went into a dataset.
    pub(crate) data: Option<Uuid>,
}

/// A unit that a job could not make.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UnitError {
    pub(crate) object_urls: Vec<String>,
    pub(crate) error: String,
    pub(crate) subtask: Uuid,
}

impl Job {
    /// `DONE`, or `ERROR` when nothing could be made of what was asked for.
    pub(crate) fn status(&self) -> &'static str {
        if self.made.is_empty() && !self.errors.is_empty() { "ERROR" } else { "DONE" }
    }
}
