//! Our side of the media measurements.
//!
//! ```text
//! bench_media all FILE
//! bench_media every STEP FILE
//! bench_media indices 3,7,9 FILE
//! bench_media download PROJECT_HASH TARGET
//! ```

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use encord_agents::client::{Client, Download};
use encord_agents::media::video::{Backend, Sampling, Video};
use encord_benches::report;

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let time = match arguments.as_slice() {
        ["all", file] => frames(file, &Sampling::All)?,
        ["every", step, file] => frames(file, &Sampling::Every(step.parse()?))?,
        ["indices", list, file] => {
            let numbers = list.split(',').map(str::parse).collect::<Result<_, _>>()?;
            frames(file, &Sampling::Indices(numbers))?
        }
        ["download", project, target] => download(project, target)?,
        other => bail!("there is no action {other:?}"),
    };
    report(time);
    Ok(())
}

/// Opens the video and decodes the frames that are asked for.
fn frames(file: &str, sampling: &Sampling) -> Result<Duration> {
    let start = Instant::now();
    let mut count = 0;
    for frame in Video::open(file, Backend::best()?)?.sample(sampling)? {
        black_box(&frame?.pixels);
        count += 1;
    }
    let time = start.elapsed();
    if count == 0 {
        bail!("no frame of {file} was decoded");
    }
    Ok(time)
}

/// Downloads the file of the project's only data unit, from a signed link that is there already.
fn download(project: &str, target: &str) -> Result<Duration> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = Client::from_env()?;
        let rows = client.project(project.parse()?).await?.label_rows(&Default::default()).await?;
        let row = rows.first().context("the project has no data")?;
        let item = row.metadata().backing_item_uuid().context("the data has no storage item")?;
        let url = client.sign_item(item).await?.context("the item has no file")?;
        let start = Instant::now();
        client.download(Download::new(url), target).await?;
        Ok(start.elapsed())
    })
}
