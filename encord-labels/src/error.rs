//! What can go wrong with label data, and where.
//!
//! Every problem found in a document carries the JSON path of the value that caused it; problems of edits made
//! in code have an empty path. Variants say what a caller can do, not which function failed.

use std::fmt;

/// The result of everything that can fail in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an ontology, a label row or an edit is not acceptable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not JSON.
    #[error("{path}malformed JSON: {reason}")]
    Syntax {
        /// Where in the document.
        path: JsonPath,
        /// What the parser stumbled over.
        reason: String,
    },
    /// A key that must be there is not.
    #[error("{path}the key \"{key}\" is missing")]
    MissingKey {
        /// The object that lacks the key.
        path: JsonPath,
        /// The key.
        key: &'static str,
    },
    /// A value has another JSON type than it must have.
    #[error("{path}expected {expected}, found {found}")]
    WrongType {
        /// Where in the document.
        path: JsonPath,
        /// What would be right.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A value has the right type but cannot be used.
    #[error("{path}{reason}")]
    InvalidValue {
        /// Where in the document; empty for a value given in code.
        path: JsonPath,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// A shape, data type or other name that this version does not know.
    #[error("{path}unsupported {what} \"{name}\"")]
    Unsupported {
        /// Where in the document.
        path: JsonPath,
        /// What kind of name it is.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Something is referred to that does not exist.
    #[error("{path}there is no {what} \"{name}\"{near}")]
    NotFound {
        /// Where in the document; empty for a look-up in code.
        path: JsonPath,
        /// What was looked for.
        what: &'static str,
        /// The hash or title looked for.
        name: String,
        /// What exists and looks similar.
        near: NearMatches,
    },
    /// A title fits several things.
    #[error("{count} {what} have the title \"{title}\"; look it up by feature hash")]
    Ambiguous {
        /// What was looked for.
        what: &'static str,
        /// The title looked for.
        title: String,
        /// How many carry it.
        count: usize,
    },
    /// A value does not fit the class or attribute it is meant for.
    #[error("{path}{what} needs {expected}, got {found}")]
    Mismatch {
        /// Where in the document; empty for an edit in code.
        path: JsonPath,
        /// The class or attribute.
        what: String,
        /// What it takes.
        expected: String,
        /// What it was given.
        found: String,
    },
    /// Two things claim the same place: a hash, a frame, a range.
    #[error("{path}{reason}")]
    Conflict {
        /// Where in the document; empty for an edit in code.
        path: JsonPath,
        /// Which two things, and how to solve it.
        reason: String,
    },
    /// A frame, page or position lies outside the data.
    #[error("{path}{position} is outside the data, the last position is {last}")]
    OutOfBounds {
        /// Where in the document; empty for an edit in code.
        path: JsonPath,
        /// The position asked for.
        position: u64,
        /// The last one there is.
        last: u64,
    },
    /// The row has no labels yet.
    #[error("the label row is not initialised; fetch its labels first")]
    NotInitialised,
    /// The document could not be written.
    #[error("writing the document failed")]
    Write(#[from] std::io::Error),
}

impl Error {
    pub(crate) fn syntax(reason: impl fmt::Display) -> Self {
        Self::Syntax { path: JsonPath::default(), reason: reason.to_string() }
    }

    pub(crate) fn missing(key: &'static str) -> Self {
        Self::MissingKey { path: JsonPath::default(), key }
    }

    pub(crate) fn wrong_type(expected: &'static str, found: impl Into<String>) -> Self {
        Self::WrongType { path: JsonPath::default(), expected, found: found.into() }
    }

    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::InvalidValue { path: JsonPath::default(), reason: reason.into() }
    }

    pub(crate) fn unsupported(what: &'static str, name: impl Into<String>) -> Self {
        Self::Unsupported { path: JsonPath::default(), what, name: name.into() }
    }

    pub(crate) fn conflict(reason: impl Into<String>) -> Self {
        Self::Conflict { path: JsonPath::default(), reason: reason.into() }
    }

    pub(crate) fn mismatch(
        what: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::Mismatch {
            path: JsonPath::default(),
            what: what.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }

    pub(crate) fn out_of_bounds(position: u64, last: u64) -> Self {
        Self::OutOfBounds { path: JsonPath::default(), position, last }
    }

    pub(crate) fn not_found<'a>(
        what: &'static str,
        name: impl Into<String>,
        existing: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let name = name.into();
        let near = NearMatches::of(&name, existing);
        Self::NotFound { path: JsonPath::default(), what, name, near }
    }

    /// The JSON path of the value that caused this, if it came from a document.
    pub fn path(&self) -> Option<&JsonPath> {
        match self {
            Self::Syntax { path, .. }
            | Self::MissingKey { path, .. }
            | Self::WrongType { path, .. }
            | Self::InvalidValue { path, .. }
            | Self::Unsupported { path, .. }
            | Self::NotFound { path, .. }
            | Self::Mismatch { path, .. }
            | Self::Conflict { path, .. }
            | Self::OutOfBounds { path, .. } => Some(path).filter(|path| !path.is_empty()),
            Self::Ambiguous { .. } | Self::NotInitialised | Self::Write(_) => None,
        }
    }

    /// Says that the problem lies under `key` of the object being read.
    pub(crate) fn under(mut self, key: &str) -> Self {
        self.prepend(|path| path.prepend_key(key));
        self
    }

    /// Says that the problem lies in item `index` of the list being read.
    pub(crate) fn at(mut self, index: usize) -> Self {
        self.prepend(|path| path.prepend(&format!("[{index}]")));
        self
    }

    fn prepend(&mut self, add: impl FnOnce(&mut JsonPath)) {
        match self {
            Self::Syntax { path, .. }
            | Self::MissingKey { path, .. }
            | Self::WrongType { path, .. }
            | Self::InvalidValue { path, .. }
            | Self::Unsupported { path, .. }
            | Self::NotFound { path, .. }
            | Self::Mismatch { path, .. }
            | Self::Conflict { path, .. }
            | Self::OutOfBounds { path, .. } => add(path),
            Self::Ambiguous { .. } | Self::NotInitialised | Self::Write(_) => {}
        }
    }
}

/// Adds the place in the document to an error on its way up.
pub(crate) trait Located<T> {
    fn under(self, key: &str) -> Result<T>;
    fn at(self, index: usize) -> Result<T>;
}

impl<T> Located<T> for Result<T> {
    #[inline]
    fn under(self, key: &str) -> Result<T> {
        self.map_err(|error| error.under(key))
    }

    #[inline]
    fn at(self, index: usize) -> Result<T> {
        self.map_err(|error| error.at(index))
    }
}

/// The way from the root of a document to a value, like `$.data_units.ab12.labels.3.objects[0]`.
///
/// Keys with unusual characters are written as `["key"]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsonPath(String);

impl JsonPath {
    /// Whether this is the path of nothing: the problem did not come from a document.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn prepend(&mut self, segment: &str) {
        self.0.insert_str(0, segment);
    }

    fn prepend_key(&mut self, key: &str) {
        let plain = !key.is_empty()
            && key.len() <= 200
            && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if plain {
            self.prepend(&format!(".{key}"));
        } else {
            let shown: String = key.chars().take(200).collect();
            self.prepend(&format!("[{shown:?}]"));
        }
    }
}

/// In messages a path is followed by a colon, so that an empty one leaves no trace.
impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "${}: ", self.0) }
    }
}

