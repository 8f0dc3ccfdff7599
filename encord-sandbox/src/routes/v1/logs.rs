//! `labellog`: what people and agents did to tasks and labels, as far as the
//! journal remembers it.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Call;
use crate::clock::Moment;
use crate::refusal::Answer;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Filter {
    user_hash: Option<String>,
    user_email: Option<String>,
    data_hash: Option<Uuid>,
    /// Unix seconds.
    start_timestamp: Option<i64>,
    end_timestamp: Option<i64>,
}

/// The number that stands for saving labels.
const SAVE: u8 = 14;
/// The number that stands for a task that is sent on.
const SUBMIT_TASK: u8 = 11;

pub(super) fn list(call: &Call<'_>, project: Uuid) -> Answer<Value> {
    let filter: Filter = call.payload()?;
    call.platform.read(|store| store.project(project, call.who).map(drop))?;
    let mut logs = Vec::new();
    for effect in call.platform.journal.effects() {
        let action = match effect.effect {
            "save" => SAVE,
            "move" => SUBMIT_TASK,
            _ => continue,
        };
        let task = || effect.details["task"].as_str()?.parse().ok();
        let data_of_task = || call.platform.read(|store| store.task(task()?).map(|task| task.data));
        let data = effect.details["data"].as_str().and_then(|data| data.parse::<Uuid>().ok());
        let Some(data) = data.or_else(data_of_task) else { continue };
        let seconds = Moment::parse(&effect.at).map(Moment::unix_seconds);
        let wanted = effect.details["project"] == json!(project)
            && filter.data_hash.is_none_or(|wanted| wanted == data)
            && filter.user_email.as_ref().or(filter.user_hash.as_ref()).is_none_or(|who| *who == effect.user)
            && filter.start_timestamp.is_none_or(|start| seconds.is_some_and(|at| at >= start))
            && filter.end_timestamp.is_none_or(|end| seconds.is_some_and(|at| at <= end));
        if wanted {
            logs.push(json!({
                "log_hash": Uuid::new_v4(),
                // Users have no hash here but their address.
                "user_hash": effect.user,
                "user_email": effect.user,
                "data_hash": data,
                "action": action,
                "created_at": effect.at,
                "identifier": null,
                "feature_hash": null,
                "label_name": null,
                "time_taken": null,
                "frame": null,
            }));
        }
    }
    Ok(Value::Array(logs))
}
