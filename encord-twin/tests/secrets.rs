//! A whole run (listing, labels, download, twins, saves, moves, and the same while requests fail) logs no secret.

#![allow(clippy::unwrap_used)]

mod world;

use std::io::Write;
use std::sync::{Arc, Mutex};

use encord_client::{PrivateKey, RetryPolicy};
use encord_runner::{Asset, LabelRow, Outcome, Runner, StorageItem};
use encord_sandbox::{FaultPlan, FaultRule};
use encord_twin::extract::{Twin, TwinOf};

use crate::world::{OWN, TWIN, world};

struct Model;

/// Everything that was logged, by whichever crate.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl log::Log for Captured {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        writeln!(self.clone(), "{} {}", record.target(), record.args()).unwrap();
    }

    fn flush(&self) {}
}

#[tokio::test]
async fn a_whole_run_logs_no_secret() {
    let captured = Captured::default();
    log::set_logger(Box::leak(Box::new(captured.clone()))).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let writer = captured.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone());
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();

    // What links are signed with differs from link to link, so the agent writes down what it sees.
    static LINKS: Mutex<Vec<String>> = Mutex::new(Vec::new());
    async fn agent(row: LabelRow, item: StorageItem, asset: Asset, twin: Option<Twin<Model>>) -> Outcome {
        assert!(std::fs::metadata(asset.path()).unwrap().len() > 0);
        LINKS.lock().unwrap().extend(item.signed_url.as_ref().map(|url| url.expose().to_owned()));
        let shown = twin.as_ref().map(|twin| format!("{twin:?}"));
        tracing::info!(?row, ?item, ?asset, ?shown, "what an agent may log");
        let outcome = Outcome::to("complete").with_label_row(row);
        twin.into_iter().fold(outcome, |outcome, twin| outcome.with_beside(twin.save()))
    }
    let (sandbox, own, _) = world(3).await;
    let text = sandbox.private_key_openssh().unwrap().to_owned();
    let key = PrivateKey::from_openssh(&text, None).unwrap();
    let client = encord_client::Client::builder().private_key(key).domain(sandbox.url());
    let client = client.retry(RetryPolicy::never()).build().unwrap();
    let project = client.project(own.hash()).await.unwrap();
    let run = async || {
        let runner = Runner::new().with_project(project.clone()).configure(|options| options.num_retries = 0);
        runner.with_state(TwinOf::<Model>::new(TWIN.parse().unwrap())).stage("Agent 1", agent).run().await
    };
    for (endpoint, status) in [
        ("POST /public labelrow GET", 500),
        ("POST /public labelrow PUT", 403),
        ("GET /_blobs/*", 404),
        ("POST /public labelrow POST", 400),
        ("POST /v2/public/projects/*/actions", 400),
        ("*", 401),
    ] {
        let rule = FaultRule { endpoint: endpoint.into(), status: Some(status), ..FaultRule::default() };
        sandbox.set_faults(FaultPlan { seed: 1, rules: vec![rule] }).unwrap();
        if let Ok(report) = run().await {
            tracing::info!(%report, "a run that failed");
        }
    }
    sandbox.set_faults(FaultPlan::default()).unwrap();
    let report = run().await.unwrap();
    tracing::info!(%report, "a run that did not");
    let state = sandbox.state(OWN.parse().unwrap()).unwrap();
    assert_eq!(state.tasks_per_stage["Complete"], 5, "{report}");

    let mut secrets: Vec<String> =
        text.lines().filter(|line| !line.starts_with('-')).map(str::to_owned).collect();
    let links = LINKS.lock().unwrap().clone();
    let queries = links.iter().map(|link| link.split_once('?').unwrap().1);
    secrets.extend(
        queries
            .flat_map(|query| query.split('&'))
            .filter_map(|pair| Some(pair.split_once('=')?.1.to_owned())),
    );
    // Single values are secret; times are not.
    secrets.retain(|secret| secret.len() > 12);
    assert!(secrets.len() > 8, "{}", secrets.len());
    let logged = String::from_utf8_lossy(&captured.0.lock().unwrap()).into_owned();
    for needed in ["hyper", "what an agent may log", "a run that failed", "?redacted"] {
        assert!(logged.contains(needed), "{needed} was not logged");
    }
    for secret in &secrets {
        let line = logged.lines().find(|line| line.contains(secret.as_str()));
        assert_eq!(line, None, "shows {secret}");
    }
}
