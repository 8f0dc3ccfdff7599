//! Geometry in pixels, held against numbers worked out by hand and against counting pixels.
#![cfg(feature = "geometry")]

use std::f64::consts::PI;

use encord_labels::geometry::{Region, trace};
use encord_labels::shape::{
    Bitmask, BoundingBox, Circle, Cuboid, Cuboid2d, Ellipse, Point, Point2d, Polygon, Polyline, Projection,
    Ring, RotatableBoundingBox, Shape,
};
use proptest::prelude::*;

fn on(shape: impl Into<Shape>, width: u32, height: u32) -> Region {
    shape.into().on_image(width, height).expect("the shape lies on the image")
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6
}

fn ring(points: &[(f64, f64)]) -> Ring {
    points.iter().map(|(x, y)| Point2d::new(*x, *y)).collect()
}

#[test]
fn a_box_is_its_pixels() {
    let region = on(BoundingBox::new(0.1, 0.2, 0.5, 0.4).unwrap(), 100, 50);
    assert!(close(region.area(), 50.0 * 20.0));
    let extent = region.bounding_box().unwrap();
    assert!(
        close(extent.x, 10.0)
            && close(extent.y, 10.0)
            && close(extent.width, 50.0)
            && close(extent.height, 20.0)
    );
    let crop = region.crop().unwrap();
    assert_eq!((crop.rows, crop.columns), (10..30, 10..60));
    assert!(region.contains(35.0, 20.0) && region.contains(10.0, 10.0) && !region.contains(9.0, 20.0));
    let mask = region.rasterise();
    assert_eq!(mask.area().unwrap(), 1000);
    assert_eq!(mask.bounding_box().unwrap(), Some((10..30, 10..60)));
}

#[test]
fn crops_are_cut_to_the_image_and_keep_their_margin_inside() {
    let region = on(BoundingBox::new(0.9, -0.5, 0.5, 0.75).unwrap(), 100, 100);
    let crop = region.crop_with_margin(5).unwrap();
    assert_eq!((crop.rows, crop.columns), (0..30, 85..100));
    assert!(on(BoundingBox::new(1.5, 0.0, 0.2, 0.2).unwrap(), 100, 100).crop().is_none());
    // A point still has a pixel to look at.
    let crop = on(Point::new(0.5, 0.5).unwrap(), 100, 100).crop().unwrap();
    assert_eq!((crop.rows, crop.columns), (50..51, 50..51));
}

#[test]
fn turning_keeps_the_area_and_uses_pixels_not_fractions() {
    let upright = BoundingBox::new(0.25, 0.25, 0.5, 0.5).unwrap();
    let turned = on(RotatableBoundingBox::new(upright, 90.0).unwrap(), 200, 100);
    assert!(close(turned.area(), 100.0 * 50.0));
    let extent = turned.bounding_box().unwrap();
    assert!(
        close(extent.width, 50.0)
            && close(extent.height, 100.0)
            && close(extent.x, 75.0)
            && close(extent.y, 0.0)
    );
}

#[test]
fn holes_and_parts_count() {
    let outline = ring(&[(0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5)]);
    let hole = ring(&[(0.1, 0.1), (0.2, 0.1), (0.2, 0.2), (0.1, 0.2)]);
    let apart = ring(&[(0.8, 0.8), (1.0, 0.8), (1.0, 1.0), (0.8, 1.0)]);
    let region = on(Polygon::with_areas(vec![vec![outline, hole], vec![apart]]).unwrap(), 100, 100);
    assert!(close(region.area(), 2500.0 - 100.0 + 400.0));
    assert_eq!(region.rasterise().area().unwrap(), 2800);
    assert!(!region.contains(15.0, 15.0) && region.contains(5.0, 5.0) && region.contains(90.0, 90.0));
}

