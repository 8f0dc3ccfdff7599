//! When to send a request again, and how long to wait before.
//!
//! Whether a repetition is safe is declared by each operation, never guessed from the HTTP method: a `PATCH`
//! that replaces metadata may be repeated, a `POST` that moves tasks may not.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, header};

/// How often and how patiently failed requests are repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How many times a request may be repeated. Default 5; 0 switches retries off.
    pub max_retries: u32,
    /// Upper end of the first pause; it doubles with every repetition. Default 500 ms.
    pub base_delay: Duration,
    /// No pause of our own is longer than this (a `Retry-After` of the server may be). Default 30 s.
    pub max_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { max_retries: 5, base_delay: Duration::from_millis(500), max_delay: Duration::from_secs(30) }
    }
}

impl RetryPolicy {
    /// Never repeat anything.
    #[must_use]
    pub fn never() -> Self {
        Self { max_retries: 0, ..Self::default() }
    }

    /// Replaces the number of repetitions.
    #[must_use]
    pub fn with_max_retries(mut self, max_retries: u32) -> Self {
        self.max_retries = max_retries;
        self
    }

    /// Replaces the pauses: upper end of the first one, and the longest.
    #[must_use]
    pub fn with_delays(mut self, base: Duration, longest: Duration) -> Self {
        self.base_delay = base;
        self.max_delay = longest;
        self
    }

    /// A pause before repetition `retry` (0 is the first), drawn evenly from zero to the exponential limit so
    /// that many clients do not come back at once.
    pub(crate) fn pause(&self, retry: u32) -> Duration {
        let limit = self.base_delay.saturating_mul(2u32.saturating_pow(retry.min(20))).min(self.max_delay);
        limit.mul_f64(random_fraction())
    }
}

/// What may be done with a request that failed half-way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Safety {
    /// Sending it twice has the effect of sending it once.
    Idempotent,
    /// Sending it twice may have another effect: repeated only if the server cannot have acted on it.
    Once,
}

/// Statuses worth another attempt when the operation is idempotent.
pub(crate) fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// Statuses that say that the server has not started on the request.
pub(crate) fn is_untouched(status: StatusCode) -> bool {
    matches!(status.as_u16(), 425 | 429)
}

/// The wait the server asks for: seconds, or a date (one in the past means none).
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Evenly between 0 and 1; the quality of a random UUID is more than a pause needs.
fn random_fraction() -> f64 {
    let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
    (high >> 32) as f64 / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_but_stay_below_their_limits() {
        let policy =
            RetryPolicy::default().with_delays(Duration::from_millis(100), Duration::from_millis(700));
        for (retry, limit) in [(0, 100), (1, 200), (2, 400), (3, 700), (40, 700)] {
            let pauses: Vec<_> = (0..200).map(|_| policy.pause(retry)).collect();
            assert!(pauses.iter().all(|pause| *pause <= Duration::from_millis(limit)), "{retry}");
            assert!(pauses.iter().any(|pause| *pause > Duration::from_millis(limit / 2)), "{retry}");
            assert!(pauses.iter().any(|pause| *pause < Duration::from_millis(limit / 2)), "{retry}");
        }
    }

    #[test]
    fn retry_after_understands_seconds_and_dates() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let check = |value: &str, expected: Option<u64>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, value.parse().unwrap());
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{value}");
        };
        check("7", Some(7));
        check("Sun, 06 Nov 1994 08:49:47 GMT", Some(10));
        check("Sun, 06 Nov 1994 08:00:00 GMT", Some(0));
        check("soon", None);
    }
}
