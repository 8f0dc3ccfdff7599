//! Task-ready webhooks: the platform tells an endpoint that tasks wait at a stage.
//!
//! A notification goes out when enough tasks have arrived since the last one,
//! or when the oldest of them has waited long enough.

mod connect;
mod deliver;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::watch;
use uuid::Uuid;

pub(crate) use self::connect::Trust;
use crate::clock::Moment;
use crate::platform::Platform;

/// An endpoint that wants to know about tasks at a stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    pub(crate) project: Uuid,
    pub(crate) stage: Uuid,
    /// `http://host:port/path` or `https://..`.
    pub(crate) url: String,
    /// Signs the notifications.
    pub(crate) secret: String,
    #[serde(default = "one")]
    pub(crate) batch_size: u64,
    #[serde(default = "a_minute")]
    pub(crate) max_wait_seconds: f64,
}

fn one() -> u64 {
    1
}

fn a_minute() -> f64 {
    60.0
}

/// Tasks that arrived at a stage and were not announced yet.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    tasks: u64,
    since: std::time::Instant,
}

/// Counts arrivals for the stages that somebody watches.
#[derive(Debug, Default)]
pub(crate) struct Arrivals(Mutex<HashMap<Uuid, Waiting>>);

impl Arrivals {
    /// Tasks arrived at the stage of a webhook.
    pub(crate) fn add(&self, webhook: Uuid, tasks: u64) {
        let mut arrivals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let none = Waiting { tasks: 0, since: std::time::Instant::now() };
        arrivals.entry(webhook).or_insert(none).tasks += tasks;
    }

    /// Takes what is due for the webhook, with the reason why.
    fn due(&self, id: Uuid, webhook: &Webhook) -> Option<(u64, &'static str)> {
        let mut arrivals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = arrivals.get(&id)?;
        let reason = if waiting.tasks >= webhook.batch_size {
            "batch_size_reached"
        } else if waiting.since.elapsed().as_secs_f64() >= webhook.max_wait_seconds {
            "max_wait_elapsed"
        } else {
            return None;
        };
        arrivals.remove(&id).map(|waiting| (waiting.tasks, reason))
    }
}

/// How often arrivals are looked at.
const TICK: Duration = Duration::from_millis(100);

/// Sends notifications until the sandbox stops.
pub(crate) async fn run(platform: Arc<Platform>, mut stop: watch::Receiver<bool>) {
    let mut deliveries = tokio::task::JoinSet::new();
    loop {
        let stopped = async {
            let _ = stop.wait_for(|stop| *stop).await;
        };
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            () = stopped => return,
        }
        while deliveries.try_join_next().is_some() {}
        let webhooks = platform.read(|store| {
            store
                .webhooks
                .entries()
                .map(|(id, webhook)| (*id, webhook.clone()))
                .collect::<Vec<(Uuid, Webhook)>>()
        });
        for (id, webhook) in webhooks {
            if let Some((count, reason)) = platform.arrivals.due(id, &webhook) {
                let body = notification(&webhook, count, reason);
                deliveries.spawn(deliver::deliver(Arc::clone(&platform), webhook, body));
            }
        }
    }
}

fn notification(webhook: &Webhook, pending: u64, reason: &str) -> String {
    let now = Moment::now().iso();
    json!({
        "uid": Uuid::new_v4(),
        "version": 1,
        "source": "encord",
        "event_type": "agent_stage_work_available_event",
        "event_created_timestamp": now,
        "payload": {
            "project_hash": webhook.project,
            "stage_uuid": webhook.stage,
            "pending_count": pending,
            "reason": reason,
        },
    })
    .to_string()
}
