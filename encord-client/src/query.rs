//! Query strings in the platform's spelling: camel-case keys, repeated keys for lists, `True` and `False`.
//!
//! The result is signed as it is sent, so there is exactly one place that encodes.

use std::fmt::Display;

use url::form_urlencoded::byte_serialize;

/// Path and query under construction.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    text: String,
    has_query: bool,
}

impl Target {
    /// Starts with a path, which must be percent-encoded already.
    pub(crate) fn new(path: impl Into<String>) -> Self {
        Self { text: path.into(), has_query: false }
    }

    pub(crate) fn push(&mut self, key: &str, value: impl Display) {
        self.text.push(if self.has_query { '&' } else { '?' });
        self.has_query = true;
        self.text.push_str(key);
        self.text.push('=');
        let value = value.to_string();
        self.text.extend(byte_serialize(value.as_bytes()));
    }

    pub(crate) fn push_bool(&mut self, key: &str, value: bool) {
        self.push(key, if value { "True" } else { "False" });
    }

    pub(crate) fn push_some(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.push(key, value);
        }
    }

    pub(crate) fn push_each<T: Display>(&mut self, key: &str, values: impl IntoIterator<Item = T>) {
        for value in values {
            self.push(key, value);
        }
    }

    pub(crate) fn with(mut self, key: &str, value: impl Display) -> Self {
        self.push(key, value);
        self
    }

    pub(crate) fn with_bool(mut self, key: &str, value: bool) -> Self {
        self.push_bool(key, value);
        self
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<String> for Target {
    fn from(path: String) -> Self {
        Self::new(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_form_encoded_and_keys_repeat() {
        let mut target = Target::new("/v2/x").with("titleLike", "clip & co%").with_bool("desc", false);
        target.push_each("dataHashes", ["a", "b"]);
        target.push_some("createdAfter", Some("2025-01-01T10:00:00Z"));
        target.push_some("missing", None::<&str>);
        assert_eq!(
            target.as_str(),
            "/v2/x?titleLike=clip+%26+co%25&desc=False&dataHashes=a&dataHashes=b&createdAfter=2025-01-01T10%3A00%3A00Z"
        );
    }
}
