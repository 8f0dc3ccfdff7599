//! `keygen`: a key pair in the form the platform takes.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{LineEnding, PrivateKey};

use crate::{Failure, say};

#[derive(Args)]
pub(crate) struct Keygen {
    /// Where to write the private key; the public key goes beside it with `.pub` at the end
    #[arg(long, short, default_value = "encord_ed25519", value_name = "FILE")]
    output: PathBuf,

    /// A note in the public key
    #[arg(long, short, default_value = "encord-agents")]
    comment: String,
}

impl Keygen {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let seed: [u8; 32] = rand::random();
        let pair = KeypairData::Ed25519(Ed25519Keypair::from_seed(&seed));
        let key = PrivateKey::new(pair, self.comment)?;
        let mut public_path = self.output.clone().into_os_string();
        public_path.push(".pub");
        write_new(&self.output, key.to_openssh(LineEnding::LF)?.as_bytes(), 0o600)?;
        let public = key.public_key().to_openssh()?;
        write_new(&PathBuf::from(&public_path), format!("{public}\n").as_bytes(), 0o644)?;
        say(&format!("private key: {} (set ENCORD_SSH_KEY_FILE to it)", self.output.display()))?;
        say(&format!("public key, to be registered with the platform:\n{public}"))
    }
}

/// Never replaces a file: a lost private key cannot be brought back.
fn write_new(path: &PathBuf, content: &[u8], mode: u32) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let written = options.open(path).and_then(|mut file| file.write_all(content));
    written.map_err(|error| format!("{}: {error}", path.display()).into())
}
