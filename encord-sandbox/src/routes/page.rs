//! Pages of listings. Tokens are cursors: they name the place after which the
//! next page starts, so nothing is skipped when entries disappear meanwhile.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Query;
use crate::refusal::{Answer, Refusal};

/// The place after which this page starts; 0 for the first page.
pub(super) fn cursor(query: &Query) -> Answer<u64> {
    let Some(token) = query.one("pageToken") else { return Ok(0) };
    let decoded = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| bytes.try_into().ok());
    decoded
        .map(u64::from_be_bytes)
        .ok_or_else(|| Refusal::Invalid("the page token is not one of ours".into()))
}

/// The size of a page: what was asked for, or the default.
pub(super) fn size(query: &Query, default: usize) -> Answer<usize> {
    match query.number("pageSize")? {
        None => Ok(default),
        Some(size @ 1..=1000) => Ok(size as usize),
        Some(size) => Err(Refusal::Unprocessable(format!("pageSize must be 1 to 1000, not {size}"))),
    }
}

/// The answer with one page; `next` is the place of its last entry when there is more.
pub(super) fn answer(results: Vec<Value>, next: Option<u64>) -> Value {
    let token = next.map(|place| URL_SAFE_NO_PAD.encode(place.to_be_bytes()));
    json!({"results": results, "nextPageToken": token})
}

/// Cuts one page out of a listing that does not change, by position.
pub(super) fn cut<T>(query: &Query, default: usize, all: Vec<T>, show: impl Fn(T) -> Value) -> Answer<Value> {
    let (start, size) = (cursor(query)? as usize, size(query, default)?);
    let end = start.saturating_add(size);
    let more = all.len() > end;
    let results = all.into_iter().skip(start).take(size).map(show).collect();
    Ok(answer(results, more.then_some(end as u64)))
}
