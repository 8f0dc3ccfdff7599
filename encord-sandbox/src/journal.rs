//! What clients did: counters per endpoint, and a journal of effects.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::Moment;

/// How often an endpoint was called and how much went over the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EndpointCounts {
    /// Requests, answered or not.
    pub count: u64,
    /// Bytes of request bodies.
    pub bytes_in: u64,
    /// Bytes of response bodies.
    pub bytes_out: u64,
    /// Answers per HTTP status; a dropped connection counts as status 0.
    pub statuses: BTreeMap<u16, u64>,
}

/// Counts since the start or the last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RequestCounts {
    /// All endpoints together.
    pub total: EndpointCounts,
    /// By endpoint, for example `GET /v2/public/projects/{project}` or
    /// `POST /public labelrow PUT`.
    pub endpoints: BTreeMap<String, EndpointCounts>,
}

/// One change that a request made.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Effect {
    pub(crate) at: String,
    pub(crate) user: String,
    pub(crate) effect: &'static str,
    #[serde(flatten)]
    pub(crate) details: Value,
}

/// One answered request, for the status page.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Answered {
    pub(crate) at: String,
    pub(crate) endpoint: String,
    pub(crate) status: u16,
}

#[derive(Debug, Default)]
struct Inner {
    counts: RequestCounts,
    effects: VecDeque<Effect>,
    recent: VecDeque<Answered>,
}

/// Counters and the journal, shared by all requests.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Inner>);

impl Journal {
    /// Effects kept; older ones are forgotten.
    const EFFECTS: usize = 100_000;
    const RECENT: usize = 50;

    pub(crate) fn count(&self, endpoint: &str, status: u16, bytes_in: u64, bytes_out: u64) {
        let mut inner = self.lock();
        let counts = &mut inner.counts;
        if !counts.endpoints.contains_key(endpoint) {
            counts.endpoints.insert(endpoint.to_owned(), EndpointCounts::default());
        }
        for counter in [Some(&mut counts.total), counts.endpoints.get_mut(endpoint)].into_iter().flatten() {
            counter.count += 1;
            counter.bytes_in += bytes_in;
            counter.bytes_out += bytes_out;
            *counter.statuses.entry(status).or_default() += 1;
        }
        if inner.recent.len() == Self::RECENT {
            inner.recent.pop_front();
        }
        inner.recent.push_back(Answered { at: Moment::now().iso(), endpoint: endpoint.to_owned(), status });
    }

    /// More bytes of an answer that was counted when it began.
    pub(crate) fn add_bytes_out(&self, endpoint: &str, bytes: u64) {
        let mut inner = self.lock();
        let counts = &mut inner.counts;
        for counter in [Some(&mut counts.total), counts.endpoints.get_mut(endpoint)].into_iter().flatten() {
            counter.bytes_out += bytes;
        }
    }

    pub(crate) fn record(&self, user: &str, effect: &'static str, details: Value) {
        let mut inner = self.lock();
        if inner.effects.len() == Self::EFFECTS {
            inner.effects.pop_front();
        }
        inner.effects.push_back(Effect { at: Moment::now().iso(), user: user.to_owned(), effect, details });
    }

    /// A task went from one stage to another.
    pub(crate) fn moved(&self, user: &str, project: Uuid, task: Uuid, from: Uuid, to: Uuid) {
        self.record(user, "move", json!({"project": project, "task": task, "from": from, "to": to}));
    }

    pub(crate) fn counts(&self) -> RequestCounts {
        self.lock().counts.clone()
    }

    pub(crate) fn effects(&self) -> Vec<Effect> {
        self.lock().effects.iter().cloned().collect()
    }

    pub(crate) fn recent(&self) -> Vec<Answered> {
        self.lock().recent.iter().rev().cloned().collect()
    }

    pub(crate) fn reset(&self) {
        *self.lock() = Inner::default();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
