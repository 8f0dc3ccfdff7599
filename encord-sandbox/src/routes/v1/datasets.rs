//! `dataset`, `datarows`, `datarow`, `datasetlinkitems`: datasets and their rows.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, uuid};
use crate::clock::Moment;
use crate::pattern::like;
use crate::refusal::{Answer, Refusal};
use crate::store::{DataUnit, Item, ItemKind, Store};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AccessSettings {
    fetch_client_metadata: bool,
    fetch_rows: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RowFilter {
    title_eq: Option<String>,
    title_like: Option<String>,
    created_before: Option<String>,
    created_after: Option<String>,
    data_types: Option<HashSet<String>>,
    data_hashes: Option<HashSet<String>>,
    dataset_access_settings: Option<AccessSettings>,
}

pub(super) fn get(call: &Call<'_>, dataset: Uuid) -> Answer<Value> {
    let settings = call.payload.get("dataset_access_settings").map(AccessSettings::deserialize);
    let settings =
        settings.transpose().map_err(|error| Refusal::Invalid(error.to_string()))?.unwrap_or_default();
    call.platform.read(|store| {
        let found = store.seen_by(call.who).dataset(dataset)?;
        let rows = if settings.fetch_rows == Some(false) {
            Value::Null
        } else {
            let units = found.units.iter().filter_map(|unit| store.units.get(unit));
            let rows: Answer<Vec<Value>> =
                units.map(|unit| show(call, store, unit, settings.fetch_client_metadata, false)).collect();
            Value::Array(rows?)
        };
        Ok(json!({
            "dataset_hash": found.hash,
            "title": found.title,
            "description": found.description,
            "dataset_type": "CORD_STORAGE",
            "backing_folder_uuid": found.folder,
            "data_rows": rows,
        }))
    })
}

pub(super) fn rows(call: &Call<'_>, dataset: Uuid) -> Answer<Value> {
    let filter: RowFilter = call.payload()?;
    let metadata =
        filter.dataset_access_settings.as_ref().is_some_and(|settings| settings.fetch_client_metadata);
    let before = filter.created_before.as_deref().and_then(Moment::parse);
    let after = filter.created_after.as_deref().and_then(Moment::parse);
    call.platform.read(|store| {
        let mut rows = Vec::new();
        for unit in
            store.seen_by(call.who).dataset(dataset)?.units.iter().filter_map(|unit| store.units.get(unit))
        {
            let item = store.backing(unit)?;
            let data_type = item.kind.data_type().to_uppercase();
            let wanted = filter.title_eq.as_ref().is_none_or(|title| *title == item.name)
                && filter.title_like.as_ref().is_none_or(|title| like(title, &item.name))
                && before.is_none_or(|before| unit.created_at < before)
                && after.is_none_or(|after| unit.created_at > after)
                && filter.data_types.as_ref().is_none_or(|types| types.contains(&data_type))
                && filter.data_hashes.as_ref().is_none_or(|hashes| hashes.contains(&unit.hash.to_string()));
            if wanted {
                rows.push(show(call, store, unit, metadata, false)?);
            }
        }
        Ok(Value::Array(rows))
    })
}

pub(super) fn row(call: &Call<'_>, dataset: Uuid) -> Answer<Value> {
    let hash = uuid(call.uid)?;
    let wants = |key: &str| call.payload["additional_data"][key].as_bool().unwrap_or(false);
    call.platform.read(|store| {
        store.seen_by(call.who).dataset(dataset)?;
        let unit = store.units.get(&hash).filter(|unit| unit.dataset == dataset);
        let unit =
            unit.ok_or_else(|| Refusal::NotFound(format!("dataset {dataset} has no data unit {hash}")))?;
        let mut shown = show(call, store, unit, wants("client_metadata"), wants("signed_url"))?;
        let images = &call.payload["additional_data"]["images_data_fetch_options"];
        if images.is_object() {
            shown["images_data"] = images_data(call, store, unit, images["fetch_signed_urls"] == true)?;
        }
        Ok(shown)
    })
}

/// The images of a group with what is known of each; null for other types of data.
fn images_data(call: &Call<'_>, store: &Store, unit: &DataUnit, sign: bool) -> Answer<Value> {
    let item = store.backing(unit)?;
    if item.kind != ItemKind::ImageGroup {
        return Ok(Value::Null);
    }
    let images = item.children.iter().filter_map(|image| store.items.get(image));
    let images = images.map(|image| {
        json!({
            "image_hash": image.uuid,
            "title": image.name,
            "file_link": image.plain_link(),
            "file_type": image.facts.mime,
            "file_size": image.facts.size,
            "storage_location": 0,
            "created_at": image.created_at.plain(),
            "last_edited_at": image.last_edited_at.plain(),
            "width": image.facts.width,
            "height": image.facts.height,
            "signed_url": sign.then(|| call.links().to(image)).flatten(),
        })
    });
    Ok(images.collect())
}

#[derive(Debug, Deserialize)]
struct NewUsers {
    user_emails: Vec<String>,
    user_role: u64,
}

/// Lets more users see the dataset and the files in its folder.
pub(super) fn add_users(call: &Call<'_>, dataset: Uuid) -> Answer<Value> {
    let wanted: NewUsers = call.payload()?;
    call.platform.write(|store| {
        store.seen_by(call.who).dataset(dataset)?;
        let missing = wanted.user_emails.iter().find(|email| !store.users.contains(*email));
        if let Some(missing) = missing {
            return Err(Refusal::NotFound(format!("there is no user {missing}")));
        }
        store.share_dataset(dataset, |readers| {
            for email in &wanted.user_emails {
                // A list of nobody means everybody already.
                if !readers.is_empty() && !readers.contains(email) {
                    readers.push(email.clone());
                }
            }
        });
        let added = wanted.user_emails.iter();
        let role = wanted.user_role;
        let added =
            added.map(|email| json!({"user_email": email, "user_role": role, "dataset_hash": dataset}));
        Ok(added.collect())
    })
}

#[derive(Debug, Deserialize)]
struct NewLinks {
    item_uuids: Vec<Uuid>,
    #[serde(default)]
    duplicates_behavior: Option<String>,
}

/// Adds storage items to the dataset and answers with the new rows.
pub(super) fn link(call: &Call<'_>, dataset: Uuid) -> Answer<Value> {
    let wanted: NewLinks = call.payload()?;
    call.platform.write(|store| {
        store.seen_by(call.who).dataset(dataset)?;
        for item in &wanted.item_uuids {
            store.seen_by(call.who).item(*item)?;
        }
        let is_here = |store: &Store, item: Uuid| {
            let mut units = store.units_backed_by(item).iter().filter_map(|unit| store.units.get(unit));
            units.any(|unit| unit.dataset == dataset)
        };
        let behaviour = wanted.duplicates_behavior.as_deref();
        let twice = wanted.item_uuids.iter().find(|item| is_here(store, **item));
        if let Some(item) = twice.filter(|_| behaviour == Some("FAIL")) {
            return Err(Refusal::Exists(format!("item {item} is already in dataset {dataset}")));
        }
        let mut added = Vec::new();
        for item in wanted.item_uuids {
            if behaviour != Some("DUPLICATE") && is_here(store, item) {
                continue;
            }
            let hash = Uuid::new_v4();
            store.link(dataset, item, hash, call.now);
            store.add_task_to_projects(dataset, hash, call.now);
            added.push(hash);
        }
        let units = added.iter().filter_map(|unit| store.units.get(unit));
        Ok(Value::Array(units.map(|unit| show(call, store, unit, false, false)).collect::<Answer<_>>()?))
    })
}

#[derive(Debug, Deserialize)]
struct WantedData {
    data_hash: Uuid,
    #[serde(default)]
    get_signed_url: bool,
}

/// Where the bytes of a project's data unit are: one file, or one per image.
pub(super) fn data_of_project(call: &Call<'_>, project: Uuid) -> Answer<Value> {
    let wanted = WantedData::deserialize(call.uid);
    let wanted = wanted.map_err(|error| Refusal::Invalid(format!("the uid does not fit: {error}")))?;
    call.platform.read(|store| {
        let (project, _) = store.project(project, call.who)?;
        let unit = store.units.get(&wanted.data_hash).filter(|unit| project.datasets.contains(&unit.dataset));
        let missing = || Refusal::NotFound(format!("the project has no data unit {}", wanted.data_hash));
        let item = store.backing(unit.ok_or_else(missing)?)?;
        let file = |hash: Uuid, item: &Item| {
            let signed = wanted.get_signed_url.then(|| call.links().to(item)).flatten();
            json!({
                "data_hash": hash,
                "image_hash": hash,
                "title": item.name,
                "file_link": signed.unwrap_or_else(|| item.plain_link()),
                "backing_item_uuid": item.uuid,
            })
        };
        let frames = item.children.iter().filter_map(|child| store.items.get(child));
        let is_group = item.kind == ItemKind::ImageGroup;
        Ok(json!({
            "data_hash": wanted.data_hash,
            "video": (!is_group).then(|| file(wanted.data_hash, item)),
            "images": is_group.then(|| frames.map(|frame| file(frame.uuid, frame)).collect::<Vec<_>>()),
        }))
    })
}

/// Deletes data units with their tasks and labels in every project.
pub(super) fn remove(call: &Call<'_>, dataset: Uuid) -> Answer<Value> {
    let units = call.uids()?;
    call.platform.write(|store| {
        store.seen_by(call.who).dataset(dataset)?;
        let foreign =
            units.iter().find(|unit| store.units.get(*unit).is_none_or(|unit| unit.dataset != dataset));
        if let Some(foreign) = foreign {
            return Err(Refusal::NotFound(format!("dataset {dataset} has no data unit {foreign}")));
        }
        units.iter().for_each(|unit| store.unlink(*unit));
        Ok(Value::Bool(true))
    })
}

fn show(call: &Call<'_>, store: &Store, unit: &DataUnit, metadata: bool, sign: bool) -> Answer<Value> {
    let item = store.backing(unit)?;
    let facts = &item.facts;
    let metadata = item.client_metadata.as_deref().filter(|_| metadata);
    Ok(json!({
        "data_hash": unit.hash,
        "data_title": item.name,
        "data_type": item.kind.data_type().to_uppercase(),
        "created_at": unit.created_at.plain(),
        "last_edited_at": item.last_edited_at.plain(),
        "width": facts.width,
        "height": facts.height,
        "file_link": item.plain_link(),
        "file_size": facts.size,
        "file_type": facts.mime,
        "storage_location": 0,
        "frames_per_second": facts.fps,
        "duration": facts.duration,
        "client_metadata": metadata.and_then(|text| serde_json::from_str::<Value>(text).ok()),
        "images_data": null,
        "signed_url": sign.then(|| call.links().to(item)).flatten(),
        "is_optimised_image_group": null,
        "backing_item_uuid": item.uuid,
    }))
}
