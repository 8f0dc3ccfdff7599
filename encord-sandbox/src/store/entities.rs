//! Users, ontologies, folders, datasets and label rows: the plain records.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::auth::PublicKey;
use crate::clock::Moment;

/// Somebody with keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) email: String,
    pub(crate) keys: Vec<PublicKey>,
}

/// What a user may do in a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    Admin,
    Annotator,
    Reviewer,
    AnnotatorReviewer,
    TeamManager,
    Viewer,
}

impl Role {
    /// The number that stands for the role on the wire.
    pub(crate) fn wire(self) -> u8 {
        match self {
            Self::Admin => 0,
            Self::Annotator => 1,
            Self::Reviewer => 2,
            Self::AnnotatorReviewer => 3,
            Self::TeamManager => 4,
            Self::Viewer => 5,
        }
    }

    pub(crate) fn from_wire(number: u64) -> Option<Self> {
        use Role::*;
        [Admin, Annotator, Reviewer, AnnotatorReviewer, TeamManager, Viewer]
            .into_iter()
            .find(|role| u64::from(role.wire()) == number)
    }

    /// As texts for people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Annotator => "annotator",
            Self::Reviewer => "reviewer",
            Self::AnnotatorReviewer => "annotator and reviewer",
            Self::TeamManager => "team manager",
            Self::Viewer => "viewer",
        }
    }

    /// Whether labels may be changed and issues be raised.
    pub(crate) fn may_write(self) -> bool {
        self != Self::Viewer
    }

    /// Whether annotation tasks may be worked on.
    pub(crate) fn may_annotate(self) -> bool {
        self.may_manage() || matches!(self, Self::Annotator | Self::AnnotatorReviewer)
    }

    /// Whether review tasks may be worked on.
    pub(crate) fn may_review(self) -> bool {
        self.may_manage() || matches!(self, Self::Reviewer | Self::AnnotatorReviewer)
    }

    /// Whether agents may act on tasks, tasks be moved past people, priorities be set
    /// and the project be changed.
    pub(crate) fn may_manage(self) -> bool {
        matches!(self, Self::Admin | Self::TeamManager)
    }
}

/// A set of classes to label with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ontology {
    pub(crate) hash: Uuid,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) structure: Value,
    pub(crate) owner: String,
    /// Who may see it; everybody if empty.
    #[serde(default)]
    pub(crate) readers: Vec<String>,
    pub(crate) created_at: Moment,
    pub(crate) last_edited_at: Moment,
}

impl Ontology {
    /// An ontology without classes, for its owner.
    pub(crate) fn empty(title: String, owner: &str, now: Moment) -> Self {
        Self {
            hash: Uuid::new_v4(),
            title,
            description: String::new(),
            structure: json!({"objects": [], "classifications": []}),
            owner: owner.to_owned(),
            readers: vec![owner.to_owned()],
            created_at: now,
            last_edited_at: now,
        }
    }

    /// Whether the user may change it: its owner, or everybody if nobody in particular may see it.
    pub(crate) fn is_admin(&self, email: &str) -> bool {
        self.owner == email || self.readers.is_empty()
    }
}

/// A storage folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Folder {
    pub(crate) uuid: Uuid,
    pub(crate) parent: Option<Uuid>,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) client_metadata: Option<String>,
    pub(crate) owner: String,
    pub(crate) synced_dataset: Option<Uuid>,
    /// Who may see it; everybody if empty.
    #[serde(default)]
    pub(crate) readers: Vec<String>,
    pub(crate) created_at: Moment,
    pub(crate) last_edited_at: Moment,
}

/// A list of data units.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Dataset {
    pub(crate) hash: Uuid,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) owner: String,
    pub(crate) folder: Uuid,
    /// Data hashes in the order they were added; members of data groups are not
    /// listed. Not stored with the dataset, which would be written whole for
    /// every new unit, but put together from the units.
    #[serde(skip)]
    pub(crate) units: Vec<Uuid>,
    /// Who may see it; everybody if empty.
    #[serde(default)]
    pub(crate) readers: Vec<String>,
    pub(crate) created_at: Moment,
    pub(crate) last_edited_at: Moment,
}

/// An entry of a dataset, backed by a storage item.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DataUnit {
    pub(crate) hash: Uuid,
    pub(crate) dataset: Uuid,
    pub(crate) item: Uuid,
    /// The data group this unit is a member of.
    pub(crate) group: Option<Uuid>,
    /// The members of this data group, in order.
    pub(crate) members: Vec<Uuid>,
    pub(crate) created_at: Moment,
}

/// Which label row: a project, a data unit and a branch.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct RowKey {
    pub(crate) project: Uuid,
    pub(crate) data: Uuid,
    pub(crate) branch: Arc<str>,
}

/// A label row that was initialised at least once. Rows that were not are not
/// stored: a listing makes them up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) key: RowKey,
    pub(crate) label_hash: Uuid,
    /// The document of the last save as JSON text.
    pub(crate) document: Option<Box<str>>,
    pub(crate) status: LabelStatus,
    pub(crate) saves: u32,
    /// What was wrong with the document when it was saved; nothing if it is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) errors: Option<Box<[String]>>,
    pub(crate) created_at: Moment,
    pub(crate) last_edited_at: Moment,
}

/// How far the labels of a row are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum LabelStatus {
    NotLabelled,
    LabelInProgress,
    Labelled,
    Reviewed,
}

impl LabelStatus {
    pub(crate) fn wire(self) -> &'static str {
        match self {
            Self::NotLabelled => "NOT_LABELLED",
            Self::LabelInProgress => "LABEL_IN_PROGRESS",
            Self::Labelled => "LABELLED",
            Self::Reviewed => "REVIEWED",
        }
    }
}
