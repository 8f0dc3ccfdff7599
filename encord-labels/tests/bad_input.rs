//! Documents that are wrong are refused, and the message says where.

use std::sync::Arc;

use encord_labels::ontology::{Attribute, ClassificationClass, ObjectClass};
use encord_labels::shape::ShapeKind;
use encord_labels::{Error, LabelRow, LabelRowMetadata, Ontology};
use serde_json::{Value, json};

fn ontology() -> Ontology {
    let colour = Attribute::radio("Colour", ["Red", "Blue"]).with_feature_hash("a_colour");
    let note = Attribute::text("Note").with_feature_hash("a_note").dynamic();
    let speed = Attribute::numeric("Speed").with_feature_hash("a_speed");
    Ontology::new()
        .with_object(
            ObjectClass::new("Car", ShapeKind::BoundingBox)
                .with_feature_hash("o_car")
                .with_attribute(colour)
                .with_attribute(note),
        )
        .and_then(|it| {
            it.with_object(ObjectClass::new("Area", ShapeKind::Bitmask).with_feature_hash("o_area"))
        })
        .and_then(|it| {
            it.with_object(ObjectClass::new("Zone", ShapeKind::Polygon).with_feature_hash("o_zone"))
        })
        .and_then(|it| it.with_classification(ClassificationClass::new(speed).with_feature_hash("k_speed")))
        .expect("the ontology is valid")
}

fn metadata() -> LabelRowMetadata {
    LabelRowMetadata::from_json(json!({
        "branch_name": "main", "data_hash": "d", "dataset_hash": "s", "dataset_title": "Set", "data_title": "a.mp4",
        "data_type": "VIDEO", "data_link": null, "label_status": "LABELLED", "number_of_frames": 10, "spaces": {},
    }))
    .expect("the metadata is complete")
}

fn car(object_hash: &str) -> Value {
    json!({"objectHash": object_hash, "featureHash": "o_car", "shape": "bounding_box",
        "boundingBox": {"h": 0.1, "w": 0.2, "x": 0.3, "y": 0.4}})
}

fn document() -> Value {
    json!({
        "label_hash": "l", "branch_name": "main", "created_at": null, "last_edited_at": null, "data_hash": "d",
        "dataset_hash": "s", "dataset_title": "Set", "data_title": "a.mp4", "data_type": "video",
        "label_status": "LABELLED",
        "object_answers": {"O": {"objectHash": "O", "classifications": [
            {"featureHash": "a_colour", "answers": [{"featureHash": OPTION}]}]}},
        "classification_answers": {"C": {"classificationHash": "C", "featureHash": "k_speed", "range": [[0, 3]],
            "classifications": [{"featureHash": "a_speed", "answers": 3}]}},
        "object_actions": {"O": {"objectHash": "O", "actions": [
            {"featureHash": "a_note", "answers": "hm", "dynamic": true, "range": [[0, 1]]}]}},
        "data_units": {"d": {"data_hash": "d", "data_title": "a.mp4", "data_type": "video/mp4", "data_sequence": 0,
            "labels": {"0": {"objects": [car("O")], "classifications": []}}}},
    })
}

/// Stands for the hash of the option "Red", which is made anew for every ontology.
const OPTION: &str = "option";

fn read(change: impl FnOnce(&mut Value)) -> Result<LabelRow, Error> {
    let ontology = ontology();
    let red = ontology.object("Car").and_then(|car| car.attribute("Colour")?.option("Red").cloned());
    let red = red.expect("the option exists");
    let mut document = document();
    document["object_answers"]["O"]["classifications"][0]["answers"][0]["featureHash"] =
        json!(red.feature_hash().as_str());
    change(&mut document);
    let mut row = LabelRow::new(metadata(), Arc::new(ontology));
    row.initialise_from_value(document)?;
    Ok(row)
}

/// Checks the message of a document with one thing wrong.
fn check(expected: &str, change: impl FnOnce(&mut Value)) {
    let message = read(change).expect_err(expected).to_string();
    assert_eq!(message, expected);
}

const UNIT: &str = "/data_units/d/labels/0/objects/0";

fn object(document: &mut Value) -> &mut Value {
    document.pointer_mut(UNIT).expect("the object exists")
}

#[test]
fn the_document_itself_is_fine() {
    read(|_| ()).unwrap();
}

