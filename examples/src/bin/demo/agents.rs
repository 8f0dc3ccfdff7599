//! The demo's agents, one per kind of data. Each is what a user would write: an async function whose arguments
//! say what it needs.

use std::path::Path;

use anyhow::{Context, Result, bail};
use encord_agents::client::ItemType;
use encord_agents::labels::id::ProjectHash;
use encord_agents::labels::row::Overlap;
use encord_agents::labels::shape::{BoundingBox, Point2d, Polygon};
use encord_agents::labels::{ClassificationInstance, Frame, ObjectInstance};
use encord_agents::media::{Limits, image};
use encord_agents::prelude::*;
use encord_agents::runner::queue::embedded::EmbeddedQueue;
use encord_agents::runner::queue::{WorkOptions, WorkReport};
use encord_examples::samples::WORD;
use ndarray::ArrayView3;

use crate::find::{self, Rectangle};
use crate::gallery::{Gallery, View};
use crate::inputs::{Pair, Pictures, Slices, Sound, summary_of_file};
use crate::workflow::{NEXT, RANK, SORT, TYPES};

/// Whether this build can look into videos.
pub(crate) const DECODE_VIDEO: bool = cfg!(feature = "video");

/// All agents on the project; the same for both runners.
pub(crate) fn runner(client: &Client, project: ProjectHash, gallery: Gallery) -> Runner<Gallery> {
    let runner = Runner::new()
        .with_state(gallery)
        .with_client(client.clone())
        .with_project_hash(project)
        .stage(SORT, sort)
        .stage("Pictures", picture)
        .stage("Picture groups", pictures)
        .stage("Recordings", recording)
        .stage("Texts", text)
        .stage("Scans", scan)
        .stage("Pairs", pair)
        .stage("Other files", other);
    #[cfg(feature = "video")]
    let runner = runner.stage("Videos", video);
    runner.stage(RANK, rank)
}

/// Sends the tasks of each stage through a queue in a file and works on them; returns a table.
pub(crate) async fn run_through_queue(runner: Runner<Gallery>, file: &Path) -> Result<String> {
    // What an earlier demo left behind belongs to another sandbox.
    if file.exists() {
        std::fs::remove_file(file)?;
    }
    let queue = EmbeddedQueue::open(file).await?;
    let runner = runner.into_queue().await?;
    let mut table = format!(
        "{:width$} {:>8} {:>8} {:>8} {:>8}\n",
        "stage",
        "queued",
        "done",
        "failed",
        "dead",
        width = 16
    );
    for stage in runner.agent_stages() {
        let queued = runner.enqueue(&queue, stage.uuid).await?.new;
        let options = WorkOptions { concurrency: 2, until_empty: true, ..WorkOptions::default() };
        let WorkReport { done, failed, dead, .. } = runner.work(&queue, options).await?;
        table += &format!("{:16} {queued:>8} {done:>8} {failed:>8} {dead:>8}\n", stage.title);
    }
    Ok(table)
}

/// Sends each task to the stage for its type.
async fn sort(item: StorageItem) -> Result<&'static str> {
    let kind = match item.item_type {
        ItemType::Image => "image",
        ItemType::ImageGroup => "image_group",
        ItemType::Video => "video",
        ItemType::ImageSequence => "image_sequence",
        ItemType::Audio => "audio",
        ItemType::PlainText => "plain_text",
        ItemType::DicomSeries => "dicom_series",
        ItemType::Group => "group",
        ItemType::Pdf => "pdf",
        ItemType::Nifti => "nifti",
        other => bail!("the demo makes no {other}"),
    };
    let stage = TYPES.iter().find(|(_, kinds)| kinds.contains(&kind));
    stage.map(|(title, _)| *title).with_context(|| format!("no stage takes {kind}"))
}

