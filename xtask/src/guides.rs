//! `cargo xtask guides`: does what the first guide tells a newcomer to do, word for word.
//!
//! The Rust in all guides is compiled as doc tests of the examples package; this runs the shell commands.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// The guide whose commands are run.
const GUIDE: &str = "docs/first-agent.md";

/// The port of the guide's sandbox, which may be taken on this machine.
const PORT: &str = "8765";

/// Runs the guide in the root of the workspace; the crate it makes goes to a folder that is removed.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let guide = workspace.root.join(GUIDE);
    let text = std::fs::read_to_string(&guide).with_context(|| format!("cannot read {}", guide.display()))?;
    // Not below the root: cargo would make the new crate a member of this workspace.
    let home = std::env::temp_dir().join(format!("encord-guide-{}", std::process::id()));
    std::fs::create_dir_all(&home)?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let script = script(&text)?.replace(PORT, &port.to_string());
    // The new crate shares our target folder, so that it compiles nothing that is compiled already. The
    // sandbox is stopped also when a command fails.
    let script = format!("set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{script}");
    let outcome = process::run(
        Command::new("bash")
            .args(["-c", &script])
            .current_dir(&workspace.root)
            .env("PLACE", home.as_os_str())
            .env("CARGO_TARGET_DIR", &workspace.target),
    );
    std::fs::remove_dir_all(&home)?;
    outcome
}

/// The shell blocks of a guide in order, with each file it tells to write written at that point.
fn script(guide: &str) -> Result<String> {
    let mut script = String::new();
    let mut file = None;
    let mut lines = guide.lines();
    while let Some(line) = lines.next() {
        if let Some(named) = line.strip_prefix("<!-- file: ").and_then(|rest| rest.strip_suffix(" -->")) {
            file = Some(Path::new(named));
        }
        let Some(language) = line.strip_prefix("```").filter(|language| !language.is_empty()) else {
            continue;
        };
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        let block = block.join("\n");
        match (language, file.take()) {
            ("sh", None) => script.push_str(&format!("{block}\n")),
            (_, Some(file)) => {
                script.push_str(&format!("cat > {} <<'END OF FILE'\n{block}\nEND OF FILE\n", file.display()));
            }
            _ => {}
        }
    }
    if script.is_empty() {
        bail!("the guide has no shell commands");
    }
    Ok(script)
}

#[cfg(test)]
mod checks {
    use super::script;

    #[test]
    fn commands_and_files_come_in_the_order_of_the_guide() {
        let guide = "a\n```sh\ncd x\n```\n<!-- file: src/main.rs -->\n```rust,no_run\nfn main() {}\n```\n```rust\nskipped\n```\n```sh\ncargo run\n```\n";
        let expected = "cd x\ncat > src/main.rs <<'END OF FILE'\nfn main() {}\nEND OF FILE\ncargo run\n";
        assert_eq!(script(guide).unwrap(), expected);
        assert!(script("nothing").is_err());
    }
}