#[test]
fn missing_keys() {
    check("the key \"data_units\" is missing", |document| {
        document.as_object_mut().unwrap().remove("data_units");
    });
    check("$.data_units.d: the key \"data_sequence\" is missing", |document| {
        document["data_units"]["d"].as_object_mut().unwrap().remove("data_sequence");
    });
    check("$.data_units.d.labels.0.objects[0]: the key \"featureHash\" is missing", |document| {
        object(document).as_object_mut().unwrap().remove("featureHash");
    });
    check("$.data_units.d.labels.0.objects[0].boundingBox: the key \"w\" is missing", |document| {
        object(document)["boundingBox"].as_object_mut().unwrap().remove("w");
    });
    check("$.data_units.d.labels.0.objects[0]: the key \"boundingBox\" is missing", |document| {
        object(document).as_object_mut().unwrap().remove("boundingBox");
    });
    check("$.object_answers.O: the key \"classifications\" is missing", |document| {
        document["object_answers"]["O"].as_object_mut().unwrap().remove("classifications");
    });
    check("$.object_actions.O.actions[0]: the key \"range\" is missing", |document| {
        document["object_actions"]["O"]["actions"][0].as_object_mut().unwrap().remove("range");
    });
}

#[test]
fn wrong_types() {
    check(
        "$.data_units.d.labels.0.objects[0].boundingBox.x: expected a number, found the string \"left\"",
        |document| {
            object(document)["boundingBox"]["x"] = json!("left");
        },
    );
    check("$.data_units.d.labels: expected an object, found null", |document| {
        document["data_units"]["d"]["labels"] = json!(null);
    });
    check("$.spaces: expected an object, found null", |document| document["spaces"] = json!(null));
    check("$.object_answers: expected an object, found a list", |document| {
        document["object_answers"] = json!([]);
    });
    check(
        "$.data_units.d.labels.0.objects[0].confidence: expected a number, found the string \"high\"",
        |document| {
            object(document)["confidence"] = json!("high");
        },
    );
    check(
        "$.classification_answers.C.classifications[0].answers: expected a number, found a string",
        |document| {
            document["classification_answers"]["C"]["classifications"][0]["answers"] = json!("fast");
        },
    );
    check(
        "$.classification_answers.C.classifications[0].answers: expected a string, a number or a list of options, \
         found true",
        |document| document["classification_answers"]["C"]["classifications"][0]["answers"] = json!(true),
    );
}

#[test]
fn unknown_names() {
    check("$.data_type: unsupported data type \"hologram\"", |document| {
        document["data_type"] = json!("hologram");
    });
    check(
        "$.data_units.d.labels.0.objects[0].featureHash: there is no object class with the feature hash \"o_cat\"; \
         did you mean \"o_car\"?",
        |document| object(document)["featureHash"] = json!("o_cat"),
    );
    check(
        "$.object_answers.O.classifications[0].featureHash: there is no attribute with the feature hash \"a_speed\"",
        |document| document["object_answers"]["O"]["classifications"][0]["featureHash"] = json!("a_speed"),
    );
    check(
        "$.object_answers.O.classifications[0].answers[0]: there is no option with the feature hash \"nothing like it\"",
        |document| {
            document["object_answers"]["O"]["classifications"][0]["answers"][0]["featureHash"] =
                json!("nothing like it");
        },
    );
    check("$.data_units.d.labels.x: expected the number of a frame as key", |document| {
        document["data_units"]["d"]["labels"]["x"] = json!({"objects": []});
    });
    check("$.spaces.s.space_type: unsupported space type \"attic\"", |document| {
        document["spaces"] = json!({"s": {"space_type": "attic", "labels": {}}});
    });
}

#[test]
fn shapes_of_another_class() {
    check(
        "$.data_units.d.labels.0.objects[0].shape: the class \"Car\" needs the shape bounding_box, got polygon",
        |document| object(document)["shape"] = json!("polygon"),
    );
    check("$.data_units.d.labels.0.objects[0].event: only continuous scenes have events", |document| {
        object(document)["event"] = json!("upsert");
    });
}

#[test]
fn hashes_that_collide() {
    check("$.data_units.d.labels.0.objects[1]: the object O is on the frame 0 twice", |document| {
        document["data_units"]["d"]["labels"]["0"]["objects"] = json!([car("O"), car("O")]);
    });
    check(
        "$.data_units.d.labels.1.objects[0].featureHash: the object O has the feature hash o_zone here and o_car \
         elsewhere",
        |document| {
            let mut other = car("O");
            other["featureHash"] = json!("o_zone");
            document["data_units"]["d"]["labels"]["1"] = json!({"objects": [other]});
        },
    );
    check("$.classification_answers.D: two entries have the classification hash C", |document| {
        document["classification_answers"]["D"] = document["classification_answers"]["C"].clone();
    });
    check(
        "$.classification_answers.D.range: another classification of the class \"Speed\" shares frames with 2 to 5",
        |document| {
            let mut other = document["classification_answers"]["C"].clone();
            other["classificationHash"] = json!("D");
            other["range"] = json!([[2, 5]]);
            document["classification_answers"]["D"] = other;
        },
    );
}

