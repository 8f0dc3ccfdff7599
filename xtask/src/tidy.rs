//! Rules of the house that no compiler checks: manifests, file lengths, module docs, names.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::workspace::{Package, Workspace};

/// A file longer than this is worth a look.
const LONG: usize = 450;
/// A file longer than this is an error.
const TOO_LONG: usize = 600;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 7] = ["util", "utils", "common", "helper", "helpers", "misc", "shared"];

/// Looks at every member and fails with all findings at once.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut findings = Vec::new();
    let mut files = 0;
    for package in &workspace.members {
        check_manifest(package, &mut findings)?;
        for file in rust_files(&package.folder)? {
            let name = file.strip_prefix(&workspace.root).unwrap_or(&file).display().to_string();
            let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {name}"))?;
            check_file(&file, &name, &text, &mut findings);
            files += 1;
        }
    }
    if !findings.is_empty() {
        bail!("tidy found:\n  {}", findings.join("\n  "));
    }
    println!("tidy: {} packages and {files} files are in order", workspace.members.len());
    Ok(())
}

fn check_manifest(package: &Package, findings: &mut Vec<String>) -> Result<()> {
    let manifest = package.folder.join("Cargo.toml");
    let text =
        std::fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    let name = &package.name;
    if !text.contains("[lints]\nworkspace = true") {
        findings.push(format!("{name}: the manifest does not say `[lints] workspace = true`"));
    }
    for dependency in package.dependencies.iter().filter(|dependency| dependency.internal) {
        if dependency.dev && dependency.requirement != "*" {
            findings.push(format!(
                "{name}: internal dev-dependency {} has a version; a path alone keeps publishing free of cycles",
                dependency.name
            ));
        }
        if !dependency.dev && package.published && dependency.default_features {
            findings
                .push(format!("{name}: internal dependency {} brings its default features", dependency.name));
        }
    }
    Ok(())
}

fn check_file(path: &Path, name: &str, text: &str, findings: &mut Vec<String>) {
    let lines = text.lines().count();
    if lines > TOO_LONG {
        findings.push(format!("{name}: {lines} lines; the limit is {TOO_LONG}"));
    } else if lines > LONG {
        println!("tidy: {name} has {lines} lines; consider splitting it");
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    if EMPTY_NAMES.contains(&stem.as_ref()) || EMPTY_NAMES.contains(&folder.as_ref()) {
        findings.push(format!("{name}: the name does not say what is inside"));
    }
    if is_source(path) && !text.starts_with("//!") {
        findings.push(format!("{name}: no paragraph at the top that says why the module exists"));
    }
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push(format!("{name}: no new line at the end"));
    }
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if line.trim_end() != line {
            findings.push(format!("{name}:{number}: blanks at the end of the line"));
        }
        if line.trim_start().starts_with("#[ignore") {
            findings.push(format!("{name}:{number}: a test that never runs proves nothing"));
        }
    }
}

/// Tests may go without a paragraph when their file name says it all; everything else may not.
fn is_source(path: &Path) -> bool {
    !path.iter().any(|part| part == "tests")
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let entries =
            std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "target") {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
