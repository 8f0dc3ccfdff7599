//! What the cursor reads, refuses and names.

use super::*;

#[test]
fn objects_lists_and_scalars() {
    let mut seen = Vec::new();
    let mut cursor = Cursor::new(r#" {"a" : [1, -2.5e3], "b\n":"x\u00e9", "c":true,"d":null} "#);
    cursor
        .object(|cursor, key| {
            match &*key {
                "a" => cursor.array(|cursor, _| {
                    seen.push(cursor.number()?.to_string());
                    Ok(())
                })?,
                "b\n" => seen.push(cursor.string()?.into_owned()),
                "c" => seen.push(cursor.boolean()?.to_string()),
                _ => assert!(cursor.null()),
            }
            Ok(())
        })
        .unwrap();
    cursor.end().unwrap();
    assert_eq!(seen, ["1", "-2500", "xé", "true"]);
}

#[test]
fn malformed_numbers_are_refused() {
    for text in ["01", "1.", ".5", "1e", "-", "1e+", "+1", "1.5.2", "1-2", "1e999"] {
        assert!(Cursor::new(text).number().is_err(), "{text}");
    }
}

#[test]
fn escapes_are_read() {
    for text in [r#""\\""#, r#""a\"b\\c\/""#, r#""\\\u00e9\n""#, r#""é\\ÿ""#, r#""\"#, r#""\\"#, r#""\x""#]
    {
        let expected = serde_json::from_str::<String>(text).ok();
        assert_eq!(Cursor::new(text).string().ok().map(Cow::into_owned), expected, "{text}");
    }
}

#[test]
fn an_error_names_the_path() {
    let mut cursor = Cursor::new(r#"{"a":[{"x":1},{"x":"no"}]}"#);
    let error = cursor
        .object(|cursor, _| cursor.array(|cursor, _| cursor.object(|cursor, _| cursor.number().map(|_| ()))))
        .unwrap_err();
    assert_eq!(error.to_string(), "$.a[1].x: expected a number, found the string \"no\"");
}

#[test]
fn a_value_set_aside_is_the_whole_value() {
    for text in [r#"{"a":[1,"]}\"",{"b":null}]}"#, "[]", "-1.5e3", "true", r#""x\\""#, "[[1],[2]]"] {
        let json = format!(" {text} ,");
        let mut cursor = Cursor::new(&json);
        assert_eq!(cursor.set_aside().unwrap(), text);
        assert_eq!(cursor.peek(), Some(b','));
    }
    for text in [r#"{"a":[1,"]}\"",{"b":null}]}"#, r#""x\\""#, "[[1],[2]]"] {
        for end in 0..text.len() {
            assert!(Cursor::new(&text[..end]).set_aside().is_err(), "{}", &text[..end]);
        }
    }
}

#[test]
fn every_truncation_is_an_error() {
    let text = r#"{"a":[1,{"b":"c\u0041"}],"d":{"e":null}}"#;
    for end in 0..text.len() {
        let mut cursor = Cursor::new(&text[..end]);
        let result = cursor.object(|cursor, _| cursor.skip().map(|_| ()));
        assert!(result.is_err(), "{}", &text[..end]);
    }
}
