//! What reading a key file does beyond reading it.

#![allow(clippy::unwrap_used)]

mod captured;

use std::path::{Path, PathBuf};

use encord_client::{KeyError, PrivateKey};

use crate::captured::Captured;

fn key_file(folder: &Path) -> (PathBuf, String) {
    let keys: serde_json::Value = serde_json::from_str(include_str!("golden/keys.json")).unwrap();
    let text = keys["plain"].as_str().unwrap().to_owned();
    let path = folder.join("key");
    std::fs::write(&path, &text).unwrap();
    (path, text)
}

/// Reads the key, which must succeed, and returns what was logged.
#[cfg(unix)]
fn read(path: &Path) -> String {
    let captured = Captured::default();
    let subscriber = captured.subscriber(tracing::Level::INFO);
    tracing::subscriber::with_default(subscriber, || PrivateKey::from_file(path, None)).unwrap();
    captured.text()
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_is_used_with_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (path, text) = key_file(folder.path());
    let read_with = |mode| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        read(&path)
    };
    for mode in [0o600, 0o400, 0o700] {
        assert_eq!(read_with(mode), "", "{mode:o}");
    }
    for (mode, shown) in [(0o640, "0640"), (0o604, "0604"), (0o644, "0644")] {
        let logged = read_with(mode);
        for part in ["WARN", "key", shown, "chmod 600", path.to_str().unwrap()] {
            assert!(logged.contains(part), "{part} is missing: {logged}");
        }
        assert_eq!(logged.lines().count(), 1, "{logged}");
        assert!(text.lines().all(|line| !logged.contains(line)), "{logged}");
    }
}

#[test]
fn a_file_that_is_no_key_is_not_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = key_file(folder.path());
    // A hole of a terabyte: reading all of it would take all memory there is.
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(1 << 40).unwrap();
    let error = PrivateKey::from_file(&path, None).unwrap_err();
    assert!(matches!(error, KeyError::FileUnreadable { .. }), "{error}");
    assert!(error.to_string().contains("longer than 65536 bytes"), "{error}");
}
