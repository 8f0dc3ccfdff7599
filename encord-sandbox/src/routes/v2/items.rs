//! Storage items: reading them one by one and in bulk, their children, changes.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::patch::Patch;
use crate::blobs::Links;
use crate::clock::Moment;
use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};
use crate::routes::{Caller, JsonBody, Query, UuidPath};
use crate::scenes;
use crate::store::{Bytes, Item, ItemKind, Store};

pub(super) fn router() -> Router<Arc<Platform>> {
    const ITEM: &str = "/storage/folders/{folder}/items/{item}";
    Router::new()
        .route("/storage/items/{item}", get(read))
        .route("/storage/items/get-bulk", post(read_bulk))
        .route("/storage/items/patch-bulk", patch(change_bulk))
        .route(ITEM, patch(change))
        .route(&format!("{ITEM}/child-items"), get(children))
        .route(&format!("{ITEM}/summary"), get(summary))
}

/// The item as the storage API shows it.
pub(super) fn show(store: &Store, item: &Item, links: Option<&Links<'_>>) -> Value {
    let facts = &item.facts;
    let extras = item.extras.as_deref();
    let mut frames = facts.frames;
    if matches!(item.kind, ItemKind::ImageGroup | ItemKind::DicomSeries) {
        frames = Some(item.children.len() as u64);
    }
    json!({
        "uuid": item.uuid,
        "parent": item.folder,
        "itemType": item.kind.wire(),
        "name": item.name,
        "description": &*item.description,
        // A string with JSON in it here, unlike in label row listings.
        "clientMetadata": item.client_metadata.as_deref().unwrap_or("{}"),
        "owner": &*item.owner,
        "createdAt": item.created_at.iso(),
        "lastEditedAt": item.last_edited_at.iso(),
        "isTombstone": false,
        "isPlaceholder": false,
        "backedDataUnitsCount": store.units_backed_by(item.uuid).len(),
        "storageLocation": location(item),
        "integrationHash": extras.and_then(|extras| extras.integration),
        "url": item.kind.has_bytes().then(|| item.plain_link()),
        "signedUrl": links.and_then(|links| links.to(item)),
        "fileSize": facts.size,
        "mimeType": facts.mime,
        "duration": facts.duration,
        "fps": facts.fps,
        "height": facts.height,
        "width": facts.width,
        "dicomInstanceUid": facts.dicom_instance,
        "dicomStudyUid": facts.dicom_study,
        "dicomSeriesUid": facts.dicom_series,
        "frameCount": frames,
        "audioSampleRate": facts.sample_rate,
        "audioBitDepth": facts.bit_depth,
        "audioCodec": facts.codec,
        "audioNumChannels": facts.channels,
        "timeseriesSettings": extras.and_then(|extras| extras.timeseries_settings.as_ref()),
    })
}

/// Whose machines have the bytes, as far as the URL tells.
fn location(item: &Item) -> &'static str {
    let Bytes::Remote(url) = &item.bytes else { return "encord" };
    let host = url.split('/').nth(2).unwrap_or_default();
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("s3") => "s3",
        Some("gs") => "gcp",
        _ if host.ends_with("amazonaws.com") => "s3",
        _ if host.ends_with("storage.googleapis.com") => "gcp",
        _ if host.ends_with("blob.core.windows.net") => "azure",
        _ => "directAccess",
    }
}

/// Links for this answer, if they were asked for.
pub(super) fn links<'a>(platform: &'a Platform, caller: &'a Caller, wanted: bool) -> Option<Links<'a>> {
    let now = Moment::now().unix_seconds();
    wanted.then(|| Links { signer: &platform.urls, base: &caller.base, now })
}

async fn read(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([item]): UuidPath<1>,
    query: Query,
) -> Answer<Json<Value>> {
    let links = links(&platform, &caller, query.flag("signUrl"));
    platform.read(|store| Ok(Json(show(store, store.seen_by(&caller.who).item(item)?, links.as_ref()))))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    item_uuids: Vec<Uuid>,
    #[serde(default)]
    sign_urls: bool,
}

/// One entry per uuid of the request, in its order. Items that do not exist or
/// may not be seen are left out.
async fn read_bulk(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    JsonBody(wanted): JsonBody<Wanted>,
) -> Json<Value> {
    let links = links(&platform, &caller, wanted.sign_urls);
    let items: Vec<Value> = platform.read(|store| {
        let sight = store.seen_by(&caller.who);
        let found = wanted.item_uuids.iter().filter_map(|uuid| sight.item(*uuid).ok());
        found.map(|item| show(store, item, links.as_ref())).collect()
    });
    Json(json!({"results": items}))
}

