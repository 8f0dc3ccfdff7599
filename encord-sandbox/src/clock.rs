//! Points in time in the four spellings the platform uses.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A point in time with microseconds, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Moment(i64);

impl Moment {
    pub(crate) fn now() -> Self {
        Self(Timestamp::now().as_microsecond())
    }

    /// `2025-03-04T10:20:30.123456+00:00`, the form of v2 answers.
    pub(crate) fn iso(self) -> String {
        self.timestamp().strftime("%Y-%m-%dT%H:%M:%S.%6f+00:00").to_string()
    }

    /// `Tue, 04 Mar 2025 10:20:30 UTC`, the form of label documents.
    pub(crate) fn long(self) -> String {
        self.timestamp().strftime("%a, %d %b %Y %H:%M:%S UTC").to_string()
    }

    /// `2025-03-04 10:20:30`, the form of data rows.
    pub(crate) fn plain(self) -> String {
        self.timestamp().strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Seconds since 1970.
    pub(crate) fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Seconds that have passed since then; negative if it is still to come.
    pub(crate) fn seconds_since(self, earlier: Self) -> f64 {
        (self.0 - earlier.0) as f64 / 1e6
    }

    /// Reads the spellings that filters use: ISO 8601 with `Z`, an offset or no
    /// zone at all, which means UTC.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let exact = text.parse::<Timestamp>().ok();
        let naive = || {
            let civil: jiff::civil::DateTime = text.parse().ok()?;
            civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        };
        exact.or_else(naive).map(|at| Self(at.as_microsecond()))
    }

    fn timestamp(self) -> Timestamp {
        Timestamp::from_microsecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::Moment;

    #[test]
    fn spells_a_moment_in_every_form() {
        let at = Moment::parse("2025-03-04T10:20:30.123456Z").unwrap();
        assert_eq!(at.iso(), "2025-03-04T10:20:30.123456+00:00");
        assert_eq!(at.long(), "Tue, 04 Mar 2025 10:20:30 UTC");
        assert_eq!(at.plain(), "2025-03-04 10:20:30");
        assert_eq!(at.unix_seconds(), 1_741_083_630);
        assert_eq!(Moment::parse("2025-03-04T10:20:30.123456+00:00"), Some(at));
        assert_eq!(Moment::parse("2025-03-04T10:20:30.123456"), Some(at));
        assert_eq!(Moment::parse("yesterday"), None);
    }
}
