//! Writes and reads labels in a plain form that other programs can make and compare: what the Python peers use
//! to check that labels mean the same on both sides.
//!
//! ```sh
//! cargo run -p encord-examples --bin exchange_labels -- write PROJECT_HASH < plan.json
//! cargo run -p encord-examples --bin exchange_labels -- read PROJECT_HASH
//! cargo run -p encord-examples --bin exchange_labels -- resave PROJECT_HASH
//! ```
//!
//! `write` adds what a plan says and saves, `read` prints a plan of what is there, `resave` saves every row as it
//! came. A plan is a list of data units by title; objects have `frames` with a `box` or `polygon`, or `ranges`.
#![allow(clippy::print_stdout, reason = "the plan is this program's output")]

use std::collections::BTreeMap;
use std::io::Read;

use anyhow::{Context, Result, bail};
use encord_agents::client::{InitialiseArgs, LabelRowFilter};
use encord_agents::labels::row::Overlap;
use encord_agents::labels::shape::{BoundingBox, Point2d, Polygon, Shape};
use encord_agents::labels::{ClassificationInstance, Frame, FrameRange, FrameSet, ObjectInstance};
use encord_agents::prelude::*;
use serde::{Deserialize, Serialize};

/// The labels of one data unit.
#[derive(Serialize, Deserialize)]
struct Unit {
    title: String,
    #[serde(default)]
    objects: Vec<Object>,
    #[serde(default)]
    classifications: Vec<Classification>,
}

#[derive(Serialize, Deserialize)]
struct Object {
    class: String,
    #[serde(flatten)]
    extent: Extent,
    #[serde(default)]
    answers: BTreeMap<String, String>,
}

/// Where an object is; coordinates are fractions, ranges are inclusive.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Extent {
    Box { frames: Vec<Frame>, r#box: [f64; 4] },
    Polygon { frames: Vec<Frame>, polygon: Vec<[f64; 2]> },
    Ranges { ranges: Vec<[Frame; 2]> },
}

#[derive(Serialize, Deserialize)]
struct Classification {
    class: String,
    frames: Vec<Frame>,
    answer: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [action, project] = arguments.as_slice() else {
        bail!("expected write, read or resave, and a project hash")
    };
    let project = Client::from_env()?.project(project.parse()?).await?;
    let mut rows = project.label_rows(&LabelRowFilter::new()).await?;
    let plan: Option<Vec<Unit>> = match action.as_str() {
        "write" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            Some(serde_json::from_str(&text).context("the plan on standard input makes no sense")?)
        }
        "read" | "resave" => None,
        other => bail!("there is no action {other:?}"),
    };
    if let Some(plan) = &plan {
        rows.retain(|row| plan.iter().any(|unit| unit.title == row.metadata().data_title()));
    }
    project.initialise_labels(&mut rows, &InitialiseArgs::default()).await?;
    for unit in plan.iter().flatten() {
        let row = rows.iter_mut().find(|row| row.metadata().data_title() == unit.title);
        apply(unit, row.with_context(|| format!("the project has no data unit {:?}", unit.title))?)?;
    }
    if action == "read" {
        let units = rows.iter().map(describe).collect::<Result<Vec<_>>>()?;
        println!("{}", serde_json::to_string(&units)?);
    } else {
        project.save_labels(&rows.iter().collect::<Vec<_>>(), false).await?;
    }
    Ok(())
}

fn apply(unit: &Unit, row: &mut LabelRow) -> Result<()> {
    for planned in &unit.objects {
        let mut object = ObjectInstance::new(row.ontology().object(&planned.class)?);
        match &planned.extent {
            Extent::Box { frames, r#box: [x, y, w, h] } => {
                object.set(frames.clone(), BoundingBox::new(*x, *y, *w, *h)?)?;
            }
            Extent::Polygon { frames, polygon } => {
                let outline: Vec<_> = polygon.iter().map(|[x, y]| Point2d::new(*x, *y)).collect();
                object.set(frames.clone(), Polygon::new(outline)?)?;
            }
            Extent::Ranges { ranges } => {
                let ranges = ranges.iter().map(|[start, end]| FrameRange::new(*start, *end));
                object.set_ranges(ranges.collect::<Result<FrameSet, _>>()?)?;
            }
        }
        for (attribute, answer) in &planned.answers {
            object.answer(attribute.as_str(), answer)?;
        }
        row.add_object(object)?;
    }
    for planned in &unit.classifications {
        let class = planned.class.as_str();
        let mut classification = ClassificationInstance::new(row.ontology().classification(class)?);
        classification.set(planned.frames.clone())?;
        classification.answer(class, &planned.answer)?;
        row.add_classification(classification, Overlap::Refuse)?;
    }
    Ok(())
}

fn describe(row: &LabelRow) -> Result<Unit> {
    Ok(Unit {
        title: row.metadata().data_title().to_owned(),
        objects: row.objects()?.map(describe_object).collect::<Result<_>>()?,
        classifications: row.classifications()?.map(describe_classification).collect::<Result<_>>()?,
    })
}

fn describe_object(object: &ObjectInstance) -> Result<Object> {
    let frames = || object.frames().iter().collect();
    let extent = match (object.ranges(), object.annotations().next().map(|(_, first)| first.shape())) {
        (Some(ranges), _) => {
            Extent::Ranges { ranges: ranges.ranges().iter().map(|range| [range.start, range.end]).collect() }
        }
        (None, Some(Shape::BoundingBox(found))) => {
            Extent::Box { frames: frames(), r#box: [found.x, found.y, found.w, found.h] }
        }
        (None, Some(Shape::Polygon(found))) => Extent::Polygon {
            frames: frames(),
            polygon: found.points().map(|point| [point.x, point.y]).collect(),
        },
        (None, other) => bail!("a plan has no form for {:?}", other.map(Shape::kind)),
    };
    let answers = object.answers().into_iter();
    let answers = answers.map(|(attribute, answer)| (attribute.name().to_owned(), text_of(&answer)));
    Ok(Object { class: object.class().name().to_owned(), extent, answers: answers.collect() })
}

fn describe_classification(classification: &ClassificationInstance) -> Result<Classification> {
    let class = classification.class().name();
    let answer = classification.answered(class)?.with_context(|| format!("{class:?} is not answered"))?;
    let frames = classification.frames().iter().collect();
    Ok(Classification { class: class.to_owned(), frames, answer: text_of(&answer) })
}

fn text_of(answer: &encord_agents::labels::row::Answer) -> String {
    answer.as_label().or(answer.as_text()).unwrap_or_default().to_owned()
}
