//! Who we are: Ed25519 private keys in OpenSSH format, and bearer tokens.
//!
//! A wrong key is the most common first error of a new user, so each way to get it wrong has its own message.
//! Key material is wiped when dropped and never printed.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use zeroize::Zeroizing;

use crate::environment::Environment;

const HEADER: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const FOOTER: &str = "-----END OPENSSH PRIVATE KEY-----";
const ED25519: &str = "ssh-ed25519";

/// An Ed25519 private key that signs requests.
///
/// ```
/// use encord_client::PrivateKey;
///
/// let error = PrivateKey::from_openssh("/home/ana/.ssh/id_ed25519", None).unwrap_err();
/// assert!(error.to_string().contains("looks like a path"));
/// ```
#[derive(Clone)]
pub struct PrivateKey {
    key: SigningKey,
    public_hex: String,
}

impl PrivateKey {
    /// Reads a key from the text of an OpenSSH private key file.
    ///
    /// Windows line ends and surrounding blanks are tolerated.
    ///
    /// # Errors
    /// See [`KeyError`]; a passphrase must be given exactly when the key is encrypted.
    pub fn from_openssh(text: &str, passphrase: Option<&str>) -> Result<Self, KeyError> {
        let text = normalise(text)?;
        // The parser knows no more than what we accept, so the type of other keys is found out beforehand.
        if let Some(algorithm) = algorithm(&text).filter(|algorithm| algorithm != ED25519) {
            return Err(KeyError::NotEd25519(algorithm));
        }
        let key = ssh_key::PrivateKey::from_openssh(text.as_bytes())
            .map_err(|error| KeyError::Malformed(error.to_string()))?;
        let key = match (key.is_encrypted(), passphrase) {
            (false, None) => key,
            (false, Some(_)) => return Err(KeyError::PassphraseForPlainKey),
            (true, None) => return Err(KeyError::PassphraseMissing),
            (true, Some(passphrase)) => key.decrypt(passphrase).map_err(|_| KeyError::WrongPassphrase)?,
        };
        let pair =
            key.key_data().ed25519().ok_or_else(|| KeyError::NotEd25519(key.algorithm().to_string()))?;
        let signing = SigningKey::try_from(pair).map_err(|error| KeyError::Malformed(error.to_string()))?;
        Ok(Self::from_signing_key(signing))
    }

    /// Reads a key from an OpenSSH private key file; a leading `~` means the home directory.
    ///
    /// On Unix a warning is logged if others than the owner can read the file. The key is used all the same, because
    /// keys that come from a mounted secret often cannot be protected better.
    ///
    /// # Errors
    /// [`KeyError::FileNotFound`] and [`KeyError::FileUnreadable`] beside those of [`PrivateKey::from_openssh`].
    pub fn from_file(path: impl AsRef<Path>, passphrase: Option<&str>) -> Result<Self, KeyError> {
        let path = expand_home(path.as_ref());
        let text = read_key_file(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => KeyError::FileNotFound { path: path.clone() },
            _ => KeyError::FileUnreadable { path: path.clone(), source },
        })?;
        Self::from_openssh(&text, passphrase)
            .map_err(|error| KeyError::InFile { path, source: Box::new(error) })
    }

    /// Reads the key named by `ENCORD_SSH_KEY` or `ENCORD_SSH_KEY_FILE`.
    ///
    /// When both are set `ENCORD_SSH_KEY` is used and a warning is logged, as the platform's agents package does.
    ///
    /// # Errors
    /// [`KeyError`]; in particular a file variable that names no file is an error even if the other one is set.
    pub fn from_env() -> Result<Self, KeyError> {
        Environment::of_process().private_key()
    }

    /// The public half as 64 lower-case hex digits: the `keyid` of a signature.
    pub fn public_key_hex(&self) -> &str {
        &self.public_hex
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    pub(crate) fn from_signing_key(key: SigningKey) -> Self {
        let public_hex = crate::sign::hex(key.verifying_key().as_bytes());
        Self { key, public_hex }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("public_key_hex", &self.public_hex).finish_non_exhaustive()
    }
}

