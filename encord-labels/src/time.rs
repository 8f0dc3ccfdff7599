//! Points in time as label documents spell them.
//!
//! A date is kept as the text it came with and is only understood on request: most are never looked at, and an
//! unchanged row must give back what it was given.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// A date and time with the precision of a second.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Timestamp(Arc<str>);

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const DAY: i64 = 86_400;
/// The last second of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;
/// The first second of the year 1.
const FIRST_SECOND: i64 = -62_135_596_800;

impl Timestamp {
    /// Now.
    pub fn now() -> Self {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs());
        Self::from_unix_seconds(seconds as i64)
    }

    /// A number of seconds since 1970 in UTC; cut to the years 1 to 9999.
    ///
    /// ```
    /// # use encord_labels::Timestamp;
    /// assert_eq!(Timestamp::from_unix_seconds(1_704_164_645).as_str(), "Tue, 02 Jan 2024 03:04:05 UTC");
    /// ```
    pub fn from_unix_seconds(seconds: i64) -> Self {
        let seconds = seconds.clamp(FIRST_SECOND, LAST_SECOND);
        let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let (year, month, day) = civil_from_days(days);
        let weekday = WEEKDAYS[days.rem_euclid(7) as usize];
        let month = MONTHS[month as usize - 1];
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        Self(format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} UTC").into())
    }

    /// The text as it is written in documents.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Seconds since 1970 in UTC, rounded down. Text without a zone counts as UTC.
    ///
    /// Understands the platform's own form (`Tue, 02 Jan 2024 03:04:05 UTC`, also with `GMT` or an offset),
    /// `2024-01-02 03:04:05`, and ISO 8601 dates with or without time, fraction and offset. `None` for
    /// anything else.
    pub fn unix_seconds(&self) -> Option<i64> {
        let text = self.0.trim();
        parse_long(text).or_else(|| parse_iso(text))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Arc<str>> for Timestamp {
    fn from(text: Arc<str>) -> Self {
        Self(text)
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self::from_unix_seconds(i64::try_from(after.as_secs()).unwrap_or(i64::MAX)),
            Err(before) => {
                let seconds = i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX - 1);
                Self::from_unix_seconds(-seconds - i64::from(before.duration().subsec_nanos() > 0))
            }
        }
    }
}

/// `Tue, 02 Jan 2024 03:04:05 UTC`; the weekday is not checked.
fn parse_long(text: &str) -> Option<i64> {
    let (_, rest) = text.split_once(',')?;
    let mut words = rest.split_ascii_whitespace();
    let day = words.next()?.parse().ok()?;
    let name = words.next()?;
    let month = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))? as i64 + 1;
    let year = words.next()?.parse().ok()?;
    let clock = parse_clock(words.next()?)?;
    let offset = match words.next() {
        None => 0,
        Some(zone) if zone.eq_ignore_ascii_case("UTC") || zone.eq_ignore_ascii_case("GMT") => 0,
        Some(zone) => parse_offset(zone)?,
    };
    if words.next().is_some() {
        return None;
    }
    Some(days_from_civil(year, month, day)? * DAY + clock - offset)
}

/// `2024-01-02`, `2024-01-02 03:04:05`, `2024-01-02T03:04:05.678+02:00` and the like.
fn parse_iso(text: &str) -> Option<i64> {
    let split = text.find(['T', 't', ' ']).unwrap_or(text.len());
    let (date, time) = text.split_at(split);
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let days = days_from_civil(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
    let time = time.get(1..).unwrap_or("").trim();
    if time.is_empty() {
        return Some(days * DAY);
    }
    let zone = time.find(['Z', 'z', '+', '-', 'U']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone);
    let offset = match zone {
        "" | "Z" | "z" | "UTC" => 0,
        zone => parse_offset(zone)?,
    };
    Some(days * DAY + parse_clock(clock.trim())? - offset)
}

/// `03:04`, `03:04:05` or `03:04:05.678`, in seconds.
fn parse_clock(text: &str) -> Option<i64> {
    let whole = text.split(['.', ',']).next()?;
    let mut parts = whole.split(':').map(|part| part.parse::<i64>().ok().filter(|number| *number >= 0));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    (parts.next().is_none() && hour < 24 && minute < 60 && second < 60)
        .then(|| hour * 3600 + minute * 60 + second)
}

/// `+02:00`, `-0530` or `+02`, in seconds.
fn parse_offset(text: &str) -> Option<i64> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits: String = digits.chars().filter(|c| *c != ':').collect();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    let (hours, minutes) = match digits.len() {
        2 => (number, 0),
        4 => (number / 100, number % 100),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Days since 1970 of a date of the Gregorian calendar; `None` if there is no such day.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years are counted from March, so that the leap day is the last of its year.
    let shifted = if month > 2 { year } else { year - 1 };
    let (era, year_of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days =
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    (civil_from_days(days) == (year, month, day)).then_some(days)
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn all_spellings_of_one_moment_are_that_moment() {
        for text in [
            "Thu, 09 Feb 2023 14:12:03 UTC",
            "Thu, 09 Feb 2023 14:12:03 GMT",
            "mon, 9 feb 2023 14:12:03 utc",
            "Thu, 09 Feb 2023 16:12:03 +0200",
            "2023-02-09 14:12:03",
            "2023-2-9 14:12:3",
            "2023-02-09T14:12:03Z",
            "2023-02-10T00:12:03+10:00",
            "2023-02-09T08:42:03.123456-0530",
            "2023-02-09 14:12:03 UTC",
        ] {
            assert_eq!(Timestamp::from(text).unix_seconds(), Some(1_675_951_923), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "1675951923",
            "2023-13-01",
            "2023-02-30",
            "2023-02-09 14:12:60",
            "soon",
            "Thu, x",
            // Numbers that overflow when they are added up.
            "2023-01-9223372036854775807",
            "2023-01-02 9223372036854775807:00",
            "Mon, 9223372036854775807 Jan 2023 00:00:00 UTC",
            "2023-01-02 03:04:05+-1",
        ] {
            assert_eq!(Timestamp::from(text).unix_seconds(), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in FIRST_SECOND..=LAST_SECOND) {
            prop_assert_eq!(Timestamp::from_unix_seconds(seconds).unix_seconds(), Some(seconds));
        }
    }
}
