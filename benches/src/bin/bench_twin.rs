//! Our side of the twin measurements: the time to the first call of an agent that sees a twin project.
//!
//! ```text
//! bench_twin PROJECT_HASH STAGE TWIN_HASH
//! ```

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, bail};
use encord_agents::prelude::*;
use encord_agents::twin::extract::{Twin, TwinOf};
use encord_benches::Stopwatch;

struct Large;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [project, stage, twin] = arguments.as_slice() else {
        bail!("expected a project hash, a stage and the hash of the twin project")
    };
    let stopwatch = Arc::new(Mutex::new(Some(Stopwatch::start())));
    let first = Arc::clone(&stopwatch);
    let agent = move |twin: Twin<Large>| {
        let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
        async move {
            anyhow::ensure!(twin.row.is_initialised(), "the twin has no labels");
            if let Some(first) = first {
                first.report();
            }
            Ok::<_, anyhow::Error>("complete")
        }
    };
    let runner = Runner::new().with_project_hash(project.parse()?);
    let report =
        runner.with_state(TwinOf::<Large>::new(twin.parse()?)).stage(stage.as_str(), agent).run().await?;
    if !report.is_success() {
        bail!("the run did not go well:\n{report}");
    }
    Ok(())
}
