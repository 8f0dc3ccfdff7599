//! Reviews of single labels, which a task carries while and after it is reviewed.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{MAIN_BRANCH, RowKey, Store};

/// The review of one label.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LabelReview {
    pub(crate) uuid: Uuid,
    pub(crate) label: String,
    pub(crate) is_object: bool,
    pub(crate) status: ReviewStatus,
}

/// What became of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ReviewStatus {
    New,
    Approved,
    Rejected,
    Resolved,
    Reopened,
}

impl Store {
    /// Gives every label of the task a review that has none; labels that are
    /// gone lose theirs.
    pub(super) fn open_reviews(&mut self, task: Uuid) {
        let Some(found) = self.task(task) else { return };
        let key = RowKey { project: found.project, data: found.data, branch: MAIN_BRANCH.into() };
        let document = self.row(&key).and_then(|row| row.document.as_deref());
        let document: Value = document.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let labels = [("object_answers", true), ("classification_answers", false)]
            .into_iter()
            .flat_map(|(part, is_object)| {
                let labels = document[part].as_object().into_iter().flatten();
                labels.map(move |(label, _)| (label.clone(), is_object))
            })
            .collect::<Vec<_>>();
        let mut reviews = self.reviews.get(&task).cloned().unwrap_or_default();
        let now: HashSet<&str> = labels.iter().map(|(label, _)| label.as_str()).collect();
        reviews.retain(|review| now.contains(review.label.as_str()));
        for (label, is_object) in labels {
            if !reviews.iter().any(|review| review.label == label) {
                reviews.push(LabelReview {
                    uuid: Uuid::new_v4(),
                    label,
                    is_object,
                    status: ReviewStatus::New,
                });
            }
        }
        self.reviews.insert(task, reviews);
    }

    /// Gives all reviews of the task that are in one of the states another.
    pub(crate) fn review_all(&mut self, task: Uuid, from: &[ReviewStatus], to: ReviewStatus) {
        for review in self.reviews.get_mut(&task).into_iter().flatten() {
            if from.contains(&review.status) {
                review.status = to;
            }
        }
    }
}
