//! The items of folders: listing, searching, moving, deleting, data groups.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::items::{links, show};
use crate::clock::Moment;
use crate::pattern::contains;
use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};
use crate::routes::{Caller, JsonBody, Query, UuidPath, page};
use crate::store::{Bytes, Extras, Facts, Item, ItemKind, Store};

pub(super) fn router() -> Router<Arc<Platform>> {
    const FOLDER: &str = "/storage/folders/{folder}";
    Router::new()
        .route("/storage/search/items", get(search))
        .route(&format!("{FOLDER}/items"), get(list))
        .route(&format!("{FOLDER}/summary"), get(summary))
        .route(&format!("{FOLDER}/items/move"), post(relocate))
        .route(&format!("{FOLDER}/items/delete"), post(remove))
        .route(&format!("{FOLDER}/create-group-items"), post(create_groups))
}

async fn list(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([folder]): UuidPath<1>,
    query: Query,
) -> Answer<Json<Value>> {
    platform.read(|store| {
        store.seen_by(&caller.who).folder(folder)?;
        let mut folders = vec![folder];
        if query.flag("isRecursive") {
            let mut next = 0;
            while let Some(&parent) = folders.get(next) {
                let below = store.folders.values().filter(|child| child.parent == Some(parent));
                folders.extend(below.map(|child| child.uuid));
                next += 1;
            }
        }
        select(
            &platform,
            &caller,
            &query,
            store,
            folders.into_iter().flat_map(|folder| store.items_in(folder)),
        )
    })
}

async fn search(State(platform): State<Arc<Platform>>, caller: Caller, query: Query) -> Answer<Json<Value>> {
    platform.read(|store| select(&platform, &caller, &query, store, store.items.values()))
}

fn select<'a>(
    platform: &Platform,
    caller: &Caller,
    query: &Query,
    store: &Store,
    items: impl Iterator<Item = &'a Item>,
) -> Answer<Json<Value>> {
    let kinds: HashSet<&str> = query.all("itemTypes").collect();
    let in_dataset = query.one("isInDataset").map(|_| query.flag("isInDataset"));
    let sight = store.seen_by(&caller.who);
    let found: Vec<&Item> = items
        .filter(|item| kinds.is_empty() || kinds.contains(item.kind.wire()))
        .filter(|item| query.one("search").is_none_or(|text| contains(&item.name, text)))
        .filter(|item| in_dataset.is_none_or(|wanted| store.units_backed_by(item.uuid).is_empty() != wanted))
        .filter(|item| sight.sees_item(item))
        .collect();
    let (by_time, backwards) = (query.one("order") == Some("createdAt"), query.flag("desc"));
    let order = |one: &&Item, other: &&Item| {
        let order =
            if by_time { one.created_at.cmp(&other.created_at) } else { by_name(&one.name, &other.name) };
        let order = order.then_with(|| one.uuid.cmp(&other.uuid));
        if backwards { order.reverse() } else { order }
    };
    let links = links(platform, caller, query.flag("signUrls"));
    page::cut_ordered(query, 100, found, order, |item| show(store, item, links.as_ref())).map(Json)
}

/// Without regard to case, and without a copy of the names.
fn by_name(one: &str, other: &str) -> Ordering {
    one.chars().flat_map(char::to_lowercase).cmp(other.chars().flat_map(char::to_lowercase))
}

