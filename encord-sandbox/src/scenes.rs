//! Scenes: point clouds and pictures that belong together, described by a document that names their files.
//!
//! A scene is either one file, or made of streams of events. It is uploaded in one form and read in another.

use serde_json::{Map, Value, json};

/// What a scene's document must satisfy, with the reason why one does not.
pub(crate) fn check(scene: &Value) -> Result<(), String> {
    let content = content(scene);
    if let Some(format) = content.get("format") {
        const FORMATS: [&str; 8] = ["pcd", "ply", "las", "laz", "e57", "mcap", "bag", "db3"];
        let known = format.as_str().is_some_and(|format| FORMATS.contains(&format));
        return if known { Ok(()) } else { Err(format!("scenes cannot be files of the format {format}")) };
    }
    let streams = content.as_object().filter(|streams| !streams.is_empty());
    let streams = streams.ok_or("a scene needs a file or at least one stream")?;
    for (name, stream) in streams {
        let kind = kind(stream);
        if !["point_cloud", "image", "camera_parameters", "frame_of_reference", "time_series"].contains(&kind)
        {
            return Err(format!("stream \"{name}\" is of the unknown type \"{kind}\""));
        }
        for (index, event) in events(stream).enumerate() {
            let misses = match kind {
                "point_cloud" | "image" => event["uri"].as_str().is_none_or(str::is_empty),
                "frame_of_reference" => rotation(&event["pose"]).is_none(),
                _ => false,
            };
            if misses {
                return Err(format!("event {index} of stream \"{name}\" misses its uri or its pose"));
            }
        }
    }
    Ok(())
}

/// The file of a scene that is one.
pub(crate) fn file(scene: &Value) -> Option<&str> {
    content(scene).get("format")?;
    content(scene).get("url")?.as_str()
}

/// The scene as readers get it; `sign` makes a link of the name of a file.
pub(crate) fn read(scene: &Value, sign: impl Fn(&str) -> String) -> Value {
    let content = content(scene);
    let mut shown = match file(scene) {
        Some(url) => json!({
            "type": "self_contained", "url": url, "signedUrl": sign(url), "format": content["format"],
        }),
        None => {
            let streams = content.as_object().into_iter().flatten();
            let streams = streams.map(|(name, stream)| (name.clone(), read_stream(name, stream, &sign)));
            json!({"type": "composite", "streams": Map::from_iter(streams)})
        }
    };
    for (theirs, ours) in [
        ("default_ground_height", "defaultGroundHeight"),
        ("world_convention", "worldConvention"),
        ("camera_convention", "cameraConvention"),
        ("view_settings", "viewSettings"),
        ("layout", "layout"),
    ] {
        shown[ours] = scene.get(theirs).cloned().unwrap_or_default();
    }
    shown
}

fn read_stream(name: &str, stream: &Value, sign: &impl Fn(&str) -> String) -> Value {
    let kind = kind(stream);
    if kind == "time_series" {
        let url = stream["uri"].as_str().unwrap_or_default();
        return json!({
            "type": "self_contained", "id": name, "entityType": kind, "url": url, "signedUrl": sign(url),
        });
    }
    let events = events(stream).map(|event| match kind {
        "frame_of_reference" => json!({
            "id": stream.get("id").filter(|id| !id.is_null()).cloned().unwrap_or_else(|| name.into()),
            "parent_for": stream["parent_FoR_id"],
            "timestamp": event["timestamp"],
            "rotation": rotation(&event["pose"]),
            "position": position(&event["pose"]),
        }),
        "camera_parameters" => event.clone(),
        _ => {
            let url = event["uri"].as_str().unwrap_or_default();
            json!({"timestamp": event["timestamp"], "url": url, "signed_url": sign(url)})
        }
    });
    let inner = json!({
        "entityType": kind,
        "frameOfReferenceId": stream["frame_of_reference"],
        "cameraId": stream["camera"],
        "events": events.collect::<Vec<_>>(),
    });
    json!({"type": "event", "id": name, "stream": inner})
}

/// Sets the view settings or the layout; null takes them away.
pub(crate) fn configure(scene: &mut Value, key: &str, value: Value) {
    if scene.get("content").is_none() {
        *scene = json!({"content": scene.take()});
    }
    scene[key] = value;
}

/// One space per picture and per point cloud, under ids made of stream and event.
pub(crate) fn spaces(scene: &Value) -> Map<String, Value> {
    let mut spaces = Map::new();
    if file(scene).is_some() {
        return spaces;
    }
    for (name, stream) in content(scene).as_object().into_iter().flatten() {
        let space_type = match kind(stream) {
            "point_cloud" => "point_cloud",
            "image" => "scene_image",
            _ => continue,
        };
        for (index, event) in events(stream).enumerate() {
            let space = json!({
                "space_type": space_type,
                "scene_info": {"stream_id": name, "event_index": index, "uri": event["uri"]},
                "labels": {},
            });
            spaces.insert(format!("{name}-{index}"), space);
        }
    }
    spaces
}

