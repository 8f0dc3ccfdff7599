//! Edits label rows by script, for comparison with other tools.
//!
//! Each line of stdin is `{"ontology": {…}, "label_row": {…}, "metadata": {…}, "edits": [{"op": "…", …}]}`. The answer
//! is the edited label document, or `{"error": "…"}`. Frames are inclusive pairs, classes, attributes and options are
//! named by feature hash, geometry is spelled as in documents.

mod geometry;

use std::io::{self, BufRead, Write};
use std::sync::Arc;

use encord_labels::ontology::Attribute;
use encord_labels::row::{Details, GivenAnswer, HtmlPosition, HtmlRange, Interpolation, Overlap};
use encord_labels::{
    ClassificationInstance, Error, Frame, FrameRange, FrameSet, LabelRow, LabelRowMetadata, ObjectInstance,
    Ontology,
};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().split(b'\n') {
        let line = line?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let answer = edited(&line).unwrap_or_else(|error| json!({"error": error.to_string()}));
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

fn edited(line: &[u8]) -> Outcome<Value> {
    let mut case: Value = serde_json::from_slice(line)?;
    let ontology = Arc::new(Ontology::from_json(&case["ontology"])?);
    let metadata = LabelRowMetadata::from_json(case["metadata"].take())?;
    let mut row = LabelRow::new(metadata, ontology.clone());
    row.initialise_from_value(case["label_row"].take())?;
    for (index, edit) in case["edits"].as_array().into_iter().flatten().enumerate() {
        apply(&mut row, &ontology, edit).map_err(|error| format!("edit {index} ({edit}): {error}"))?;
    }
    Ok(row.to_document()?)
}

fn apply(row: &mut LabelRow, ontology: &Ontology, edit: &Value) -> Outcome<()> {
    match text(edit, "op")? {
        "add_object" => {
            let mut object = new_object(ontology, edit)?;
            object.set_with(
                frames(edit)?,
                geometry::shape(object.class(), &edit["geometry"])?,
                details(edit)?,
            )?;
            row.add_object(object)?;
        }
        "put_on_space" => {
            let mut object = new_object(ontology, edit)?;
            let shape = geometry::shape(object.class(), &edit["geometry"])?;
            object.set_on(&text(edit, "space")?.into(), frames(edit)?, shape, details(edit)?)?;
            row.add_object(object)?;
        }
        "add_ranges" => {
            let mut object = new_object(ontology, edit)?;
            object.set_ranges(frames(edit)?)?;
            row.add_object(object)?;
        }
        "add_html" => {
            let mut object = new_object(ontology, edit)?;
            object.set_html_ranges(html(edit)?)?;
            row.add_object(object)?;
        }
        "put_ranges_on_space" => {
            let mut object = new_object(ontology, edit)?;
            let space = text(edit, "space")?.into();
            if edit["html"].is_null() {
                object.set_ranges_on(&space, frames(edit)?)?;
            } else {
                object.set_html_ranges_on(&space, html(edit)?)?;
            }
            row.add_object(object)?;
        }
        "add_events" => {
            let mut object = new_object(ontology, edit)?;
            edit["events"]
                .as_array()
                .into_iter()
                .flatten()
                .try_for_each(|event| upsert(&mut object, event))?;
            object.delete_at(time(edit, "end")?)?;
            row.add_object(object)?;
        }
        "upsert" => upsert(object(row, edit)?, edit)?,
        "delete_event" => object(row, edit)?.delete_at(time(edit, "time")?)?,
        "remove_event" => object(row, edit)?.remove_event(time(edit, "time")?)?,
        "set_ranges" => object(row, edit)?.set_ranges(frames(edit)?)?,
        "reshape" => {
            let object = object(row, edit)?;
            let shape = geometry::shape(object.class(), &edit["geometry"])?;
            object.reshape(frames(edit)?, shape)?;
        }
        "reshape_on" => {
            let object = object(row, edit)?;
            let shape = geometry::shape(object.class(), &edit["geometry"])?;
            object.reshape_on(&text(edit, "space")?.into(), frames(edit)?, shape)?;
        }
        "remove_frames_on" => {
            object(row, edit)?.remove_frames_on(&text(edit, "space")?.into(), frames(edit)?)?;
        }
        "copy_object" => {
            let copy = object(row, edit)?.copy_as(text(edit, "copy")?);
            row.add_object(copy)?;
        }
        "details_on" => {
            let given = details(edit)?;
            object(row, edit)?.change_details_on(time(edit, "frame")?, |details| credit(details, given))?;
        }
        "details_on_space" => {
            let (space, given) = (text(edit, "space")?.into(), details(edit)?);
            let frame = time(edit, "frame")?;
            object(row, edit)?.change_details_on_space(&space, frame, |details| credit(details, given))?;
        }
        "details_of_ranges" => {
            let given = details(edit)?;
            object(row, edit)?.change_details(|details| credit(details, given))?;
        }
        "remove_frames" => object(row, edit)?.remove_frames(frames(edit)?)?,
        "remove_object" => drop(row.remove_object(text(edit, "object")?)?),
        "number" => object(row, edit)?.set_number(edit["number"].as_u64()),
        "answer" => {
            let object = object(row, edit)?;
            let attribute = object.class().attribute_by_hash(text(edit, "attribute")?)?.clone();
            object.change_answer(&attribute, given(&attribute, &edit["value"])?)?;
        }
        "unanswer" => {
            let object = object(row, edit)?;
            let attribute = object.class().attribute_by_hash(text(edit, "attribute")?)?.clone();
            object.unanswer(&attribute)?;
        }
        "unanswer_on" | "unanswer_on_space" => {
            let object = object(row, edit)?;
            let attribute = object.class().attribute_by_hash(text(edit, "attribute")?)?.clone();
            object.unanswer_on(frames(edit)?, &attribute)?;
        }
        "answer_on" | "answer_on_space" => {
            let object = object(row, edit)?;
            let attribute = object.class().attribute_by_hash(text(edit, "attribute")?)?.clone();
            object.answer_on(frames(edit)?, &attribute, given(&attribute, &edit["value"])?)?;
        }
        "add_classification" => {
            let class = ontology.classification_by_hash(text(edit, "class")?)?;
            let mut classification = ClassificationInstance::with_hash(class, text(edit, "classification")?);
            if !edit["frames"].is_null() {
                classification.set(frames(edit)?)?;
                classification.set_details(details(edit)?)?;
            }
            let attribute = class.attribute_by_hash(text(edit, "attribute")?)?;
            classification.answer(attribute, given(attribute, &edit["value"])?)?;
            row.add_classification(classification, Overlap::Refuse)?;
        }
        "classify_space" => {
            let class = ontology.classification_by_hash(text(edit, "class")?)?;
            let mut classification = ClassificationInstance::with_hash(class, text(edit, "classification")?);
            let frames = if edit["frames"].is_null() { FrameSet::new() } else { frames(edit)? };
            classification.set_on(&text(edit, "space")?.into(), frames)?;
            classification.set_details(details(edit)?)?;
            let attribute = class.attribute_by_hash(text(edit, "attribute")?)?;
            classification.answer(attribute, given(attribute, &edit["value"])?)?;
            row.add_classification(classification, Overlap::Refuse)?;
        }
        "copy_classification" => {
            let removed = row.remove_classification(text(edit, "classification")?)?;
            row.add_classification(removed.copy_as(text(edit, "copy")?), Overlap::Refuse)?;
        }
        "details_of_classification" => {
            let given = details(edit)?;
            let classification = row.classification_mut(text(edit, "classification")?)?;
            classification.change_details(|details| credit(details, given))?;
        }
        "move_classification" => {
            row.set_classification_frames(text(edit, "classification")?, frames(edit)?, Overlap::Refuse)?;
        }
        "answer_classification" => {
            let classification = row.classification_mut(text(edit, "classification")?)?;
            let attribute = classification.class().attribute_by_hash(text(edit, "attribute")?)?.clone();
            classification.change_answer(&attribute, given(&attribute, &edit["value"])?)?;
        }
        "remove_classification" => drop(row.remove_classification(text(edit, "classification")?)?),
        other => return Err(format!("there is no operation {other}").into()),
    }
    Ok(())
}

fn new_object(ontology: &Ontology, edit: &Value) -> Outcome<ObjectInstance> {
    let class = ontology.object_by_hash(text(edit, "class")?)?;
    Ok(ObjectInstance::with_hash(class, text(edit, "object")?))
}

fn object<'r>(row: &'r mut LabelRow, edit: &Value) -> Outcome<&'r mut ObjectInstance> {
    Ok(row.object_mut(text(edit, "object")?)?)
}

