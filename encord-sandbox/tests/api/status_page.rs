//! The status page in a real browser: what people see, and that titles stay text.

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use encord_sandbox::Sandbox;
use reqwest::Method;
use tokio::process::Command;

use super::wire::Wire;

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// The page as the browser has it after it ran what there is to run; `None` without a browser.
async fn rendered(url: &str) -> Option<String> {
    let profile = tempfile::tempdir().unwrap();
    for browser in BROWSERS {
        let mut command = Command::new(browser);
        command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]);
        command.args(["--no-first-run", "--window-size=1200,900", "--dump-dom"]);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg(url);
        command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        match tokio::time::timeout(Duration::from_secs(60), command.output()).await {
            Ok(Ok(output)) => return Some(String::from_utf8(output.stdout).unwrap()),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
            Ok(Err(error)) => panic!("{browser}: {error}"),
            Err(_) => panic!("{browser} did not finish"),
        }
    }
    // Not a macro of the test harness, which would hide it.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: the status page was not looked at, since there is no Chromium: `cargo xtask setup --photo` installs it"
    );
    None
}

#[tokio::test]
async fn the_page_shows_projects_stages_and_requests() {
    let hostile =
        "<img src=x onerror=\"document.body.id='harmed'\"><script>document.body.id='harmed'</script>";
    let sandbox = Sandbox::builder()
        .project("Cats")
        .stage_agent("Agent 1", ["complete"])
        .images(520)
        .project(hostile)
        .start()
        .await
        .unwrap();
    let wire = Wire::new(&sandbox);
    let project = sandbox.project("Cats").unwrap();
    wire.v2(Method::GET, &format!("/projects/{project}"), None).await.ok();
    wire.v2(Method::GET, "/projects/no-uuid", None).await;
    let Some(page) = rendered(sandbox.url()).await else { return };
    for (what, part) in [
        ("title", "<title>Encord sandbox</title>"),
        ("project", "Cats"),
        ("stage", "<td>Agent 1</td><td>AGENT</td><td class=\"n\">520</td>"),
        ("last stage", "<td>Complete</td><td>DONE</td><td class=\"n\">0</td>"),
        ("endpoint", "GET /v2/public/projects/{project}"),
        ("refusals", "<span class=\"bad\">422</span>"),
        ("title as text", "&lt;img src=x onerror="),
    ] {
        assert!(page.contains(part), "{what} is missing: {page}");
    }
    assert!(!page.contains("id=\"harmed\""), "a title brought a script: {page}");
}