/// Boxes the disc and says whether the picture is bright.
async fn picture(
    task: AgentTask,
    asset: Asset,
    mut row: LabelRow,
    gallery: State<Gallery>,
) -> Result<Outcome> {
    let picture = image::decode(asset.path(), &Limits::default())?;
    let mut disc = new_object(&row, "Disc")?;
    draw_disc(&mut disc, 0, picture.view())?;
    let large = disc.on_frame(0).is_some() && share_of_disc(picture.view()) > 0.06;
    disc.answer("Size", if large { "Large" } else { "Small" })?;
    row.add_object(disc)?;
    let bright = find::brightness(picture.view()) > 128.0;
    classify(&mut row, "Brightness", if bright { "Bright" } else { "Dark" })?;
    gallery.0.add(task.data_hash, View::picture(0, picture.view())?);
    Ok(Outcome::to(NEXT).with_label_row(row))
}

/// Boxes the disc in each picture of a group.
async fn pictures(
    task: AgentTask,
    group: Pictures,
    mut row: LabelRow,
    gallery: State<Gallery>,
) -> Result<Outcome> {
    let mut disc = new_object(&row, "Disc")?;
    for (frame, picture) in group.0.iter().enumerate() {
        draw_disc(&mut disc, frame as Frame, picture.view())?;
        gallery.0.add(task.data_hash, View::picture(frame, picture.view())?);
    }
    row.add_object(disc)?;
    Ok(Outcome::to(NEXT).with_label_row(row))
}

/// Follows the disc through all frames of a video.
#[cfg(feature = "video")]
async fn video(task: AgentTask, asset: Asset, mut row: LabelRow, gallery: State<Gallery>) -> Result<Outcome> {
    use encord_agents::media::video::{Backend, Video};

    let gallery = gallery.0;
    // Decoding keeps a core busy; the runner goes on fetching meanwhile.
    let work = tokio::task::spawn_blocking(move || -> Result<LabelRow> {
        let video = Video::open(asset.path(), Backend::best()?)?;
        let shown = (video.frame_count()? / 3).max(1);
        let mut disc = new_object(&row, "Disc")?;
        for frame in video.frames()? {
            let frame = frame?;
            draw_disc(&mut disc, frame.index as Frame, frame.pixels.view())?;
            if frame.index % shown == 0 {
                gallery.add(task.data_hash, View::picture(frame.index as usize, frame.pixels.view())?);
            }
        }
        row.add_object(disc)?;
        Ok(row)
    });
    Ok(Outcome::to(NEXT).with_label_row(work.await??))
}

/// Labels the loud part of a recording.
async fn recording(
    task: AgentTask,
    sound: Sound,
    mut row: LabelRow,
    gallery: State<Gallery>,
) -> Result<Outcome> {
    let (start, end) = sound.loud_part().context("the recording is quiet throughout")?;
    let mut loud = new_object(&row, "Loud part")?;
    loud.set_ranges(start..=end)?;
    row.add_object(loud)?;
    gallery.0.add(task.data_hash, sound.view());
    Ok(Outcome::to(NEXT).with_label_row(row))
}

/// Labels a word in a text.
async fn text(task: AgentTask, asset: Asset, mut row: LabelRow, gallery: State<Gallery>) -> Result<Outcome> {
    let text = std::fs::read_to_string(asset.path())?;
    let (start, end) = find::word(&text, WORD).with_context(|| format!("the text does not say {WORD:?}"))?;
    let mut word = new_object(&row, "Word")?;
    word.set_ranges(start as Frame..=end as Frame - 1)?;
    row.add_object(word)?;
    gallery.0.add(task.data_hash, View::Text(text));
    Ok(Outcome::to(NEXT).with_label_row(row))
}

/// Outlines what is denser than soft tissue in the slices of a CT.
async fn scan(
    task: AgentTask,
    slices: Slices,
    mut row: LabelRow,
    gallery: State<Gallery>,
) -> Result<Outcome> {
    let mut outline = new_object(&row, "Outline")?;
    for (frame, slice) in slices.0.iter().enumerate() {
        if let Some(rectangle) = find::dense_thing(slice.view()) {
            outline.set(frame as Frame, ellipse(rectangle, slice.dim())?)?;
        }
        gallery.0.add(task.data_hash, View::slice(frame, slice.view())?);
    }
    row.add_object(outline)?;
    Ok(Outcome::to(NEXT).with_label_row(row))
}

