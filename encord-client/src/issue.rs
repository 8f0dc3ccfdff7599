//! Issues: remarks that people (or programs) pin to a data unit, a frame, a point or a label.

use encord_labels::id::DataHash;
use futures::stream::Stream;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::bundle::{CHUNK, Chunks};
use crate::error::Result;
use crate::project::Project;
use crate::query::Target;
use crate::retry::Safety;
use crate::time::DateTime;

/// A remark on a data unit.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Issue {
    /// Identity of the issue.
    pub uuid: Uuid,
    /// What it is pinned to, as written by the platform, for instance `frame`.
    #[serde(rename = "type")]
    pub anchor_type: String,
    /// The data unit.
    #[serde(alias = "data_uuid")]
    pub data_uuid: DataHash,
    /// The conversation.
    #[serde(default)]
    pub comments: Vec<IssueComment>,
    /// The frame it is pinned to.
    #[serde(default, alias = "frame_index")]
    pub frame_index: Option<u64>,
    /// The label it is pinned to.
    #[serde(default, alias = "annotation_id")]
    pub annotation_id: Option<String>,
    /// Everything else, as sent.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, Value>,
}

/// A part of the conversation about an issue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct IssueComment {
    /// What was said.
    pub content: String,
    /// Who said it.
    #[serde(default, alias = "author_email")]
    pub author_email: Option<String>,
    /// When it was said.
    #[serde(default, alias = "created_at")]
    pub created_at: Option<DateTime>,
}

/// What an issue is pinned to. Points are in relative coordinates from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum IssueAnchor {
    /// A data unit.
    DataUnit {
        /// The data unit.
        data_uuid: DataHash,
    },
    /// A frame of a data unit.
    Frame {
        /// The data unit.
        data_uuid: DataHash,
        /// Number of the frame, from 0.
        frame_index: u64,
    },
    /// A point on a frame.
    FrameCoordinate {
        /// The data unit.
        data_uuid: DataHash,
        /// Number of the frame, from 0.
        frame_index: u64,
        /// From the left.
        x: f64,
        /// From the top.
        y: f64,
    },
    /// An object or classification.
    Annotation {
        /// The data unit.
        data_uuid: DataHash,
        /// Hash of the object or classification.
        annotation_id: String,
    },
}

/// An issue to be raised.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use]
pub struct NewIssue {
    anchor: IssueAnchor,
    comment: String,
    issue_tags: Vec<String>,
}

impl NewIssue {
    /// Says something about something.
    pub fn new(anchor: IssueAnchor, comment: impl Into<String>) -> Self {
        Self { anchor, comment: comment.into(), issue_tags: Vec::new() }
    }

    /// Sorts the issue under tags.
    pub fn with_tags(mut self, tags: impl IntoIterator<Item = String>) -> Self {
        self.issue_tags = tags.into_iter().collect();
        self
    }
}

impl Project {
    /// The issues of a data unit, fetched page by page as the stream is read.
    pub fn issues(&self, data: DataHash) -> impl Stream<Item = Result<Issue>> + Send + 'static + use<> {
        self.client().entries(vec![Target::new(self.issues_path()).with("dataUnitId", data)])
    }

    /// Raises issues, at most 1000 per request. Nothing is sent for an empty list.
    ///
    /// # Errors
    /// [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) if an answer was lost.
    pub async fn raise_issues(&self, issues: &[NewIssue]) -> Result<()> {
        #[derive(Serialize)]
        struct Issues<'a> {
            issues: &'a [NewIssue],
        }
        let mut chunks = Chunks::new(issues, CHUNK);
        while let Some(issues) = chunks.current() {
            let body = Issues { issues };
            let sent = self.client().v2_command(Method::POST, self.issues_path(), &body, Safety::Once).await;
            chunks.settle(sent)?;
        }
        Ok(())
    }

    /// Removes issues, at most 1000 per request. Nothing is sent for an empty list.
    ///
    /// # Errors
    /// Those of every request, see [`Error`](crate::Error).
    pub async fn delete_issues(&self, issues: &[Uuid]) -> Result<()> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Issues<'a> {
            issue_uuids: &'a [Uuid],
        }
        let path = format!("{}/delete", self.issues_path());
        let mut chunks = Chunks::new(issues, CHUNK);
        while let Some(issue_uuids) = chunks.current() {
            let body = Issues { issue_uuids };
            let sent = self.client().v2_command(Method::POST, path.clone(), &body, Safety::Idempotent).await;
            chunks.settle(sent)?;
        }
        Ok(())
    }

    fn issues_path(&self) -> String {
        format!("{}/issues", self.path())
    }
}
