//! The strict look at a row finds what reading and editing let pass, on the row itself and on spaces, and says where.

use std::sync::Arc;

use encord_labels::ontology::{Attribute, AttributeOption, ClassificationClass, ObjectClass};
use encord_labels::shape::{
    BoundingBox, Circle, Cuboid2d, Ellipse, Point2d, Projection, RotatableBoundingBox, Shape, ShapeKind,
};
use encord_labels::{LabelRow, LabelRowMetadata, Ontology};
use serde_json::{Value, json};

fn ontology() -> Ontology {
    let damage = AttributeOption::new("Damaged")
        .with_feature_hash("damaged")
        .with_attribute(Attribute::text("How").with_feature_hash("a_how").required());
    let state = Attribute::radio("State", [AttributeOption::new("Fine").with_feature_hash("fine"), damage])
        .with_feature_hash("a_state");
    Ontology::new()
        .with_object(
            ObjectClass::new("Car", ShapeKind::BoundingBox)
                .with_feature_hash("o_car")
                .with_attribute(state.clone())
                .with_attribute(Attribute::text("Signal").with_feature_hash("a_signal").dynamic()),
        )
        .and_then(|it| {
            it.with_object(ObjectClass::new("Area", ShapeKind::Bitmask).with_feature_hash("o_area"))
        })
        .and_then(|it| {
            it.with_object(ObjectClass::new("Noise", ShapeKind::Audio).with_feature_hash("o_noise"))
        })
        .and_then(|it| {
            it.with_object(ObjectClass::new("Cloud", ShapeKind::Segmentation).with_feature_hash("o_cloud"))
        })
        .and_then(|it| {
            it.with_classification(
                ClassificationClass::new(state.with_feature_hash("k_state")).with_feature_hash("k"),
            )
        })
        .expect("the ontology is valid")
}

/// A group of a video of 5 frames and a sound of one second.
fn document() -> Value {
    let car = json!({"objectHash": "O", "featureHash": "o_car", "shape": "bounding_box",
        "boundingBox": {"h": 0.1, "w": 0.2, "x": 0.3, "y": 0.4}});
    let area = json!({"objectHash": "A", "featureHash": "o_area", "shape": "bitmask",
        "bitmask": {"top": 0, "left": 0, "height": 4, "width": 8, "rleString": "P1"}});
    json!({
        "label_hash": "l", "branch_name": "main", "created_at": null, "last_edited_at": null, "data_hash": "d",
        "dataset_hash": "s", "dataset_title": "Set", "data_title": "a", "data_type": "group",
        "label_status": "LABELLED",
        "object_answers": {
            "O": {"objectHash": "O", "classifications": []},
            "N": {"objectHash": "N", "classifications": [], "featureHash": "o_noise", "shape": "audio", "range": [],
                "spaces": {"aud": {"range": [[0, 1000]], "type": "frame"}}},
        },
        "classification_answers": {"C": {"classificationHash": "C", "featureHash": "k", "range": [],
            "spaces": {"vid": {"range": [[0, 4]], "type": "frame"}},
            "classifications": [{"featureHash": "k_state", "answers": [{"featureHash": "fine"}]}]}},
        "object_actions": {"O": {"objectHash": "O", "actions": [
            {"featureHash": "a_signal", "answers": "left", "range": [[0, 4]]}]}},
        "data_units": {"d": {"data_hash": "d", "data_title": "a", "data_type": "group", "data_sequence": 0,
            "labels": {"objects": [], "classifications": []}}},
        "spaces": {
            "vid": {"space_type": "video", "number_of_frames": 5, "width": 8, "height": 4,
                "labels": {"2": {"objects": [car, area], "classifications": []}}},
            "aud": {"space_type": "audio", "duration_ms": 1000, "labels": {}},
        },
    })
}