/// Labels both members of a pair, the recording and the text, each in its own space.
async fn pair(task: AgentTask, pair: Pair, mut row: LabelRow, gallery: State<Gallery>) -> Result<Outcome> {
    let space_of = |row: &LabelRow, name: &str| -> Result<_> {
        let space = row.spaces()?.find(|space| space.file_name() == Some(name));
        Ok(space.with_context(|| format!("the label row has no space for {name}"))?.id().clone())
    };
    let (start, end) = pair.sound.loud_part().context("the recording is quiet throughout")?;
    let mut loud = new_object(&row, "Loud part")?;
    loud.set_ranges_on(&space_of(&row, &pair.sound_name)?, start..=end)?;
    row.add_object(loud)?;
    let (start, end) =
        find::word(&pair.text, WORD).with_context(|| format!("the text does not say {WORD:?}"))?;
    let mut word = new_object(&row, "Word")?;
    word.set_ranges_on(&space_of(&row, &pair.text_name)?, start as Frame..=end as Frame - 1)?;
    row.add_object(word)?;
    gallery.0.add(task.data_hash, pair.sound.view());
    gallery.0.add(task.data_hash, View::Text(pair.text));
    Ok(Outcome::to(NEXT).with_label_row(row))
}

/// Says what is inside a file without a decoder here.
async fn other(task: AgentTask, asset: Asset, mut row: LabelRow, gallery: State<Gallery>) -> Result<Outcome> {
    let summary = summary_of_file(asset.path(), asset.item().item_type)?;
    classify(&mut row, "Contents", &summary)?;
    gallery.0.add(task.data_hash, View::Text(summary));
    Ok(Outcome::to(NEXT).with_label_row(row))
}

/// Ranks by what the agents before found: labels saved in one stage are there in the next.
async fn rank(row: LabelRow) -> Result<Outcome> {
    let found = row.objects()?.count() + row.classifications()?.count();
    if found == 0 {
        bail!("nothing was labelled");
    }
    Ok(Outcome::to(NEXT).with_priority((found as f64 / 4.0).min(1.0)))
}

fn new_object(row: &LabelRow, class: &str) -> Result<ObjectInstance> {
    Ok(ObjectInstance::new(row.ontology().object(class)?))
}

/// Draws the disc on a frame if it is there.
fn draw_disc(disc: &mut ObjectInstance, frame: Frame, picture: ArrayView3<u8>) -> Result<()> {
    if let Some(found) = find::red_thing(picture) {
        let (height, width, _) = picture.dim();
        let [x, y, w, h] = [found.left, found.top, found.right - found.left, found.bottom - found.top]
            .map(|pixels| pixels as f64);
        disc.set(frame, BoundingBox::from_pixels(x, y, w, h, width as u32, height as u32)?)?;
    }
    Ok(())
}

fn share_of_disc(picture: ArrayView3<u8>) -> f64 {
    let (height, width, _) = picture.dim();
    let area = |found: Rectangle| (found.right - found.left) * (found.bottom - found.top);
    find::red_thing(picture).map_or(0.0, |found| area(found) as f64 / (height * width) as f64)
}

/// The ellipse inside a rectangle, with sixteen corners.
fn ellipse(rectangle: Rectangle, (rows, columns): (usize, usize)) -> Result<Polygon> {
    let middle = |low: usize, high: usize, size: usize| (low + high) as f64 / 2.0 / size as f64;
    let radius = |low: usize, high: usize, size: usize| (high - low) as f64 / 2.0 / size as f64;
    let Rectangle { left, top, right, bottom } = rectangle;
    let corner = |number: usize| {
        let (sine, cosine) = (number as f64 / 16.0 * std::f64::consts::TAU).sin_cos();
        let x = middle(left, right, columns) + radius(left, right, columns) * cosine;
        let y = middle(top, bottom, rows) + radius(top, bottom, rows) * sine;
        Point2d::new(x, y)
    };
    Ok(Polygon::new((0..16).map(corner).collect::<Vec<_>>())?)
}

fn classify(row: &mut LabelRow, class: &str, answer: &str) -> Result<()> {
    let mut classification = ClassificationInstance::new(row.ontology().classification(class)?);
    classification.set(0)?;
    classification.answer(class, answer)?;
    row.add_classification(classification, Overlap::default())?;
    Ok(())
}
