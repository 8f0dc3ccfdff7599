//! Listings that come in pages, as lazy streams.
//!
//! A page is asked for only when the previous one is used up, so a million tasks need memory for one page. A
//! server that repeats a token would otherwise keep a client busy for ever; that is an error here.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use futures::stream::{self, Stream};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::query::Target;

/// So many pages in a row without any entry are taken for a fault of the server.
const MAX_EMPTY_PAGES: u32 = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    results: Vec<T>,
    #[serde(default, alias = "next_page_token")]
    next_page_token: Option<String>,
}

/// Where a listing stands.
struct Cursor {
    client: Client,
    targets: std::vec::IntoIter<Target>,
    current: Option<Target>,
    token: Option<String>,
    seen: HashSet<u64>,
    hasher: RandomState,
    empty_pages: u32,
}

impl Client {
    /// The pages of one or several listings, one after another. Empty pages are skipped.
    pub(crate) fn pages<T: DeserializeOwned + Send + 'static>(
        &self,
        targets: Vec<Target>,
    ) -> impl Stream<Item = Result<Vec<T>>> + Send + 'static + use<T> {
        let mut targets = targets.into_iter();
        let cursor = Cursor {
            client: self.clone(),
            current: targets.next(),
            targets,
            token: None,
            seen: HashSet::new(),
            hasher: RandomState::new(),
            empty_pages: 0,
        };
        stream::try_unfold(cursor, |mut cursor| async move {
            loop {
                let Some(target) = cursor.current.clone() else { return Ok(None) };
                let page: Vec<T> = cursor.next_page(target).await?;
                if !page.is_empty() {
                    return Ok(Some((page, cursor)));
                }
            }
        })
    }

    /// The entries of [`Client::pages`] one by one.
    pub(crate) fn entries<T: DeserializeOwned + Send + 'static>(
        &self,
        targets: Vec<Target>,
    ) -> impl Stream<Item = Result<T>> + Send + 'static + use<T> {
        flatten(self.pages(targets))
    }
}

/// Entries instead of pages.
pub(crate) fn flatten<T: Send + 'static>(
    pages: impl Stream<Item = Result<Vec<T>>> + Send + 'static,
) -> impl Stream<Item = Result<T>> + Send + 'static {
    use futures::{StreamExt, TryStreamExt};
    pages.map_ok(|page| stream::iter(page).map(Ok)).try_flatten()
}

impl Cursor {
    async fn next_page<T: DeserializeOwned>(&mut self, target: Target) -> Result<Vec<T>> {
        let path = crate::redact::without_query(target.as_str()).to_owned();
        let target = match &self.token {
            Some(token) => target.with("pageToken", token),
            None => target,
        };
        let Page { results, next_page_token } = self.client.v2_get::<Page<T>>(target).await?;
        self.token = next_page_token.filter(|token| !token.is_empty());
        let problem = match &self.token {
            None => {
                self.current = self.targets.next();
                self.seen.clear();
                None
            }
            Some(token) if !self.seen.insert(self.hasher.hash_one(token)) => {
                Some("the same page token twice")
            }
            Some(_) => None,
        };
        self.empty_pages = if results.is_empty() { self.empty_pages + 1 } else { 0 };
        let problem =
            problem.or((self.empty_pages > MAX_EMPTY_PAGES).then_some("one empty page after another"));
        match problem {
            None => Ok(results),
            Some(problem) => Err(Error::Protocol {
                endpoint: format!("GET {path} on {}", self.client.domain()),
                problem: format!("the listing does not end: the server sends {problem}"),
            }),
        }
    }
}
