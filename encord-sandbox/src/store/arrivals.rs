//! Tasks that arrived at a stage somebody watches, until they were announced.
//! They are part of the state, so that a restart forgets none.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Store;
use crate::clock::Moment;
use crate::webhooks::Webhook;

/// What a webhook was not told yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Waiting {
    /// Tasks, with those of notifications on their way.
    tasks: u64,
    /// When the first task arrived that no notification is on its way for.
    since: Moment,
    /// Tasks of notifications on their way. After a restart there are none, so
    /// their tasks are announced again.
    #[serde(skip)]
    sending: u64,
}

impl Store {
    /// Adds the tasks that arrived since the last call to what webhooks wait for.
    pub(crate) fn announce_arrivals(&mut self, now: Moment) {
        if self.arrived.is_empty() {
            return;
        }
        let arrived = self.take_arrivals();
        let tasks = |webhook: &Webhook| arrived.get(&(webhook.project, webhook.stage)).copied();
        let watched: Vec<(Uuid, u64)> =
            self.webhooks.entries().filter_map(|(id, webhook)| Some((*id, tasks(webhook)?))).collect();
        for (webhook, tasks) in watched {
            self.add_waiting(webhook, tasks, now);
        }
    }

    /// Tasks arrived at the stage of a webhook.
    pub(crate) fn add_waiting(&mut self, webhook: Uuid, tasks: u64, now: Moment) {
        if let Some(waiting) = self.waiting.get_mut(&webhook) {
            if waiting.tasks == waiting.sending {
                waiting.since = now;
            }
            waiting.tasks += tasks;
        } else if tasks > 0 {
            self.waiting.insert(webhook, Waiting { tasks, since: now, sending: 0 });
        }
    }

    /// How many tasks the webhook is to be told now, and why.
    pub(crate) fn due(&self, id: Uuid, webhook: &Webhook, now: Moment) -> Option<(u64, &'static str)> {
        let waiting = self.waiting.get(&id)?;
        let tasks = waiting.tasks.saturating_sub(waiting.sending);
        if tasks == 0 {
            None
        } else if tasks >= webhook.batch_size {
            Some((tasks, "batch_size_reached"))
        } else if now.seconds_since(waiting.since) >= webhook.max_wait_seconds {
            Some((tasks, "max_wait_elapsed"))
        } else {
            None
        }
    }

    /// A notification about so many tasks is on its way.
    pub(crate) fn sending(&mut self, webhook: Uuid, tasks: u64) {
        if let Some(waiting) = self.waiting.get_mut(&webhook) {
            waiting.sending += tasks;
        }
    }

    /// A notification was accepted, or given up.
    pub(crate) fn settled(&mut self, webhook: Uuid, tasks: u64) {
        let Some(waiting) = self.waiting.get_mut(&webhook) else { return };
        waiting.tasks = waiting.tasks.saturating_sub(tasks);
        waiting.sending = waiting.sending.saturating_sub(tasks);
        if waiting.tasks == 0 {
            self.waiting.remove(&webhook);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::Store;
    use crate::clock::Moment;
    use crate::webhooks::Webhook;

    #[test]
    fn tasks_are_due_until_their_notification_is_settled_even_over_a_restart() {
        let webhook: Webhook = serde_json::from_value(serde_json::json!({
            "project": Uuid::nil(), "stage": Uuid::nil(), "url": "http://h", "secret": "s",
            "batch_size": 3, "max_wait_seconds": 60.0,
        }))
        .unwrap();
        let (id, now) = (Uuid::new_v4(), Moment::parse("2025-03-04T10:20:30Z").unwrap());
        let later = Moment::parse("2025-03-04T10:21:30Z").unwrap();
        let mut store = Store::default();
        store.add_waiting(id, 2, now);
        assert_eq!(store.due(id, &webhook, now), None);
        assert_eq!(store.due(id, &webhook, later), Some((2, "max_wait_elapsed")));
        store.add_waiting(id, 1, now);
        assert_eq!(store.due(id, &webhook, now), Some((3, "batch_size_reached")));
        store.sending(id, 3);
        assert_eq!(store.due(id, &webhook, later), None);
        let stored = serde_json::to_string(store.waiting.get(&id).unwrap()).unwrap();
        let mut restarted = Store::default();
        restarted.waiting.insert(id, serde_json::from_str(&stored).unwrap());
        assert_eq!(restarted.due(id, &webhook, now), Some((3, "batch_size_reached")));
        store.settled(id, 3);
        assert!(!store.waiting.contains(&id));
    }
}
