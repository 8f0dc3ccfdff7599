//! Label rows: the labels of one file, or one group of files, on one branch.

mod annotation;
mod answer;
mod answering;
mod classification;
mod classifying;
mod content;
mod data_type;
mod detached;
mod detailing;
mod drawing;
mod dynamic;
mod editing;
mod event;
mod given;
mod html;
mod limits;
mod lookup;
mod metadata;
mod object;
mod place;
mod read;
mod space;
mod unit;
mod validate;
mod view;
mod write;

use std::fmt;
use std::io;
use std::sync::Arc;

use serde_json::Value;

pub use annotation::{Annotation, Details, Event, Interpolation};
pub use classification::ClassificationInstance;
pub use data_type::DataType;
pub use editing::Overlap;
pub use event::Moment;
pub use given::{Answer, AttributeKey, Choice, GivenAnswer};
pub use html::{HtmlPosition, HtmlRange};
pub use metadata::LabelRowMetadata;
pub use object::ObjectInstance;
pub use space::{Space, SpaceKind};
pub use view::FrameView;

#[cfg(feature = "coco")]
pub(crate) use answer::{AnswerEntry, AnswerValue};
#[cfg(feature = "coco")]
pub(crate) use unit::{DataUnit, size_of};

pub(crate) use content::Content;

use crate::error::{Error, Result};
use crate::json::Emitter;
use crate::ontology::Ontology;

/// The labels of one file, or one group of files, on one branch.
///
/// A row starts with nothing but what a listing said about it. Its labels are there once it is initialised with the
/// document the platform keeps; until then everything about labels is [`Error::NotInitialised`].
///
/// The `Debug` form says how much there is, not what: labels reach hundreds of megabytes, and signed links are among
/// the facts about files.
#[derive(Clone)]
pub struct LabelRow {
    metadata: LabelRowMetadata,
    ontology: Arc<Ontology>,
    content: Option<Box<Content>>,
}

impl LabelRow {
    /// A row whose labels have not been fetched.
    pub fn new(metadata: LabelRowMetadata, ontology: Arc<Ontology>) -> Self {
        Self { metadata, ontology, content: None }
    }

    /// Takes the labels from a document, replacing those that are there. The row stays as it was on error.
    ///
    /// # Errors
    /// The error names the JSON path of what is wrong.
    pub fn initialise_from_slice(&mut self, json: &[u8]) -> Result<()> {
        let content = read::read_document(json, &self.metadata, &self.ontology)?;
        self.content = Some(Box::new(content));
        Ok(())
    }

    /// As [`LabelRow::initialise_from_slice`], from JSON that was parsed before; this takes longer.
    ///
    /// # Errors
    /// As [`LabelRow::initialise_from_slice`].
    pub fn initialise_from_value(&mut self, document: Value) -> Result<()> {
        let json = serde_json::to_vec(&document).map_err(Error::syntax)?;
        drop(document);
        self.initialise_from_slice(&json)
    }

    /// Whether the labels are there.
    pub fn is_initialised(&self) -> bool {
        self.content.is_some()
    }

    /// What the listing said about the row.
    pub fn metadata(&self) -> &LabelRowMetadata {
        &self.metadata
    }

    /// What the listing said about the row, to be brought up to date.
    pub fn metadata_mut(&mut self) -> &mut LabelRowMetadata {
        &mut self.metadata
    }

    /// The ontology of the row's project.
    pub fn ontology(&self) -> &Arc<Ontology> {
        &self.ontology
    }

    /// The document to save, with everything that was read and not changed.
    ///
    /// # Errors
    /// [`Error::NotInitialised`] before the labels are there; [`Error::Conflict`] for an object of a continuous scene
    /// whose last event is no delete.
    pub fn to_document(&self) -> Result<Value> {
        serde_json::from_slice(&self.to_json()?).map_err(Error::syntax)
    }

    /// The document to save as compact JSON, in UTF-8.
    ///
    /// # Errors
    /// [`Error::NotInitialised`] before the labels are there; [`Error::Conflict`] for an object of a continuous scene
    /// whose last event is no delete.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let content = self.content()?;
        event::check_ends(content)?;
        let mut out = Emitter::in_memory();
        write::write_document(content, &self.metadata, &mut out)?;
        out.finish()
    }

    /// Writes the document to save as compact JSON, in pieces of some 64 kB, and takes no memory beyond that.
    ///
    /// # Errors
    /// As [`LabelRow::to_json`], before anything is written; [`Error::Write`] if the writer fails.
    pub fn write_document(&self, out: &mut impl io::Write) -> Result<()> {
        let content = self.content()?;
        event::check_ends(content)?;
        let mut out = Emitter::new(out);
        write::write_document(content, &self.metadata, &mut out)?;
        out.finish().map(|_| ())
    }

    /// The objects, in order of appearance.
    ///
    /// # Errors
    /// [`Error::NotInitialised`].
    pub fn objects(&self) -> Result<impl Iterator<Item = &ObjectInstance>> {
        Ok(self.content()?.objects.values())
    }

    /// The classifications, in order.
    ///
    /// # Errors
    /// [`Error::NotInitialised`].
    pub fn classifications(&self) -> Result<impl Iterator<Item = &ClassificationInstance>> {
        Ok(self.content()?.classifications.values())
    }

    /// The spaces of a group or scene; other rows have none.
    ///
    /// # Errors
    /// [`Error::NotInitialised`].
    pub fn spaces(&self) -> Result<impl Iterator<Item = &Space>> {
        Ok(self.content()?.spaces.values())
    }

    pub(crate) fn content(&self) -> Result<&Content> {
        self.content.as_deref().ok_or(Error::NotInitialised)
    }
}

impl fmt::Debug for LabelRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = f.debug_struct("LabelRow");
        row.field("metadata", &self.metadata);
        if let Some(content) = &self.content {
            row.field("objects", &content.objects.len());
            row.field("classifications", &content.classifications.len());
        }
        row.finish_non_exhaustive()
    }
}
