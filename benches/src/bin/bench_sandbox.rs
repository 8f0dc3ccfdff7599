//! What the sandbox costs when it is full: pages of tasks, and label rows looked up by hash. The same figures at
//! every size mean that neither grows with the number of rows. The sandbox runs inside this program, so the peak
//! of its memory is that of the sandbox and a little more.
//!
//! ```text
//! bench_sandbox start|pages|rows ROWS
//! ```

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use encord_agents::client::{
    Client, InitialiseArgs, LabelRowFilter, PrivateKey, Project, RetryPolicy, TaskFilter,
};
use encord_agents::labels::id::{DataHash, LabelHash};
use encord_agents::labels::shape::{BoundingBox, ShapeKind};
use encord_agents::labels::{LabelRow, ObjectInstance};
use encord_benches::report;
use encord_sandbox::Sandbox;
use futures::TryStreamExt;
use serde_json::json;

/// One row in so many has labels.
const LABELLED: usize = 10;
/// Rows that one request saves.
const BUNDLE: usize = 1000;
/// Pages, and look-ups of either kind, that a figure is for.
const TIMES: usize = 1000;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [action, rows] = arguments.as_slice() else { bail!("expected an action and a number of rows") };
    let rows: usize = rows.parse().context("the number of rows")?;
    let start = Instant::now();
    let world = World::new(rows).await?;
    let time = match action.as_str() {
        "start" => start.elapsed(),
        "pages" => world.pages().await?,
        "rows" => world.rows().await?,
        other => bail!("there is no action {other:?}"),
    };
    report(time);
    world.sandbox.stop().await;
    Ok(())
}

struct World {
    sandbox: Sandbox,
    project: Project,
    size: usize,
}

impl World {
    async fn new(size: usize) -> Result<Self> {
        let class = json!({
            "id": "1", "name": "Box", "color": "#D33115", "shape": "bounding_box", "featureNodeHash": "be7f1a6b",
            "required": false, "archived": false, "attributes": [],
        });
        let sandbox = Sandbox::builder()
            .project("Full")
            .ontology(json!({"objects": [class], "classifications": []}))
            .stage_agent("Agent", ["complete"])
            .images(size as u64)
            .start()
            .await?;
        let key = PrivateKey::from_openssh(sandbox.private_key_openssh().context("the key")?, None)?;
        let client = Client::builder().private_key(key).domain(sandbox.url()).retry(RetryPolicy::never());
        let hash = sandbox.project("Full").context("the project")?;
        let project = client.build()?.project(hash.into()).await?;
        Ok(Self { sandbox, project, size })
    }

    /// The mean time of [`TIMES`] pages, when all of them are read; hands every page's data units on.
    async fn walk(&self, mut seen: impl FnMut(Vec<DataHash>)) -> Result<Duration> {
        let start = Instant::now();
        let mut pages =
            Box::pin(self.project.agent_task_pages(self.project.stages()[0].uuid, &TaskFilter::new()));
        let (mut count, mut tasks) = (0, 0);
        while let Some(page) = pages.try_next().await? {
            count += 1;
            tasks += page.len();
            seen(page.into_iter().map(|task| task.data_hash).collect());
        }
        ensure!(tasks == self.size, "{tasks} of {} tasks were listed", self.size);
        Ok(start.elapsed().mul_f64(TIMES as f64 / f64::from(count)))
    }

    async fn pages(&self) -> Result<Duration> {
        self.walk(drop).await
    }

    /// The time of [`TIMES`] look-ups by data hash and as many by label hash, spread over all rows.
    async fn rows(&self) -> Result<Duration> {
        let mut data = Vec::with_capacity(self.size);
        self.walk(|page| data.extend(page)).await?;
        let labelled: Vec<DataHash> = data.iter().copied().step_by(LABELLED).collect();
        let mut labels = Vec::with_capacity(labelled.len());
        for bundle in labelled.chunks(BUNDLE) {
            labels.extend(self.label(bundle).await?);
        }
        let start = Instant::now();
        for hash in data.iter().step_by((data.len() / TIMES).max(1)).take(TIMES) {
            self.look_up(LabelRowFilter::new().with_data_hashes([*hash])).await?;
        }
        for hash in labels.iter().step_by((labels.len() / TIMES).max(1)).take(TIMES) {
            let mut row = self.look_up(LabelRowFilter::new().with_label_hashes([*hash])).await?;
            self.project.initialise_labels([&mut row], &InitialiseArgs::default()).await?;
            ensure!(row.objects()?.count() == 1, "the labels of {hash} are gone");
        }
        Ok(start.elapsed())
    }

    async fn look_up(&self, filter: LabelRowFilter) -> Result<LabelRow> {
        let rows = self.project.label_rows(&filter).await?;
        let [row] = <[LabelRow; 1]>::try_from(rows)
            .map_err(|rows| anyhow::anyhow!("one row was expected, {} were found", rows.len()))?;
        Ok(row)
    }

    /// Draws a box on each of these and saves it.
    async fn label(&self, data: &[DataHash]) -> Result<Vec<LabelHash>> {
        let filter = LabelRowFilter::new().with_data_hashes(data.iter().copied());
        let mut rows = self.project.label_rows(&filter).await?;
        self.project.initialise_labels(&mut rows, &InitialiseArgs::default()).await?;
        let class =
            self.project.ontology().objects().iter().find(|class| class.shape() == ShapeKind::BoundingBox);
        let class = class.context("the class of boxes")?;
        for row in &mut rows {
            let mut object = ObjectInstance::new(class);
            object.set(0, BoundingBox::new(0.1, 0.2, 0.3, 0.4)?)?;
            row.add_object(object)?;
        }
        self.project.save_labels(&rows.iter().collect::<Vec<_>>(), false).await?;
        rows.iter().map(|row| row.metadata().label_hash().context("a label hash")).collect()
    }
}
