//! Our side of the runner measurements.
//!
//! ```text
//! bench_runner PROJECT_HASH STAGE noop|save
//! ```

use std::time::Instant;

use anyhow::{Result, bail};
use encord_agents::prelude::*;
use encord_benches::report;

async fn noop() -> &'static str {
    "complete"
}

async fn save(row: LabelRow, _item: StorageItem) -> Outcome {
    Outcome::to("complete").with_label_row(row).with_priority(0.5)
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [project, stage, work] = arguments.as_slice() else {
        bail!("expected a project hash, a stage and the work")
    };
    let start = Instant::now();
    let runner = Runner::new().with_project_hash(project.parse()?);
    let stage = stage.as_str();
    let runner = match work.as_str() {
        "noop" => runner.stage(stage, noop),
        "save" => runner.stage(stage, save),
        other => bail!("there is no work {other:?}"),
    };
    let outcome = runner.run().await?;
    if !outcome.is_success() || outcome.counts().moved == 0 {
        bail!("the run did not go well:\n{outcome}");
    }
    report(start.elapsed());
    Ok(())
}
