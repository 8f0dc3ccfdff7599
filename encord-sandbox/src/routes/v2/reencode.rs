//! Encoding videos again. The files here are played as they are, so a process is
//! done as soon as it is asked for and leads to the same files.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::items::links;
use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};
use crate::routes::{Caller, JsonBody, UuidPath};
use crate::store::{ItemKind, REENCODINGS};

pub(super) fn router() -> Router<Arc<Platform>> {
    const PROCESSES: &str = "/storage/items/reencode";
    Router::new().route(PROCESSES, post(start)).route(&format!("{PROCESSES}/{{process}}"), get(status))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    storage_items: Vec<Uuid>,
}

async fn start(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    JsonBody(wanted): JsonBody<Wanted>,
) -> Answer<Json<Value>> {
    let process = Uuid::new_v4();
    platform.write(|store| {
        for uuid in &wanted.storage_items {
            if store.seen_by(&caller.who).own_item(*uuid)?.kind != ItemKind::Video {
                return Err(Refusal::Invalid(format!("item {uuid} is not a video")));
            }
        }
        store.append_setting(REENCODINGS, json!({"process": process, "items": wanted.storage_items}));
        Ok(Json(json!(process)))
    })
}

async fn status(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([process]): UuidPath<1>,
) -> Answer<Json<Value>> {
    let links = links(&platform, &caller, true);
    platform.read(|store| {
        let all = store.settings.get(REENCODINGS).and_then(Value::as_array).into_iter().flatten();
        let found = all.into_iter().find(|one| one["process"] == json!(process));
        let missing = || Refusal::NotFound(format!("there is no re-encoding {process}"));
        let items: Vec<Uuid> =
            serde_json::from_value(found.ok_or_else(missing)?["items"].clone()).unwrap_or_default();
        let items = items.into_iter().filter_map(|item| store.seen_by(&caller.who).item(item).ok());
        let results = items.map(|item| {
            let link = links.as_ref().and_then(|links| links.to(item));
            json!({"itemUuid": item.uuid, "signedUrl": link, "bucketPath": item.plain_link()})
        });
        Ok(Json(json!({"status": "done", "result": results.collect::<Vec<_>>()})))
    })
}