#[test]
fn round_shapes_have_round_areas() {
    let circle = on(Circle::new(0.5, 0.5, 0.25).unwrap(), 200, 400);
    assert!((circle.area() - PI * 2500.0).abs() < 1e-6);
    // The radius counts in widths in both directions.
    let extent = circle.bounding_box().unwrap();
    assert!((extent.width - 100.0).abs() < 0.05 && (extent.height - 100.0).abs() < 0.05);
    let ellipse = on(Ellipse::new(0.5, 0.5, 0.25, 0.125, 30.0).unwrap(), 200, 400);
    assert!((ellipse.area() - PI * 50.0 * 50.0).abs() < 1e-6);
    let pixels = ellipse.rasterise().area().unwrap() as f64;
    assert!((pixels / ellipse.area() - 1.0).abs() < 0.01);
}

#[test]
fn overlap_of_areas_and_masks_agree() {
    let left = on(BoundingBox::new(0.0, 0.0, 0.5, 0.5).unwrap(), 40, 40);
    let right = on(BoundingBox::new(0.25, 0.0, 0.5, 0.5).unwrap(), 40, 40);
    assert!(close(left.iou(&right).unwrap(), 1.0 / 3.0));
    let mask = on(right.rasterise(), 40, 40);
    assert!(close(left.iou(&mask).unwrap(), 1.0 / 3.0));
    assert!(close(left.iou(&left).unwrap(), 1.0));
    assert_eq!(left.iou(&on(Point::new(0.1, 0.1).unwrap(), 40, 40)).unwrap(), 0.0);
    assert!(left.iou(&on(BoundingBox::new(0.0, 0.0, 0.5, 0.5).unwrap(), 40, 41)).is_err());
}

#[test]
fn lines_have_pixels_but_no_area() {
    let line = on(Polyline::new(ring(&[(0.05, 0.05), (0.95, 0.05), (0.95, 0.95)])).unwrap(), 10, 10);
    assert_eq!((line.area(), line.rasterise().area().unwrap()), (0.0, 19));
    // Only the part inside is drawn, however far the line reaches.
    let far = on(Shape::Polyline(Polyline::Flat(ring(&[(0.55, -1e7), (0.55, 1e7)]))), 10, 10);
    assert_eq!(far.rasterise().area().unwrap(), 10);
}

#[test]
fn a_projected_box_covers_both_faces() {
    let front = ring(&[(0.0, 0.0), (0.2, 0.0), (0.2, 0.2), (0.0, 0.2)]);
    let offset = Point2d::new(0.1, 0.0);
    let region = on(Cuboid2d::new(front, Projection::Isometric { offset }).unwrap(), 100, 100);
    assert!(close(region.area(), 30.0 * 20.0));
}

#[test]
fn what_lies_in_space_has_no_place_on_an_image() {
    let cuboid = Shape::from(Cuboid::new([0.0; 3], [0.0; 3], [1.0; 3]).unwrap());
    assert!(cuboid.on_image(10, 10).unwrap_err().to_string().contains("cuboid does not lie on an image"));
    assert!(Shape::from(Bitmask::empty(4, 4)).on_image(4, 5).is_err());
    assert!(Shape::from(Bitmask::from_wire(0, 0, 4, 4, "~")).on_image(4, 4).is_err());
    assert!(Shape::from(BoundingBox::new(0.0, 0.0, 1.0, 1.0).unwrap()).on_image(0, 4).is_err());
}

#[test]
fn tracing_finds_parts_and_holes() {
    let rows = ["11111000", "10001000", "10001011", "10001011", "11111000"];
    let pixels: Vec<bool> = rows.iter().flat_map(|row| row.chars().map(|cell| cell == '1')).collect();
    let polygon = trace(&Bitmask::from_pixels(&pixels, 5, 8).unwrap()).unwrap().unwrap();
    let shape: Vec<Vec<usize>> =
        polygon.areas().iter().map(|rings| rings.iter().map(Vec::len).collect()).collect();
    assert_eq!(shape.len(), 2);
    assert_eq!(shape[0].len(), 2, "the frame has a hole");
    assert_eq!(shape[0][0], 4, "straight runs are left out");
    assert_eq!(shape[1], [4]);
    assert_eq!(polygon.outline()[0], Point2d::new(0.0, 0.0));
    assert!(trace(&Bitmask::empty(5, 8)).unwrap().is_none());
}

/// Sensible numbers, large ones, and any others.
fn coordinate() -> impl Strategy<Value = f64> {
    prop_oneof![-3.0f64..3.0, -1e8f64..1e8, prop::num::f64::NORMAL]
}