fn read(change: impl FnOnce(&mut Value)) -> encord_labels::Result<LabelRow> {
    let metadata = LabelRowMetadata::from_json(json!({
        "branch_name": "main", "data_hash": "d", "dataset_hash": "s", "dataset_title": "Set", "data_title": "a",
        "data_type": "GROUP", "data_link": null, "label_status": "LABELLED", "number_of_frames": 1, "spaces": {},
    }));
    let mut document = document();
    change(&mut document);
    let mut row = LabelRow::new(metadata.expect("the metadata is complete"), Arc::new(ontology()));
    row.initialise_from_value(document)?;
    Ok(row)
}

/// Checks that a row is read, and what validation says about it.
fn found(expected: &str, change: impl FnOnce(&mut Value)) {
    let row = read(change).expect(expected);
    assert_eq!(row.validate().expect_err(expected).to_string(), expected);
}

/// Checks that a row is not even read.
fn refused(expected: &str, change: impl FnOnce(&mut Value)) {
    assert_eq!(read(change).expect_err(expected).to_string(), expected);
}

#[test]
fn a_valid_row_is_valid() {
    read(|_| ()).unwrap().validate().unwrap();
}

#[test]
fn shapes_on_spaces() {
    found("$.spaces.vid.labels.2.objects[0].boundingBox: x + w reaches 1.1, outside of 0 to 1", |document| {
        document["spaces"]["vid"]["labels"]["2"]["objects"][0]["boundingBox"]["w"] = json!(0.8);
    });
    found(
        "$.spaces.vid.labels.2.objects[1]: the frame 2 needs a mask of 4 x 8 pixels, got one of 8 x 4",
        |document| {
            let mask = &mut document["spaces"]["vid"]["labels"]["2"]["objects"][1]["bitmask"];
            (mask["height"], mask["width"]) = (json!(8), json!(4));
        },
    );
    found(
        "$.spaces.vid.labels.2.objects[0].confidence: the confidence is 2, outside of 0 to 1",
        |document| {
            document["spaces"]["vid"]["labels"]["2"]["objects"][0]["confidence"] = json!(2);
        },
    );
    found(
        "$.spaces.vid.labels.2.objects[0]: a file with frames needs shapes on frames, got objects of the shape segmentation",
        |document| {
            document["spaces"]["vid"]["labels"]["2"]["objects"] = json!([{"objectHash": "S",
                "featureHash": "o_cloud", "shape": "segmentation", "segmentation": "04"}]);
            document["object_actions"] = json!({});
        },
    );
}

#[test]
fn ranges_on_spaces() {
    refused(
        "$.object_answers.N.spaces.aud.range: 1001 is outside the data, the last position is 1000",
        |document| document["object_answers"]["N"]["spaces"]["aud"]["range"] = json!([[3, 1001]]),
    );
    refused(
        "$.classification_answers.C.spaces.vid.range: 5 is outside the data, the last position is 4",
        |document| document["classification_answers"]["C"]["spaces"]["vid"]["range"] = json!([[0, 5]]),
    );
    refused(
        "$.object_actions.O.actions[0].range: 5 is outside the data, the last position is 4",
        |document| document["object_actions"]["O"]["actions"][0]["range"] = json!([[0, 5]]),
    );
    found("$.object_answers.N.spaces.aud.range: the object N is nowhere on the space", |document| {
        document["object_answers"]["N"]["spaces"]["aud"]["range"] = json!([]);
    });
    found(
        "$.object_answers.N.spaces.vid.range: a file with frames needs shapes on frames, got objects of the shape audio",
        |document| {
            document["object_answers"]["N"]["spaces"] = json!({"vid": {"range": [[0, 1]], "type": "frame"}});
        },
    );
    found("$.object_answers.N.confidence: the confidence is 7, outside of 0 to 1", |document| {
        document["object_answers"]["N"]["confidence"] = json!(7);
    });
}