/// A token that stands for a user for some time; see [`Client::bearer_token`](crate::Client::bearer_token).
#[derive(Clone)]
pub struct BearerToken(Zeroizing<String>);

impl BearerToken {
    /// Wraps the text of a token.
    pub fn new(token: impl Into<String>) -> Self {
        Self(Zeroizing::new(token.into()))
    }

    /// The token itself. Do not log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(redacted)")
    }
}

/// Why a private key could not be used. None of the messages contains key material.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No source of a key was given.
    #[error(
        "no private key: set ENCORD_SSH_KEY to the text of an Ed25519 private key, or ENCORD_SSH_KEY_FILE to its path"
    )]
    Missing,
    /// The key text is empty.
    #[error("the private key is empty")]
    Empty,
    /// A path was given where the key's text was expected.
    #[error(
        "expected the text of a private key, but this looks like a path; use the key file option or ENCORD_SSH_KEY_FILE for paths"
    )]
    PathInsteadOfContent,
    /// The key file does not exist.
    #[error("private key file {} does not exist", .path.display())]
    FileNotFound {
        /// The path looked at.
        path: PathBuf,
    },
    /// The key file cannot be read.
    #[error("private key file {} cannot be read: {source}", .path.display())]
    FileUnreadable {
        /// The path looked at.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The environment variable for the key file is set but empty.
    #[error("ENCORD_SSH_KEY_FILE is set but empty: unset it, or set it to the path of a private key")]
    EmptyFileVariable,
    /// The content of a key file is no usable key.
    #[error("private key file {}: {source}", .path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with its content.
        source: Box<KeyError>,
    },
    /// The text has the two characters `\` and `n` where line ends belong.
    #[error(
        "the private key contains the two characters \\n instead of line ends; keep the line ends when setting the variable"
    )]
    LiteralNewlines,
    /// The text is a key in another format (PKCS#8, PEM, PuTTY, a public key).
    #[error(
        "not an OpenSSH private key but {0}; convert it with `ssh-keygen -p -f FILE` or make one with `ssh-keygen -t ed25519`"
    )]
    WrongFormat(&'static str),
    /// The text is not a key at all, or is damaged.
    #[error("not a readable OpenSSH private key ({0}); make one with `ssh-keygen -t ed25519`")]
    Malformed(String),
    /// The key is of another type.
    #[error(
        "the private key is of type {0}, but the platform accepts Ed25519 only; make one with `ssh-keygen -t ed25519`"
    )]
    NotEd25519(String),
    /// The key is encrypted and no passphrase was given.
    #[error(
        "the private key is protected by a passphrase, but none was given; pass it to PrivateKey::from_file or PrivateKey::from_openssh, or remove it with `ssh-keygen -p`"
    )]
    PassphraseMissing,
    /// The passphrase does not open the key.
    #[error("the passphrase does not open the private key")]
    WrongPassphrase,
    /// A passphrase was given for a key that is not encrypted.
    #[error("a passphrase was given, but the private key is not protected by one")]
    PassphraseForPlainKey,
}

/// Brings a key into the exact form that OpenSSH writes, and names what is obviously not a private key.
///
/// Keys travel through secret stores and variables that change line ends, and some writers use other line
/// lengths than OpenSSH; the parser is strict about both.
fn normalise(text: &str) -> Result<Zeroizing<String>, KeyError> {
    const LINE: usize = 70;
    let text = text.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}');
    if text.is_empty() {
        return Err(KeyError::Empty);
    }
    if text.contains("\\n") {
        return Err(KeyError::LiteralNewlines);
    }
    let Some((_, rest)) = text.split_once(HEADER) else { return Err(foreign_text(text)) };
    let Some((body, _)) = rest.split_once(FOOTER) else {
        return Err(KeyError::Malformed("the end is missing".to_owned()));
    };
    let mut clean = Zeroizing::new(String::with_capacity(text.len() + text.len() / LINE + 3));
    clean.push_str(HEADER);
    for (index, character) in body.chars().filter(|character| !character.is_whitespace()).enumerate() {
        if index % LINE == 0 {
            clean.push('\n');
        }
        clean.push(character);
    }
    clean.push('\n');
    clean.push_str(FOOTER);
    clean.push('\n');
    Ok(clean)
}