proptest! {
    #[test]
    fn rasterising_is_counting_centres(
        points in prop::collection::vec((-0.2f64..1.2, -0.2f64..1.2), 3..8),
        width in 1u32..30,
        height in 1u32..30,
    ) {
        let corners: Vec<(f64, f64)> =
            points.iter().map(|(x, y)| (x * f64::from(width), y * f64::from(height))).collect();
        let mask = on(Polygon::new(ring(&points)).unwrap(), width, height).rasterise();
        let pixels = mask.to_pixels().unwrap();
        prop_assert!(mask.validate().is_ok());
        for row in 0..height {
            for column in 0..width {
                let (x, y) = (f64::from(column) + 0.5, f64::from(row) + 0.5);
                let crossed = (0..corners.len())
                    .filter(|index| {
                        let (a, b) = (corners[*index], corners[(index + 1) % corners.len()]);
                        (a.1 <= y) != (b.1 <= y) && a.0 + (y - a.1) / (b.1 - a.1) * (b.0 - a.0) <= x
                    })
                    .count();
                prop_assert_eq!(pixels[(row * width + column) as usize], crossed % 2 == 1, "{} {}", row, column);
            }
        }
    }

    /// Outlines that cross themselves, repeat points or lie on a line are what models come up with.
    #[test]
    fn hostile_polygons_have_an_overlap(
        a in prop::collection::vec((0u8..6, 0u8..6), 3..12),
        b in prop::collection::vec((0u8..6, 0u8..6), 3..12),
        shift in prop_oneof![Just(0.0), -1e-12f64..1e-12, Just(0.9)],
    ) {
        let polygon = |points: &[(u8, u8)], shift: f64| {
            let at = |n: u8| f64::from(n) / 5.0 + shift;
            let outline: Ring = points.iter().map(|(x, y)| Point2d::new(at(*x), at(*y))).collect();
            Polygon::new(outline).unwrap()
        };
        let regions = [polygon(&a, 0.0), polygon(&b, shift)].map(|it| Shape::from(it).on_image(64, 32));
        let [Ok(one), Ok(other)] = regions else { return Ok(()) };
        let (there, back) = (one.iou(&other).unwrap(), other.iou(&one).unwrap());
        prop_assert!((0.0..=1.0).contains(&there) && (there - back).abs() < 1e-6, "{} {}", there, back);
        let own = one.iou(&one).unwrap();
        prop_assert!(own == 0.0 || (own - 1.0).abs() < 1e-6, "{}", own);
        // Tracing what was filled in gives outlines inside the picture.
        if let Some(traced) = trace(&one.rasterise()).unwrap() {
            let inside = |point: Point2d| (0.0..1.0).contains(&point.x) && (0.0..1.0).contains(&point.y);
            prop_assert!(traced.points().all(inside));
        }
    }

    #[test]
    fn any_mask_is_traced(pixels in prop::collection::vec(any::<bool>(), 1..80), width in 1u32..9) {
        let height = pixels.len() as u32 / width;
        let pixels = &pixels[..(height * width) as usize];
        let traced = trace(&Bitmask::from_pixels(pixels, height, width).unwrap()).unwrap();
        prop_assert_eq!(traced.is_some(), pixels.contains(&true));
    }

    #[test]
    fn any_finite_shape_is_survived(
        x in coordinate(), y in coordinate(), w in coordinate(), theta in -1e9f64..1e9,
    ) {
        let shapes = [
            Shape::BoundingBox(BoundingBox { x, y, w, h: w }),
            Shape::RotatableBoundingBox(RotatableBoundingBox { x, y, w, h: y, theta }),
            Shape::Circle(Circle { x, y, r: w, stretch: 1.0, theta }),
            Shape::Polyline(Polyline::Flat(vec![Point2d::new(x, y), Point2d::new(w, x), Point2d::new(0.5, 0.5)])),
        ];
        for shape in shapes {
            let Ok(region) = shape.on_image(20, 10) else { continue };
            let _ = (region.area(), region.crop_with_margin(3), region.contains(x, y));
            prop_assert!(region.rasterise().validate().is_ok());
        }
    }
}
