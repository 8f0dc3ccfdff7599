//! From shapes in fractions to outlines in pixels.

use std::f64::consts::TAU;

use geo::{ConvexHull, Coord, LineString, MultiPoint, MultiPolygon, Polygon};

use crate::shape::{self, Cuboid2d, Ellipse, Point2d, Projection, Ring, RotatableBoundingBox};

/// Corners of the polygon that stands for an ellipse.
const CORNERS: u32 = 256;

/// Turns fractions of one image into pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Scale {
    pub(crate) fn point(self, point: Point2d) -> Coord {
        Coord { x: point.x * self.width, y: point.y * self.height }
    }

    pub(crate) fn line(self, points: &[Point2d]) -> LineString {
        points.iter().map(|point| self.point(*point)).collect()
    }

    pub(crate) fn areas(self, areas: &[Vec<Ring>]) -> MultiPolygon {
        let polygons = areas.iter().filter_map(|rings| {
            let (outline, holes) = rings.split_first()?;
            Some(Polygon::new(self.line(outline), holes.iter().map(|hole| self.line(hole)).collect()))
        });
        polygons.collect()
    }

    /// The corners of an upright box, clockwise from the top left.
    pub(super) fn upright(self, b: &shape::BoundingBox) -> MultiPolygon {
        let corners = [(b.x, b.y), (b.x + b.w, b.y), (b.x + b.w, b.y + b.h), (b.x, b.y + b.h)];
        area(corners.map(|(x, y)| self.point(Point2d { x, y })))
    }

    pub(super) fn turned(self, b: &RotatableBoundingBox) -> MultiPolygon {
        let centre = self.point(Point2d { x: b.x + b.w / 2.0, y: b.y + b.h / 2.0 });
        let (half_w, half_h) = (b.w * self.width / 2.0, b.h * self.height / 2.0);
        let corners = [(-half_w, -half_h), (half_w, -half_h), (half_w, half_h), (-half_w, half_h)];
        area(corners.map(|(x, y)| turn(centre, x, y, b.theta)))
    }

    /// Radii of an ellipse are fractions of the width and of the height.
    pub(super) fn ellipse(self, ellipse: &Ellipse) -> MultiPolygon {
        let centre = self.point(Point2d { x: ellipse.x, y: ellipse.y });
        round(centre, ellipse.rx * self.width, ellipse.ry * self.height, ellipse.theta)
    }

    /// The radius of a circle is a fraction of the width in both directions.
    pub(super) fn circle(self, circle: &shape::Circle) -> MultiPolygon {
        let centre = self.point(Point2d { x: circle.x, y: circle.y });
        let radius = circle.r * self.width;
        round(centre, radius, radius * circle.stretch, circle.theta)
    }

    /// The silhouette: everything between the front and the back face.
    pub(super) fn cuboid(self, cuboid: &Cuboid2d) -> MultiPolygon {
        let back = cuboid.front.iter().map(|corner| match cuboid.projection {
            Projection::Perspective { vanishing_point: v, scale_ratio } => {
                Point2d { x: v.x + (corner.x - v.x) * scale_ratio, y: v.y + (corner.y - v.y) * scale_ratio }
            }
            Projection::Isometric { offset } => Point2d { x: corner.x + offset.x, y: corner.y + offset.y },
        });
        let corners: MultiPoint =
            cuboid.front.iter().copied().chain(back).map(|corner| geo::Point(self.point(corner))).collect();
        if corners.0.is_empty() { MultiPolygon::new(Vec::new()) } else { corners.convex_hull().into() }
    }
}

fn area(corners: impl IntoIterator<Item = Coord>) -> MultiPolygon {
    Polygon::new(corners.into_iter().collect(), Vec::new()).into()
}

/// A point given relative to `centre`, turned clockwise on screen by `degrees`.
fn turn(centre: Coord, x: f64, y: f64, degrees: f64) -> Coord {
    let (sine, cosine) = degrees.to_radians().sin_cos();
    Coord { x: centre.x + x * cosine - y * sine, y: centre.y + x * sine + y * cosine }
}

/// A polygon with the area of the ellipse: its corners lie a little outside of the curve.
fn round(centre: Coord, rx: f64, ry: f64, degrees: f64) -> MultiPolygon {
    let step = TAU / f64::from(CORNERS);
    let outside = (step / step.sin()).sqrt();
    area((0..CORNERS).map(|corner| {
        let (sine, cosine) = (f64::from(corner) * step).sin_cos();
        turn(centre, rx * outside * cosine, ry * outside * sine, degrees)
    }))
}
