//! Ed25519 keys in OpenSSH clothes, read and written with our own code so that
//! a mistake of the client's key code cannot hide here.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

use crate::error::Error;

const KIND: &[u8] = b"ssh-ed25519";

/// A raw Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct PublicKey(pub(crate) [u8; 32]);

impl PublicKey {
    /// Reads `ssh-ed25519 AAAA... comment` or 64 hex digits.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if let Some(key) = Self::from_hex(text) {
            return Ok(key);
        }
        let refuse = |why: &str| Error::PublicKey(format!("{why}; expected \"ssh-ed25519 AAAA...\""));
        let encoded = text
            .strip_prefix("ssh-ed25519 ")
            .and_then(|rest| rest.split_whitespace().next())
            .ok_or_else(|| refuse("not an ssh-ed25519 line"))?;
        let blob = STANDARD.decode(encoded).map_err(|_| refuse("the key is not base64"))?;
        let expected = [&wire_string(KIND)[..], &32u32.to_be_bytes()].concat();
        let raw = blob.strip_prefix(&expected[..]).ok_or_else(|| refuse("the key is not Ed25519"))?;
        raw.try_into().map(Self).map_err(|_| refuse("the key is not 32 bytes long"))
    }

    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let mut raw = [0; 32];
        hex::decode_to_slice(text, &mut raw).ok().map(|()| Self(raw))
    }

    /// The OpenSSH line, as it stands in `authorized_keys`.
    #[cfg(test)]
    pub(crate) fn to_openssh(self) -> String {
        format!("ssh-ed25519 {}", STANDARD.encode(self.wire_blob()))
    }

    fn wire_blob(self) -> Vec<u8> {
        [wire_string(KIND), wire_string(&self.0)].concat()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PublicKey({})", hex::encode(self.0))
    }
}

/// A key pair that the sandbox made for a user without one.
pub(crate) struct KeyPair(SigningKey);

impl KeyPair {
    pub(crate) fn generate() -> Self {
        Self(SigningKey::from_bytes(&rand::random()))
    }

    pub(crate) fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// The private key file, unencrypted.
    pub(crate) fn to_openssh(&self, comment: &str) -> String {
        let public = self.public();
        let check: [u8; 4] = rand::random();
        let mut private = [check, check].concat();
        private.extend(public.wire_blob());
        private.extend(wire_string(&[self.0.to_bytes(), public.0].concat()));
        private.extend(wire_string(comment.as_bytes()));
        // The private part is padded with 1, 2, 3, ... to the cipher's block size.
        let padding = (8 - private.len() % 8) % 8;
        private.extend((1..=padding).map(|byte| byte as u8));

        let mut file = b"openssh-key-v1\0".to_vec();
        for part in [&b"none"[..], b"none", b""] {
            file.extend(wire_string(part));
        }
        file.extend(1u32.to_be_bytes());
        file.extend(wire_string(&public.wire_blob()));
        file.extend(wire_string(&private));

        let encoded = STANDARD.encode(file);
        let mut text = String::from("-----BEGIN OPENSSH PRIVATE KEY-----\n");
        for line in encoded.as_bytes().chunks(70) {
            text.extend(line.iter().map(|&byte| char::from(byte)));
            text.push('\n');
        }
        text.push_str("-----END OPENSSH PRIVATE KEY-----\n");
        text
    }
}

/// Length as four big-endian bytes, then the bytes.
fn wire_string(bytes: &[u8]) -> Vec<u8> {
    let mut wire = (bytes.len() as u32).to_be_bytes().to_vec();
    wire.extend(bytes);
    wire
}

#[cfg(test)]
mod tests {
    use super::{KeyPair, PublicKey};

    #[test]
    fn reads_back_the_line_it_writes() {
        let key = KeyPair::generate().public();
        assert_eq!(PublicKey::parse(&key.to_openssh()).unwrap(), key);
        assert_eq!(PublicKey::parse(&format!("{} ann@host\n", key.to_openssh())).unwrap(), key);
        assert_eq!(PublicKey::parse(&hex::encode(key.0)).unwrap(), key);
    }

    #[test]
    fn refuses_other_keys() {
        for text in ["", "ssh-rsa AAAA", "ssh-ed25519 AAAA", "ssh-ed25519 ???"] {
            assert!(PublicKey::parse(text).is_err(), "{text}");
        }
    }
}
