//! Our side of the runner measurements.
//!
//! ```text
//! bench_runner PROJECT_HASH STAGE noop|save|assets|assets-one-by-one|work-only
//! ```

use std::time::Duration;

use anyhow::{Result, bail};
use encord_agents::prelude::*;
use encord_benches::Stopwatch;

/// How long an agent works on a file.
const WORK: Duration = Duration::from_millis(20);

async fn noop() -> &'static str {
    "complete"
}

async fn save(row: LabelRow, _item: StorageItem) -> Outcome {
    Outcome::to("complete").with_label_row(row).with_priority(0.5)
}

async fn work_on_asset(asset: Asset) -> Result<&'static str> {
    if std::fs::metadata(asset.path())?.len() == 0 {
        bail!("the file is empty");
    }
    Ok(work_only().await)
}

async fn work_only() -> &'static str {
    tokio::time::sleep(WORK).await;
    "complete"
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [project, stage, work] = arguments.as_slice() else {
        bail!("expected a project hash, a stage and the work")
    };
    let stopwatch = Stopwatch::start();
    let runner = Runner::new().with_project_hash(project.parse()?);
    let stage = stage.as_str();
    let runner = match work.as_str() {
        "noop" => runner.stage(stage, noop),
        "save" => runner.stage(stage, save),
        "assets" => runner.stage(stage, work_on_asset),
        "assets-one-by-one" => {
            runner.configure(|options| options.prefetch_assets = 0).stage(stage, work_on_asset)
        }
        "work-only" => runner.stage(stage, work_only),
        other => bail!("there is no work {other:?}"),
    };
    let outcome = runner.run().await?;
    if !outcome.is_success() || outcome.counts().moved == 0 {
        bail!("the run did not go well:\n{outcome}");
    }
    stopwatch.report();
    Ok(())
}
