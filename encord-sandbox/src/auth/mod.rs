//! Who is asking: keys, signatures and bearer tokens.

mod keys;
mod signature;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

pub(crate) use self::keys::{KeyPair, PublicKey};
pub(crate) use self::signature::Head;
use self::signature::Proof;
use crate::refusal::{Answer, Refusal};
use crate::store::Store;

/// The generation of the API a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generation {
    V1,
    V2,
}

/// The user behind a request, by e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principal(pub(crate) String);

/// Who a request comes from, as soon as its body turns out to be the one that was signed.
#[derive(Debug)]
pub(crate) struct Claim {
    who: Principal,
    /// A bearer token says nothing about the body.
    proof: Option<Proof>,
}

impl Claim {
    pub(crate) fn confirm(self, body: &[u8]) -> Answer<Principal> {
        let fits = self.proof.map_or(Ok(()), |proof| proof.check(body));
        fits.map(|()| self.who).map_err(|why| Refusal::Unauthenticated(why.into()))
    }
}

/// Finds out from the headers who may have signed a request, or refuses it.
pub(crate) fn claim(
    generation: Generation,
    head: &Head<'_>,
    store: &Store,
    tokens: &BearerTokens,
    now: i64,
    window: u64,
) -> Answer<Claim> {
    let bearer = head
        .headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    if let Some(token) = bearer {
        let email = tokens.holder(token, now).filter(|email| store.users.contains(email));
        return email
            .map(|email| Claim { who: Principal(email), proof: None })
            .ok_or_else(|| Refusal::Unauthenticated("the bearer token is not valid or has expired".into()));
    }
    let claimed = match generation {
        Generation::V1 => signature::claim_v1(head),
        Generation::V2 => signature::claim_v2(head, now, window),
    };
    let (key, proof) = claimed.map_err(|why| Refusal::Unauthenticated(why.into()))?;
    store
        .user_of_key(key)
        .map(|user| Claim { who: Principal(user.email.clone()), proof: Some(proof) })
        .ok_or_else(|| Refusal::Unauthenticated("the public key is not registered".into()))
}

/// Makes and checks bearer tokens: `email|expiry` with a MAC.
pub(crate) struct BearerTokens {
    secret: [u8; 32],
}

impl BearerTokens {
    const LIFETIME_SECONDS: i64 = 3600;

    pub(crate) fn new() -> Self {
        Self { secret: rand::random() }
    }

    pub(crate) fn issue(&self, who: &Principal, now: i64) -> String {
        let claim = format!("{}|{}", now + Self::LIFETIME_SECONDS, who.0);
        let mac = self.mac(&claim).finalize().into_bytes();
        format!("{}.{}", URL_SAFE_NO_PAD.encode(&claim), URL_SAFE_NO_PAD.encode(mac))
    }

    fn holder(&self, token: &str, now: i64) -> Option<String> {
        let (claim, mac) = token.split_once('.')?;
        let claim = String::from_utf8(URL_SAFE_NO_PAD.decode(claim).ok()?).ok()?;
        self.mac(&claim).verify_slice(&URL_SAFE_NO_PAD.decode(mac).ok()?).ok()?;
        let (expiry, email) = claim.split_once('|')?;
        (expiry.parse::<i64>().ok()? > now).then(|| email.to_owned())
    }

    fn mac(&self, claim: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.secret).expect("HMAC takes a key of any length");
        mac.update(claim.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::{BearerTokens, Principal};

    #[test]
    fn a_token_names_its_holder_until_it_expires() {
        let tokens = BearerTokens::new();
        let token = tokens.issue(&Principal("ann@example.org".into()), 1000);
        assert_eq!(tokens.holder(&token, 1001).as_deref(), Some("ann@example.org"));
        assert_eq!(tokens.holder(&token, 1000 + 3600), None);
        assert_eq!(BearerTokens::new().holder(&token, 1001), None);
        assert_eq!(tokens.holder("a.b", 1001), None);
    }
}
