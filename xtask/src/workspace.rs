//! What `cargo metadata` says about the workspace, so that no list of crates or features is kept by hand.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process;

/// The workspace as cargo sees it.
pub(crate) struct Workspace {
    /// Where the root manifest is.
    pub(crate) root: PathBuf,
    /// Where cargo writes what it builds.
    pub(crate) target: PathBuf,
    /// The member packages, in the order of the root manifest's names.
    pub(crate) members: Vec<Package>,
}

/// One member package.
pub(crate) struct Package {
    pub(crate) name: String,
    /// The folder of its manifest.
    pub(crate) folder: PathBuf,
    /// Feature names with what each turns on, sorted by name.
    pub(crate) features: Vec<(String, Vec<String>)>,
    pub(crate) dependencies: Vec<Dependency>,
    /// Whether it is meant for crates.io.
    pub(crate) published: bool,
}

/// One line of a dependency table.
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// In `[dev-dependencies]`.
    pub(crate) dev: bool,
    /// The version requirement, `*` when none was written.
    pub(crate) requirement: String,
    pub(crate) default_features: bool,
    /// Inside this workspace.
    pub(crate) internal: bool,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn load() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
        let text = process::read(
            Command::new(cargo_program())
                .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
                .arg(&manifest),
        )?;
        let metadata: Value = serde_json::from_str(&text).context("cargo metadata printed no JSON")?;
        let members = list(&metadata["packages"]).iter().map(Package::read).collect();
        Ok(Self {
            root: path(&metadata["workspace_root"]),
            target: path(&metadata["target_directory"]),
            members,
        })
    }

    /// A cargo command that runs in the root of the workspace.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(cargo_program());
        command.args(arguments).current_dir(&self.root);
        command
    }

    /// The member with this name.
    pub(crate) fn member(&self, name: &str) -> Result<&Package> {
        self.members
            .iter()
            .find(|package| package.name == name)
            .with_context(|| format!("the workspace has no package `{name}`"))
    }
}

impl Package {
    fn read(package: &Value) -> Self {
        let features = package["features"].as_object().into_iter().flatten();
        Self {
            name: text(&package["name"]),
            folder: path(&package["manifest_path"]).parent().unwrap_or(Path::new("/")).to_owned(),
            features: features
                .map(|(name, turns_on)| (name.clone(), list(turns_on).iter().map(text).collect()))
                .collect(),
            dependencies: list(&package["dependencies"]).iter().map(Dependency::read).collect(),
            published: package["publish"].is_null(),
        }
    }

    /// Whether the package has this feature.
    pub(crate) fn has_feature(&self, name: &str) -> bool {
        self.features.iter().any(|(feature, _)| feature == name)
    }
}

impl Dependency {
    fn read(dependency: &Value) -> Self {
        Self {
            name: text(&dependency["name"]),
            dev: dependency["kind"] == "dev",
            requirement: text(&dependency["req"]),
            default_features: dependency["uses_default_features"] == true,
            internal: dependency["path"].is_string(),
        }
    }
}

fn cargo_program() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn path(value: &Value) -> PathBuf {
    PathBuf::from(value.as_str().unwrap_or_default())
}
