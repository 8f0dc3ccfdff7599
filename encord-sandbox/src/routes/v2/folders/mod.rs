//! Storage folders: the tree, what is in it, and changes to it.

mod contents;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::patch::Patch;
use crate::clock::Moment;
use crate::pattern::contains;
use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};
use crate::routes::{Caller, JsonBody, Query, UuidPath, page};
use crate::store::{Folder, Store};

pub(super) fn router() -> Router<Arc<Platform>> {
    Router::new()
        .route("/storage/folders", get(roots).post(create))
        .route("/storage/search/folders", get(search))
        .route("/storage/folders/patch-bulk", patch(change_bulk))
        .route("/storage/folders/move", post(relocate))
        .route("/storage/folders/{folder}", get(read).patch(change).delete(remove))
        .route("/storage/folders/{folder}/folders", get(subfolders))
        .merge(contents::router())
}

async fn read(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([folder]): UuidPath<1>,
) -> Answer<Json<Value>> {
    platform.read(|store| Ok(Json(show(store, store.seen_by(&caller.who).folder(folder)?, &caller))))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewFolder {
    name: String,
    #[serde(default)]
    description: String,
    parent: Option<Uuid>,
    /// A string with JSON in it, unlike in changes.
    client_metadata: Option<String>,
}

async fn create(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    JsonBody(wanted): JsonBody<NewFolder>,
) -> Answer<Json<Value>> {
    let metadata = wanted.client_metadata.as_deref();
    if metadata.is_some_and(|text| serde_json::from_str::<Map<String, Value>>(text).is_err()) {
        return Err(Refusal::Unprocessable("clientMetadata is not a JSON object in a string".into()));
    }
    let now = Moment::now();
    platform.write(|store| {
        wanted.parent.map(|parent| store.seen_by(&caller.who).folder(parent).map(drop)).transpose()?;
        let folder = Folder {
            uuid: Uuid::new_v4(),
            parent: wanted.parent,
            name: wanted.name,
            description: wanted.description,
            client_metadata: wanted.client_metadata,
            owner: caller.who.0.clone(),
            readers: vec![caller.who.0.clone()],
            synced_dataset: None,
            created_at: now,
            last_edited_at: now,
        };
        let shown = show(store, &folder, &caller);
        store.folders.insert(folder.uuid, folder);
        Ok(Json(shown))
    })
}

async fn roots(State(platform): State<Arc<Platform>>, caller: Caller, query: Query) -> Answer<Json<Value>> {
    let everywhere = query.flag("isRecursive");
    list(&platform, &caller, &query, |_, folder| everywhere || folder.parent.is_none())
}

async fn search(State(platform): State<Arc<Platform>>, caller: Caller, query: Query) -> Answer<Json<Value>> {
    list(&platform, &caller, &query, |_, _| true)
}

async fn subfolders(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([parent]): UuidPath<1>,
    query: Query,
) -> Answer<Json<Value>> {
    platform.read(|store| store.seen_by(&caller.who).folder(parent).map(drop))?;
    let deep = query.flag("isRecursive");
    list(&platform, &caller, &query, |store, folder| {
        folder.parent == Some(parent)
            || (deep && path_to_root(store, folder).iter().any(|above| above.uuid == parent))
    })
}

fn list(
    platform: &Platform,
    caller: &Caller,
    query: &Query,
    wanted: impl Fn(&Store, &Folder) -> bool,
) -> Answer<Json<Value>> {
    let synced = query.one("datasetSynced").map(|_| query.flag("datasetSynced"));
    platform.read(|store| {
        let mut folders: Vec<&Folder> = store
            .folders
            .values()
            .filter(|folder| store.seen_by(&caller.who).sees_folder(folder) && wanted(store, folder))
            .filter(|folder| query.one("search").is_none_or(|text| contains(&folder.name, text)))
            .filter(|folder| synced.is_none_or(|synced| folder.synced_dataset.is_some() == synced))
            .collect();
        match query.one("order") {
            Some("createdAt") => folders.sort_by_key(|folder| (folder.created_at, folder.uuid)),
            _ => folders.sort_by_key(|folder| (folder.name.to_lowercase(), folder.uuid)),
        }
        if query.flag("desc") {
            folders.reverse();
        }
        page::cut(query, 100, folders, |folder| show(store, folder, caller)).map(Json)
    })
}

async fn change(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([folder]): UuidPath<1>,
    JsonBody(patch): JsonBody<Patch>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        store.seen_by(&caller.who).folder(folder)?;
        apply(store, folder, patch);
        Ok(Json(show(store, store.seen_by(&caller.who).folder(folder)?, &caller)))
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Patches {
    folder_patches: BTreeMap<Uuid, Patch>,
}

async fn change_bulk(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    JsonBody(patches): JsonBody<Patches>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        patches
            .folder_patches
            .keys()
            .try_for_each(|folder| store.seen_by(&caller.who).folder(*folder).map(drop))?;
        let mut changed = Vec::new();
        for (folder, patch) in patches.folder_patches {
            apply(store, folder, patch);
            changed.push(show(store, store.seen_by(&caller.who).folder(folder)?, &caller));
        }
        Ok(Json(json!({"results": changed})))
    })
}

