//! Label rows: find them, and set what the workflow knows about them.
//!
//! Reading and writing the labels themselves is in the submodules.

mod initialise;
mod metadata;
mod save;

use encord_labels::id::{DataHash, LabelHash};
use encord_labels::{LabelRow, LabelRowMetadata};
use http::Method;
use serde::Serialize;
use serde_json::Value;

pub use self::initialise::{InitialiseArgs, RowFailure};
use crate::bundle::{CHUNK, Chunks};
use crate::error::{Error, Result};
use crate::lenient::wire_enum;
use crate::project::Project;
use crate::retry::Safety;
use crate::time::DateTime;
use crate::v1::Operation;

const LIST: Operation = Operation {
    query_type: "labelrowmetadata",
    verb: "GET",
    label: "(list label rows)",
    safety: Safety::Idempotent,
};
const WORKFLOW_NODE: Operation = Operation {
    query_type: "labelworkflowgraphnode",
    verb: "POST",
    label: "(complete or reopen label rows)",
    safety: Safety::Once,
};

wire_enum! {
    /// How far the labels of a row are, for filtering.
    AnnotationStatus {
        /// Waiting for an annotator.
        Queued = "QUEUED",
        /// Being labelled.
        Assigned = "ASSIGNED",
        /// Being checked.
        InReview = "IN_REVIEW",
        /// Sent back.
        Returned = "RETURNED",
        /// Done.
        Completed = "COMPLETED",
    }
}

wire_enum! {
    /// Whether to list data that is only there to train annotators.
    ShadowData {
        /// Both.
        All = "ALL_DATA",
        /// Only training data.
        Only = "SHADOW_DATA",
        /// Everything else.
        Without = "NOT_SHADOW_DATA",
    }
}

/// Which label rows to list, and what to include. The default lists every row of the main branch.
///
/// A list that is set but empty matches nothing.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LabelRowFilter {
    /// Rows last changed before.
    #[serde(serialize_with = "crate::time::numeric_offset")]
    pub edited_before: Option<DateTime>,
    /// Rows last changed after.
    #[serde(serialize_with = "crate::time::numeric_offset")]
    pub edited_after: Option<DateTime>,
    /// Rows with one of these statuses.
    pub label_statuses: Option<Vec<AnnotationStatus>>,
    /// Whether to list training data.
    pub shadow_data_state: Option<ShadowData>,
    /// Also rows that nobody has initialised. Default true.
    pub include_uninitialised_labels: bool,
    /// Rows of these data units.
    pub data_hashes: Option<Vec<DataHash>>,
    /// Rows with these label hashes.
    pub label_hashes: Option<Vec<LabelHash>>,
    /// Rows of data with exactly this title.
    pub data_title_eq: Option<String>,
    /// Rows of data whose title matches; `%` stands for anything.
    pub data_title_like: Option<String>,
    /// Rows in the stage with exactly this title.
    pub workflow_graph_node_title_eq: Option<String>,
    /// Rows in stages whose title matches; `%` stands for anything.
    pub workflow_graph_node_title_like: Option<String>,
    /// Include the client metadata of the data.
    pub include_client_metadata: bool,
    /// Include the pictures of image groups.
    pub include_images_data: bool,
    /// Also list the members of data groups as rows.
    pub include_children: bool,
    /// Include the stage, task and priority of each row. Default true.
    pub include_workflow_graph_node: bool,
    /// List the rows of every branch. Not together with a branch name.
    pub include_all_label_branches: bool,
    /// List the rows of this branch instead of the main one.
    pub branch_name: Option<String>,
    /// Let the platform send links to the client metadata, which are then followed. For metadata so large that
    /// the listing would become too long.
    pub client_metadata_as_signed_url: bool,
}

impl Default for LabelRowFilter {
    fn default() -> Self {
        Self {
            edited_before: None,
            edited_after: None,
            label_statuses: None,
            shadow_data_state: None,
            include_uninitialised_labels: true,
            data_hashes: None,
            label_hashes: None,
            data_title_eq: None,
            data_title_like: None,
            workflow_graph_node_title_eq: None,
            workflow_graph_node_title_like: None,
            include_client_metadata: false,
            include_images_data: false,
            include_children: false,
            include_workflow_graph_node: true,
            include_all_label_branches: false,
            branch_name: None,
            client_metadata_as_signed_url: false,
        }
    }
}

impl LabelRowFilter {
    /// Lists every row of the main branch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only rows of these data units.
    #[must_use]
    pub fn with_data_hashes(mut self, hashes: impl IntoIterator<Item = DataHash>) -> Self {
        self.data_hashes = Some(hashes.into_iter().collect());
        self
    }

    /// Only rows with these label hashes.
    #[must_use]
    pub fn with_label_hashes(mut self, hashes: impl IntoIterator<Item = LabelHash>) -> Self {
        self.label_hashes = Some(hashes.into_iter().collect());
        self
    }

    /// Rows of this branch instead of the main one.
    #[must_use]
    pub fn with_branch_name(mut self, name: impl Into<String>) -> Self {
        self.branch_name = Some(name.into());
        self
    }

    /// Rows of every branch.
    #[must_use]
    pub fn with_all_branches(mut self) -> Self {
        self.include_all_label_branches = true;
        self
    }

    /// With the client metadata of the data.
    #[must_use]
    pub fn with_client_metadata(mut self) -> Self {
        self.include_client_metadata = true;
        self
    }

    /// Also the members of data groups.
    #[must_use]
    pub fn with_children(mut self) -> Self {
        self.include_children = true;
        self
    }

