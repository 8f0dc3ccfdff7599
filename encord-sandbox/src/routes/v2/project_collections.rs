//! Collections of frames or labels of a project.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::Moment;
use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};
use crate::routes::rights::writable;
use crate::routes::{Caller, JsonBody, Query, UuidPath, page, v1};
use crate::store::{CollectionEntry, CollectionKind, ProjectCollection, Store};

pub(super) fn router() -> Router<Arc<Platform>> {
    const ALL: &str = "/active/{project}/collections";
    const ONE: &str = "/active/{project}/collections/{collection}";
    Router::new()
        .route(ALL, get(list).post(create))
        .route(ONE, patch(change).delete(remove))
        .route(&format!("{ONE}/items"), get(contents))
        .route(&format!("{ONE}/add-items"), post(add))
        .route(&format!("{ONE}/remove-items"), post(take_out))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewCollection {
    name: String,
    #[serde(default)]
    description: String,
    collection_type: CollectionKind,
}

async fn create(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project]): UuidPath<1>,
    JsonBody(wanted): JsonBody<NewCollection>,
) -> Answer<Json<Value>> {
    let (uuid, now) = (Uuid::new_v4(), Moment::now());
    platform.write(|store| {
        writable(store, project, &caller.who, "make collections")?;
        let collection = ProjectCollection {
            uuid,
            project,
            name: wanted.name,
            description: wanted.description,
            kind: wanted.collection_type,
            entries: Vec::new(),
            created_at: now,
            last_edited_at: now,
        };
        store.project_collections.insert(uuid, collection);
        Ok(Json(json!(uuid)))
    })
}

async fn list(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project]): UuidPath<1>,
    query: Query,
) -> Answer<Json<Value>> {
    let uuids = query.uuids("uuids")?;
    platform.read(|store| {
        store.project(project, &caller.who)?;
        let mut found: Vec<&ProjectCollection> = store
            .project_collections
            .values()
            .filter(|collection| collection.project == project)
            .filter(|collection| uuids.is_empty() || uuids.contains(&collection.uuid))
            .collect();
        found.sort_by_key(|collection| (collection.created_at, collection.uuid));
        page::cut(&query, 100, found, show).map(Json)
    })
}

fn show(collection: &ProjectCollection) -> Value {
    json!({
        "collectionUuid": collection.uuid,
        "projectUuid": collection.project,
        "name": collection.name,
        "description": collection.description,
        "collectionType": collection.kind,
        "createdAt": collection.created_at.iso(),
        "lastEditedAt": collection.last_edited_at.iso(),
    })
}

/// The collected frames or labels by label row, in the order of their data hashes.
async fn contents(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project, collection]): UuidPath<2>,
    query: Query,
) -> Answer<Json<Value>> {
    let mut by_data: BTreeMap<Uuid, Vec<Value>> = BTreeMap::new();
    platform.read(|store| {
        store.project(project, &caller.who)?;
        for entry in &found(store, project, collection)?.entries {
            let mut shown = json!({"frame": entry.frame});
            if let Some(annotation) = &entry.annotation_id {
                shown["annotationId"] = json!(annotation);
            }
            by_data.entry(entry.data_uuid).or_default().push(shown);
        }
        Ok(())
    })?;
    let data: Vec<Uuid> = by_data.keys().copied().collect();
    let rows = v1::metadata_of(&platform, &caller.who, &caller.base, project, &data)?;
    let rows = rows.into_iter().map(|row| {
        let data = row["data_hash"].as_str().and_then(|data| data.parse::<Uuid>().ok());
        let instances = data.and_then(|data| by_data.get(&data)).cloned().unwrap_or_default();
        json!({"labelRowMetadata": row, "instances": instances})
    });
    page::cut(&query, 100, rows.collect(), |row| row).map(Json)
}

#[derive(Debug, Deserialize)]
struct Entries {
    items: Vec<CollectionEntry>,
}

async fn add(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project, collection]): UuidPath<2>,
    JsonBody(body): JsonBody<Entries>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        writable(store, project, &caller.who, "change collections")?;
        let kind = found(store, project, collection)?.kind;
        let (here, _) = store.project(project, &caller.who)?;
        let fits = |entry: &CollectionEntry| {
            let is_label = kind == CollectionKind::Label;
            here.has_data(store, entry.data_uuid) && entry.annotation_id.is_some() == is_label
        };
        let (known, failed): (Vec<_>, Vec<_>) = body.items.into_iter().partition(fits);
        edit(store, collection, |entries| {
            for entry in known {
                if !entries.contains(&entry) {
                    entries.push(entry);
                }
            }
        });
        Ok(Json(json!({"failedItems": failed})))
    })
}

async fn take_out(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project, collection]): UuidPath<2>,
    JsonBody(body): JsonBody<Entries>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        writable(store, project, &caller.who, "change collections")?;
        let held = &found(store, project, collection)?.entries;
        let failed: Vec<CollectionEntry> =
            body.items.iter().filter(|entry| !held.contains(entry)).cloned().collect();
        edit(store, collection, |entries| entries.retain(|entry| !body.items.contains(entry)));
        Ok(Json(json!({"failedItems": failed})))
    })
}

fn edit(store: &mut Store, collection: Uuid, change: impl FnOnce(&mut Vec<CollectionEntry>)) {
    if let Some(collection) = store.project_collections.get_mut(&collection) {
        change(&mut collection.entries);
        collection.last_edited_at = Moment::now();
    }
}

#[derive(Debug, Deserialize)]
struct Names {
    name: Option<String>,
    description: Option<String>,
}

async fn change(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project, collection]): UuidPath<2>,
    JsonBody(body): JsonBody<Names>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        writable(store, project, &caller.who, "change collections")?;
        found(store, project, collection)?;
        if let Some(found) = store.project_collections.get_mut(&collection) {
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
    UuidPath([project, collection]): UuidPath<2>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        writable(store, project, &caller.who, "delete collections")?;
        found(store, project, collection)?;
        store.project_collections.remove(&collection);
        Ok(Json(Value::Null))
    })
}

fn found(store: &Store, project: Uuid, collection: Uuid) -> Answer<&ProjectCollection> {
    let found = store.project_collections.get(&collection).filter(|found| found.project == project);
    found.ok_or_else(|| Refusal::NotFound(format!("project {project} has no collection {collection}")))
}
