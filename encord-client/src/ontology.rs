//! Ontologies as things of the platform: with a title, dates and a structure.

use std::sync::Arc;

use encord_labels::Ontology;
use encord_labels::id::OntologyHash;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::query::Target;
use crate::retry::Safety;
use crate::time::DateTime;

/// An ontology of the platform.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OntologyInfo {
    /// Identity of the ontology.
    pub hash: OntologyHash,
    /// Name of the ontology.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub last_edited_at: DateTime,
    /// What may be labelled.
    pub structure: Arc<Ontology>,
}

/// Which ontologies to list. All conditions must hold; `like` uses `%` for anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OntologyFilter {
    /// Ontologies with exactly this title.
    pub title_eq: Option<String>,
    /// Ontologies whose title matches.
    pub title_like: Option<String>,
    /// Ontologies made before.
    pub created_before: Option<DateTime>,
    /// Ontologies made after.
    pub created_after: Option<DateTime>,
    /// Also ontologies of the organisation that the user is not a member of.
    pub include_org_access: bool,
}

impl OntologyFilter {
    /// Lists every ontology of the user.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only ontologies whose title matches; `%` stands for anything.
    #[must_use]
    pub fn with_title_like(mut self, pattern: impl Into<String>) -> Self {
        self.title_like = Some(pattern.into());
        self
    }
}

impl Client {
    /// Reads an ontology.
    ///
    /// # Errors
    /// [`Error::NotFound`] or [`Error::Authorisation`] if there is none with this hash,
    /// [`Error::Labels`] if its structure cannot be understood.
    pub async fn ontology(&self, hash: OntologyHash) -> Result<OntologyInfo> {
        self.v2_get::<WireOntology>(path(hash)).await?.read()
    }

    /// Lists ontologies.
    ///
    /// # Errors
    /// As [`Client::ontology`].
    pub async fn ontologies(&self, filter: &OntologyFilter) -> Result<Vec<OntologyInfo>> {
        #[derive(Deserialize)]
        struct Listing {
            results: Vec<WireOntology>,
        }
        let mut target = Target::new("/v2/public/ontologies");
        target.push_some("titleEq", filter.title_eq.as_deref());
        target.push_some("titleLike", filter.title_like.as_deref());
        target.push_some("createdBefore", filter.created_before.map(DateTime::with_numeric_offset));
        target.push_some("createdAfter", filter.created_after.map(DateTime::with_numeric_offset));
        target.push_bool("includeOrgAccess", filter.include_org_access);
        let listing: Listing = self.v2_get(target).await?;
        listing.results.into_iter().map(WireOntology::read).collect()
    }

    /// Makes an ontology.
    ///
    /// # Errors
    /// [`Error::OutcomeUnknown`] if the answer was lost; list the ontologies before trying again.
    pub async fn create_ontology(
        &self,
        title: &str,
        description: &str,
        structure: &Ontology,
    ) -> Result<OntologyInfo> {
        let body = Content { title, description, editor: structure.to_json() };
        self.v2_call::<WireOntology>(Method::POST, "/v2/public/ontologies".to_owned(), &body, Safety::Once)
            .await?
            .read()
    }

    /// Replaces title, description and structure of an ontology.
    ///
    /// # Errors
    /// Those of every request, see [`Error`].
    pub async fn update_ontology(
        &self,
        hash: OntologyHash,
        title: &str,
        description: &str,
        structure: &Ontology,
    ) -> Result<()> {
        let body = Content { title, description, editor: structure.to_json() };
        self.v2_command(Method::PUT, path(hash), &body, Safety::Idempotent).await
    }
}

#[derive(Serialize)]
struct Content<'a> {
    title: &'a str,
    description: &'a str,
    editor: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireOntology {
    #[serde(alias = "ontology_uuid")]
    ontology_uuid: OntologyHash,
    title: String,
    #[serde(default, deserialize_with = "crate::lenient::or_default")]
    description: String,
    editor: Box<RawValue>,
    #[serde(alias = "created_at")]
    created_at: DateTime,
    #[serde(alias = "last_edited_at")]
    last_edited_at: DateTime,
}

impl WireOntology {
    fn read(self) -> Result<OntologyInfo> {
        let structure = Ontology::from_slice(self.editor.get().as_bytes()).map_err(|source| {
            Error::labels(format!("ontology {} ({:?})", self.ontology_uuid, self.title), source)
        })?;
        Ok(OntologyInfo {
            hash: self.ontology_uuid,
            title: self.title,
            description: self.description,
            created_at: self.created_at,
            last_edited_at: self.last_edited_at,
            structure: Arc::new(structure),
        })
    }
}

fn path(hash: OntologyHash) -> String {
    format!("/v2/public/ontologies/{hash}")
}
