//! Whatever comes in: no panic, and a date that was read is written in one form.

#![allow(clippy::unwrap_used)]

use encord_client::{DateTime, PrivateKey, SignedUrl, StorageItem};
use proptest::prelude::*;

fn key() -> String {
    let keys: serde_json::Value = serde_json::from_str(include_str!("golden/keys.json")).unwrap();
    keys["plain"].as_str().unwrap().to_owned()
}

proptest! {
    #[test]
    fn any_text_is_a_key_or_an_error(text in ".*") {
        prop_assert!(PrivateKey::from_openssh(&text, None).is_err());
    }

    #[test]
    fn damaged_keys_are_errors(at in 36usize..380, byte in any::<char>()) {
        let mut text = key();
        prop_assume!(text.is_char_boundary(at) && at < text.len());
        text.replace_range(at..at + 1, &byte.to_string());
        // Damage in the comment or the padding may go unnoticed; all that counts is that nothing panics.
        let _ = PrivateKey::from_openssh(&text, None);
    }

    #[test]
    fn dates_survive_writing_and_reading(microseconds in -62_000_000_000_000_000i64..253_000_000_000_000_000) {
        let time = DateTime::from_unix_microseconds(microseconds).unwrap();
        let read: DateTime = time.to_string().parse().unwrap();
        prop_assert_eq!(read, time);
        prop_assert_eq!(read.to_string(), time.to_string());
    }

    #[test]
    fn offsets_survive_too(seconds in 0i64..4_000_000_000, hours in -12i32..14, quarter in 0u32..4) {
        let sign = if hours < 0 { '-' } else { '+' };
        let utc = DateTime::from_unix_microseconds(seconds * 1_000_000).unwrap().to_string();
        let text = format!("{}{sign}{:02}:{:02}", utc.trim_end_matches('Z'), hours.abs(), quarter * 15);
        let time: DateTime = text.parse().unwrap();
        let expected = if text.ends_with("00:00") { text[..19].to_owned() + "Z" } else { text };
        prop_assert_eq!(time.to_string(), expected);
    }

    #[test]
    fn any_text_is_a_date_or_an_error(text in "[0-9TZ:+. -]{0,40}|.*") {
        let _ = text.parse::<DateTime>();
    }

    #[test]
    fn links_never_show_their_query(host in "[a-z]{1,9}", secret in "[a-zA-Z0-9]{12}") {
        let url = SignedUrl::new(format!("https://{host}/file?sig={secret}"));
        let shown = format!("{url} {url:?} {url:#?}");
        prop_assert!(!shown.contains(&secret), "{}", shown);
    }

    #[test]
    fn any_json_is_an_item_or_an_error(text in r#"\{("[a-zA-Z]{1,12}":("[a-z0-9-]*"|null|[0-9.]{1,4}),?){0,6}\}"#) {
        let _ = serde_json::from_str::<StorageItem>(&text);
    }
}
