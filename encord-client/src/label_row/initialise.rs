//! Reading the labels of many rows with few requests.
//!
//! Rows that were never initialised are created on the way, which is another call of the platform. Calls have
//! parameters for the whole request, so rows are sorted by what they need first: the branch of a row is the row's
//! own, never that of whichever row came first.

use std::collections::HashMap;

use encord_labels::LabelRow;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{LabelRowFilter, peek_text, row_name};
use crate::bundle::{self, CHUNK, Chunks};
use crate::call::Answer;
use crate::error::{Error, Result};
use crate::project::Project;
use crate::retry::Safety;
use crate::v1::Operation;

const READ: Operation =
    Operation { query_type: "labelrow", verb: "GET", label: "(read labels)", safety: Safety::Idempotent };
const CREATE: Operation =
    Operation { query_type: "labelrow", verb: "PUT", label: "(create labels)", safety: Safety::Once };

/// What to read along with the labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InitialiseArgs {
    /// Only objects of these features.
    pub include_object_feature_hashes: Option<Vec<String>>,
    /// Only classifications of these features.
    pub include_classification_feature_hashes: Option<Vec<String>>,
    /// Include reviews.
    pub include_reviews: bool,
    /// Include archived features.
    pub include_archived: bool,
    /// Put a signed link to the data into each document.
    pub include_signed_url: bool,
    /// Read rows again that have labels already; changes that were not saved are lost.
    pub overwrite: bool,
}

/// A row that could not be initialised, though the request succeeded.
#[derive(Debug)]
#[non_exhaustive]
pub struct RowFailure {
    /// Position of the row in the call.
    pub index: usize,
    /// What was wrong.
    pub error: Error,
}

#[derive(Serialize)]
struct ReadPayload<'a> {
    get_signed_url: bool,
    multi_request: bool,
    include_object_feature_hashes: Option<&'a [String]>,
    include_classification_feature_hashes: Option<&'a [String]>,
    include_reviews: bool,
    include_export_history: bool,
    include_archived: bool,
}

#[derive(Serialize)]
struct CreatePayload<'a> {
    multi_request: bool,
    get_signed_url: bool,
    branch_name: &'a str,
}

/// A row on its way through a request: its position in the call, the id it is asked for by, and the row.
struct Pending<'a> {
    index: usize,
    id: String,
    row: &'a mut LabelRow,
}

