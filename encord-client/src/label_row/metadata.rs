//! Client metadata that a listing only links to.
//!
//! The links lead to a storage server, so they are fetched without credentials. A link that cannot be followed
//! leaves the row with the metadata the listing had, as the platform's own client does.

use bytes::BytesMut;
use futures::{StreamExt, stream};
use http::{HeaderMap, Method};
use serde_json::{Map, Value};

use crate::call::stalled;
use crate::client::Client;
use crate::redact::SignedUrl;
use crate::transport::{HttpBody, HttpRequest};

/// Links followed at the same time.
const PARALLEL: usize = 10;

/// Largest metadata of one row, in bytes. That of all rows together is held to the limit of an answer, whose part it
/// would have been.
const MAX_LENGTH: usize = 64 << 20;

/// Replaces the metadata of rows that have a link with what the link leads to.
pub(super) async fn follow_links(client: &Client, rows: &mut [Value]) {
    let links: Vec<(usize, SignedUrl)> = rows
        .iter()
        .enumerate()
        .filter_map(|(index, row)| {
            Some((index, SignedUrl::new(row.get("client_metadata_signed_url")?.as_str()?)))
        })
        .collect();
    let mut fetched = stream::iter(links)
        .map(|(index, link)| async move { (index, fetch(client, &link).await, link) })
        .buffer_unordered(PARALLEL);
    let mut total = 0;
    while let Some((index, metadata, link)) = fetched.next().await {
        let metadata = metadata.and_then(|(metadata, length)| {
            total += length as u64;
            let limit = client.inner.answer_limit;
            if total > limit {
                Err(format!("all together is longer than {limit} bytes"))
            } else {
                Ok(metadata)
            }
        });
        match (metadata, rows[index].as_object_mut()) {
            (Ok(metadata), Some(row)) => {
                row.insert("client_metadata".to_owned(), Value::Object(metadata));
            }
            (Err(problem), _) => tracing::warn!(%link, %problem, "client metadata could not be fetched"),
            (Ok(_), None) => {}
        }
    }
}

/// The metadata and its length in bytes.
async fn fetch(client: &Client, link: &SignedUrl) -> Result<(Map<String, Value>, usize), String> {
    let budget = client.inner.timeouts.budget;
    let fetched = tokio::time::timeout(budget, fetch_slowly(client, link)).await;
    fetched.unwrap_or_else(|_| Err(format!("not complete within {} s", budget.as_secs_f32())))
}

async fn fetch_slowly(client: &Client, link: &SignedUrl) -> Result<(Map<String, Value>, usize), String> {
    let stall = client.inner.timeouts.stall;
    let request = HttpRequest {
        method: Method::GET,
        url: link.expose().to_owned(),
        headers: HeaderMap::new(),
        body: HttpBody::Bytes(bytes::Bytes::new()),
    };
    let sent = stalled(stall, client.inner.transport.send(request)).await;
    let mut response = sent.map_err(|error| error.to_string())?;
    if !response.status.is_success() {
        return Err(format!("status {}", response.status.as_u16()));
    }
    let mut whole = BytesMut::new();
    loop {
        let piece = stalled(stall, async { response.body.next().await.transpose() }).await;
        let Some(piece) = piece.map_err(|error| error.to_string())? else { break };
        if whole.len() + piece.len() > MAX_LENGTH {
            return Err(format!("longer than {MAX_LENGTH} bytes"));
        }
        whole.extend_from_slice(&piece);
    }
    let metadata = serde_json::from_slice(&whole).map_err(|error| format!("no JSON object: {error}"))?;
    Ok((metadata, whole.len()))
}
