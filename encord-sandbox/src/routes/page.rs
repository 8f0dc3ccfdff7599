//! Pages of listings. Tokens are cursors: they name the place after which the
//! next page starts, so nothing is skipped when entries disappear meanwhile.

use std::cmp::Ordering;

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

/// The same for a listing in an order. Only the page is put in order, since a large
/// folder is read page after page.
pub(super) fn cut_ordered<T>(
    query: &Query,
    default: usize,
    mut all: Vec<T>,
    order: impl Fn(&T, &T) -> Ordering,
    show: impl Fn(T) -> Value,
) -> Answer<Value> {
    let (start, size) = (cursor(query)? as usize, size(query, default)?);
    let end = start.saturating_add(size);
    let more = all.len() > end;
    if more {
        all.select_nth_unstable_by(end, &order);
        all.truncate(end);
    }
    if start > 0 && start < all.len() {
        all.select_nth_unstable_by(start, &order);
    }
    let mut page = all.split_off(start.min(all.len()));
    page.sort_unstable_by(order);
    Ok(answer(page.into_iter().map(show).collect(), more.then_some(end as u64)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Query;
    use super::cut_ordered;

    #[test]
    fn pages_of_an_ordered_listing_are_its_parts() {
        let numbers: Vec<u64> = (0..97).map(|number| number * 59 % 97).collect();
        for size in [1, 10, 96, 97, 98] {
            let (mut found, mut token) = (Vec::new(), String::new());
            loop {
                let query = Query::of(&format!("pageSize={size}{token}"));
                let page =
                    cut_ordered(&query, 100, numbers.clone(), Ord::cmp, |number| json!(number)).unwrap();
                found.extend(page["results"].as_array().unwrap().clone());
                let Some(next) = page["nextPageToken"].as_str() else { break };
                token = format!("&pageToken={next}");
            }
            assert_eq!(found, (0..97).map(Value::from).collect::<Vec<_>>(), "pages of {size}");
        }
    }
}
