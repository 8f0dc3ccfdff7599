//! From an error answer to an [`Error`]: the two tables of the platform's error codes and statuses.
//!
//! This is the only place that knows the older interface's codes and the newer one's statuses. Server texts are
//! kept, shortened and stripped of control characters, because they end up in logs and terminals.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use crate::error::Error;

/// Longest server text kept in an error, in characters.
const MAX_TEXT: usize = 600;

/// An error answer of the platform, with the context that helps to find it in the platform's logs.
#[derive(Debug, Clone)]
pub struct Refusal {
    message: String,
    code: Option<String>,
    status: StatusCode,
    context: Context,
}

/// Where an answer came from; shared by all errors of one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    pub(crate) endpoint: String,
    pub(crate) domain: String,
    pub(crate) trace_id: String,
    pub(crate) attempts: u32,
}

impl Refusal {
    /// The server's text, or a fixed one where the server gave none.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The code of the older interface, for instance `AUTHENTICATION_ERROR`.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The HTTP status. Errors of the older interface usually come with 200.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Method and path of the request that was refused.
    pub fn endpoint(&self) -> &str {
        &self.context.endpoint
    }

    /// The trace id sent with the request; quote it when asking the platform's support.
    pub fn trace_id(&self) -> &str {
        &self.context.trace_id
    }

    /// The domain the request went to.
    pub fn domain(&self) -> &str {
        &self.context.domain
    }

    /// How many times the request was sent.
    pub fn attempts(&self) -> u32 {
        self.context.attempts
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.message, self.context.endpoint)?;
        match &self.code {
            Some(code) => write!(f, ", code {code}")?,
            None => write!(f, ", status {}", self.status.as_u16())?,
        }
        if self.context.attempts > 1 {
            write!(f, ", attempt {}", self.context.attempts)?;
        }
        write!(f, ", trace_id={}, domain={})", self.context.trace_id, self.context.domain)
    }
}

/// The error for an HTTP status that is not success. `body` is whatever came with it.
pub(crate) fn from_status(
    status: StatusCode,
    retry_after: Option<Duration>,
    body: &[u8],
    context: Context,
) -> Error {
    let text = server_text(body).unwrap_or_else(|| fixed_text(status).to_owned());
    let refusal = Box::new(Refusal { message: text, code: None, status, context });
    match status.as_u16() {
        400 => Error::InvalidArguments(refusal),
        401 => Error::Authentication(refusal),
        403 => Error::Authorisation(refusal),
        404 | 410 => Error::NotFound(refusal),
        405 => Error::NotAllowed(refusal),
        409 => Error::AlreadyExists(refusal),
        413 => Error::PayloadTooLarge(refusal),
        429 => Error::RateLimited { retry_after, refusal },
        500..=599 => Error::Server(refusal),
        _ => Error::Unexpected(refusal),
    }
}

/// The error for a code inside an envelope of the older interface.
pub(crate) fn from_code(code: Option<&str>, payload: &Value, status: StatusCode, context: Context) -> Error {
    let given = payload.as_str().map(clean).filter(|text| !text.is_empty());
    let known = code.and_then(|code| CODES.iter().find(|known| known.code == code));
    let message = match (known, given) {
        (Some(known), Some(text)) if known.text == text => text,
        (Some(known), Some(text)) => format!("{}: {text}", known.text),
        (Some(known), None) => known.text.to_owned(),
        (None, Some(text)) => text,
        (None, None) if payload.is_null() => "the server gave no reason".to_owned(),
        (None, None) => clean(&payload.to_string()),
    };
    let refusal = Box::new(Refusal { message, code: code.map(clean), status, context });
    match known.map_or(Meaning::Unexpected, |known| known.meaning) {
        Meaning::Authentication => Error::Authentication(refusal),
        Meaning::Authorisation => Error::Authorisation(refusal),
        Meaning::NotFound => Error::NotFound(refusal),
        Meaning::InvalidArguments => Error::InvalidArguments(refusal),
        Meaning::AlreadyExists => Error::AlreadyExists(refusal),
        Meaning::NotAllowed => Error::NotAllowed(refusal),
        Meaning::RateLimited => Error::RateLimited { retry_after: None, refusal },
        Meaning::InvalidLabels => Error::InvalidLabels(refusal),
        Meaning::LabelLimit => {
            let maximum = payload.get("maximum_labels_allowed").and_then(Value::as_u64).unwrap_or(100);
            Error::LabelLimit { maximum, refusal }
        }
        Meaning::UnsupportedFile => Error::UnsupportedFile(refusal),
        Meaning::WrongProjectType => Error::WrongProjectType(refusal),
        Meaning::Server => Error::Server(refusal),
        Meaning::Unexpected => Error::Unexpected(refusal),
    }
}

