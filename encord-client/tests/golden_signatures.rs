//! Signatures and key handling against vectors made by the platform's own Python package (`golden/make.py`).

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use encord_client::{KeyError, PrivateKey, sign};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    public_key: String,
    created: u64,
    v1: Vec<V1>,
    v2: Vec<V2>,
}

#[derive(Deserialize)]
struct V1 {
    body: String,
    authorization: String,
}

#[derive(Deserialize)]
struct V2 {
    method: String,
    target: String,
    body: String,
    content_digest: String,
    signature_input: String,
    signature: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("golden/signatures.json")).unwrap()
}

fn keys() -> HashMap<String, String> {
    serde_json::from_str(include_str!("golden/keys.json")).unwrap()
}

fn plain_key() -> PrivateKey {
    PrivateKey::from_openssh(&keys()["plain"], None).unwrap()
}

#[test]
fn the_public_key_is_the_one_of_the_private_key() {
    assert_eq!(plain_key().public_key_hex(), vectors().public_key);
}

#[test]
fn the_older_interface_is_signed_alike() {
    for V1 { body, authorization } in vectors().v1 {
        assert_eq!(sign::v1_authorization(&plain_key(), body.as_bytes()), authorization, "{body}");
    }
}

#[test]
fn the_newer_interface_is_signed_alike() {
    let vectors = vectors();
    for V2 { method, target, body, content_digest, signature_input, signature } in vectors.v2 {
        let signed = sign::v2_signature(&plain_key(), &method, &target, body.as_bytes(), vectors.created);
        assert_eq!(signed.content_digest, content_digest, "{target}");
        assert_eq!(signed.signature_input, signature_input, "{target}");
        assert_eq!(signed.signature, signature, "{target}");
    }
}

#[test]
fn an_encrypted_key_opens_with_its_passphrase_only() {
    let key = PrivateKey::from_openssh(&keys()["encrypted"], Some("open sesame")).unwrap();
    assert_eq!(key.public_key_hex(), vectors().public_key);
    let check = |passphrase| PrivateKey::from_openssh(&keys()["encrypted"], passphrase).unwrap_err();
    assert!(matches!(check(Some("wrong")), KeyError::WrongPassphrase));
    assert!(matches!(check(None), KeyError::PassphraseMissing));
    let needless = PrivateKey::from_openssh(&keys()["plain"], Some("x")).unwrap_err();
    assert!(matches!(needless, KeyError::PassphraseForPlainKey));
}

#[test]
fn windows_line_ends_and_blanks_are_tolerated() {
    let plain = &keys()["plain"];
    for text in [plain.replace('\n', "\r\n"), format!("  \n{plain}\n\n"), plain.replace('\n', "  \n   ")] {
        let key = PrivateKey::from_openssh(&text, None).unwrap();
        assert_eq!(key.public_key_hex(), vectors().public_key);
    }
}

#[test]
fn every_wrong_key_has_its_own_message() {
    let keys = keys();
    let check = |text: &str, expected: &str| {
        let message = PrivateKey::from_openssh(text, None).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
        assert!(!message.contains('\n'), "{message}");
        // No piece of the key itself may show up in its error.
        for piece in text.as_bytes().chunks(24).filter(|piece| piece.len() == 24 && text.len() > 200) {
            assert!(!message.as_bytes().windows(24).any(|window| window == piece), "{message}");
        }
    };
    check(&keys["rsa"], "of type ssh-rsa, but the platform accepts Ed25519 only");
    check(&keys["ecdsa"], "of type ecdsa-sha2-nistp256");
    check(&keys["pkcs8"], "not an OpenSSH private key but a PKCS#8 key");
    check(&keys["public"], "a public key");
    check(&keys["plain"].replace('\n', "\\n"), "the two characters \\n");
    check(&keys["plain"].replace("b3BlbnNzaC1rZXk", "AAAAAAAAAAAAAAA"), "not a readable OpenSSH private key");
    check(&keys["plain"][..150], "the end is missing");
    check("/home/ana/.ssh/id_ed25519", "looks like a path");
    check("~/key", "looks like a path");
    check("hello", "header line is missing");
    check(" \n", "is empty");
}

#[test]
fn key_files_are_read_and_named_in_errors() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, &keys()["plain"]).unwrap();
    assert_eq!(PrivateKey::from_file(&file, None).unwrap().public_key_hex(), vectors().public_key);

    let check = |path: &std::path::Path, expected: &str| {
        let message = PrivateKey::from_file(path, None).unwrap_err().to_string();
        assert!(message.contains(&path.display().to_string()) && message.contains(expected), "{message}");
    };
    check(&folder.path().join("missing"), "does not exist");
    check(folder.path(), "cannot be read");
    std::fs::write(&file, &keys()["rsa"]).unwrap();
    check(&file, "of type ssh-rsa");
    std::fs::write(&file, [0xff, 0xfe]).unwrap();
    check(&file, "cannot be read");
}

#[test]
fn keys_do_not_print() {
    let text = format!("{:?}", plain_key());
    assert!(text.contains(&vectors().public_key) && !text.contains("0102030405"), "{text}");
}
