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

/// Largest metadata of one row, in bytes.
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
    while let Some((index, metadata, link)) = fetched.next().await {
        match (metadata, rows[index].as_object_mut()) {
            (Ok(metadata), Some(row)) => {
                row.insert("client_metadata".to_owned(), Value::Object(metadata));
            }
            (Err(problem), _) => tracing::warn!(%link, %problem, "client metadata could not be fetched"),
            (Ok(_), None) => {}
        }
    }
}

async fn fetch(client: &Client, link: &SignedUrl) -> Result<Map<String, Value>, String> {
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
    serde_json::from_slice(&whole).map_err(|error| format!("no JSON object: {error}"))
}