fn foreign_text(text: &str) -> KeyError {
    let format = |name| KeyError::WrongFormat(name);
    if text.starts_with("ssh-") || text.starts_with("ecdsa-") {
        return format("a public key");
    }
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("BEGIN PRIVATE KEY") {
        return format("a PKCS#8 key");
    }
    if text.contains("BEGIN RSA PRIVATE KEY") || text.contains("BEGIN EC PRIVATE KEY") {
        return format("a PEM key of another type");
    }
    if text.starts_with("PuTTY-User-Key-File") {
        return format("a PuTTY key");
    }
    let one_line = !text.contains('\n');
    let path_like = text.contains(['/', '\\']) || text.starts_with('~') || Path::new(text).exists();
    if one_line && path_like && text.len() < 4096 {
        return KeyError::PathInsteadOfContent;
    }
    KeyError::Malformed("the OpenSSH header line is missing".to_owned())
}

/// The type of a key in the form that [`normalise`] makes; `None` if it is damaged. The type stands before the
/// encrypted part, after cipher, key derivation, its options and the number of keys.
fn algorithm(text: &str) -> Option<String> {
    let body: Zeroizing<String> =
        Zeroizing::new(text.lines().filter(|line| !line.starts_with('-')).collect());
    let bytes = Zeroizing::new(STANDARD.decode(body.as_bytes()).ok()?);
    let mut rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    for _ in 0..3 {
        (_, rest) = length_prefixed(rest)?;
    }
    let (public_key, _) = length_prefixed(rest.get(4..)?)?;
    let (name, _) = length_prefixed(public_key)?;
    let printable = name.len() < 64 && name.iter().all(u8::is_ascii_graphic);
    printable.then(|| String::from_utf8_lossy(name).into_owned())
}

/// A piece of bytes after its length, and what follows it.
fn length_prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

/// The text of a key file. It is wiped when dropped, and is no longer than a key can be: whatever else the path
/// leads to is not read into memory to its end.
fn read_key_file(path: &Path) -> std::io::Result<Zeroizing<String>> {
    const LONGEST: usize = 64 << 10;
    let file = std::fs::File::open(path)?;
    warn_if_readable_by_others(path, &file);
    // With room for everything from the start, no copy stays behind where a smaller buffer was.
    let mut text = Zeroizing::new(String::with_capacity(LONGEST + 1));
    if file.take(LONGEST as u64 + 1).read_to_string(&mut text)? > LONGEST {
        let problem = format!("longer than {LONGEST} bytes, which is no private key");
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, problem));
    }
    Ok(text)
}

#[cfg(unix)]
fn warn_if_readable_by_others(path: &Path, file: &std::fs::File) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(mode) = file.metadata().map(|metadata| metadata.permissions().mode() & 0o777) else { return };
    if mode & 0o044 != 0 {
        tracing::warn!(
            path = %path.display(),
            mode = %format_args!("{mode:04o}"),
            "the private key file can be read by others than its owner; run `chmod 600` on it"
        );
    }
}

#[cfg(not(unix))]
fn warn_if_readable_by_others(_: &Path, _: &std::fs::File) {}

fn expand_home(path: &Path) -> PathBuf {
    let Ok(rest) = path.strip_prefix("~") else { return path.to_owned() };
    std::env::home_dir().map_or_else(|| path.to_owned(), |home| home.join(rest))
}