async fn summary(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([folder]): UuidPath<1>,
) -> Answer<Json<Value>> {
    platform.read(|store| {
        store.seen_by(&caller.who).folder(folder)?;
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut files, mut size) = (0, 0);
        for item in store.items_in(folder) {
            *counts.entry(item.kind.wire()).or_default() += 1;
            files += 1;
            size += item.facts.size.unwrap_or(0);
        }
        let count = |kind: &str| counts.get(kind).copied().unwrap_or(0);
        Ok(Json(json!({
            "files": files,
            "folders": store.folders.values().filter(|child| child.parent == Some(folder)).count(),
            "videos": count("video"),
            "images": count("image"),
            "imageGroups": count("imageGroup"),
            "imageSequences": count("imageSequence"),
            "dicomFiles": count("dicomFile"),
            "dicomSeries": count("dicomSeries"),
            "niftis": count("nifti"),
            "audios": count("audio"),
            "pdfs": count("pdf"),
            "plainTexts": count("plainText"),
            "tombstones": 0,
            "uploadJobs": 0,
            "totalSize": size,
        })))
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Relocation {
    item_uuids: Vec<Uuid>,
    new_parent_uuid: Uuid,
}

async fn relocate(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([folder]): UuidPath<1>,
    JsonBody(wanted): JsonBody<Relocation>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        store.seen_by(&caller.who).folder(wanted.new_parent_uuid)?;
        all_in(store, &caller, folder, &wanted.item_uuids)?;
        for item in wanted.item_uuids {
            store.relocate_item(item, wanted.new_parent_uuid);
        }
        Ok(Json(Value::Null))
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Removal {
    child_uuids: Vec<Uuid>,
    #[serde(default)]
    remove_unused_frames: bool,
}

async fn remove(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([folder]): UuidPath<1>,
    JsonBody(wanted): JsonBody<Removal>,
) -> Answer<Json<Value>> {
    let gone: HashSet<Uuid> = wanted.child_uuids.iter().copied().collect();
    let deleted = platform.write(|store| {
        all_in(store, &caller, folder, &wanted.child_uuids)?;
        for item in &wanted.child_uuids {
            if !store.units_backed_by(*item).is_empty() {
                return Err(Refusal::Invalid(format!("item {item} is used in a dataset")));
            }
            // Without one of its parts an item could not be read any more.
            let whole = store.wholes_of(*item).iter().find(|whole| !gone.contains(whole));
            if let Some(whole) = whole {
                return Err(Refusal::Invalid(format!("item {item} is a part of item {whole}")));
            }
        }
        let mut deleted: Vec<Item> = gone.iter().filter_map(|item| store.remove_item(*item)).collect();
        if wanted.remove_unused_frames {
            let children: Vec<Uuid> = deleted.iter().flat_map(|item| &item.children).copied().collect();
            for child in children {
                if store.units_backed_by(child).is_empty() && store.wholes_of(child).is_empty() {
                    deleted.extend(store.remove_item(child));
                }
            }
        }
        Ok(deleted)
    })?;
    platform.discard(&deleted);
    Ok(Json(Value::Null))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewGroup {
    layout_type: Option<String>,
    /// A list of item uuids, or a map from layout key to item uuid.
    layout_contents: Value,
    name: Option<String>,
    client_metadata: Option<Map<String, Value>>,
    layout: Option<Value>,
    settings: Option<Value>,
    #[serde(default)]
    timeline: Vec<String>,
}

impl NewGroup {
    fn members(&self) -> Answer<Vec<(String, Uuid)>> {
        let pairs: Vec<(String, &Value)> = match &self.layout_contents {
            Value::Array(list) => {
                list.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
            }
            Value::Object(map) => map.iter().map(|(key, item)| (key.clone(), item)).collect(),
            _ => Vec::new(),
        };
        let member = |(key, item): (String, &Value)| Some((key, item.as_str()?.parse().ok()?));
        let members: Option<Vec<_>> = pairs.into_iter().map(member).collect();
        members.filter(|members| !members.is_empty()).ok_or_else(|| {
            let kind = self.layout_type.as_deref().unwrap_or("default-list");
            Refusal::Unprocessable(format!("layoutContents of a {kind} group must name at least one item"))
        })
    }
}

async fn create_groups(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([folder]): UuidPath<1>,
    JsonBody(wanted): JsonBody<Vec<NewGroup>>,
) -> Answer<Json<Value>> {
    let now = Moment::now();
    platform.write(|store| {
        store.seen_by(&caller.who).folder(folder)?;
        let mut groups = Vec::with_capacity(wanted.len());
        for group in wanted {
            let (layout_keys, children): (Vec<String>, Vec<Uuid>) = group.members()?.into_iter().unzip();
            children.iter().try_for_each(|child| store.seen_by(&caller.who).item(*child).map(drop))?;
            groups.push(Item {
                uuid: Uuid::new_v4(),
                folder,
                kind: ItemKind::Group,
                name: group.name.unwrap_or_else(|| "group".into()),
                description: "".into(),
                client_metadata: group.client_metadata.map(|map| Value::Object(map).to_string().into()),
                facts: Arc::new(Facts::default()),
                bytes: Bytes::None,
                children,
                layout_keys,
                owner: caller.who.0.as_str().into(),
                extras: Some(Box::new(Extras {
                    layout: group.layout,
                    layout_settings: group.settings,
                    timeline: group.timeline,
                    ..Extras::default()
                })),
                created_at: now,
                last_edited_at: now,
            });
        }
        let uuids: Vec<Uuid> = groups.iter().map(|group| group.uuid).collect();
        groups.into_iter().for_each(|group| store.add_item(group));
        Ok(Json(json!(uuids)))
    })
}

fn all_in(store: &Store, caller: &Caller, folder: Uuid, items: &[Uuid]) -> Answer<()> {
    store.seen_by(&caller.who).folder(folder)?;
    let missing = items.iter().find(|item| store.items.get(*item).is_none_or(|item| item.folder != folder));
    missing.map_or(Ok(()), |item| Err(Refusal::NotFound(format!("folder {folder} has no item {item}"))))
}
