//! Geometry as documents spell it, through the constructors of the shapes.

use encord_labels::ontology::ObjectClass;
use encord_labels::shape::{
    Bitmask, BoundingBox, Circle, Cuboid, Cuboid2d, Ellipse, Point, Point2d, Point3d, Polygon, Polyline,
    Projection, Ring, RotatableBoundingBox, Segmentation, Shape, ShapeKind, Skeleton, Vertex, Visibility,
};
use serde_json::Value;

use crate::Outcome;

/// The shape of a class that `geometry` describes.
pub(crate) fn shape(class: &ObjectClass, geometry: &Value) -> Outcome<Shape> {
    let number =
        |value: &Value, key: &str| value[key].as_f64().ok_or(format!("{key} is not a number in {value}"));
    let triple = |value: &Value| serde_json::from_value::<[f64; 3]>(value.clone());
    let upright = |b: &Value| -> Outcome<BoundingBox> {
        Ok(BoundingBox { x: number(b, "x")?, y: number(b, "y")?, w: number(b, "w")?, h: number(b, "h")? })
    };
    Ok(match class.shape() {
        ShapeKind::BoundingBox => upright(&geometry["boundingBox"])?.into(),
        ShapeKind::RotatableBoundingBox => {
            let b = &geometry["rotatableBoundingBox"];
            let BoundingBox { x, y, w, h } = upright(b)?;
            RotatableBoundingBox { x, y, w, h, theta: number(b, "theta")? }.into()
        }
        ShapeKind::Polygon => {
            let areas: Vec<Vec<Vec<f64>>> = serde_json::from_value(geometry["polygons"].clone())?;
            let ring =
                |numbers: &Vec<f64>| numbers.chunks(2).map(|pair| Point2d::new(pair[0], pair[1])).collect();
            let areas = areas.iter().map(|rings| rings.iter().map(ring).collect::<Vec<Ring>>()).collect();
            Polygon::with_areas(areas)?.into()
        }
        ShapeKind::Polyline => {
            let points: Vec<&Value> =
                geometry["polyline"].as_object().into_iter().flat_map(|map| map.values()).collect();
            if points.first().is_some_and(|point| !point["z"].is_null()) {
                let points: Result<Vec<Point3d>, String> = points
                    .iter()
                    .map(|point| {
                        Ok(Point3d::new(number(point, "x")?, number(point, "y")?, number(point, "z")?))
                    })
                    .collect();
                Polyline::spatial(points?)?.into()
            } else {
                let points: Result<Vec<Point2d>, String> = points
                    .iter()
                    .map(|point| Ok(Point2d::new(number(point, "x")?, number(point, "y")?)))
                    .collect();
                Polyline::new(points?)?.into()
            }
        }
        ShapeKind::Point => {
            let point = &geometry["point"]["0"];
            let (x, y) = (number(point, "x")?, number(point, "y")?);
            match point["z"].as_f64() {
                Some(z) => Point::spatial(x, y, z)?.into(),
                None => Point::new(x, y)?.into(),
            }
        }
        ShapeKind::Skeleton => {
            let joints = geometry["skeleton"].as_object().into_iter().flat_map(|map| map.values());
            Skeleton { vertices: joints.map(vertex).collect::<Outcome<_>>()? }.into()
        }
        ShapeKind::Bitmask => {
            let mask = &geometry["bitmask"];
            let side = |key| number(mask, key).map(|side| side as u32);
            Bitmask::new(side("height")?, side("width")?, mask["rleString"].as_str().unwrap_or_default())?
                .into()
        }
        ShapeKind::Cuboid => {
            let cuboid = &geometry["cuboid"];
            Cuboid::new(
                triple(&cuboid["position"])?,
                triple(&cuboid["orientation"])?,
                triple(&cuboid["size"])?,
            )?
            .into()
        }
        ShapeKind::Cuboid2d => {
            let cuboid = &geometry["cuboid_2d"];
            let front: Vec<f64> = serde_json::from_value(cuboid["front"].clone())?;
            let front: Vec<Point2d> = front.chunks(2).map(|pair| Point2d::new(pair[0], pair[1])).collect();
            let point = |value: &Value| -> Outcome<Point2d> {
                Ok(Point2d::new(number(value, "x")?, number(value, "y")?))
            };
            let projection = if cuboid["vanishingPoint"].is_null() {
                Projection::Isometric { offset: point(&cuboid["offset"])? }
            } else {
                let vanishing_point = point(&cuboid["vanishingPoint"])?;
                Projection::Perspective { vanishing_point, scale_ratio: number(cuboid, "scaleRatio")? }
            };
            Cuboid2d::new(front, projection)?.into()
        }
        ShapeKind::Circle => {
            let c = &geometry["circle"];
            let (x, y, r) = (number(c, "x")?, number(c, "y")?, number(c, "r")?);
            Circle { x, y, r, stretch: number(c, "stretch")?, theta: number(c, "theta")? }.into()
        }
        ShapeKind::Ellipse => {
            let e = &geometry["ellipse"];
            let (rx, ry) = (number(e, "rx")?, number(e, "ry")?);
            Ellipse { x: number(e, "x")?, y: number(e, "y")?, rx, ry, theta: number(e, "theta")? }.into()
        }
        ShapeKind::Segmentation => {
            Segmentation::from_rle(geometry["segmentation"].as_str().unwrap_or_default()).into()
        }
        other => return Err(format!("a {other} has no geometry").into()),
    })
}

fn vertex(joint: &Value) -> Outcome<Vertex> {
    let text = |key: &str| joint[key].as_str();
    let (x, y) = (joint["x"].as_f64().ok_or("x is missing")?, joint["y"].as_f64().ok_or("y is missing")?);
    let mut vertex = Vertex::new(text("name").unwrap_or_default(), x, y)?;
    vertex.color = text("color").map(Into::into);
    vertex.value = text("value").map(Into::into);
    vertex.feature_hash = text("featureHash").map(Into::into);
    vertex.visibility = match text("visibility") {
        Some("visible") => Some(Visibility::Visible),
        Some("invisible") => Some(Visibility::Invisible),
        Some("occluded") => Some(Visibility::Occluded),
        Some("selfOccluded") => Some(Visibility::SelfOccluded),
        _ => None,
    };
    Ok(vertex)
}
