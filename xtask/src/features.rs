//! Every crate alone, with no features, with each, and with all: a workspace build hides what one lacks.

use anyhow::Result;

use crate::process;
use crate::setup;
use crate::workspace::{Package, Workspace};

/// Compiles the library of every published crate with each choice of features, warnings denied.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let unbuildable = setup::unbuildable_features();
    let linter =
        if process::succeeds(&mut workspace.cargo(&["clippy", "--version"])) { "clippy" } else { "check" };
    for package in workspace.members.iter().filter(|package| package.published) {
        for features in choices(package, &unbuildable) {
            let mut command = workspace.cargo(&[linter, "--quiet", "--lib", "--no-default-features"]);
            command.args(["--package", &package.name]);
            if !features.is_empty() {
                command.args(["--features", &features.join(",")]);
            }
            if linter == "clippy" {
                command.args(["--", "--deny", "warnings"]);
            }
            process::run(&mut command)?;
        }
    }
    Ok(())
}

/// None, each alone, all together; without repeating a choice that the crate has no features to tell apart.
fn choices<'a>(package: &'a Package, unbuildable: &[&str]) -> Vec<Vec<&'a str>> {
    let buildable: Vec<&str> = package
        .features
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| *name != "default" && !turns_on_any(package, name, unbuildable))
        .collect();
    let mut choices = vec![Vec::new()];
    choices.extend(buildable.iter().map(|name| vec![*name]));
    if buildable.len() > 1 {
        choices.push(buildable);
    }
    choices
}

/// Whether the feature is one of `names` or turns one of them on, in this crate or in another.
fn turns_on_any(package: &Package, feature: &str, names: &[&str]) -> bool {
    let own_name = feature.rsplit('/').next().unwrap_or(feature);
    if names.contains(&own_name) {
        return true;
    }
    let entry = package.features.iter().find(|(name, _)| name == feature);
    entry.is_some_and(|(_, turns_on)| turns_on.iter().any(|next| turns_on_any(package, next, names)))
}
