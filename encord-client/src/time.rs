//! Points in time as the platform writes them.
//!
//! The platform is generous about formats (ISO 8601 with and without zone, RFC 2822 dates, unix seconds), and
//! what goes onto a task queue must keep the offset it came with. This type hides which date library does it.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use jiff::civil;
use jiff::tz::Offset;
use jiff::{Timestamp, fmt::rfc2822};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time with microseconds and the offset it was written with.
///
/// Text without a zone means UTC. Two values are equal when they are the same instant.
///
/// ```
/// use encord_client::DateTime;
///
/// let time: DateTime = "2025-03-04 10:20:30.500+02:00".parse().unwrap();
/// assert_eq!(time.to_string(), "2025-03-04T10:20:30.500000+02:00");
/// assert_eq!(time, "2025-03-04T08:20:30.5Z".parse().unwrap());
/// ```
#[derive(Clone, Copy)]
pub struct DateTime {
    instant: Timestamp,
    offset: Offset,
}

impl DateTime {
    /// The current time.
    pub fn now() -> Self {
        Self { instant: Timestamp::now(), offset: Offset::UTC }
    }

    /// From microseconds since 1970 (negative before); `None` outside the years -9999 to 9999.
    pub fn from_unix_microseconds(microseconds: i64) -> Option<Self> {
        let instant = Timestamp::from_microsecond(microseconds).ok()?;
        Some(Self { instant, offset: Offset::UTC })
    }

    /// Microseconds since 1970 (negative before).
    pub fn unix_microseconds(&self) -> i64 {
        self.instant.as_microsecond()
    }

    /// As `Display`, but with `+00:00` for UTC, which some filters want.
    pub(crate) fn with_numeric_offset(self) -> String {
        let text = self.to_string();
        text.strip_suffix('Z').map(|rest| format!("{rest}+00:00")).unwrap_or(text)
    }

    /// The offset from UTC it was written with, in seconds.
    pub fn offset_seconds(&self) -> i32 {
        self.offset.seconds()
    }
}

impl PartialEq for DateTime {
    fn eq(&self, other: &Self) -> bool {
        self.instant == other.instant
    }
}

impl Eq for DateTime {}

impl PartialOrd for DateTime {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DateTime {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.instant.cmp(&other.instant)
    }
}

impl std::hash::Hash for DateTime {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.instant.hash(state);
    }
}

impl From<SystemTime> for DateTime {
    fn from(time: SystemTime) -> Self {
        let instant = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
        Self { instant, offset: Offset::UTC }
    }
}

/// ISO 8601; `Z` for UTC, other offsets as they came, and six digits of a fraction unless it is zero.
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.offset.to_datetime(self.instant);
        write!(f, "{:04}-{:02}-{:02}T", local.year(), local.month(), local.day())?;
        write!(f, "{:02}:{:02}:{:02}", local.hour(), local.minute(), local.second())?;
        let microseconds = local.subsec_nanosecond() / 1000;
        if microseconds != 0 {
            write!(f, ".{microseconds:06}")?;
        }
        let seconds = self.offset.seconds();
        if seconds == 0 {
            return f.write_str("Z");
        }
        let sign = if seconds < 0 { '-' } else { '+' };
        let minutes = seconds.abs() / 60;
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl fmt::Debug for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a date; expected something like 2025-03-04T10:20:30Z")]
pub struct ParseDateTimeError(String);

impl FromStr for DateTime {
    type Err = ParseDateTimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ParseDateTimeError(text.chars().take(80).collect());
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refused());
        }
        let (instant, offset) = parse_iso(trimmed).or_else(|| parse_email(trimmed)).ok_or_else(refused)?;
        let whole = Timestamp::from_microsecond(instant.as_microsecond()).map_err(|_| refused())?;
        Ok(Self { instant: whole, offset })
    }
}

