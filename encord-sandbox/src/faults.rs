//! Faults on demand: what goes wrong, where and how often.
//!
//! A [`FaultPlan`] is a list of rules with one seed. The first rule whose
//! pattern matches the endpoint and whose dice say so decides about a request.
//! The same plan and the same order of requests give the same faults.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Rules and the seed of their dice.
///
/// ```
/// let plan: encord_sandbox::FaultPlan = serde_json::from_str(
///     r#"{"seed": 7, "rules": [
///         {"endpoint": "POST */actions", "rate": 0.2, "status": 503, "retry_after": 1},
///         {"endpoint": "GET /_blobs/*", "times": 3, "drop": "after"}
///     ]}"#,
/// )?;
/// assert_eq!(plan.rules.len(), 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FaultPlan {
    /// Where the dice start.
    pub seed: u64,
    /// Tried in order; the first that fires decides.
    pub rules: Vec<FaultRule>,
}

/// One thing that goes wrong at matching endpoints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FaultRule {
    /// Endpoints as [`crate::RequestCounts`] names them; `*` stands for any text.
    pub endpoint: String,
    /// How likely the rule fires, 0 to 1.
    pub rate: f64,
    /// How often the rule fires at most.
    pub times: Option<u64>,
    /// Matching requests that pass before the rule can fire.
    pub after: u64,
    /// Answer with this HTTP status instead of serving the request.
    pub status: Option<u16>,
    /// The v1 error code to answer with in an envelope, for example
    /// `RATE_LIMIT_ERROR`. Only endpoints of the v1 API understand it.
    pub code: Option<String>,
    /// Value of the `Retry-After` header of that answer, in seconds.
    pub retry_after: Option<u64>,
    /// Answer with an HTML page instead of JSON.
    pub html: bool,
    /// Wait this many milliseconds before anything else.
    pub latency_ms: u64,
    /// Close the connection instead of answering.
    pub drop: Option<DropWhen>,
    /// Send only the first half of the answer, then close the connection.
    pub truncate: bool,
    /// Treat a signed URL as expired.
    pub expired: bool,
}

impl Default for FaultRule {
    fn default() -> Self {
        Self {
            endpoint: "*".into(),
            rate: 1.0,
            times: None,
            after: 0,
            status: None,
            code: None,
            retry_after: None,
            html: false,
            latency_ms: 0,
            drop: None,
            truncate: false,
            expired: false,
        }
    }
}

/// When a connection is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DropWhen {
    /// Before the request has any effect.
    Before,
    /// After its effect, so that only the answer is lost.
    After,
}

impl FaultRule {
    pub(crate) fn latency(&self) -> Duration {
        Duration::from_millis(self.latency_ms)
    }

    fn check(&self) -> Result<(), Error> {
        if !(0.0..=1.0).contains(&self.rate) {
            return Err(Error::Fault(format!("rate {} is not between 0 and 1", self.rate)));
        }
        if let Some(status) = self.status.filter(|status| !(200..=599).contains(status)) {
            return Err(Error::Fault(format!("status {status} is not an HTTP status from 200 to 599")));
        }
        Ok(())
    }
}

struct Active {
    plan: FaultPlan,
    dice: StdRng,
    matched: Vec<u64>,
    fired: Vec<u64>,
}

impl Active {
    fn new(plan: FaultPlan) -> Self {
        let rules = plan.rules.len();
        Self { dice: StdRng::seed_from_u64(plan.seed), matched: vec![0; rules], fired: vec![0; rules], plan }
    }
}

/// The rules in force.
pub(crate) struct Faults(Mutex<Active>);

impl Default for Faults {
    fn default() -> Self {
        Self(Mutex::new(Active::new(FaultPlan::default())))
    }
}

impl Faults {
    pub(crate) fn set(&self, plan: FaultPlan) -> Result<(), Error> {
        plan.rules.iter().try_for_each(FaultRule::check)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Active::new(plan);
        Ok(())
    }

    pub(crate) fn plan(&self) -> FaultPlan {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).plan.clone()
    }

    /// The rule that decides about this request, if any.
    pub(crate) fn strike(&self, endpoint: &str) -> Option<FaultRule> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let active = &mut *guard;
        for (index, rule) in active.plan.rules.iter().enumerate() {
            if !wildcard(&rule.endpoint, endpoint) {
                continue;
            }
            active.matched[index] += 1;
            let spent = rule.times.is_some_and(|times| active.fired[index] >= times);
            if spent || active.matched[index] <= rule.after || !active.dice.random_bool(rule.rate) {
                continue;
            }
            active.fired[index] += 1;
            return Some(rule.clone());
        }
        None
    }
}

/// Whether the text matches a pattern in which `*` stands for any text.
fn wildcard(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::{FaultPlan, FaultRule, Faults, wildcard};

    #[test]
    fn patterns_match_whole_endpoints() {
        assert!(wildcard("*", "GET /x"));
        assert!(wildcard("GET /x", "GET /x"));
        assert!(!wildcard("GET /x", "GET /x/y"));
        assert!(wildcard("POST */stages/*/actions", "POST /v2/p/stages/{stage}/actions"));
        assert!(!wildcard("POST */actions", "POST /v2/actions/more"));
        assert!(!wildcard("ab*ba", "aba"));
    }

    #[test]
    fn the_same_plan_gives_the_same_faults() {
        let rule = FaultRule { rate: 0.5, ..FaultRule::default() };
        let plan = FaultPlan { seed: 3, rules: vec![rule] };
        let run = || {
            let faults = Faults::default();
            faults.set(plan.clone()).unwrap();
            (0..100).map(|_| faults.strike("GET /x").is_some()).collect::<Vec<_>>()
        };
        let first = run();
        assert_eq!(first, run());
        assert!(first.contains(&true) && first.contains(&false));
    }

    #[test]
    fn a_rule_can_be_limited() {
        let faults = Faults::default();
        let rule = FaultRule { times: Some(2), after: 1, ..FaultRule::default() };
        faults.set(FaultPlan { seed: 0, rules: vec![rule] }).unwrap();
        let fired: Vec<bool> = (0..5).map(|_| faults.strike("GET /x").is_some()).collect();
        assert_eq!(fired, [false, true, true, false, false]);
    }

    #[test]
    fn nonsense_is_refused() {
        let rule = FaultRule { rate: 1.5, ..FaultRule::default() };
        assert!(Faults::default().set(FaultPlan { seed: 0, rules: vec![rule] }).is_err());
    }
}
