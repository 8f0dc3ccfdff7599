//! How much goes into one request, and which results belong to which request.

use std::collections::HashMap;
use std::hash::Hash;

use crate::error::{Error, Result};

/// Most things per request for nearly every operation.
pub(crate) const CHUNK: usize = 1000;

/// Most tasks per request that moves tasks between stages.
pub(crate) const MOVE_CHUNK: usize = 500;

/// Sorts things by the parameters they must share within one request, keeping the order in which each group and
/// its members came.
pub(crate) fn group_by<T, K: Eq + Hash + Clone>(
    things: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    let mut index = HashMap::new();
    for thing in things {
        let key = key(&thing);
        let at = *index.entry(key.clone()).or_insert_with(|| {
            groups.push((key, Vec::new()));
            groups.len() - 1
        });
        groups[at].1.push(thing);
    }
    groups
}

/// Walks through things in chunks that fit into one request, and makes the chunks smaller when the server says so.
pub(crate) struct Chunks<'a, T> {
    things: &'a [T],
    done: usize,
    limit: usize,
}

impl<'a, T> Chunks<'a, T> {
    pub(crate) fn new(things: &'a [T], limit: usize) -> Self {
        Self { things, done: 0, limit: limit.max(1) }
    }

    /// What belongs into the next request; `None` when everything is done.
    pub(crate) fn current(&self) -> Option<&'a [T]> {
        let rest = &self.things[self.done..];
        (!rest.is_empty()).then(|| &rest[..rest.len().min(self.limit)])
    }

    /// How many things go into one request at present.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Takes the outcome of the request with the current chunk.
    ///
    /// A request that was refused as too large is cut and tried again; other errors end the walk, saying how much
    /// had been done before.
    pub(crate) fn settle<R>(&mut self, outcome: Result<R>) -> Result<Option<R>> {
        let size = self.current().map_or(0, <[T]>::len);
        let smaller = match &outcome {
            Ok(_) => 0,
            Err(Error::PayloadTooLarge(_)) => size / 2,
            Err(Error::LabelLimit { maximum, .. }) => {
                usize::try_from(*maximum).unwrap_or(size).min(size.saturating_sub(1))
            }
            Err(_) => 0,
        };
        match outcome {
            Ok(result) => {
                self.done += size;
                Ok(Some(result))
            }
            Err(_) if smaller > 0 => {
                self.limit = smaller;
                Ok(None)
            }
            Err(error) if self.done == 0 => Err(error),
            Err(error) => Err(Error::Incomplete { done: self.done, source: Box::new(error) }),
        }
    }
}

/// An error naming the ids without a result, if there are any.
pub(crate) fn none_missing(operation: &'static str, missing: Vec<String>) -> Result<()> {
    if missing.is_empty() { Ok(()) } else { Err(Error::MissingResults { operation, missing }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_the_order_of_arrival() {
        let groups = group_by(["b1", "a1", "b2", "c1", "a2"], |text| text.as_bytes()[0]);
        assert_eq!(groups, [(b'b', vec!["b1", "b2"]), (b'a', vec!["a1", "a2"]), (b'c', vec!["c1"])]);
    }
}
