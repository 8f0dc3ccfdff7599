//! URLs that carry their own permission: bound to one object and one method,
//! and good for a limited time.

use std::time::Duration;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::store::{Bytes, Item};

/// Takes the place of the method for links to client metadata, so that such a
/// link does not open the file.
pub(crate) const METADATA: &str = "METADATA";

/// Signs and checks URLs.
pub(crate) struct UrlSigner {
    secret: [u8; 32],
    lifetime: Duration,
}

impl UrlSigner {
    pub(crate) fn new(lifetime: Duration) -> Self {
        Self { secret: rand::random(), lifetime }
    }

    /// The URL for one method on one object. `base` is where the client reaches us.
    pub(crate) fn sign(&self, base: &str, method: &str, object: Uuid, now: i64) -> String {
        let expires = now.saturating_add_unsigned(self.lifetime.as_secs());
        let signature = hex::encode(self.mac(method, object, expires).finalize().into_bytes());
        format!("{base}/_blobs/{object}?expires={expires}&signature={signature}")
    }

    /// Whether the query of a URL allows the method on the object now.
    pub(crate) fn check(
        &self,
        query: &str,
        method: &str,
        object: Uuid,
        now: i64,
    ) -> Result<(), &'static str> {
        let (mut expires, mut signature) = (None, None);
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "expires" => expires = value.parse::<i64>().ok(),
                "signature" => signature = hex::decode(&*value).ok(),
                _ => {}
            }
        }
        let (expires, signature) = expires.zip(signature).ok_or("AccessDenied")?;
        self.mac(method, object, expires).verify_slice(&signature).map_err(|_| "SignatureDoesNotMatch")?;
        if now >= expires { Err("ExpiredToken") } else { Ok(()) }
    }

    fn mac(&self, method: &str, object: Uuid, expires: i64) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.secret).expect("HMAC takes a key of any length");
        mac.update(format!("{method}\n{object}\n{expires}").as_bytes());
        mac
    }
}

/// Makes download links for one answer, if the request asked for them.
#[derive(Clone, Copy)]
pub(crate) struct Links<'a> {
    pub(crate) signer: &'a UrlSigner,
    pub(crate) base: &'a str,
    /// Unix seconds.
    pub(crate) now: i64,
}

impl Links<'_> {
    /// Where the item's bytes can be had, if it has some. Bytes in a cloud are
    /// linked to as they are, when a link can lead there.
    pub(crate) fn to(&self, item: &Item) -> Option<String> {
        if !item.kind.has_bytes() {
            return None;
        }
        match &item.bytes {
            Bytes::Remote(url) => Some(url.clone()).filter(|url| url.starts_with("http")),
            _ => Some(self.download(item.uuid)),
        }
    }

    pub(crate) fn download(&self, item: Uuid) -> String {
        self.signer.sign(self.base, "GET", item, self.now)
    }

    /// Where an item's client metadata can be read as JSON.
    pub(crate) fn client_metadata(&self, item: Uuid) -> String {
        self.signer.sign(self.base, METADATA, item, self.now).replace('?', "/client-metadata?")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::UrlSigner;

    #[test]
    fn a_url_is_good_for_one_object_one_method_and_a_while() {
        let signer = UrlSigner::new(Duration::from_secs(10));
        let object = Uuid::new_v4();
        let url = signer.sign("http://h", "GET", object, 100);
        let query = url.split_once('?').unwrap().1;
        assert_eq!(signer.check(query, "GET", object, 109), Ok(()));
        assert_eq!(signer.check(query, "GET", object, 110), Err("ExpiredToken"));
        assert_eq!(signer.check(query, "PUT", object, 100), Err("SignatureDoesNotMatch"));
        assert_eq!(signer.check(query, "GET", Uuid::new_v4(), 100), Err("SignatureDoesNotMatch"));
        assert_eq!(
            signer.check(&query.replace("expires=110", "expires=999"), "GET", object, 100),
            Err("SignatureDoesNotMatch")
        );
        assert_eq!(signer.check("", "GET", object, 100), Err("AccessDenied"));
    }
}
