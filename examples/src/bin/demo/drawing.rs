//! Labels as SVG, drawn from the documents that the sandbox gave back, not from what the agents meant to save.

use serde_json::Value;

/// One object or classification of a label row document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Label {
    pub(crate) name: String,
    pub(crate) color: String,
    pub(crate) shape: Shape,
}

/// Where a label is; coordinates are relative to the picture, 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    Box {
        x: f64,
        y: f64,
        width: f64,
        height: f64,
    },
    Polygon(Vec<(f64, f64)>),
    /// Inclusive ranges: milliseconds of a recording, characters of a text.
    Ranges(Vec<(u64, u64)>),
}

/// The objects on one frame of a picture, group, video or series.
pub(crate) fn on_frame(document: &Value, frame: usize) -> Vec<Label> {
    let units: Vec<&Value> =
        document["data_units"].as_object().into_iter().flat_map(|units| units.values()).collect();
    let objects = match units.as_slice() {
        [unit] if unit["labels"]["objects"].is_array() => &unit["labels"]["objects"],
        [unit] => &unit["labels"][frame.to_string()]["objects"],
        // The pictures of a group are units of their own, numbered by a string.
        several => {
            let number = frame.to_string();
            let unit = several.iter().find(|unit| plain(&unit["data_sequence"]) == number);
            &unit.unwrap_or(&&Value::Null)["labels"]["objects"]
        }
    };
    list(objects).iter().filter_map(|object| label(object, geometry(object)?)).collect()
}

/// The objects of this class that are ranges of a recording or a text, on the row or on one of its spaces.
pub(crate) fn on_ranges(document: &Value, shape: &str) -> Vec<Label> {
    let objects = document["object_answers"].as_object().into_iter().flat_map(|answers| answers.values());
    let objects = objects.filter(|object| object["shape"] == shape);
    objects.filter_map(|object| label(object, ranges(object)?)).collect()
}

/// The classifications as `question: answer`.
pub(crate) fn classifications(document: &Value) -> Vec<String> {
    let answers = document["classification_answers"].as_object();
    let entries = answers.into_iter().flat_map(|answers| answers.values());
    entries
        .flat_map(|entry| list(&entry["classifications"]))
        .map(|answer| {
            let value = match &answer["answers"] {
                Value::Array(options) => {
                    options.iter().map(|option| plain(&option["name"])).collect::<Vec<_>>().join(", ")
                }
                other => plain(other),
            };
            format!("{}: {value}", plain(&answer["name"]))
        })
        .collect()
}

/// The labels of a picture of this size as SVG elements.
pub(crate) fn svg(labels: &[Label], width: usize, height: usize) -> String {
    let (width, height) = (width as f64, height as f64);
    let stroke = (width / 160.0).max(1.0);
    labels
        .iter()
        .map(|label| {
            let color = escape(&label.color);
            let style = format!("fill='none' stroke='{color}' stroke-width='{stroke:.1}'");
            let name = |left: f64, top: f64| {
                let (size, top) = ((height / 16.0).max(7.0), top - (height / 64.0).max(2.0));
                let name = escape(&label.name);
                format!("<text x='{left:.1}' y='{top:.1}' font-size='{size:.1}' fill='{color}'>{name}</text>")
            };
            match &label.shape {
                Shape::Box { x, y, width: w, height: h } => {
                    let (left, top, w, h) = (x * width, y * height, w * width, h * height);
                    format!(
                        "<rect x='{left:.1}' y='{top:.1}' width='{w:.1}' height='{h:.1}' {style}/>{}",
                        name(left, top)
                    )
                }
                Shape::Polygon(points) => {
                    let points: Vec<_> = points.iter().map(|(x, y)| (x * width, y * height)).collect();
                    let left = points.iter().map(|point| point.0).fold(width, f64::min);
                    let top = points.iter().map(|point| point.1).fold(height, f64::min);
                    let points: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
                    format!("<polygon points='{}' {style}/>{}", points.join(" "), name(left, top))
                }
                Shape::Ranges(_) => String::new(),
            }
        })
        .collect()
}

/// Text that is safe inside HTML and inside single-quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let replacement = |character| match character {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '\'' => Some("&#39;"),
        '"' => Some("&quot;"),
        _ => None,
    };
    text.chars().fold(String::with_capacity(text.len()), |mut safe, character| {
        match replacement(character) {
            Some(entity) => safe.push_str(entity),
            None => safe.push(character),
        }
        safe
    })
}

