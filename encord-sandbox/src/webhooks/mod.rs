//! Task-ready webhooks: the platform tells an endpoint that tasks wait at a stage.
//!
//! A notification goes out when enough tasks have arrived since the last one,
//! or when the oldest of them has waited long enough.

mod connect;
mod deliver;

use std::sync::Arc;
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
        let now = Moment::now();
        let due = platform.read(|store| {
            let due = store.webhooks.entries().filter_map(|(id, webhook)| {
                let (tasks, reason) = store.due(*id, webhook, now)?;
                Some((*id, webhook.clone(), tasks, reason))
            });
            due.collect::<Vec<(Uuid, Webhook, u64, &str)>>()
        });
        for (id, webhook, tasks, reason) in due {
            platform.write(|store| store.sending(id, tasks));
            let body = notification(&webhook, tasks, reason);
            let platform = Arc::clone(&platform);
            deliveries.spawn(async move {
                deliver::deliver(&platform, &webhook, &body).await;
                platform.write(|store| store.settled(id, tasks));
            });
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
