//! Cloud integrations, which here are names only, and scenes, whose files often lie in a cloud.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::items::links;
use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};
use crate::routes::{Caller, Query, UuidPath};
use crate::scenes;
use crate::store::INTEGRATIONS;

pub(super) fn router() -> Router<Arc<Platform>> {
    Router::new().route("/cloud-integrations", get(integrations)).route("/scene/{item}", get(scene))
}

async fn integrations(
    State(platform): State<Arc<Platform>>,
    _caller: Caller,
    query: Query,
) -> Answer<Json<Value>> {
    let uuids = query.uuids("filterIntegrationUuids")?;
    let titles: Vec<&str> = query.all("filterIntegrationTitles").collect();
    let known = platform.read(|store| store.settings.get(INTEGRATIONS).cloned()).unwrap_or_default();
    let wanted = |(uuid, title): &(&String, &Value)| {
        (uuids.is_empty() || uuids.iter().any(|wanted| wanted.to_string() == **uuid))
            && (titles.is_empty() || titles.iter().any(|wanted| Some(*wanted) == title.as_str()))
    };
    let found = known.as_object().into_iter().flatten().filter(wanted);
    let found: Vec<Value> =
        found.map(|(uuid, title)| json!({"integrationUuid": uuid, "title": title})).collect();
    Ok(Json(json!({"result": found})))
}

async fn scene(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([item]): UuidPath<1>,
) -> Answer<Json<Value>> {
    let links = links(&platform, &caller, true);
    platform.read(|store| {
        let item = store.seen_by(&caller.who).item(item)?;
        let scene = item.scene();
        let scene = scene.ok_or_else(|| Refusal::NotFound(format!("item {} is not a scene", item.uuid)))?;
        // An uploaded file is the scene's own; files in a cloud are linked to as they are.
        let sign = |url: &str| match &links {
            Some(links) if scenes::file(scene).is_some() && !url.contains("://") => links.download(item.uuid),
            _ => url.to_owned(),
        };
        Ok(Json(scenes::read(scene, sign)))
    })
}
