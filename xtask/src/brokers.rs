//! The servers that tests, peers and benchmarks of the queue start for themselves, on a free port and with a folder
//! of their own. Nothing is left running on the machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{self, succeeds};
use crate::workspace::Workspace;

/// The first Debian release whose server can write every message through to the disk before it confirms it.
const SUITE: &str = "trixie";

/// The keys that the packages of all Debian releases are signed with.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The NATS server: one that is new enough and installed, or Debian's package unpacked below `target/`, which needs
/// no rights and touches nothing else. Programs find it by the same two places.
pub(crate) fn nats_server(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(found) = found_nats_server(workspace) {
        return Ok(found);
    }
    let folder = workspace.root.join("target/nats-server");
    if !succeeds(Command::new("apt-get").arg("--version")) || !Path::new(KEYRING).is_file() {
        bail!("no nats-server 2.10 or newer: install one from https://nats.io/download");
    }
    println!("installing the NATS server into {}", folder.display());
    unpack(&folder).context("could not install the NATS server")?;
    found_nats_server(workspace).with_context(|| format!("what is in {} does not run", folder.display()))
}

/// The NATS server, if there is one; nothing is installed.
pub(crate) fn found_nats_server(workspace: &Workspace) -> Option<PathBuf> {
    let unpacked = workspace.root.join("target/nats-server/usr/sbin/nats-server");
    [unpacked, PathBuf::from("nats-server")].into_iter().find(|candidate| is_new_enough(candidate))
}

/// Fetches the package with apt, which checks its signature, but with lists of its own so that the release of this
/// machine stays what it is.
fn unpack(folder: &Path) -> Result<()> {
    let apt = folder.join("apt");
    for part in ["lists/partial", "archives/partial"] {
        std::fs::create_dir_all(apt.join(part)).with_context(|| format!("cannot make {}", apt.display()))?;
    }
    let sources = apt.join("sources.list");
    let line = format!("deb [signed-by={KEYRING}] http://deb.debian.org/debian {SUITE} main\n");
    std::fs::write(&sources, line).with_context(|| format!("cannot write {}", sources.display()))?;
    let settings = [
        format!("Dir::Etc::sourcelist={}", sources.display()),
        "Dir::Etc::sourceparts=-".to_owned(),
        format!("Dir::State::lists={}", apt.join("lists").display()),
        format!("Dir::Cache={}", apt.display()),
        "APT::Sandbox::User=root".to_owned(),
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_owned(),
    ];
    let apt_get = || {
        let mut command = Command::new("apt-get");
        command.arg("--quiet").current_dir(&apt);
        command.args(settings.iter().flat_map(|setting| ["--option", setting]));
        command
    };
    process::run(apt_get().arg("update"))?;
    process::run(apt_get().args(["download", "nats-server"]))?;
    let entries = std::fs::read_dir(&apt).with_context(|| format!("cannot list {}", apt.display()))?;
    let package = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .context("apt-get downloaded no package")?;
    process::run(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(folder))?;
    std::fs::remove_dir_all(&apt).with_context(|| format!("cannot remove {}", apt.display()))
}

/// Whether a program is a NATS server that knows `sync_interval: always`.
fn is_new_enough(program: &Path) -> bool {
    let Ok(answer) = process::read(Command::new(program).arg("--version")) else { return false };
    version(&answer).is_some_and(|version| version >= (2, 10))
}

/// Major and minor of `nats-server: v2.10.27`.
fn version(answer: &str) -> Option<(u32, u32)> {
    let mut numbers = answer.trim().rsplit_once('v')?.1.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("nats-server: v2.10.27\n"), Some((2, 10)));
        assert!(version("nats-server: v2.9.10") < Some((2, 10)));
        assert_eq!(version("something else"), None);
    }
}
