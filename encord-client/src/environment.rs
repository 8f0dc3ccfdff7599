//! Settings from environment variables, with the precedence of the platform's agents package.
//!
//! The platform's two Python packages disagree about which key variable wins; this crate follows the one agents
//! are written with. Reading goes through a small map instead of the process, so that the rules can be tested.

use std::ffi::OsString;
use std::path::Path;

use zeroize::Zeroizing;

use crate::key::{KeyError, PrivateKey};

const KEY: &str = "ENCORD_SSH_KEY";
const KEY_FILE: &str = "ENCORD_SSH_KEY_FILE";
const DOMAIN: &str = "ENCORD_DOMAIN";

/// The variables this crate reads; names are matched without regard to case.
#[derive(Default)]
pub(crate) struct Environment {
    key: Option<Zeroizing<String>>,
    key_file: Option<OsString>,
    domain: Option<String>,
}

impl Environment {
    pub(crate) fn of_process() -> Self {
        Self::from_variables(std::env::vars_os())
    }

    pub(crate) fn from_variables(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut found = Self::default();
        for (name, value) in variables {
            let Some(name) = name.to_str() else { continue };
            if name.eq_ignore_ascii_case(KEY) {
                found.key = Some(key_text(value));
            } else if name.eq_ignore_ascii_case(KEY_FILE) {
                found.key_file = Some(value);
            } else if name.eq_ignore_ascii_case(DOMAIN) {
                found.domain = Some(value.to_string_lossy().into_owned());
            }
        }
        found
    }

    /// The domain, unless unset or empty.
    pub(crate) fn domain(&self) -> Option<&str> {
        self.domain.as_deref().map(str::trim).filter(|domain| !domain.is_empty())
    }

    pub(crate) fn private_key(&self) -> Result<PrivateKey, KeyError> {
        let key = self.key.as_deref().map(|text| text.as_str()).filter(|text| !text.trim().is_empty());
        if let Some(file) = &self.key_file {
            if file.is_empty() {
                return Err(KeyError::EmptyFileVariable);
            }
            // A file variable that names nothing is a mistake worth telling, even when the other one would do.
            let from_file = || PrivateKey::from_file(Path::new(file), None);
            let Some(text) = key else { return from_file() };
            match from_file() {
                Err(error @ (KeyError::FileNotFound { .. } | KeyError::FileUnreadable { .. })) => {
                    return Err(error);
                }
                _ => tracing::warn!("both {KEY} and {KEY_FILE} are set; using {KEY}"),
            }
            return PrivateKey::from_openssh(text, None);
        }
        PrivateKey::from_openssh(key.ok_or(KeyError::Missing)?, None)
    }
}

/// The text of a key without a copy that nobody wipes. (The environment of the process keeps its own.)
fn key_text(value: OsString) -> Zeroizing<String> {
    let text = value.into_string().unwrap_or_else(|value| {
        let bytes = Zeroizing::new(value.into_encoded_bytes());
        String::from_utf8_lossy(&bytes).into_owned()
    });
    Zeroizing::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> String {
        let keys: serde_json::Value =
            serde_json::from_str(include_str!("../tests/golden/keys.json")).unwrap();
        keys[name].as_str().unwrap().to_owned()
    }

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::from_variables(variables.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn keys_come_from_either_variable_and_the_text_wins() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        std::fs::write(&file, key("plain")).unwrap();
        let file = file.to_str().unwrap();
        let rsa = folder.path().join("rsa");
        std::fs::write(&rsa, key("rsa")).unwrap();
        let public = "79b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664";

        for variables in [
            vec![("ENCORD_SSH_KEY", key("plain"))],
            vec![("encord_ssh_key", key("plain"))],
            vec![("ENCORD_SSH_KEY_FILE", file.to_owned())],
            vec![("ENCORD_SSH_KEY", String::new()), ("ENCORD_SSH_KEY_FILE", file.to_owned())],
            vec![("ENCORD_SSH_KEY", key("plain")), ("ENCORD_SSH_KEY_FILE", rsa.to_str().unwrap().to_owned())],
        ] {
            let borrowed: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(
                environment(&borrowed).private_key().unwrap().public_key_hex(),
                public,
                "{variables:?}"
            );
        }
    }

    #[test]
    fn mistakes_are_told_apart() {
        let plain = key("plain");
        let check = |variables: &[(&str, &str)], expected: &str| {
            let message = environment(variables).private_key().unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        };
        check(&[], "set ENCORD_SSH_KEY");
        check(&[("ENCORD_SSH_KEY", "")], "set ENCORD_SSH_KEY");
        check(&[("ENCORD_SSH_KEY_FILE", "")], "set but empty");
        check(&[("ENCORD_SSH_KEY", &plain), ("ENCORD_SSH_KEY_FILE", "")], "set but empty");
        check(&[("ENCORD_SSH_KEY_FILE", "/no/such/key")], "/no/such/key does not exist");
        check(&[("ENCORD_SSH_KEY", &plain), ("ENCORD_SSH_KEY_FILE", "/no/such/key")], "does not exist");
        check(&[("ENCORD_SSH_KEY", "/no/such/key")], "ENCORD_SSH_KEY_FILE for paths");
    }

    #[test]
    fn an_empty_domain_counts_as_none() {
        assert_eq!(environment(&[("ENCORD_DOMAIN", " ")]).domain(), None);
        assert_eq!(environment(&[("Encord_Domain", "https://x")]).domain(), Some("https://x"));
    }
}