/// ISO 8601 in its usual spellings, a blank instead of the `T` and missing zone or time included.
fn parse_iso(text: &str) -> Option<(Timestamp, Offset)> {
    let pieces = jiff::fmt::temporal::DateTimeParser::new();
    if let Ok(instant) = pieces.parse_timestamp(text) {
        return Some((instant, written_offset(text)));
    }
    let local: civil::DateTime = pieces.parse_datetime(text).ok()?;
    Offset::UTC.to_timestamp(local).ok().map(|instant| (instant, Offset::UTC))
}

/// The form of mail and HTTP headers, where the platform writes `UTC` for the zone.
fn parse_email(text: &str) -> Option<(Timestamp, Offset)> {
    let text = match text.strip_suffix("UTC") {
        Some(rest) => format!("{rest}GMT"),
        None => text.to_owned(),
    };
    let zoned = rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_zoned(&text).ok()?;
    Some((zoned.timestamp(), zoned.offset()))
}

/// The offset at the end of an ISO text that is known to be valid.
fn written_offset(text: &str) -> Offset {
    let Some(at) = text.rfind(['+', '-']).filter(|at| *at > 9) else { return Offset::UTC };
    let digits: String = text[at + 1..].chars().filter(char::is_ascii_digit).collect();
    let part = |range: std::ops::Range<usize>| digits.get(range).and_then(|part| part.parse::<i32>().ok());
    let seconds = part(0..2).unwrap_or(0) * 3600 + part(2..4).unwrap_or(0) * 60;
    let signed = if text.as_bytes()[at] == b'-' { -seconds } else { seconds };
    Offset::from_seconds(signed).unwrap_or(Offset::UTC)
}

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Writes an optional time for the older interface, which wants `+00:00` where the newer one writes `Z`.
pub(crate) fn numeric_offset<S: Serializer>(
    time: &Option<DateTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.serialize_str(&time.with_numeric_offset()),
        None => serializer.serialize_none(),
    }
}

impl<'de> Deserialize<'de> for DateTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;

        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written<'a> {
            Text(std::borrow::Cow<'a, str>),
            Seconds(f64),
        }
        match Written::deserialize(deserializer)? {
            Written::Text(text) => text.parse().map_err(D::Error::custom),
            Written::Seconds(seconds) => Self::from_unix_microseconds((seconds * 1e6).round() as i64)
                .ok_or_else(|| D::Error::custom(format!("{seconds} is not a date in unix seconds"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_platform_is_read() {
        let check = |text: &str, expected: &str| {
            let read = text.parse::<DateTime>().map(|time| time.to_string());
            assert_eq!(read.unwrap_or_else(|error| error.to_string()), expected, "{text}");
        };
        check("2025-03-04 10:20:30", "2025-03-04T10:20:30Z");
        check("2025-03-04T10:20:30.123456+00:00", "2025-03-04T10:20:30.123456Z");
        check("2025-03-04T10:20:30.123456789Z", "2025-03-04T10:20:30.123456Z");
        check("2025-03-04T10:20:30+02:00", "2025-03-04T10:20:30+02:00");
        check("2025-03-04T10:20:30-0530", "2025-03-04T10:20:30-05:30");
        check("20250304T102030Z", "2025-03-04T10:20:30Z");
        check("2025-03-04", "2025-03-04T00:00:00Z");
        check("Tue, 04 Mar 2025 10:20:30 UTC", "2025-03-04T10:20:30Z");
        check("Tue, 04 Mar 2025 10:20:30 GMT", "2025-03-04T10:20:30Z");
        check("Tue, 04 Mar 2025 10:20:30 +0100", "2025-03-04T10:20:30+01:00");
        for wrong in ["", "1741083630", "soon"] {
            assert!(wrong.parse::<DateTime>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_are_unix_seconds() {
        let time: DateTime = serde_json::from_str("1741083630.5").unwrap();
        assert_eq!(serde_json::to_string(&time).unwrap(), r#""2025-03-04T10:20:30.500000Z""#);
        assert!(serde_json::from_str::<DateTime>("null").is_err());
    }
}
