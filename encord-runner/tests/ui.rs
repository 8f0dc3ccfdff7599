//! What the compiler says about the five classic mistakes.
//!
//! Each program in `tests/ui` holds one mistake; the `.stderr` file beside it is what the compiler must say. The
//! compiler is called directly, with the library that was built for this very test: a project of its own for them
//! would build the whole dependency tree a second time. The texts belong to the toolchain of the repository;
//! `UPDATE_SNAPSHOTS=1 cargo test -p encord-runner --test ui` writes them anew.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn mistakes_are_named() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let mut programs: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    programs.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    programs.sort();
    assert_eq!(programs.len(), 5);
    let wrong: Vec<String> = programs.iter().filter_map(|program| compare(program).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Compiles a program and compares what the compiler says with what it should say.
fn compare(program: &Path) -> Result<(), String> {
    let said = plain(&compile(program)?);
    let snapshot = program.with_extension("stderr");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&snapshot, &said).unwrap();
    }
    let expected = fs::read_to_string(&snapshot).unwrap_or_default();
    if said == expected {
        return Ok(());
    }
    Err(format!("{}: expected\n{expected}\nbut the compiler said\n{said}", program.display()))
}

fn compile(program: &Path) -> Result<String, String> {
    let libraries = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let output = tempfile::tempdir().unwrap();
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let ran = Command::new(compiler)
        .args(["--edition=2024", "--emit=metadata", "--error-format=human", "--color=never", "--extern"])
        .arg(format!("encord_runner={}", newest_library(&libraries).display()))
        .arg(format!("-Ldependency={}", libraries.display()))
        .arg("--out-dir")
        .arg(output.path())
        // Paths in messages are then the same wherever the repository lies.
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg(program.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap())
        .output()
        .unwrap();
    if ran.status.success() {
        return Err(format!("{} was compiled without an error", program.display()));
    }
    Ok(String::from_utf8_lossy(&ran.stderr).into_owned())
}

/// Builds with other features leave libraries too. The newest one is never older than the sources, because the one
/// this test is linked with was brought up to date just before.
fn newest_library(folder: &Path) -> PathBuf {
    let built = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let ours = built.filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("libencord_runner-") && name.ends_with(".rlib")
    });
    ours.max_by_key(|path| fs::metadata(path).unwrap().modified().unwrap()).expect("the library was built")
}

/// Without what changes when code is moved or an extractor is added: line numbers of the library, and which others
/// there are.
fn plain(said: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut in_library = false;
    for line in said.lines() {
        let (margin, rest) = line.split_once('|').unwrap_or((line, ""));
        if let Some((arrow, place)) = line.split_once("--> ") {
            in_library = !place.starts_with("tests/");
            let file = place.split(':').next().unwrap_or_default();
            let file = file.rsplit_once("encord-runner/").map_or(file, |(_, file)| file);
            lines.push(if in_library { format!("  --> {file}") } else { format!("{arrow}--> {place}") });
        } else if line.starts_with("error: aborting") || line.starts_with("For more information") {
            break;
        } else if line.trim_start().starts_with("and ") && line.ends_with(" others") {
            lines.push("           and others".to_owned());
        } else if in_library
            && (margin.trim().parse::<u32>().is_ok() || margin.trim().is_empty() && line.contains('|'))
        {
            lines.push(format!("   |{rest}"));
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.join("\n").trim_end().to_owned() + "\n"
}