impl Project {
    /// Reads the labels of rows, at most 1000 rows per request; rows never labelled before are created.
    ///
    /// Rows that have labels already are skipped unless `overwrite` is set.
    ///
    /// # Errors
    /// Besides those of the requests: [`Error::MissingResults`] or [`Error::Labels`] if single rows failed. All
    /// other rows are initialised then; [`Project::try_initialise_labels`] tells which.
    pub async fn initialise_labels<'a>(
        &self,
        rows: impl IntoIterator<Item = &'a mut LabelRow> + Send,
        args: &InitialiseArgs,
    ) -> Result<()> {
        let mut failures = self.try_initialise_labels(rows, args).await?;
        match failures.len() {
            0 => Ok(()),
            1 => Err(failures.swap_remove(0).error),
            _ => {
                let mut missing = Vec::new();
                for RowFailure { error, .. } in failures {
                    match error {
                        Error::MissingResults { missing: ids, .. } => missing.extend(ids),
                        other => return Err(other),
                    }
                }
                Err(Error::MissingResults { operation: "initialise labels", missing })
            }
        }
    }

    /// As [`Project::initialise_labels`], but tells each row that failed.
    ///
    /// # Errors
    /// Those of the requests; rows of earlier requests are initialised then.
    pub async fn try_initialise_labels<'a>(
        &self,
        rows: impl IntoIterator<Item = &'a mut LabelRow> + Send,
        args: &InitialiseArgs,
    ) -> Result<Vec<RowFailure>> {
        let mut known = Vec::new();
        let mut new = Vec::new();
        for (index, row) in rows.into_iter().enumerate() {
            if row.is_initialised() && !args.overwrite {
                continue;
            }
            match row.metadata().label_hash().map(|hash| hash.to_string()) {
                Some(id) => known.push(Pending { index, id, row }),
                None => new.push(Pending { index, id: row.metadata().data_hash().to_owned(), row }),
            }
        }
        let mut failures = Vec::new();
        for (branch, rows) in bundle::group_by(new, |pending| pending.row.metadata().branch_name().to_owned())
        {
            self.create_labels(rows, &branch, args, &mut known, &mut failures).await?;
        }
        self.read_labels(known, args, &mut failures).await?;
        failures.sort_by_key(|failure| failure.index);
        Ok(failures)
    }

    async fn read_labels(
        &self,
        mut rows: Vec<Pending<'_>>,
        args: &InitialiseArgs,
        failures: &mut Vec<RowFailure>,
    ) -> Result<()> {
        let payload = ReadPayload {
            get_signed_url: args.include_signed_url,
            multi_request: true,
            include_object_feature_hashes: args.include_object_feature_hashes.as_deref(),
            include_classification_feature_hashes: args.include_classification_feature_hashes.as_deref(),
            include_reviews: args.include_reviews,
            include_export_history: false,
            include_archived: args.include_archived,
        };
        let ids: Vec<String> = rows.iter().map(|pending| pending.id.clone()).collect();
        let mut chunks = Chunks::new(&ids, CHUNK);
        while let Some(chunk) = chunks.current() {
            let answer = self.client().v1(self.entity(), READ, &chunk, &payload).await;
            let taken = chunk.len();
            if let Some(answer) = chunks.settle(answer)? {
                let rest = rows.split_off(taken);
                distribute(&answer, "label_hash", rows, failures)?;
                rows = rest;
            }
        }
        Ok(())
    }

    /// Creates rows. A request whose answer was lost may have created them; then they are looked up, those that
    /// exist are handed over to be read, and the others are asked for again.
    async fn create_labels<'a>(
        &self,
        mut rows: Vec<Pending<'a>>,
        branch: &str,
        args: &InitialiseArgs,
        known: &mut Vec<Pending<'a>>,
        failures: &mut Vec<RowFailure>,
    ) -> Result<()> {
        let payload = CreatePayload {
            multi_request: true,
            get_signed_url: args.include_signed_url,
            branch_name: branch,
        };
        let policy = self.client().inner.retry;
        let mut limit = CHUNK;
        let mut retries = 0;
        while !rows.is_empty() {
            let ids: Vec<&str> = rows.iter().take(limit).map(|pending| pending.id.as_str()).collect();
            let mut chunks = Chunks::new(&ids, limit);
            let answer = self.client().v1(self.entity(), CREATE, &ids, &payload).await;
            if let Err(Error::OutcomeUnknown(lost)) = answer {
                let found = self.created_labels(&ids, branch).await?;
                let (created, missing): (Vec<_>, Vec<_>) =
                    rows.into_iter().partition(|pending| found.contains_key(&pending.id));
                if created.is_empty() {
                    if retries >= policy.max_retries || !lost.is_retryable() {
                        return Err(*lost);
                    }
                    tokio::time::sleep(policy.pause(retries)).await;
                    retries += 1;
                }
                known.extend(created.into_iter().map(|pending| Pending {
                    id: found.get(&pending.id).cloned().unwrap_or_default(),
                    ..pending
                }));
                rows = missing;
                continue;
            }
            match chunks.settle(answer)? {
                Some(answer) => {
                    let taken = ids.len();
                    let rest = rows.split_off(taken);
                    distribute(&answer, "data_hash", rows, failures)?;
                    rows = rest;
                }
                None => limit = chunks.limit(),
            }
        }
        Ok(())
    }

    /// Label hashes of the rows of a branch that exist by now, by data hash.
    async fn created_labels(&self, data: &[&str], branch: &str) -> Result<HashMap<String, String>> {
        let hashes = data.iter().filter_map(|hash| hash.parse().ok());
        let filter = LabelRowFilter::new().with_data_hashes(hashes).with_branch_name(branch);
        let rows = self.label_rows(&filter).await?;
        let pairs = rows.iter().filter_map(|row| {
            Some((row.metadata().data_hash().to_owned(), row.metadata().label_hash()?.to_string()))
        });
        Ok(pairs.collect())
    }
}

/// Hands each document of an answer to the rows it belongs to; rows left over are failures.
fn distribute(
    answer: &Answer,
    field: &str,
    rows: Vec<Pending<'_>>,
    failures: &mut Vec<RowFailure>,
) -> Result<()> {
    let documents = answer.v1::<Vec<&RawValue>>()?;
    let mut by_id = HashMap::with_capacity(documents.len());
    for document in documents {
        if let Some(id) = peek_text(document.get(), field) {
            by_id.insert(id, document);
        }
    }
    for Pending { index, id, row } in rows {
        let outcome = match by_id.get(&id) {
            Some(document) => initialise(row, document.get()),
            None => Err(Error::MissingResults { operation: "initialise labels", missing: vec![id] }),
        };
        if let Err(error) = outcome {
            failures.push(RowFailure { index, error });
        }
    }
    Ok(())
}

/// Takes the labels from a document, and the label hash that a new row has got by now.
fn initialise(row: &mut LabelRow, document: &str) -> Result<()> {
    row.initialise_from_slice(document.as_bytes()).map_err(|source| Error::labels(row_name(row), source))?;
    let hash = peek_text(document, "label_hash").and_then(|hash| hash.parse().ok());
    if let Some(hash) = hash.filter(|hash| row.metadata().label_hash() != Some(*hash)) {
        row.metadata_mut().set_label_hash(hash);
    }
    Ok(())
}
