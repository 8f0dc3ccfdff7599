//! Addresses that carry their own permission, and how to mention them without giving it away.

use std::fmt;

use serde::Deserialize;

/// An address with a signature in its query: whoever has it can read (or write) the file.
///
/// Neither `Debug` nor `Display` shows the query.
///
/// ```
/// use encord_client::SignedUrl;
///
/// let url = SignedUrl::new("https://files.example.org/a/b.mp4?sig=secret");
/// assert_eq!(url.to_string(), "https://files.example.org/a/b.mp4?redacted");
/// assert!(url.expose().ends_with("sig=secret"));
/// ```
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SignedUrl(String);

impl SignedUrl {
    /// Wraps an address.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The complete address. Do not log it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The address without its query, fit for messages.
    pub(crate) fn location(&self) -> String {
        without_query(&self.0).to_owned()
    }
}

impl fmt::Display for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let visible = without_query(&self.0);
        f.write_str(visible)?;
        if visible.len() < self.0.len() { f.write_str("?redacted") } else { Ok(()) }
    }
}

impl fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedUrl({self})")
    }
}

/// Everything before the first `?` or `#`.
pub(crate) fn without_query(url: &str) -> &str {
    url.find(['?', '#']).map_or(url, |end| &url[..end])
}