/// Events of the longest stream: what counts as the frames of a scene.
pub(crate) fn frames(scene: &Value) -> Option<u64> {
    let streams = content(scene).as_object().filter(|_| file(scene).is_none())?;
    streams.values().map(|stream| events(stream).count() as u64).max()
}

/// Streams or file; with settings beside them they are one level down.
fn content(scene: &Value) -> &Value {
    scene.get("content").unwrap_or(scene)
}

fn kind(stream: &Value) -> &str {
    stream["type"].as_str().unwrap_or_default()
}

fn events(stream: &Value) -> impl Iterator<Item = &Value> {
    stream["events"].as_array().into_iter().flatten()
}

fn position(pose: &Value) -> [f64; 3] {
    ["x", "y", "z"].map(|axis| pose["position"][axis].as_f64().unwrap_or(0.0))
}

/// The rotation as a matrix in column-major order; `None` for what is neither
/// a matrix, nor a quaternion, nor Euler angles.
fn rotation(pose: &Value) -> Option<[f64; 9]> {
    let rotation = &pose["rotation"];
    if let Some(matrix) = rotation.as_array() {
        let numbers: Vec<f64> = matrix.iter().filter_map(Value::as_f64).collect();
        return numbers.try_into().ok();
    }
    let part = |name: &str| rotation[name].as_f64();
    let (x, y, z) = (part("x")?, part("y")?, part("z")?);
    let [x, y, z, w] = match part("w") {
        Some(w) => [x, y, z, w],
        None => quaternion(x, y, z),
    };
    Some([
        1.0 - 2.0 * (y * y + z * z),
        2.0 * (x * y + z * w),
        2.0 * (x * z - y * w),
        2.0 * (x * y - z * w),
        1.0 - 2.0 * (x * x + z * z),
        2.0 * (y * z + x * w),
        2.0 * (x * z + y * w),
        2.0 * (y * z - x * w),
        1.0 - 2.0 * (x * x + y * y),
    ])
}

/// Euler angles in radians, turned about x first, then y, then z.
fn quaternion(x: f64, y: f64, z: f64) -> [f64; 4] {
    let [(sx, cx), (sy, cy), (sz, cz)] = [x, y, z].map(|angle| (angle / 2.0).sin_cos());
    [
        sx * cy * cz - cx * sy * sz,
        cx * sy * cz + sx * cy * sz,
        cx * cy * sz - sx * sy * cz,
        cx * cy * cz + sx * sy * sz,
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{check, frames, read, rotation, spaces};

    #[test]
    fn a_quarter_turn_is_the_same_in_every_spelling() {
        let half = std::f64::consts::FRAC_PI_4;
        let matrix = [0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
        for pose in [
            json!({"rotation": matrix}),
            json!({"rotation": {"x": 0, "y": 0, "z": half.sin(), "w": half.cos()}}),
            json!({"rotation": {"x": 0, "y": 0, "z": 2.0 * half}}),
        ] {
            let found = rotation(&pose).unwrap();
            assert!(found.iter().zip(matrix).all(|(a, b)| (a - b).abs() < 1e-12), "{pose}: {found:?}");
        }
        assert_eq!(rotation(&json!({"rotation": [1, 2]})), None);
    }

    #[test]
    fn streams_become_spaces_and_links() {
        let event = |uri: &str| json!({"timestamp": 0.5, "uri": uri});
        let scene = json!({
            "lidar": {"type": "point_cloud", "events": [event("http://h/a.pcd"), event("http://h/b.pcd")]},
            "front": {"type": "image", "camera": "c", "events": [event("http://h/a.jpg")]},
        });
        assert_eq!(check(&scene), Ok(()));
        assert_eq!(frames(&scene), Some(2));
        assert_eq!(spaces(&scene).keys().collect::<Vec<_>>(), ["lidar-0", "lidar-1", "front-0"]);
        let shown = read(&scene, |url| format!("{url}?signed"));
        assert_eq!(shown["streams"]["front"]["stream"]["events"][0]["signed_url"], "http://h/a.jpg?signed");
    }

    #[test]
    fn scenes_without_sense_are_refused() {
        for scene in [
            json!({}),
            json!({"url": "u", "format": "docx"}),
            json!({"s": {"type": "smell", "events": []}}),
            json!({"s": {"type": "point_cloud", "events": [{"timestamp": 0}]}}),
        ] {
            check(&scene).unwrap_err();
        }
    }
}
