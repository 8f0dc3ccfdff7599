//! Reading the platform's numbers and enumerations as generously as its own clients do.
//!
//! Whole numbers may come as `12.0` or as text, and enumerations grow new values over time; neither may make a
//! whole listing unreadable.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A whole number that may be null, `12.0` or `"12"`.
pub(crate) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    let number = match &value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_u64().or_else(|| number.as_f64().and_then(exact)),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    number.map(Some).ok_or_else(|| {
        serde::de::Error::custom(format!("expected a whole number, not {}", value.unwrap_or_default()))
    })
}

/// JSON that may be written as a text containing JSON; blank text and null mean nothing.
pub(crate) fn embedded<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        Some(Value::String(text)) if text.trim().is_empty() => Value::Null,
        Some(Value::String(text)) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        other => other.unwrap_or_default(),
    })
}

/// Null counts as the default.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

fn exact(number: f64) -> Option<u64> {
    let fits = number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number);
    fits.then_some(number as u64)
}

/// Declares an enumeration of the wire. Values that this version does not know are read as `Unknown`, except
/// when written, where `Unknown` has no meaning to the server.
macro_rules! wire_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)+
            /// A value this version does not know.
            Unknown,
        }

        impl $name {
            /// The value as written on the wire; `_UNKNOWN_` for [`Self::Unknown`].
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unknown => "_UNKNOWN_",
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    _ => Self::Unknown,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Ok(Self::from(&*text))
            }
        }
    };
}
pub(crate) use wire_enum;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Sample {
        #[serde(default, deserialize_with = "whole")]
        count: Option<u64>,
        #[serde(default, deserialize_with = "embedded")]
        metadata: Value,
    }

    #[test]
    fn whole_numbers_come_in_several_forms() {
        let check = |json: &str, expected: Option<Option<u64>>| {
            assert_eq!(
                serde_json::from_str::<Sample>(json).ok().map(|sample| sample.count),
                expected,
                "{json}"
            );
        };
        check("{}", Some(None));
        check(r#"{"count":null}"#, Some(None));
        check(r#"{"count":12}"#, Some(Some(12)));
        check(r#"{"count":12.0}"#, Some(Some(12)));
        check(r#"{"count":"12"}"#, Some(Some(12)));
        check(r#"{"count":12.5}"#, None);
        check(r#"{"count":-1}"#, None);
        check(r#"{"count":1e300}"#, None);
    }

    #[test]
    fn embedded_json_may_be_text_or_not() {
        let check = |json: &str, expected: Value| {
            assert_eq!(serde_json::from_str::<Sample>(json).unwrap().metadata, expected, "{json}");
        };
        check(r#"{"metadata":"{\"a\": 1}"}"#, serde_json::json!({"a": 1}));
        check(r#"{"metadata":{"a":1}}"#, serde_json::json!({"a": 1}));
        check(r#"{"metadata":""}"#, Value::Null);
        check(r#"{"metadata":"plain"}"#, Value::from("plain"));
    }
}
