//! Signed links in `Debug` output.
//!
//! A signed link opens a file for whoever has it, and `Debug` output ends up in logs. The platform may put such links
//! anywhere into what it sends, so it is not the name of a key that decides but the look of the text.

use std::fmt;

use serde_json::{Map, Value};

/// A JSON value whose `Debug` form leaves the queries of links out.
pub(crate) struct Redacted<'a>(pub(crate) &'a Value);

/// The same for the entries of an object.
pub(crate) struct RedactedMap<'a>(pub(crate) &'a Map<String, Value>);

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::String(text) => match visible(text) {
                Some(visible) => write!(f, "{:?}", format!("{visible}?redacted")),
                None => write!(f, "{text:?}"),
            },
            Value::Array(values) => f.debug_list().entries(values.iter().map(Redacted)).finish(),
            Value::Object(map) => write!(f, "{:?}", RedactedMap(map)),
            plain => write!(f, "{plain}"),
        }
    }
}

impl fmt::Debug for RedactedMap<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(key, value)| (key, Redacted(value)))).finish()
    }
}

/// What of a text with a link may be shown: everything before the query of the first link. `None` if there is no
/// link with a query in it.
fn visible(text: &str) -> Option<&str> {
    let scheme = text.find("://")?;
    let query = text[scheme..].find('?')?;
    Some(&text[..scheme + query])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lose_their_queries_and_nothing_else_changes() {
        let check = |value: Value, expected: &str| assert_eq!(format!("{:?}", Redacted(&value)), expected);
        check("https://h/a.png?sig=secret&b=1".into(), r#""https://h/a.png?redacted""#);
        check("see gs://h/a?sig=secret".into(), r#""see gs://h/a?redacted""#);
        check("https://h/a.png".into(), r#""https://h/a.png""#);
        check("is it? yes://".into(), r#""is it? yes://""#);
        check("a \"quoted\" text?".into(), r#""a \"quoted\" text?""#);
        check(serde_json::json!([null, true, 1.5]), "[null, true, 1.5]");
        check(
            serde_json::json!({"a": [{"link": "s3://b/c?x=secret"}]}),
            r#"{"a": [{"link": "s3://b/c?redacted"}]}"#,
        );
    }
}
