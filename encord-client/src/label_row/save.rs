//! Writing the labels of many rows with few requests.

use std::io::Write;

use encord_labels::LabelRow;
use encord_labels::id::LabelHash;

use super::row_name;
use crate::bundle::{CHUNK, Chunks};
use crate::error::{Error, Result};
use crate::project::Project;
use crate::retry::Safety;
use crate::v1::Operation;

const SAVE: Operation = Operation {
    query_type: "labelrow",
    verb: "POST",
    label: "(save labels)",
    // A document replaces the stored one as a whole, so sending it twice does no harm.
    safety: Safety::Idempotent,
};

impl Project {
    /// Saves the labels of rows, at most 1000 rows per request. Nothing is sent for an empty list.
    ///
    /// `validate` asks the platform to check the labels against the ontology first.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a row that has not been initialised (then nothing is sent),
    /// [`Error::InvalidLabels`] if the platform refuses the labels, [`Error::Incomplete`] if that happens after rows
    /// before were saved.
    pub async fn save_labels(&self, rows: &[&LabelRow], validate: bool) -> Result<()> {
        if let Some(row) = rows.iter().find(|row| !row.is_initialised()) {
            return Err(Error::invalid(format!("{}: initialise it before saving", row_name(row))));
        }
        let mut chunks = Chunks::new(rows, CHUNK);
        while let Some(chunk) = chunks.current() {
            let saved = match envelope(chunk, validate) {
                Ok(body) => {
                    let sent = self.client().v1_raw(self.entity(), SAVE, body.into()).await;
                    sent.and_then(|answer| answer.v1_done())
                }
                Err(error) => Err(error),
            };
            chunks.settle(saved)?;
        }
        Ok(())
    }
}

/// The whole request. Documents are written straight into it: they may be large, and copies cost.
fn envelope(rows: &[&LabelRow], validate: bool) -> Result<Vec<u8>> {
    let hashes: Vec<LabelHash> = rows
        .iter()
        .map(|row| {
            row.metadata()
                .label_hash()
                .ok_or_else(|| Error::invalid(format!("{}: it has no label hash", row_name(row))))
        })
        .collect::<Result<_>>()?;
    let mut body = Vec::with_capacity(256 + rows.len() * 2048);
    let unwritable =
        |error: &dyn std::fmt::Display| Error::invalid(format!("labels cannot be written as JSON: {error}"));
    body.extend_from_slice(br#"{"query_type":"labelrow","query_method":"POST","values":{"uid":"#);
    serde_json::to_writer(&mut body, &hashes).map_err(|error| unwritable(&error))?;
    body.extend_from_slice(br#","payload":{"multi_request":true,"labels":["#);
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        row.write_document(&mut body).map_err(|source| Error::labels(row_name(row), source))?;
    }
    write!(body, r#"],"validate_before_saving":{validate}}}}}}}"#).map_err(|error| unwritable(&error))?;
    Ok(body)
}