/// The text a server put into an error body: `message`, else `detail` (which may be a list of problems).
pub(crate) fn server_text(body: &[u8]) -> Option<String> {
    let Ok(Value::Object(body)) = serde_json::from_slice::<Value>(body) else { return None };
    ["message", "detail"].into_iter().find_map(|key| match body.get(key)? {
        Value::String(text) => Some(clean(text)).filter(|text| !text.is_empty()),
        Value::Array(list) if list.is_empty() => None,
        Value::Null | Value::Bool(false) => None,
        other => Some(clean(&other.to_string())),
    })
}

/// One line, no control characters, not too long.
pub(crate) fn clean(text: &str) -> String {
    let mut short: String = text
        .trim()
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .take(MAX_TEXT)
        .collect();
    if text.trim().chars().nth(MAX_TEXT).is_some() {
        short.push_str("...");
    }
    short
}

fn fixed_text(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("the server gave no reason")
}

#[derive(Clone, Copy)]
enum Meaning {
    Authentication,
    Authorisation,
    NotFound,
    InvalidArguments,
    AlreadyExists,
    NotAllowed,
    RateLimited,
    InvalidLabels,
    LabelLimit,
    UnsupportedFile,
    WrongProjectType,
    Server,
    Unexpected,
}

struct Known {
    code: &'static str,
    meaning: Meaning,
    text: &'static str,
}

const fn known(code: &'static str, meaning: Meaning, text: &'static str) -> Known {
    Known { code, meaning, text }
}

