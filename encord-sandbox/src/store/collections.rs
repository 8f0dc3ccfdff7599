//! Named sets: of storage items, and of frames or labels of a project.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Moment;

/// A named set of storage items.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Collection {
    pub(crate) uuid: Uuid,
    pub(crate) folder: Uuid,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) items: Vec<Uuid>,
    pub(crate) created_at: Moment,
    pub(crate) last_edited_at: Moment,
}

/// A named set of frames or labels of a project.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ProjectCollection {
    pub(crate) uuid: Uuid,
    pub(crate) project: Uuid,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) kind: CollectionKind,
    pub(crate) entries: Vec<CollectionEntry>,
    pub(crate) created_at: Moment,
    pub(crate) last_edited_at: Moment,
}

/// What a collection of a project holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum CollectionKind {
    Frame,
    Label,
}

/// A frame of a data unit, or a label on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CollectionEntry {
    pub(crate) data_uuid: Uuid,
    pub(crate) frame: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) annotation_id: Option<String>,
}
