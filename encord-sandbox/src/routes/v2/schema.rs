//! The schema of client metadata: one for the organisation, in an older and a newer
//! form. It is kept in the newer one.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::clock::Moment;
use crate::platform::Platform;
use crate::routes::{Caller, JsonBody};

pub(super) fn router() -> Router<Arc<Platform>> {
    const SCHEMA: &str = "/organisation/client-metadata-schema";
    Router::new()
        .route(SCHEMA, get(older).post(set_older))
        .route(&format!("{SCHEMA}-v2"), get(newer).post(set_newer))
}

/// The name under which the only schema is stored.
const SCHEMA: &str = "client-metadata-schema";

/// Types of the older form, and what stands for them in the newer one as `hint`.
const HINTS: [(&str, &str); 5] = [
    ("number", "number"),
    ("string", "varchar"),
    ("long_string", "text"),
    ("boolean", "boolean"),
    ("datetime", "datetime"),
];

async fn older(State(platform): State<Arc<Platform>>, _caller: Caller) -> Json<Value> {
    let stored = platform.read(|store| store.settings.get(SCHEMA).cloned());
    let Some(Value::Object(stored)) = stored else { return Json(Value::Null) };
    let keys = stored.iter().filter_map(|(key, kind)| Some((key.clone(), older_type(kind)?.into())));
    let now = Moment::now().iso();
    Json(json!({
        "uuid": Uuid::nil(), "metadata_schema": Map::from_iter(keys), "organisation_id": 1,
        "created_at": now, "updated_at": now,
    }))
}

async fn newer(State(platform): State<Arc<Platform>>, _caller: Caller) -> Json<Value> {
    Json(platform.read(|store| store.settings.get(SCHEMA).cloned()).unwrap_or_default())
}

async fn set_older(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    JsonBody(mut schema): JsonBody<Map<String, Value>>,
) -> Json<Value> {
    // The map alone, or under a name.
    if let Some(Value::Object(inner)) = schema.remove("metadataSchema").or(schema.remove("metadata_schema")) {
        schema = inner;
    }
    let keys = schema.into_iter().map(|(key, kind)| (key, newer_type(kind)));
    set_newer(State(platform), caller, JsonBody(keys.collect())).await
}

async fn set_newer(
    State(platform): State<Arc<Platform>>,
    _caller: Caller,
    JsonBody(schema): JsonBody<Map<String, Value>>,
) -> Json<Value> {
    platform.write(|store| store.settings.insert(SCHEMA.into(), Value::Object(schema)));
    Json(Value::Null)
}

fn newer_type(kind: Value) -> Value {
    let hint = HINTS.iter().find(|(older, _)| kind == *older).map(|(_, hint)| hint);
    hint.map_or(json!({"ty": kind}), |hint| json!({"ty": "variant", "hint": hint}))
}

/// `None` for keys that were deleted.
fn older_type(kind: &Value) -> Option<&str> {
    let name = kind["hint"].as_str().or(kind["ty"].as_str()).unwrap_or("text");
    match name {
        "tombstone" => None,
        "enum" | "embedding" | "geospatial" => Some(name),
        _ => HINTS.iter().find(|(_, hint)| *hint == name).map(|(older, _)| *older).or(Some("string")),
    }
}