#[test]
fn nested_attributes_that_are_asked() {
    let how = json!({"featureHash": "a_how", "answers": "scratched"});
    let damaged = |hash: &str| json!({"featureHash": hash, "answers": [{"featureHash": "damaged"}]});
    found("$.object_answers.O: the required attribute \"How\" is not answered; answer it", |document| {
        document["object_answers"]["O"]["classifications"] = json!([damaged("a_state")])
    });
    found(
        "$.classification_answers.C: the required attribute \"How\" is not answered; answer it",
        |document| {
            document["classification_answers"]["C"]["classifications"] = json!([damaged("k_state")]);
        },
    );
    let row = read(|document| {
        document["object_answers"]["O"]["classifications"] = json!([how, damaged("a_state")]);
    });
    row.unwrap().validate().unwrap();
}

#[test]
fn one_object_has_one_entry() {
    for (map, path) in [
        ("object_answers", "$.object_answers.P.objectHash"),
        ("object_actions", "$.object_actions.P.objectHash"),
    ] {
        refused(&format!("{path}: another entry has the object hash O too"), |document| {
            document[map]["P"] = document[map]["O"].clone();
        });
    }
    refused("$.object_answers.P.objectHash: another entry has the object hash N too", |document| {
        document["object_answers"]["P"] = document["object_answers"]["N"].clone();
        document["object_answers"]["P"]["range"] = json!([[7, 8]]);
    });
}

#[test]
fn how_far_shapes_reach() {
    let turned = |x: f64, theta: f64| -> Shape {
        let upright = BoundingBox::new(x, 0.4, 0.4, 0.2).expect("the box lies inside");
        RotatableBoundingBox::new(upright, theta).expect("the angle is finite").into()
    };
    let circle = |y: f64| -> Shape { Circle::new(0.5, y, 0.2).expect("the circle lies inside").into() };
    let ellipse = |theta: f64| -> Shape {
        Ellipse::new(0.5, 0.15, 0.3, 0.1, theta).expect("the ellipse lies inside").into()
    };
    let cuboid = |offset: f64| -> Shape {
        let front = [(0.1, 0.1), (0.4, 0.1), (0.4, 0.4), (0.1, 0.4)].map(|(x, y)| Point2d::new(x, y));
        let projection = Projection::Isometric { offset: Point2d::new(offset, 0.1) };
        Cuboid2d::new(front.to_vec(), projection).expect("the corners lie inside").into()
    };
    // (shape, width, height, inside an image of that size, inside as far as is known without)
    for (index, (shape, width, height, inside, maybe)) in [
        (turned(0.0, 0.0), 100, 100, true, true),
        (turned(-0.1, 0.0), 100, 100, false, false),
        // Upright it fits; turned by 45 degrees it is 0.42 wide where the image is square.
        (turned(0.0, 45.0), 100, 100, false, true),
        (turned(0.1, 45.0), 100, 100, true, true),
        // Turned by a quarter it is as wide as it was high: in a wide image it is too high.
        (turned(0.3, 90.0), 400, 100, false, true),
        (turned(0.3, 90.0), 100, 100, true, true),
        // The radius is a share of the width, so a circle is high in a wide image.
        (circle(0.3), 100, 100, true, true),
        (circle(0.3), 200, 100, false, true),
        (Shape::from(Circle::new(0.1, 0.5, 0.2).expect("the circle is valid")), 100, 100, false, false),
        (ellipse(0.0), 100, 100, true, true),
        (ellipse(90.0), 100, 100, false, true),
        (ellipse(180.0), 100, 100, true, true),
        (cuboid(0.1), 100, 100, true, true),
        (cuboid(0.7), 100, 100, false, false),
    ]
    .into_iter()
    .enumerate()
    {
        let checked = shape.check_inside_image(width, height);
        assert_eq!(checked.is_ok(), inside, "{index}: {checked:?}");
        assert_eq!(shape.check_inside().is_ok(), maybe, "{index}");
    }
    let error = circle(0.1).check_inside_image(100, 100).unwrap_err().to_string();
    assert_eq!(error, "the top edge reaches -0.1, outside of 0 to 1");
}
