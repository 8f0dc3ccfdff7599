//! `reencodevideotask`: the files here are played as they are, so a task is done
//! as soon as it is asked for and leads to the same file.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Call;
use crate::refusal::{Answer, Refusal};
use crate::store::{ItemKind, REENCODINGS};

#[derive(Debug, Deserialize)]
struct Wanted {
    data_hash: Vec<Uuid>,
}

/// Takes the videos down and answers with the number of the task.
pub(super) fn start(call: &Call<'_>, dataset: Uuid) -> Answer<Value> {
    let wanted: Wanted = call.payload()?;
    call.platform.write(|store| {
        store.seen_by(call.who).dataset(dataset)?;
        for hash in &wanted.data_hash {
            let unit = store.units.get(hash).filter(|unit| unit.dataset == dataset);
            let unit =
                unit.ok_or_else(|| Refusal::NotFound(format!("dataset {dataset} has no data unit {hash}")))?;
            if store.backing(unit)?.kind != ItemKind::Video {
                return Err(Refusal::Invalid(format!("data unit {hash} is not a video")));
            }
        }
        let task = json!({"dataset": dataset, "data": wanted.data_hash});
        Ok(json!(store.append_setting(REENCODINGS, task)))
    })
}

pub(super) fn status(call: &Call<'_>, dataset: Uuid) -> Answer<Value> {
    let number = call.uid.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or(0);
    call.platform.read(|store| {
        store.seen_by(call.who).dataset(dataset)?;
        let tasks = store.settings.get(REENCODINGS).and_then(Value::as_array);
        let task = tasks.and_then(|tasks| tasks.get(number.checked_sub(1)?));
        let task = task.filter(|task| task["dataset"] == json!(dataset));
        let task = task.ok_or_else(|| Refusal::NotFound(format!("there is no re-encoding {number}")))?;
        let data: Vec<Uuid> = serde_json::from_value(task["data"].clone()).unwrap_or_default();
        let units = data.iter().filter_map(|hash| store.units.get(hash));
        let results = units.filter_map(|unit| {
            let item = store.items.get(&unit.item)?;
            Some(json!({
                "data_hash": unit.hash,
                "signed_url": call.links().to(item),
                "bucket_path": item.plain_link(),
            }))
        });
        Ok(json!({"status": "DONE", "result": results.collect::<Vec<_>>()}))
    })
}
