//! Any bytes as the body of a webhook, signed as the platform signs: an error, or a notice.
#![no_main]

use std::time::{SystemTime, UNIX_EPOCH};

use encord_runner::webhook::WebhookVerifier;
use hmac::{Hmac, Mac};
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use sha2::Sha256;

const SECRET: &[u8] = b"secret";

fuzz_target!(|body: &[u8]| {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).expect("any length will do");
    mac.update(now.as_bytes());
    mac.update(b".");
    mac.update(body);
    let signature = hex::encode(mac.finalize().into_bytes());
    let value = |text: &str| HeaderValue::from_str(text).expect("digits only");
    let mut headers = HeaderMap::new();
    headers.insert("x-encord-timestamp", value(&now));
    headers.insert("x-encord-signature", value(&signature));
    let verifier = WebhookVerifier::new(SECRET).expect("a secret");
    let _ = verifier.verify(&headers, body);
    // The same body with raw bytes as its signature is never accepted.
    if let Ok(raw) = HeaderValue::from_bytes(body) {
        headers.insert("x-encord-signature", raw);
        assert!(verifier.verify(&headers, b"another body").is_err());
    }
});
