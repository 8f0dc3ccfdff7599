//! Keys of a document that this version does not know.
//!
//! Everything that is read can carry such keys; they are kept where they were found and written back, so that
//! a row that passes through here loses nothing. Almost nothing has any, so an empty set costs one pointer.

use std::fmt;

use serde_json::{Map, Value};

use crate::json::Emitter;
use crate::redact::Redacted;

/// Unknown keys of one JSON object, in the order they came.
///
/// The `Debug` form shows links without their queries, which may be signatures.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Extra(Option<Box<Map<String, Value>>>);

impl Extra {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|map| map.is_empty())
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.as_ref()?.get(key)
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().flat_map(|map| map.iter()).map(|(key, value)| (key.as_str(), value))
    }

    /// Writes the keys into the object that is being written.
    pub(crate) fn write(&self, out: &mut Emitter<'_>) {
        self.iter().for_each(|(key, value)| out.text_key(key).value(value));
    }

    /// Keeps a value; one that is there already is replaced.
    pub fn insert(&mut self, key: impl Into<String>, value: Value) {
        self.0.get_or_insert_default().insert(key.into(), value);
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let removed = self.0.as_mut()?.shift_remove(key);
        // Having none is spelled in one way only, so that equal values are equal.
        if self.is_empty() {
            self.0 = None;
        }
        removed
    }
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(key, value)| (key, Redacted(value)))).finish()
    }
}

impl From<Map<String, Value>> for Extra {
    fn from(map: Map<String, Value>) -> Self {
        if map.is_empty() { Self(None) } else { Self(Some(Box::new(map))) }
    }
}