fn label(object: &Value, shape: Shape) -> Option<Label> {
    Some(Label {
        name: plain(&object["name"]),
        color: object["color"].as_str().unwrap_or("#D33115").to_owned(),
        shape,
    })
}

fn geometry(object: &Value) -> Option<Shape> {
    let corner = &object["boundingBox"];
    let point = |point: &Value| Some((point["x"].as_f64()?, point["y"].as_f64()?));
    if corner.is_object() {
        let number = |key: &str| corner[key].as_f64();
        return Some(Shape::Box {
            x: number("x")?,
            y: number("y")?,
            width: number("w")?,
            height: number("h")?,
        });
    }
    let points = object["polygon"].as_object()?;
    let mut numbered: Vec<_> =
        points.iter().filter_map(|(key, value)| Some((key.parse::<usize>().ok()?, point(value)?))).collect();
    numbered.sort_by_key(|(number, _)| *number);
    Some(Shape::Polygon(numbered.into_iter().map(|(_, point)| point).collect()))
}

fn ranges(object: &Value) -> Option<Shape> {
    let pair = |range: &Value| Some((range[0].as_u64()?, range[1].as_u64()?));
    let on_spaces = object["spaces"].as_object().into_iter().flat_map(|spaces| spaces.values());
    let places = std::iter::once(object).chain(on_spaces);
    let ranges: Vec<_> = places.flat_map(|place| list(&place["range"])).filter_map(pair).collect();
    (!ranges.is_empty()).then_some(Shape::Ranges(ranges))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A string without its quotes, anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn boxed() -> Value {
        json!({"name": "Disc", "color": "#D33115", "boundingBox": {"x": 0.5, "y": 0.25, "w": 0.1, "h": 0.2}})
    }

    #[test]
    fn objects_are_found_in_every_layout() {
        let image = json!({"data_units": {"a": {"labels": {"objects": [boxed()], "classifications": []}}}});
        let video =
            json!({"data_units": {"a": {"labels": {"7": {"objects": [boxed()], "classifications": []}}}}});
        let group = json!({"data_units": {
            "a": {"data_sequence": "0", "labels": {"objects": []}},
            "b": {"data_sequence": "1", "labels": {"objects": [boxed()]}}}});
        let expected = Shape::Box { x: 0.5, y: 0.25, width: 0.1, height: 0.2 };
        for (document, frame) in [(&image, 0), (&video, 7), (&group, 1)] {
            let labels = on_frame(document, frame);
            assert_eq!(labels.len(), 1, "{document}");
            assert_eq!(labels[0].shape, expected);
        }
        assert!(on_frame(&video, 0).is_empty() && on_frame(&group, 0).is_empty());
    }

    #[test]
    fn ranges_and_answers_are_read() {
        let document = json!({
            "object_answers": {
                "h": {"name": "Loud part", "color": "#FE9200", "shape": "audio", "range": [[100, 500]]},
                "i": {"name": "Word", "shape": "text", "range": [], "spaces": {"s": {"range": [[3, 4]]}}},
                "j": {"classifications": []}},
            "classification_answers": {"c": {"classifications": [
                {"name": "Brightness", "answers": [{"name": "Dark"}]}, {"name": "Contents", "answers": "a <b>"}]}}});
        assert_eq!(on_ranges(&document, "audio")[0].shape, Shape::Ranges(vec![(100, 500)]));
        assert_eq!(on_ranges(&document, "text")[0].shape, Shape::Ranges(vec![(3, 4)]));
        assert_eq!(on_ranges(&document, "audio").len(), 1);
        assert_eq!(classifications(&document), ["Brightness: Dark", "Contents: a <b>"]);
    }

    #[test]
    fn labels_are_drawn_in_pixels_and_escaped() {
        let mut label =
            on_frame(&json!({"data_units": {"a": {"labels": {"objects": [boxed()]}}}}), 0).remove(0);
        label.name = "<x>".to_owned();
        let drawn = svg(&[label], 200, 100);
        assert!(drawn.contains("x='100.0' y='25.0' width='20.0' height='20.0'"), "{drawn}");
        assert!(drawn.contains("&lt;x&gt;"));
    }
}
