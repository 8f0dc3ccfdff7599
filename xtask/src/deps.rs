//! Which crate may know which: the layers of the workspace, read off `cargo tree`.

use anyhow::{Result, bail};

use crate::process;
use crate::workspace::{Dependency, Workspace};

/// Crates that talk to a network or need an executor.
const ASYNC_AND_HTTP: [&str; 9] =
    ["tokio", "async-std", "smol", "futures-util", "hyper", "reqwest", "ureq", "axum", "async-trait"];
const HTTP: [&str; 6] = ["hyper", "reqwest", "ureq", "axum", "isahc", "curl"];

/// One thing that must not be in the tree of a package.
struct Rule {
    package: &'static str,
    features: Features,
    forbidden: fn(&str) -> bool,
    reason: &'static str,
}

/// The features a rule is checked with.
enum Features {
    None,
    Default,
    All,
    /// Every feature of the package but these.
    AllBut(&'static [&'static str]),
}

const RULES: [Rule; 7] = [
    Rule {
        package: "encord-labels",
        features: Features::All,
        forbidden: |name| ASYNC_AND_HTTP.contains(&name),
        reason: "the label model does no I/O",
    },
    Rule {
        package: "encord-client",
        features: Features::None,
        forbidden: |name| HTTP.contains(&name),
        reason: "the default transport is a feature",
    },
    Rule {
        package: "encord-media",
        features: Features::AllBut(&["extract"]),
        forbidden: |name| HTTP.contains(&name),
        reason: "decoding needs no network",
    },
    Rule {
        package: "encord-media",
        features: Features::Default,
        forbidden: |name| name.ends_with("-sys"),
        reason: "the default build needs no system library",
    },
    Rule {
        package: "encord-runner",
        features: Features::All,
        forbidden: |name| ["encord-media", "encord-twin"].contains(&name),
        reason: "media and twin depend on the runner's extractor trait, never the other way round",
    },
    Rule {
        package: "encord-sandbox",
        features: Features::All,
        forbidden: |name| ["encord-client", "encord-runner"].contains(&name),
        reason: "the sandbox must not share the client's mistakes",
    },
    Rule {
        package: "encord-twin",
        features: Features::None,
        forbidden: |name| name == "encord-runner",
        reason: "looking up a twin is no runner's business",
    },
];

/// Checks the layers, that the umbrella only re-exports, and that it forwards every feature.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut findings = Vec::new();
    for rule in &RULES {
        let tree = tree(workspace, rule.package, &rule.features)?;
        for name in tree.iter().filter(|name| (rule.forbidden)(name)) {
            findings.push(format!("{} depends on {name}, but {}", rule.package, rule.reason));
        }
    }
    check_umbrella_source(workspace, &mut findings)?;
    check_forwarding(workspace, &mut findings)?;
    if !findings.is_empty() {
        bail!("the dependency rules are broken:\n  {}", findings.join("\n  "));
    }
    println!("dependency rules: {} hold", RULES.len() + 2);
    Ok(())
}

fn tree(workspace: &Workspace, package: &str, features: &Features) -> Result<Vec<String>> {
    let mut command = workspace.cargo(&["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    command.args(["--package", package]);
    match features {
        Features::Default => {}
        Features::None => drop(command.arg("--no-default-features")),
        Features::All => drop(command.arg("--all-features")),
        Features::AllBut(left_out) => {
            let features = &workspace.member(package)?.features;
            let names = features.iter().map(|(name, _)| name.as_str());
            let kept: Vec<_> = names.filter(|name| *name != "default" && !left_out.contains(name)).collect();
            command.args(["--no-default-features", "--features", &kept.join(",")]);
        }
    }
    let text = process::read(&mut command)?;
    let mut names: Vec<_> =
        text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// Code in the umbrella would be code that no leaf crate can use.
fn check_umbrella_source(workspace: &Workspace, findings: &mut Vec<String>) -> Result<()> {
    let folder = workspace.member("encord-agents")?.folder.join("src");
    for file in ["lib.rs", "prelude.rs"] {
        let Ok(text) = std::fs::read_to_string(folder.join(file)) else { continue };
        for line in text.lines().filter(|line| !line.starts_with([' ', '/', '}']) && line.contains(" fn ")) {
            findings
                .push(format!("encord-agents/src/{file} defines something instead of re-exporting: {line}"));
        }
    }
    Ok(())
}

/// Who uses only the umbrella must reach every feature of what it re-exports.
fn check_forwarding(workspace: &Workspace, findings: &mut Vec<String>) -> Result<()> {
    let umbrella = workspace.member("encord-agents")?;
    let forwarded: Vec<_> = umbrella.features.iter().flat_map(|(_, turns_on)| turns_on).collect();
    // The sandbox is only for the umbrella's program, which needs no feature of it.
    let is_leaf = |dependency: &&Dependency| {
        dependency.internal && !dependency.dev && dependency.name != "encord-sandbox"
    };
    for dependency in umbrella.dependencies.iter().filter(is_leaf) {
        let leaf = workspace.member(&dependency.name)?;
        for (feature, _) in leaf.features.iter().filter(|(feature, _)| feature != "default") {
            let spellings = [format!("{}/{feature}", leaf.name), format!("{}?/{feature}", leaf.name)];
            let reached = spellings.iter().any(|spelling| forwarded.contains(&spelling))
                || leaf.features.iter().any(|(other, turns_on)| {
                    turns_on.contains(feature)
                        && forwarded.iter().any(|name| name.ends_with(&format!("{}/{other}", leaf.name)))
                });
            if !reached {
                findings.push(format!("encord-agents forwards no feature to {}/{feature}", leaf.name));
            }
        }
    }
    Ok(())
}
