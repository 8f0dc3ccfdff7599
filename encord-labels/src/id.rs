//! Identifiers as types, so that one cannot be passed where another is meant.
//!
//! Two families: hashes that the platform assigns to its resources are UUIDs; hashes inside ontologies and label
//! documents are short opaque strings.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The identifier for a UUID.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// A new random identifier.
            pub fn random() -> Self {
                Self(Uuid::new_v4())
            }

            /// The UUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            /// Accepts every usual spelling of a UUID.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text.trim()).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

uuid_ids! {
    /// A project.
    ProjectHash
    /// An ontology.
    OntologyHash
    /// A dataset.
    DatasetHash
    /// A data row: one file, or one group of files, of a dataset.
    DataHash
    /// A label row: the labels of one data row on one branch.
    LabelHash
    /// A stage of a workflow.
    StageUuid
    /// A task of a workflow.
    TaskUuid
    /// A way out of an agent stage.
    PathwayUuid
    /// A workflow template.
    TemplateHash
    /// A storage item.
    ItemUuid
    /// A storage folder.
    FolderUuid
}

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        ///
        /// Cheap to clone. Any text is accepted, because documents may hold any.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl From<Arc<str>> for $name {
            fn from(text: Arc<str>) -> Self {
                Self(text)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }
    )*};
}

text_ids! {
    /// Names an object class, a classification class, an attribute or an option of an ontology.
    FeatureHash
    /// Names one labelled object of a label row.
    ObjectHash
    /// Names one classification of a label row.
    ClassificationHash
    /// Names one member file of a data group or scene.
    SpaceId
}

impl FeatureHash {
    /// A new random hash for a class: eight hexadecimal digits.
    pub fn random_class() -> Self {
        let text = Uuid::new_v4().simple().to_string();
        Self::from(&text[..8])
    }

    /// A new random hash for an attribute or option: eight characters of base64.
    pub fn random_attribute() -> Self {
        Self::from(random_base64())
    }
}

impl ObjectHash {
    /// A new random hash: eight characters of base64, 48 random bits.
    pub fn random() -> Self {
        Self::from(random_base64())
    }
}

impl ClassificationHash {
    /// A new random hash: eight characters of base64, 48 random bits.
    pub fn random() -> Self {
        Self::from(random_base64())
    }
}

/// Six random bytes as base64.
fn random_base64() -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes = Uuid::new_v4().into_bytes();
    let bits = bytes[..6].iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    (0..8).map(|index| char::from(ALPHABET[(bits >> (42 - 6 * index)) as usize & 63])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuid_ids_read_any_spelling_and_print_one() {
        let id: TaskUuid = "26AD41EF88C249D9B7C990FAD57DCAFD".parse().unwrap();
        assert_eq!(id.to_string(), "26ad41ef-88c2-49d9-b7c9-90fad57dcafd");
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"26ad41ef-88c2-49d9-b7c9-90fad57dcafd\"");
    }

    #[test]
    fn random_hashes_have_eight_characters_and_differ() {
        let (one, two) = (ObjectHash::random(), ObjectHash::random());
        assert_eq!((one.as_str().len(), FeatureHash::random_class().as_str().len()), (8, 8));
        assert_ne!(one, two);
    }
}