async fn children(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([folder, item]): UuidPath<2>,
    query: Query,
) -> Answer<Json<Value>> {
    let links = links(&platform, &caller, query.flag("signUrls"));
    platform.read(|store| {
        let item = item_in(store, &caller, folder, item)?;
        let children = item.children.iter().filter_map(|child| store.items.get(child));
        let children: Vec<Value> = children.map(|child| show(store, child, links.as_ref())).collect();
        Ok(Json(json!({"results": children})))
    })
}

async fn summary(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([folder, item]): UuidPath<2>,
    query: Query,
) -> Answer<Json<Value>> {
    platform.read(|store| {
        let item = item_in(store, &caller, folder, item)?;
        let sight = store.seen_by(&caller.who);
        let groups = store.wholes_of(item.uuid).iter().filter_map(|whole| sight.item(*whole).ok());
        let groups: Vec<Value> = groups.map(|group| short(store, group)).collect();
        let units = store.units_backed_by(item.uuid).iter().filter_map(|unit| store.units.get(unit));
        let datasets = units.filter_map(|unit| {
            let dataset = store.datasets.get(&unit.dataset)?;
            Some(json!({
                "datasetHash": dataset.hash,
                "backingFolderUuid": dataset.folder,
                "title": dataset.title,
                "dataHashes": [unit.hash],
                "dataUnitsCreatedAt": unit.created_at.iso(),
            }))
        });
        let datasets: Vec<Value> = datasets.collect();
        let layout = query.flag("includeGroupLayout") && item.kind == ItemKind::Group;
        Ok(Json(json!({
            "frameInGroups": groups.len(),
            "accessibleGroupItems": groups,
            "usedInDatasets": datasets.len(),
            "accessibleDatasets": datasets,
            "groupLayout": layout.then(|| group_layout(item)),
        })))
    })
}

fn short(store: &Store, item: &Item) -> Value {
    let folder = store.folders.get(&item.folder);
    json!({
        "uuid": item.uuid,
        "name": item.name,
        "parentUuid": item.folder,
        "parentName": folder.map_or("", |folder| &folder.name),
        "itemType": item.kind.wire(),
    })
}

/// The members by their place, and how they are arranged.
fn group_layout(item: &Item) -> Value {
    let members = item.layout_keys.iter().zip(&item.children);
    let contents = Map::from_iter(members.map(|(key, child)| (key.clone(), json!({"uuid": child}))));
    let extras = item.extras.as_deref().cloned().unwrap_or_default();
    let settings = extras.layout_settings.unwrap_or_else(|| json!({"fixedLayout": false}));
    json!({
        "layoutContents": contents, "layout": extras.layout, "layoutSettings": settings,
        "timeline": extras.timeline,
    })
}

async fn change(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([folder, item]): UuidPath<2>,
    JsonBody(patch): JsonBody<Patch>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        item_in(store, &caller, folder, item)?;
        store.seen_by(&caller.who).own_item(item)?;
        apply(store, item, patch);
        Ok(Json(show(store, store.seen_by(&caller.who).item(item)?, None)))
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Patches {
    item_patches: std::collections::BTreeMap<Uuid, Patch>,
}

async fn change_bulk(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    JsonBody(patches): JsonBody<Patches>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        for item in patches.item_patches.keys() {
            store.seen_by(&caller.who).own_item(*item)?;
        }
        let mut changed = Vec::new();
        for (item, patch) in patches.item_patches {
            apply(store, item, patch);
            changed.push(show(store, store.seen_by(&caller.who).item(item)?, None));
        }
        Ok(Json(json!({"results": changed})))
    })
}

fn apply(store: &mut Store, item: Uuid, patch: Patch) {
    let Some(item) = store.items.get_mut(&item) else { return };
    let metadata = patch.client_metadata();
    if let Some(name) = patch.name {
        item.name = name;
    }
    if let Some(description) = patch.description {
        item.description = description.into();
    }
    if let Some(metadata) = metadata {
        item.client_metadata = Some(metadata.into());
    }
    if let Some(settings) = patch.timeseries_settings {
        item.extras_mut().timeseries_settings = Some(settings).filter(|settings| !settings.is_null());
    }
    for (key, value) in [("view_settings", patch.scene_view_settings), ("layout", patch.scene_layout)] {
        if let Some(value) = value
            && let Some(scene) = item.extras_mut().scene.as_mut()
        {
            scenes::configure(scene, key, value);
        }
    }
    item.last_edited_at = Moment::now();
}

fn item_in<'a>(store: &'a Store, caller: &'a Caller, folder: Uuid, item: Uuid) -> Answer<&'a Item> {
    let found = store.seen_by(&caller.who).item(item)?;
    if found.folder == folder {
        Ok(found)
    } else {
        Err(Refusal::NotFound(format!("folder {folder} has no item {item}")))
    }
}
