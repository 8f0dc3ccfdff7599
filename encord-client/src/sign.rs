//! Request signatures of both generations of the interface, byte for byte.
//!
//! The older one signs the SHA-256 of the body, the newer one is an HTTP message signature over method, target
//! and body digest. Golden vectors from the platform's own package are in `tests/golden`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::key::PrivateKey;

/// Value of the `Authorization` header for the older interface: public key and signature in hex.
pub fn v1_authorization(key: &PrivateKey, body: &[u8]) -> String {
    let signature = key.sign(&Sha256::digest(body));
    let mut value = String::with_capacity(64 + 1 + 128);
    value.push_str(key.public_key_hex());
    value.push(':');
    push_hex(&mut value, &signature);
    value
}

/// The three headers of a request to the newer interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct V2Signature {
    /// Value of `Content-Digest`.
    pub content_digest: String,
    /// Value of `Signature-Input`.
    pub signature_input: String,
    /// Value of `Signature`.
    pub signature: String,
}

/// Signs a request to the newer interface. `target` is path and query exactly as sent, `created` unix seconds.
pub fn v2_signature(key: &PrivateKey, method: &str, target: &str, body: &[u8], created: u64) -> V2Signature {
    let mut content_digest = String::with_capacity(54);
    content_digest.push_str("sha-256=:");
    STANDARD.encode_string(Sha256::digest(body), &mut content_digest);
    content_digest.push(':');

    let parameters = format!(
        r#"("@method" "@request-target" "content-digest");created={created};keyid="{}";alg="ed25519""#,
        key.public_key_hex()
    );
    let base = format!(
        "\"@method\": {method}\n\"@request-target\": {target}\n\"content-digest\": {content_digest}\n\"@signature-params\": {parameters}"
    );
    let mut signature = String::with_capacity(101);
    signature.push_str("encord-sig=:");
    STANDARD.encode_string(key.sign(base.as_bytes()), &mut signature);
    signature.push(':');
    V2Signature { content_digest, signature_input: format!("encord-sig={parameters}"), signature }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    push_hex(&mut text, bytes);
    text
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)].into());
        text.push(DIGITS[usize::from(byte & 15)].into());
    }
}
