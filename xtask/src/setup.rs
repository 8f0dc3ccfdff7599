//! `cargo xtask setup`: what the workspace can use but Rust and a C compiler do not bring along.
//!
//! Everything here is optional for a build with default features.
//! The other tasks ask this module what is there and leave out, saying so, what is not.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::brokers;
use crate::process::{self, succeeds};
use crate::workspace::Workspace;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Also what takes the picture of the demo's report (Chromium).
    #[arg(long)]
    photo: bool,
}

/// Installs all of it, quickly when it is there already.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let mut groups = vec![&FFMPEG_PROGRAM, &FFMPEG_LIBRARIES, &OPENCV_LIBRARIES, &PYTHON, &REDIS, &RABBITMQ];
    if options.photo {
        groups.push(&CHROMIUM);
    }
    let packages = install_packages(&groups);
    // The Python packages may be installable although the system ones are not.
    let python = peers_python(workspace).map(drop);
    let nats = brokers::nats_server(workspace).map(drop);
    packages.and(python).and(nats)?;
    println!("setup: everything is there");
    Ok(())
}

/// System packages that serve one purpose.
pub(crate) struct Group {
    purpose: &'static str,
    packages: &'static [&'static str],
    /// Whether what the packages bring is there, however it came.
    present: fn() -> bool,
}

/// The `ffmpeg` program, which makes the demo's video and compressed audio.
pub(crate) static FFMPEG_PROGRAM: Group = Group {
    purpose: "making sample media",
    packages: &["ffmpeg"],
    present: || succeeds(Command::new("ffmpeg").arg("-version")),
};

/// What the feature `video-ffmpeg` links and the generator of its bindings.
pub(crate) static FFMPEG_LIBRARIES: Group = Group {
    purpose: "the feature video-ffmpeg",
    packages: &[
        "pkg-config",
        "clang",
        "libclang-dev",
        "libavcodec-dev",
        "libavformat-dev",
        "libavutil-dev",
        "libswscale-dev",
        "libavfilter-dev",
        "libavdevice-dev",
    ],
    present: || {
        has_clang()
            && has_libraries(&[
                "libavcodec",
                "libavformat",
                "libavutil",
                "libswscale",
                "libavfilter",
                "libavdevice",
            ])
    },
};

/// What the feature `video-opencv` links and the generator of its bindings.
pub(crate) static OPENCV_LIBRARIES: Group = Group {
    purpose: "the feature video-opencv",
    packages: &["pkg-config", "clang", "libclang-dev", "libopencv-dev"],
    present: || has_clang() && has_libraries(&["opencv4"]),
};

/// A Python that can make virtual environments, for the peers.
pub(crate) static PYTHON: Group = Group {
    purpose: "the Python peers",
    packages: &["python3", "python3-venv"],
    present: || succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"])),
};

/// The broker that Celery speaks to in the peers.
static REDIS: Group = Group {
    purpose: "the peers with Celery",
    packages: &["redis-server"],
    present: || succeeds(Command::new("redis-server").arg("--version")),
};

/// The broker that Celery speaks to in the benchmarks.
static RABBITMQ: Group = Group {
    purpose: "the benchmark of Celery",
    packages: &["rabbitmq-server"],
    present: || Path::new("/usr/lib/rabbitmq/bin/rabbitmq-server").is_file(),
};

static CHROMIUM: Group = Group {
    purpose: "a picture of the demo's report",
    packages: &["chromium"],
    present: || succeeds(Command::new("chromium").arg("--version")),
};

impl Group {
    /// Whether nothing has to be installed.
    pub(crate) fn is_present(&self) -> bool {
        (self.present)()
    }
}

/// Features that link system libraries, with the group that brings these.
static SYSTEM_FEATURES: [(&str, &Group); 2] =
    [("video-ffmpeg", &FFMPEG_LIBRARIES), ("video-opencv", &OPENCV_LIBRARIES)];

/// Features of the workspace that cannot be built on this machine.
pub(crate) fn unbuildable_features() -> Vec<&'static str> {
    SYSTEM_FEATURES.iter().filter(|(_, group)| !group.is_present()).map(|(feature, _)| *feature).collect()
}

/// Installs the packages of the groups that are not there; without the right to, says which line would.
pub(crate) fn install_packages(groups: &[&Group]) -> Result<()> {
    let missing: Vec<_> = groups.iter().filter(|group| !group.is_present()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<_> = missing.iter().flat_map(|group| group.packages).copied().collect();
    packages.sort_unstable();
    packages.dedup();
    let purposes: Vec<_> = missing.iter().map(|group| group.purpose).collect();
    let line =
        format!("apt-get update && apt-get install --yes --no-install-recommends {}", packages.join(" "));
    if !succeeds(Command::new("apt-get").arg("--version")) {
        bail!(
            "missing for {}: this system has no apt; install what Debian calls {}",
            purposes.join(", "),
            packages.join(" ")
        );
    }
    let mut shell = if is_root() {
        Command::new("sh")
    } else if succeeds(Command::new("sudo").args(["-n", "true"])) {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "sh"]);
        sudo
    } else {
        bail!("missing for {}; as root, run: {line}", purposes.join(", "));
    };
    println!("installing for {}", purposes.join(", "));
    process::run(shell.env("DEBIAN_FRONTEND", "noninteractive").arg("-c").arg(&line))
        .with_context(|| format!("could not install packages; as root, try: {line}"))
}

/// The interpreter of the virtual environment with the peers, which is made when it is not there.
pub(crate) fn peers_python(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.root.join("target/peers-venv");
    let python = folder.join("bin/python");
    // Written last, so a broken installation is tried again.
    let stamp = folder.join("installed.txt");
    let requirements = workspace.root.join("xtask/peers/requirements.txt");
    let wanted = std::fs::read_to_string(&requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(python);
    }
    if !PYTHON.is_present() {
        bail!("no python3 that can make virtual environments: run `cargo xtask setup`");
    }
    println!("installing the Python peers into {}", folder.display());
    process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    process::run(Command::new(&python).args(pip).arg(&requirements))?;
    std::fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(python)
}

fn has_clang() -> bool {
    succeeds(Command::new("clang").arg("--version"))
}

fn has_libraries(names: &[&str]) -> bool {
    succeeds(Command::new("pkg-config").arg("--exists").args(names))
}

fn is_root() -> bool {
    process::read(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