fn apply(store: &mut Store, folder: Uuid, patch: Patch) {
    let Some(folder) = store.folders.get_mut(&folder) else { return };
    let metadata = patch.client_metadata();
    if let Some(name) = patch.name {
        folder.name = name;
    }
    if let Some(description) = patch.description {
        folder.description = description;
    }
    folder.client_metadata = metadata.or(folder.client_metadata.take());
    folder.last_edited_at = Moment::now();
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Relocation {
    folder_uuids: Vec<Uuid>,
    /// Missing means: to the top.
    new_parent_uuid: Option<Uuid>,
}

async fn relocate(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    JsonBody(wanted): JsonBody<Relocation>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        wanted
            .folder_uuids
            .iter()
            .try_for_each(|folder| store.seen_by(&caller.who).folder(*folder).map(drop))?;
        if let Some(parent) = wanted.new_parent_uuid {
            let parent = store.seen_by(&caller.who).folder(parent)?;
            let mut above = path_to_root(store, parent).into_iter().chain([parent]);
            if above.any(|folder| wanted.folder_uuids.contains(&folder.uuid)) {
                return Err(Refusal::Invalid("a folder cannot be moved into itself".into()));
            }
        }
        for folder in &wanted.folder_uuids {
            if let Some(folder) = store.folders.get_mut(folder) {
                folder.parent = wanted.new_parent_uuid;
            }
        }
        Ok(Json(Value::Null))
    })
}

async fn remove(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([folder]): UuidPath<1>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        store.seen_by(&caller.who).folder(folder)?;
        let occupied = store.items_in(folder).next().is_some()
            || store.folders.values().any(|child| child.parent == Some(folder));
        if occupied {
            return Err(Refusal::Invalid(format!("folder {folder} is not empty")));
        }
        store.folders.remove(&folder);
        Ok(Json(Value::Null))
    })
}

/// From the top down to the folder's parent.
fn path_to_root<'a>(store: &'a Store, folder: &Folder) -> Vec<&'a Folder> {
    let above = std::iter::successors(folder.parent, |uuid| store.folders.get(uuid)?.parent);
    let mut path: Vec<&Folder> = above.filter_map(|uuid| store.folders.get(&uuid)).collect();
    path.reverse();
    path
}

fn show(store: &Store, folder: &Folder, caller: &Caller) -> Value {
    let path = path_to_root(store, folder).into_iter().map(|above| {
        json!({
            "uuid": above.uuid,
            "parentUuid": above.parent,
            "name": above.name,
            "syncedDatasetHash": above.synced_dataset,
        })
    });
    json!({
        "uuid": folder.uuid,
        "parent": folder.parent,
        "name": folder.name,
        "description": folder.description,
        "clientMetadata": folder.client_metadata,
        "owner": folder.owner,
        "createdAt": folder.created_at.iso(),
        "lastEditedAt": folder.last_edited_at.iso(),
        "userRole": if folder.owner == caller.who.0 { "admin" } else { "user" },
        "syncedDatasetHash": folder.synced_dataset,
        "pathToRoot": path.collect::<Vec<_>>(),
        "folderType": "generic",
        "integrationHash": null,
        "remoteUrl": null,
    })
}