fn upsert(object: &mut ObjectInstance, event: &Value) -> Outcome<()> {
    let shape = geometry::shape(object.class(), &event["geometry"])?;
    let interpolation = match event["interpolation"].as_str() {
        Some("linear") => Some(Interpolation::Linear),
        Some("hold") => Some(Interpolation::Hold),
        _ => None,
    };
    Ok(object.upsert(time(event, "time")?, shape, interpolation, details(event)?)?)
}

fn time(edit: &Value, key: &str) -> Outcome<Frame> {
    edit[key].as_u64().ok_or_else(|| format!("the key {key} is no time").into())
}

fn html(edit: &Value) -> Outcome<Vec<HtmlRange>> {
    let position = |node: &Value| -> Outcome<HtmlPosition> {
        Ok(HtmlPosition::new(text(node, "xpath")?, time(node, "offset")?))
    };
    let ranges = edit["html"].as_array().into_iter().flatten();
    ranges.map(|both| Ok(HtmlRange::new(position(&both["start"])?, position(&both["end"])?))).collect()
}

fn details(edit: &Value) -> Outcome<Details> {
    let mut details = Details::by_hand();
    details.confidence = edit["confidence"].as_f64();
    details.manual_annotation = edit["manual"].as_bool();
    details.created_by = edit["created_by"].as_str().map(Into::into);
    details.last_edited_by = edit["last_edited_by"].as_str().map(Into::into);
    Ok(details)
}

/// Takes over everything but the times.
fn credit(details: &mut Details, given: Details) {
    details.confidence = given.confidence;
    details.manual_annotation = given.manual_annotation;
    details.created_by = given.created_by;
    details.last_edited_by = given.last_edited_by;
}

fn text<'e>(edit: &'e Value, key: &str) -> Outcome<&'e str> {
    edit[key].as_str().ok_or_else(|| format!("the key {key} is missing").into())
}

fn frames(edit: &Value) -> Outcome<FrameSet> {
    let pairs: Vec<(Frame, Frame)> = serde_json::from_value(edit["frames"].clone())?;
    let ranges: Result<Vec<FrameRange>, Error> =
        pairs.into_iter().map(|(start, end)| FrameRange::new(start, end)).collect();
    Ok(ranges?.into_iter().collect())
}

fn given(attribute: &Attribute, value: &Value) -> Outcome<GivenAnswer> {
    Ok(match value {
        Value::String(text) => text.as_str().into(),
        Value::Number(number) => GivenAnswer::Exact(number.clone()),
        Value::Array(hashes) => {
            let options: Result<Vec<_>, Error> = hashes
                .iter()
                .map(|hash| attribute.option_by_hash(hash.as_str().unwrap_or_default()))
                .collect();
            options?.into()
        }
        other => return Err(format!("{other} is no answer").into()),
    })
}
