//! How far shapes reach, as fractions of the image.
//!
//! Turning and circles happen in pixels, so how far they reach depends on how much wider the image is than high.

use super::{BoundingBox, Circle, Cuboid2d, Ellipse, Point, Point2d, Polyline, Projection};
use super::{RotatableBoundingBox, Shape};

/// The fields of a shape that say how far it reaches, with the fractions they reach. `aspect` is the width of the image
/// divided by its height; without it, what depends on it is left out.
pub(super) fn reach(shape: &Shape, aspect: Option<f64>) -> Vec<(&'static str, f64)> {
    match shape {
        Shape::BoundingBox(b) => box_corners(b),
        Shape::RotatableBoundingBox(b) => turned_box(b, aspect),
        Shape::Polygon(polygon) => points(polygon.points()),
        Shape::Polyline(Polyline::Flat(line)) => points(line.iter().copied()),
        Shape::Point(Point::Flat(point)) => points([*point]),
        Shape::Skeleton(skeleton) => {
            points(skeleton.vertices.iter().map(|vertex| Point2d { x: vertex.x, y: vertex.y }))
        }
        Shape::Circle(circle) => circle_edges(circle, aspect),
        Shape::Ellipse(ellipse) => ellipse_edges(ellipse, aspect),
        Shape::Cuboid2d(cuboid) => points(cuboid_corners(cuboid)),
        Shape::Bitmask(_)
        | Shape::Cuboid(_)
        | Shape::Segmentation(_)
        | Shape::Polyline(Polyline::Spatial(_))
        | Shape::Point(Point::Spatial(_)) => Vec::new(),
    }
}

fn box_corners(b: &BoundingBox) -> Vec<(&'static str, f64)> {
    vec![("x", b.x), ("y", b.y), ("x + w", b.x + b.w), ("y + h", b.y + b.h)]
}

fn points(points: impl IntoIterator<Item = Point2d>) -> Vec<(&'static str, f64)> {
    points.into_iter().flat_map(|point| [("x", point.x), ("y", point.y)]).collect()
}

fn cuboid_corners(cuboid: &Cuboid2d) -> Vec<Point2d> {
    let mut corners = cuboid.front.clone();
    if let Projection::Isometric { offset } = cuboid.projection {
        corners.extend(cuboid.front.iter().map(|c| Point2d { x: c.x + offset.x, y: c.y + offset.y }));
    }
    corners
}

fn turned_box(b: &RotatableBoundingBox, aspect: Option<f64>) -> Vec<(&'static str, f64)> {
    let centre = (b.x + b.w / 2.0, b.y + b.h / 2.0);
    around(centre, half_extent((b.w / 2.0, b.h / 2.0), b.theta, aspect, |a, b| a + b))
}

fn ellipse_edges(e: &Ellipse, aspect: Option<f64>) -> Vec<(&'static str, f64)> {
    around((e.x, e.y), half_extent((e.rx, e.ry), e.theta, aspect, f64::hypot))
}

fn circle_edges(c: &Circle, aspect: Option<f64>) -> Vec<(&'static str, f64)> {
    // The radius is a fraction of the width, in both directions.
    let radii = (c.r, aspect.map_or(0.0, |aspect| c.r * c.stretch * aspect));
    let half = match aspect {
        Some(_) => half_extent(radii, c.theta, aspect, f64::hypot),
        // Without the size, nothing is known about how far it reaches up and down.
        None if c.stretch == 1.0 || is_upright(c.theta) => Some((c.r, 0.0)),
        None => None,
    };
    around((c.x, c.y), half)
}

/// How far something of half a width and height reaches from its centre once it is turned; `join` adds up what its two
/// axes contribute.
fn half_extent(
    (w, h): (f64, f64),
    theta: f64,
    aspect: Option<f64>,
    join: impl Fn(f64, f64) -> f64,
) -> Option<(f64, f64)> {
    if is_upright(theta) {
        return Some((w.abs(), h.abs()));
    }
    // In units of the height, in which both directions are alike.
    let aspect = aspect?;
    let (sin, cos) = theta.to_radians().sin_cos();
    let across = join((w * aspect * cos).abs(), (h * sin).abs());
    let down = join((w * aspect * sin).abs(), (h * cos).abs());
    Some((across / aspect, down))
}

fn is_upright(theta: f64) -> bool {
    theta % 180.0 == 0.0
}

fn around((x, y): (f64, f64), half: Option<(f64, f64)>) -> Vec<(&'static str, f64)> {
    let Some((across, down)) = half else { return vec![("x", x), ("y", y)] };
    vec![
        ("the left edge", x - across),
        ("the top edge", y - down),
        ("the right edge", x + across),
        ("the bottom edge", y + down),
    ]
}
