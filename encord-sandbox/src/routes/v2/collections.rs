//! Collections of storage items.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::items;
use crate::clock::Moment;
use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};
use crate::routes::{Caller, JsonBody, Query, UuidPath, page};
use crate::store::{Collection, Store};

pub(super) fn router() -> Router<Arc<Platform>> {
    const COLLECTION: &str = "/index/collections/{collection}";
    Router::new()
        .route("/index/collections", get(list).post(create))
        .route(COLLECTION, patch(change).delete(remove))
        .route(&format!("{COLLECTION}/accessible-items"), get(contents))
        .route(&format!("{COLLECTION}/all-items"), get(contents))
        .route(&format!("{COLLECTION}/add-items"), post(add))
        .route(&format!("{COLLECTION}/remove-items"), post(take_out))
}

#[derive(Debug, Deserialize)]
struct Names {
    name: Option<String>,
    description: Option<String>,
}

async fn create(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    query: Query,
    JsonBody(body): JsonBody<Names>,
) -> Answer<Json<Value>> {
    let folder = query.uuids("topLevelFolderUuid")?.first().copied();
    let folder = folder.ok_or_else(|| Refusal::Unprocessable("topLevelFolderUuid is missing".into()))?;
    let name = body.name.ok_or_else(|| Refusal::Unprocessable("name is missing".into()))?;
    let (uuid, now) = (Uuid::new_v4(), Moment::now());
    platform.write(|store| {
        store.seen_by(&caller.who).folder(folder)?;
        let collection = Collection {
            uuid,
            folder,
            name,
            description: body.description.unwrap_or_default(),
            items: Vec::new(),
            created_at: now,
            last_edited_at: now,
        };
        store.collections.insert(uuid, collection);
        Ok(Json(json!(uuid)))
    })
}

async fn list(State(platform): State<Arc<Platform>>, caller: Caller, query: Query) -> Answer<Json<Value>> {
    let folders = query.uuids("topLevelFolderUuid")?;
    let uuids = query.uuids("uuids")?;
    platform.read(|store| {
        let mut found: Vec<&Collection> = store
            .collections
            .values()
            .filter(|collection| folders.is_empty() || folders.contains(&collection.folder))
            .filter(|collection| uuids.is_empty() || uuids.contains(&collection.uuid))
            .filter(|collection| store.seen_by(&caller.who).folder(collection.folder).is_ok())
            .collect();
        found.sort_by_key(|collection| (collection.created_at, collection.uuid));
        page::cut(&query, 100, found, show).map(Json)
    })
}

fn show(collection: &Collection) -> Value {
    json!({
        "uuid": collection.uuid,
        "topLevelFolderUuid": collection.folder,
        "name": collection.name,
        "description": collection.description,
        "createdAt": collection.created_at.iso(),
        "lastEditedAt": collection.last_edited_at.iso(),
    })
}

async fn contents(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([collection]): UuidPath<1>,
    query: Query,
) -> Answer<Json<Value>> {
    platform.read(|store| {
        let sight = store.seen_by(&caller.who);
        let items = &visible(store, &caller, collection)?.items;
        let items: Vec<_> = items.iter().filter_map(|item| sight.item(*item).ok()).collect();
        page::cut(&query, 100, items, |item| items::show(store, item, None)).map(Json)
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Items {
    item_uuids: Vec<Uuid>,
}

async fn add(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([collection]): UuidPath<1>,
    JsonBody(body): JsonBody<Items>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        visible(store, &caller, collection)?;
        let sight = store.seen_by(&caller.who);
        let (known, failed): (Vec<Uuid>, Vec<Uuid>) =
            body.item_uuids.into_iter().partition(|item| sight.item(*item).is_ok());
        if let Some(found) = store.collections.get_mut(&collection) {
            for item in known {
                if !found.items.contains(&item) {
                    found.items.push(item);
                }
            }
            found.last_edited_at = Moment::now();
        }
        Ok(Json(json!({"failedItems": failed})))
    })
}

async fn take_out(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([collection]): UuidPath<1>,
    JsonBody(body): JsonBody<Items>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        visible(store, &caller, collection)?;
        let out: HashSet<Uuid> = body.item_uuids.into_iter().collect();
        let Some(found) = store.collections.get_mut(&collection) else { return Ok(Json(Value::Null)) };
        let failed: Vec<Uuid> = out.iter().filter(|item| !found.items.contains(item)).copied().collect();
        found.items.retain(|item| !out.contains(item));
        found.last_edited_at = Moment::now();
        Ok(Json(json!({"failedItems": failed})))
    })
}

async fn change(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([collection]): UuidPath<1>,
    JsonBody(body): JsonBody<Names>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        visible(store, &caller, collection)?;
        if let Some(found) = store.collections.get_mut(&collection) {
            found.name = body.name.unwrap_or_else(|| found.name.clone());
            found.description = body.description.unwrap_or_else(|| found.description.clone());
            found.last_edited_at = Moment::now();
        }
        Ok(Json(Value::Null))
    })
}

async fn remove(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([collection]): UuidPath<1>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        visible(store, &caller, collection)?;
        store.collections.remove(&collection);
        Ok(Json(Value::Null))
    })
}

fn visible<'a>(store: &'a Store, caller: &Caller, collection: Uuid) -> Answer<&'a Collection> {
    let refused = || Refusal::Forbidden(format!("no access to collection {collection}"));
    let found = store.collections.get(&collection).ok_or_else(refused)?;
    store.seen_by(&caller.who).folder(found.folder).map_err(|_| refused())?;
    Ok(found)
}
