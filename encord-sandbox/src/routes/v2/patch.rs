//! Changes to the name, description and metadata of an item or a folder.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// What is missing stays as it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Patch {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    client_metadata: Option<Map<String, Value>>,
    /// Items only; null takes the settings away.
    #[serde(default, deserialize_with = "present")]
    pub(super) timeseries_settings: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    pub(super) scene_view_settings: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    pub(super) scene_layout: Option<Value>,
}

impl Patch {
    /// The new metadata as the text that is stored.
    pub(super) fn client_metadata(&self) -> Option<String> {
        self.client_metadata.clone().map(|metadata| Value::Object(metadata).to_string())
    }
}

/// Tells a null that was sent from nothing at all.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