/// Every code of the older interface. The texts are ours; the platform sends its own only for some of them.
const CODES: &[Known] = &[
    known("AUTHENTICATION_ERROR", Meaning::Authentication, "the key or token was refused"),
    known("SSH_KEY_NOT_FOUND_ERROR", Meaning::Authentication, "the public key is not registered"),
    known("AUTHORISATION_ERROR", Meaning::Authorisation, "no access to this resource"),
    known("RATE_LIMIT_ERROR", Meaning::RateLimited, "too many requests"),
    known("RESOURCE_NOT_FOUND_ERROR", Meaning::NotFound, "no such resource"),
    known("METHOD_NOT_ALLOWED_ERROR", Meaning::NotAllowed, "this method is not available here"),
    known("OPERATION_NOT_ALLOWED", Meaning::NotAllowed, "this operation is not allowed"),
    known("UPLOAD_OPERATION_NOT_SUPPORTED_ERROR", Meaning::NotAllowed, "uploads are not supported here"),
    known("UNKNOWN_ERROR", Meaning::Server, "the server failed without giving a reason"),
    known("ANSWER_DICTIONARY_ERROR", Meaning::InvalidLabels, "answers do not match the labels"),
    known("CORRUPTED_LABEL_ERROR", Meaning::InvalidLabels, "the label row is corrupted"),
    known("FEATURE_DOES_NOT_EXIST_ERROR", Meaning::InvalidLabels, "a feature hash is not in the ontology"),
    known("MULTI_LABEL_LIMIT_ERROR", Meaning::LabelLimit, "too many label rows in one request"),
    known("FILE_TYPE_NOT_SUPPORTED_ERROR", Meaning::UnsupportedFile, "this file type is not supported"),
    known("FILE_SIZE_NOT_SUPPORTED_ERROR", Meaning::UnsupportedFile, "the file is too large"),
    known(
        "MODEL_WEIGHTS_INCONSISTENT_ERROR",
        Meaning::InvalidArguments,
        "the model's weights do not fit its definition",
    ),
    known(
        "MODEL_FEATURES_INCONSISTENT_ERROR",
        Meaning::InvalidArguments,
        "the model's features do not fit the ontology",
    ),
    known("DETECTION_RANGE_INVALID_ERROR", Meaning::InvalidArguments, "the detection range is invalid"),
    known("MUST_SET_DETECTION_RANGE_ERROR", Meaning::InvalidArguments, "a detection range is needed"),
    known("INVALID_DATE_FORMAT_ERROR", Meaning::InvalidArguments, "a date has the wrong format"),
    known("INVALID_ARGUMENTS_ERROR", Meaning::InvalidArguments, "invalid arguments"),
    known("RESOURCE_EXISTS_ERROR", Meaning::AlreadyExists, "this resource exists already"),
    known("DUPLICATE_SSH_KEY_ERROR", Meaning::AlreadyExists, "this public key is registered already"),
    known("WRONG_PROJECT_TYPE_ERROR", Meaning::WrongProjectType, "not possible for this kind of project"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn context() -> Context {
        Context {
            endpoint: "GET /v2/public/x".into(),
            domain: "https://d".into(),
            trace_id: "ab".into(),
            attempts: 1,
        }
    }

    #[test]
    fn statuses_become_meanings_and_keep_the_server_text() {
        let check = |status: u16, body: &str, expected: &str| {
            let error = from_status(StatusCode::from_u16(status).unwrap(), None, body.as_bytes(), context());
            assert_eq!(
                error.to_string(),
                expected.replace(
                    "{}",
                    &format!("(GET /v2/public/x, status {status}, trace_id=ab, domain=https://d)")
                )
            );
        };
        check(400, r#"{"message":"task gone"}"#, "refused as invalid: task gone {}");
        check(
            403,
            r#"{"detail":"no"}"#,
            "not authorised: no {}; check the id, and that the user of this key is a member with the rights this needs",
        );
        let gone = "; check the id and the domain, or it has been deleted";
        check(404, r#"{"message":"no such item"}"#, &format!("not found: no such item {{}}{gone}"));
        check(404, "", &format!("not found: Not Found {{}}{gone}"));
        check(409, r#"{"message":"","detail":"dup"}"#, "exists already: dup {}");
        check(422, r#"{"detail":[{"loc":["a"]}]}"#, r#"unexpected answer: [{"loc":["a"]}] {}"#);
        check(
            503,
            "<html>busy\nnow</html>",
            "server error: Service Unavailable {}; try again later, and quote the trace id to support if it stays",
        );
        check(405, "[]", "operation not allowed: Method Not Allowed {}");
    }

    #[test]
    fn codes_become_meanings() {
        let check = |code: Option<&str>, payload: Value| from_code(code, &payload, StatusCode::OK, context());
        assert!(matches!(check(Some("AUTHENTICATION_ERROR"), Value::Null), Error::Authentication(_)));
        assert!(matches!(check(Some("RATE_LIMIT_ERROR"), json!("slow")), Error::RateLimited { .. }));
        let limit = check(Some("MULTI_LABEL_LIMIT_ERROR"), json!({"maximum_labels_allowed": 7}));
        assert!(matches!(limit, Error::LabelLimit { maximum: 7, .. }));
        let default = check(Some("MULTI_LABEL_LIMIT_ERROR"), Value::Null);
        assert!(matches!(default, Error::LabelLimit { maximum: 100, .. }));
        let other = check(Some("BRAND_NEW"), json!({"a": 1}));
        assert!(matches!(&other, Error::Unexpected(refusal) if refusal.code() == Some("BRAND_NEW")));
        assert!(other.to_string().contains(r#"{"a":1}"#), "{other}");
    }

    #[test]
    fn long_server_texts_are_cut_and_kept_on_one_line() {
        let body = json!({ "message": format!("a\nb{}", "x".repeat(5000)) }).to_string();
        let text = server_text(body.as_bytes()).unwrap();
        assert!(text.starts_with("a bx") && text.ends_with("...") && text.chars().count() <= MAX_TEXT + 3);
    }
}