/// Names that exist and are close to one that does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NearMatches(Vec<String>);

impl NearMatches {
    const SHOWN: usize = 3;

    /// The few names closest to `wanted`; names without any resemblance are left out.
    pub(crate) fn of<'a>(wanted: &str, existing: impl IntoIterator<Item = &'a str>) -> Self {
        let wanted = wanted.to_lowercase();
        let limit = wanted.chars().count() / 3 + 1;
        let mut scored: Vec<(usize, &str)> = existing
            .into_iter()
            .filter_map(|name| {
                let lower = name.to_lowercase();
                let contained = !wanted.is_empty()
                    && (lower.contains(&wanted) || (lower.len() > 2 && wanted.contains(&lower)));
                let distance = if contained { 1 } else { edit_distance(&wanted, &lower, limit)? };
                Some((distance, name))
            })
            .collect();
        scored.sort();
        scored.dedup();
        Self(scored.into_iter().take(Self::SHOWN).map(|(_, name)| name.to_owned()).collect())
    }

    /// The names, closest first.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for NearMatches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            write!(f, "{}\"{name}\"", if index == 0 { "; did you mean " } else { " or " })?;
        }
        if self.0.is_empty() { Ok(()) } else { write!(f, "?") }
    }
}

/// Number of single-character edits between two words, if it is at most `limit`.
fn edit_distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(100).collect(), b.chars().take(100).collect());
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    Some(row[b.len()]).filter(|distance| *distance <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_built_from_the_inside_out() {
        let error = Error::missing("x").under("boundingBox").at(2).under("objects").under("a b");
        assert_eq!(error.to_string(), "$[\"a b\"].objects[2].boundingBox: the key \"x\" is missing");
    }

    #[test]
    fn near_matches_are_the_similar_names_only() {
        let error = Error::not_found("object class", "Crr", ["Car", "Pedestrian", "Cart"]);
        assert_eq!(error.to_string(), "there is no object class \"Crr\"; did you mean \"Car\" or \"Cart\"?");
    }
}