    fn matches_nothing(&self) -> bool {
        self.data_hashes.as_ref().is_some_and(Vec::is_empty)
            || self.label_hashes.as_ref().is_some_and(Vec::is_empty)
            || self.label_statuses.as_ref().is_some_and(Vec::is_empty)
    }
}

impl Project {
    /// Lists label rows. They are not initialised: see [`Project::initialise_labels`].
    ///
    /// The platform answers in one piece, so for big projects narrow the filter.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a branch name together with all branches; [`Error::Labels`] for a row that
    /// cannot be understood.
    pub async fn label_rows(&self, filter: &LabelRowFilter) -> Result<Vec<LabelRow>> {
        if filter.include_all_label_branches && filter.branch_name.is_some() {
            return Err(Error::invalid(
                "ask either for one branch by name or for all branches, not for both",
            ));
        }
        if filter.matches_nothing() {
            return Ok(Vec::new());
        }
        let answer = self.client().v1(self.entity(), LIST, &(), filter).await?;
        let mut rows = answer.v1::<Vec<Value>>()?;
        if filter.client_metadata_as_signed_url {
            metadata::follow_links(self.client(), &mut rows).await;
        }
        rows.into_iter()
            .map(|row| {
                let metadata = LabelRowMetadata::from_json(row)
                    .map_err(|source| Error::labels("listed label row", source))?;
                Ok(LabelRow::new(metadata, self.ontology().clone()))
            })
            .collect()
    }

    /// Sets the priority (0 to 1, higher comes first) of the tasks of data units.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a priority that is not a number from 0 to 1.
    pub async fn set_priorities(&self, priorities: &[(DataHash, f64)]) -> Result<()> {
        #[derive(Serialize)]
        struct Priorities<'a> {
            priorities: &'a [(DataHash, f64)],
        }
        if let Some((data, priority)) = priorities.iter().find(|(_, value)| !(0.0..=1.0).contains(value)) {
            return Err(Error::invalid(format!(
                "priority {priority} of data unit {data} is not between 0 and 1"
            )));
        }
        let path = format!("{}/priorities", self.path());
        let mut chunks = Chunks::new(priorities, CHUNK);
        while let Some(priorities) = chunks.current() {
            let body = Priorities { priorities };
            let sent = self.client().v2_command(Method::POST, path.clone(), &body, Safety::Idempotent).await;
            chunks.settle(sent)?;
        }
        Ok(())
    }

    /// Moves label rows to the final stage of the workflow.
    ///
    /// # Errors
    /// [`Error::OutcomeUnknown`] if an answer was lost.
    pub async fn complete(&self, labels: &[LabelHash]) -> Result<()> {
        self.act_on_rows(labels, "complete").await
    }

    /// Moves label rows back to the first stage of the workflow.
    ///
    /// # Errors
    /// [`Error::OutcomeUnknown`] if an answer was lost.
    pub async fn reopen(&self, labels: &[LabelHash]) -> Result<()> {
        self.act_on_rows(labels, "reopen").await
    }

    async fn act_on_rows(&self, labels: &[LabelHash], action: &'static str) -> Result<()> {
        #[derive(Serialize)]
        struct Action {
            action: &'static str,
        }
        let mut chunks = Chunks::new(labels, CHUNK);
        while let Some(chunk) = chunks.current() {
            let sent = self.client().v1(self.entity(), WORKFLOW_NODE, &chunk, &Action { action }).await;
            chunks.settle(sent.and_then(|answer| answer.v1_done()))?;
        }
        Ok(())
    }
}

/// What to call a row in messages.
pub(crate) fn row_name(row: &LabelRow) -> String {
    let metadata = row.metadata();
    format!(
        "label row of data unit {} ({:?}) on branch {:?}",
        metadata.data_hash(),
        metadata.data_title(),
        metadata.branch_name()
    )
}

/// The value of a text field near the front of a JSON object, without reading the whole of it.
///
/// Label documents run to megabytes, and the field that says which row one belongs to comes early.
pub(crate) fn peek_text(json: &str, field: &str) -> Option<String> {
    struct Peek<'a> {
        field: &'a str,
        found: &'a mut Option<String>,
    }

    impl<'de> serde::de::Visitor<'de> for Peek<'_> {
        type Value = ();

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
            while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                if key == self.field {
                    *self.found = map.next_value::<Option<String>>()?;
                    // The error only ends the reading; the result has been put aside.
                    return Err(serde::de::Error::custom("found"));
                }
                map.next_value::<serde::de::IgnoredAny>()?;
            }
            Ok(())
        }
    }

    let mut found = None;
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let peek = Peek { field, found: &mut found };
    let _ = serde::Deserializer::deserialize_map(&mut deserializer, peek);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peeking_reads_only_the_front() {
        let broken_later = r#"{"x":[1,{"data_hash":"no"}],"data_hash":"yes","rest": oops"#;
        assert_eq!(peek_text(broken_later, "data_hash").as_deref(), Some("yes"));
        assert_eq!(peek_text(r#"{"data_hash":null}"#, "data_hash"), None);
        assert_eq!(peek_text("[]", "data_hash"), None);
    }

    #[test]
    fn every_filter_is_written_even_when_unused() {
        let json = serde_json::to_value(LabelRowFilter::new()).unwrap();
        assert_eq!(json.as_object().unwrap().len(), 18);
        assert_eq!(json["data_hashes"], Value::Null);
        assert_eq!(json["include_workflow_graph_node"], true);
    }
}
