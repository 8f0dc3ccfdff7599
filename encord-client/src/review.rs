//! Reviews of single labels within a review task.

use encord_labels::id::{StageUuid, TaskUuid};
use futures::stream::Stream;
use http::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bundle::{CHUNK, Chunks};
use crate::error::Result;
use crate::lenient::wire_enum;
use crate::project::Project;
use crate::query::Target;
use crate::retry::Safety;

wire_enum! {
    /// What a reviewer decided about a label.
    ReviewStatus {
        /// Nothing yet.
        New = "NEW",
        /// It is right.
        Approved = "APPROVED",
        /// It is wrong.
        Rejected = "REJECTED",
        /// It was wrong and has been corrected.
        Resolved = "RESOLVED",
        /// It is to be looked at again.
        Reopened = "REOPENED",
    }
}

/// The review of one label.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LabelReview {
    /// Identity of the review.
    #[serde(rename = "reviewUuid", alias = "review_uuid")]
    pub uuid: Uuid,
    /// What the reviewer decided.
    pub status: ReviewStatus,
    /// Kind of label, as written by the platform.
    #[serde(alias = "label_type")]
    pub label_type: String,
    /// Hash of the object or classification.
    #[serde(alias = "label_id")]
    pub label_id: String,
}

/// A decision about the review of one label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use]
pub struct ReviewAction {
    review_uuid: Uuid,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    comment_tags: Vec<String>,
}

impl ReviewAction {
    fn new(review: Uuid, action: &'static str) -> Self {
        Self { review_uuid: review, action, comment: None, comment_tags: Vec::new() }
    }

    /// The label is right.
    pub fn approve(review: Uuid) -> Self {
        Self::new(review, "APPROVE")
    }

    /// The label is wrong.
    pub fn reject(review: Uuid) -> Self {
        Self::new(review, "REJECT")
    }

    /// The label is to be looked at again.
    pub fn reopen(review: Uuid) -> Self {
        Self::new(review, "REOPEN")
    }

    /// Says why.
    pub fn with_comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    /// Sorts the comment under tags.
    pub fn with_comment_tags(mut self, tags: impl IntoIterator<Item = String>) -> Self {
        self.comment_tags = tags.into_iter().collect();
        self
    }
}

impl Project {
    /// The reviews of the labels of a review task, fetched page by page as the stream is read.
    pub fn label_reviews(
        &self,
        stage: StageUuid,
        task: TaskUuid,
    ) -> impl Stream<Item = Result<LabelReview>> + Send + 'static + use<> {
        self.client().entries(vec![Target::new(self.reviews_path(stage, task))])
    }

    /// Decides about reviews of one task, at most 1000 per request. Nothing is sent for an empty list.
    ///
    /// # Errors
    /// [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) if an answer was lost.
    pub async fn act_on_reviews(
        &self,
        stage: StageUuid,
        task: TaskUuid,
        actions: &[ReviewAction],
    ) -> Result<()> {
        let path = format!("{}/actions", self.reviews_path(stage, task));
        let mut chunks = Chunks::new(actions, CHUNK);
        while let Some(chunk) = chunks.current() {
            let sent = self.client().v2_command(Method::POST, path.clone(), &chunk, Safety::Once).await;
            chunks.settle(sent)?;
        }
        Ok(())
    }

    fn reviews_path(&self, stage: StageUuid, task: TaskUuid) -> String {
        format!("{}/tasks/{task}/reviews", self.stage_path(stage))
    }
}
