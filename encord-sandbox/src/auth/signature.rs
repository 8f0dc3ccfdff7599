//! Verification of both generations of request signatures, written from the
//! description of the wire and sharing nothing with the client.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

use super::keys::PublicKey;

/// What of a request is known before its body.
pub(crate) struct Head<'a> {
    pub(crate) method: &'a str,
    /// Path and query exactly as they arrived.
    pub(crate) target: &'a str,
    pub(crate) headers: &'a HeaderMap,
}

/// What the body has to fit to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A signature of the body's digest by this key.
    Signature(PublicKey, Vec<u8>),
    /// A digest header, which itself is signed.
    Digest(String),
}

impl Proof {
    pub(crate) fn check(&self, body: &[u8]) -> Result<(), &'static str> {
        match self {
            Self::Signature(key, signature) => check(*key, &Sha256::digest(body), signature),
            Self::Digest(digest) => {
                let expected = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)));
                let fits = *digest == expected;
                fits.then_some(()).ok_or("the content digest does not match the body")
            }
        }
    }
}

/// The v1 form: `Authorization: <hex public key>:<hex signature>` over the
/// SHA-256 digest of the body. Returns the key that is said to have signed.
pub(crate) fn claim_v1(head: &Head<'_>) -> Result<(PublicKey, Proof), &'static str> {
    let header = text(head.headers, "authorization").ok_or("the request is not signed")?;
    let (key, signature) = header.split_once(':').ok_or("the authorization header is malformed")?;
    let key = PublicKey::from_hex(key).ok_or("the public key is not 64 hex digits")?;
    let signature = hex::decode(signature).map_err(|_| "the signature is not hex")?;
    Ok((key, Proof::Signature(key, signature)))
}

/// The v2 form: an HTTP message signature over method, target and digest, which is
/// checked here. `now` is in unix seconds; `window` is how many seconds `created` may be off.
pub(crate) fn claim_v2(head: &Head<'_>, now: i64, window: u64) -> Result<(PublicKey, Proof), &'static str> {
    let digest = text(head.headers, "content-digest").ok_or("the content-digest header is missing")?;
    let input = text(head.headers, "signature-input")
        .and_then(|header| header.strip_prefix("encord-sig="))
        .ok_or("the signature-input header is missing or malformed")?;
    let signature = text(head.headers, "signature")
        .and_then(|header| header.strip_prefix("encord-sig=:"))
        .and_then(|header| header.strip_suffix(':'))
        .and_then(|encoded| STANDARD.decode(encoded).ok())
        .ok_or("the signature header is missing or malformed")?;
    let parameters = Parameters::parse(input)?;
    if now.abs_diff(parameters.created) > window {
        return Err("the signature is too old or from the future");
    }
    let base = format!(
        "\"@method\": {}\n\"@request-target\": {}\n\"content-digest\": {digest}\n\"@signature-params\": {input}",
        head.method, head.target
    );
    check(parameters.key, base.as_bytes(), &signature)?;
    Ok((parameters.key, Proof::Digest(digest.to_owned())))
}

struct Parameters {
    created: i64,
    key: PublicKey,
}

impl Parameters {
    fn parse(input: &str) -> Result<Self, &'static str> {
        let rest = input
            .strip_prefix("(\"@method\" \"@request-target\" \"content-digest\")")
            .ok_or("the signature must cover method, request target and content digest")?;
        let (mut created, mut key) = (None, None);
        for parameter in rest.split(';').skip(1) {
            match parameter.split_once('=') {
                Some(("created", value)) => created = value.parse().ok(),
                Some(("keyid", value)) => key = PublicKey::from_hex(value.trim_matches('"')),
                Some(("alg", "\"ed25519\"")) => {}
                _ => return Err("unknown signature parameter"),
            }
        }
        Ok(Self {
            created: created.ok_or("the signature has no creation time")?,
            key: key.ok_or("the signature has no key id of 64 hex digits")?,
        })
    }
}

fn check(key: PublicKey, message: &[u8], signature: &[u8]) -> Result<(), &'static str> {
    let key = VerifyingKey::from_bytes(&key.0).map_err(|_| "the public key is not a point on the curve")?;
    let signature = Signature::from_slice(signature).map_err(|_| "the signature is not 64 bytes long")?;
    key.verify_strict(message, &signature).map_err(|_| "the signature does not match")
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::{Head, claim_v1, claim_v2};
    use crate::auth::PublicKey;

    // Vectors computed with the platform's own Python package.
    const KEY: &str = "79b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664";
    const V1_BODY: &str = r#"{"query_type": "project", "query_method": "DELETE", "values": {"uid": "00000000-0000-0000-0000-000000000001", "payload": null}}"#;
    const V1_SIGNATURE: &str = "85655c81cd918dffd56d4453ca7f68fc36e857d6eeb4120ce8ae4522cf2e0549295f03173a5a48bb495ee213f6bbf99e57c22e345e6cc3a70c881f06cc837a0b";
    const V2_GET: &str = "/v2/public/storage/items/00000000-0000-0000-0000-000000000002?signUrl=True";

    struct Signed<'a> {
        method: &'a str,
        target: &'a str,
        headers: &'a HeaderMap,
        body: &'a [u8],
    }

    impl Signed<'_> {
        fn head(&self) -> Head<'_> {
            Head { method: self.method, target: self.target, headers: self.headers }
        }
    }

    fn verify_v1(request: &Signed<'_>) -> Result<PublicKey, &'static str> {
        let (key, proof) = claim_v1(&request.head())?;
        proof.check(request.body).map(|()| key)
    }

    fn verify_v2(request: &Signed<'_>, now: i64, window: u64) -> Result<PublicKey, &'static str> {
        let (key, proof) = claim_v2(&request.head(), now, window)?;
        proof.check(request.body).map(|()| key)
    }

    fn headers(pairs: &[(&'static str, String)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    fn v2_headers(digest: &str, signature: &str) -> HeaderMap {
        headers(&[
            ("content-digest", format!("sha-256=:{digest}:")),
            (
                "signature-input",
                format!(
                    r#"encord-sig=("@method" "@request-target" "content-digest");created=1700000000;keyid="{KEY}";alg="ed25519""#
                ),
            ),
            ("signature", format!("encord-sig=:{signature}:")),
        ])
    }

    #[test]
    fn accepts_the_v1_vector_and_nothing_near_it() {
        let good = headers(&[("authorization", format!("{KEY}:{V1_SIGNATURE}"))]);
        let signed = |body| Signed { method: "POST", target: "/public", headers: &good, body };
        assert_eq!(hex::encode(verify_v1(&signed(V1_BODY.as_bytes())).unwrap().0), KEY);
        assert!(verify_v1(&signed(&V1_BODY.as_bytes()[1..])).is_err());
        let bad =
            headers(&[("authorization", format!("{KEY}:{}", V1_SIGNATURE.replace("85655c", "85655d")))]);
        assert!(verify_v1(&Signed { headers: &bad, ..signed(V1_BODY.as_bytes()) }).is_err());
    }

    #[test]
    fn accepts_the_v2_vectors() {
        let get = v2_headers(
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "jiHEOrJrDduyKZLHL7PuzFlHMfUKd1IO/wCDnUe1YW487IEJQaQJyytU80fSRxC+5nJFRyF7wAsC2OcIyr7EAQ==",
        );
        let request = Signed { method: "GET", target: V2_GET, headers: &get, body: b"" };
        assert_eq!(hex::encode(verify_v2(&request, 1_700_000_100, 300).unwrap().0), KEY);
        let post = v2_headers(
            "w0QDaHkE+IHOyXXBtCj89mXgOvOM16Z6RzbySbWW+yg=",
            "iJTabuJ0uqwlAZE27LMscxcCUKwULbz+w6vWt9OA7c9uP3Hj5yUrhbuArLzEy3Uq/vvNWN6xaxf4Pj3u2xpKBg==",
        );
        let body = br#"{"name": "n"}"#;
        let request = Signed { method: "POST", target: "/v2/public/storage/folders", headers: &post, body };
        assert!(verify_v2(&request, 1_699_999_900, 300).is_ok());
    }

    #[test]
    fn refuses_what_a_v2_signature_does_not_cover() {
        let get = v2_headers(
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "jiHEOrJrDduyKZLHL7PuzFlHMfUKd1IO/wCDnUe1YW487IEJQaQJyytU80fSRxC+5nJFRyF7wAsC2OcIyr7EAQ==",
        );
        let request = |method, target, body| Signed { method, target, headers: &get, body };
        let now = 1_700_000_000;
        assert!(verify_v2(&request("DELETE", V2_GET, b""), now, 300).is_err());
        assert!(verify_v2(&request("GET", "/v2/public/storage/items/other", b""), now, 300).is_err());
        assert!(verify_v2(&request("GET", V2_GET, b"x"), now, 300).is_err());
        assert!(verify_v2(&request("GET", V2_GET, b""), now + 301, 300).is_err());
        assert!(verify_v2(&request("GET", V2_GET, b""), now - 301, 300).is_err());
    }
}