#[test]
fn positions_past_the_end() {
    check(
        "$.data_units.d.labels.10.objects[0]: 10 is outside the data, the last position is 9",
        |document| document["data_units"]["d"]["labels"]["10"] = json!({"objects": [car("O")]}),
    );
    check("$.classification_answers.C.range: 10 is outside the data, the last position is 9", |document| {
        document["classification_answers"]["C"]["range"] = json!([[3, 10]]);
    });
    check(
        "$.object_actions.O.actions[0].range: 12 is outside the data, the last position is 9",
        |document| {
            document["object_actions"]["O"]["actions"][0]["range"] = json!([[3, 12]]);
        },
    );
    check("$.classification_answers.C.range[0]: the range 5 to 2 ends before it starts", |document| {
        document["classification_answers"]["C"]["range"] = json!([[5, 2]]);
    });
    check(
        "$.classification_answers.C.range[0][0]: expected a whole number that is not negative, found -1",
        |document| document["classification_answers"]["C"]["range"] = json!([[-1, 2]]),
    );
}

#[test]
fn geometry_that_does_not_fit() {
    let area = |rle: &str| {
        let mut area = json!({"objectHash": "A", "featureHash": "o_area", "shape": "bitmask"});
        area["bitmask"] = json!({"top": 0, "left": 0, "height": 3, "width": 4, "rleString": rle});
        area
    };
    let with = |rle: &str| {
        let area = area(rle);
        read(move |document| document["data_units"]["d"]["labels"]["0"]["objects"] = json!([car("O"), area]))
    };
    with("5220O").unwrap();
    for rle in ["5220OPPP1", "52~", "o", "99"] {
        let message = with(rle).expect_err(rle).to_string();
        assert!(message.starts_with("$.data_units.d.labels.0.objects[1].bitmask.rleString: "), "{message}");
    }
    let zone = |geometry: Value| {
        read(move |document| {
            let mut zone = json!({"objectHash": "Z", "featureHash": "o_zone", "shape": "polygon"});
            zone.as_object_mut().unwrap().extend(geometry.as_object().unwrap().clone());
            document["data_units"]["d"]["labels"]["0"]["objects"] = json!([car("O"), zone]);
        })
    };
    let place = "$.data_units.d.labels.0.objects[1]";
    for (geometry, expected) in [
        (
            json!({"polygons": [[[0.1, 0.2, 0.3]]]}),
            ".polygons[0][0]: a ring has an odd number of coordinates",
        ),
        (json!({"polygons": [[]]}), ".polygons: the first area of a polygon has no points"),
        (
            json!({"polygon": {"a": {"x": 0, "y": 0}}}),
            ".polygon.a: points must be numbered, this key is not a number",
        ),
        (json!({"polygon": {"0": {"x": 0}}}), ".polygon.0: the key \"y\" is missing"),
    ] {
        assert_eq!(zone(geometry).unwrap_err().to_string(), format!("{place}{expected}"));
    }
}

#[test]
fn every_truncation_is_refused() {
    let json = serde_json::to_vec(&document()).unwrap();
    for end in 0..json.len() {
        let mut row = LabelRow::new(metadata(), Arc::new(ontology()));
        assert!(row.initialise_from_slice(&json[..end]).is_err(), "{end}");
        assert!(!row.is_initialised());
    }
}

#[test]
fn deep_nesting_is_an_error() {
    for bomb in ["[".repeat(200_000), "{\"a\":".repeat(200_000)] {
        let mut row = LabelRow::new(metadata(), Arc::new(ontology()));
        assert!(row.initialise_from_slice(format!("{{\"x\":{bomb}").as_bytes()).is_err());
        assert!(row.initialise_from_slice(format!("{{\"data_units\":{bomb}").as_bytes()).is_err());
        assert!(Ontology::from_slice(format!("{{\"objects\":{bomb}").as_bytes()).is_err());
    }
}

#[test]
fn ontologies_name_the_place_too() {
    for (ontology, expected) in [
        (json!({"objects": []}), "the key \"classifications\" is missing"),
        (
            json!({"objects": [{"id": "x"}], "classifications": []}),
            "$.objects[0].id: expected a whole number, found the string \"x\"",
        ),
        (
            json!({"objects": [{"id": 1, "name": "a", "color": "", "shape": "blob", "featureNodeHash": "h"}],
                "classifications": []}),
            "$.objects[0].shape: unsupported shape \"blob\"",
        ),
        (
            json!({"objects": [], "classifications": [{"id": 1, "featureNodeHash": "h", "attributes": [
                {"id": "1.1", "name": "a", "type": "slider", "featureNodeHash": "i", "required": true}]}]}),
            "$.classifications[0].attributes[0].type: unsupported attribute type \"slider\"",
        ),
    ] {
        assert_eq!(Ontology::from_json(&ontology).unwrap_err().to_string(), expected);
    }
}

#[test]
fn validation_names_what_reading_lets_pass() {
    let row = read(|document| object(document)["boundingBox"]["x"] = json!(1.5)).unwrap();
    let message = row.validate().unwrap_err().to_string();
    assert_eq!(message, "$.data_units.d.labels.0.objects[0].boundingBox: x reaches 1.5, outside of 0 to 1");
    read(|_| ()).unwrap().validate().unwrap();
}
