//! Schemas for language models: what they ask, and what comes back.
#![cfg(feature = "schema")]

use encord_labels::ontology::{Attribute, AttributeOption, ClassificationClass, ObjectClass};
use encord_labels::row::Answer;
use encord_labels::schema::{ClassificationSchema, ObjectSchema};
use encord_labels::shape::ShapeKind;
use encord_labels::{Ontology, Result};
use serde_json::{Value, json};

fn ontology() -> Result<Ontology> {
    let rain = AttributeOption::new("rain")
        .with_attribute(Attribute::numeric("Millimetres").required())
        .with_attribute(Attribute::text("Remark"));
    let weather = Attribute::radio("Weather (today)", [AttributeOption::new("sun"), rain]).required();
    let seen = Attribute::checklist("Seen", ["car", "tram", "car"]);
    let colour = Attribute::radio("class", ["red", "blue"]).required();
    let blinking = Attribute::radio("Blinking", ["yes", "no"]).dynamic();
    Ontology::new()
        .with_classification(ClassificationClass::new(weather))?
        .with_classification(ClassificationClass::new(seen))?
        .with_classification(ClassificationClass::new(Attribute::text("Größe")))?
        .with_object(
            ObjectClass::new("Car", ShapeKind::BoundingBox).with_attribute(colour).with_attribute(blinking),
        )?
        .with_object(ObjectClass::new("Tree", ShapeKind::Polygon))
}

/// Strict modes want every property required, and no others.
fn assert_strict(schema: &Value) {
    if schema["type"] == "object" {
        assert_eq!(schema["additionalProperties"], json!(false), "{schema}");
        let keys: Vec<&String> = schema["properties"].as_object().expect("properties").keys().collect();
        assert_eq!(schema["required"], json!(keys), "{schema}");
        for key in keys {
            assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{key}");
        }
    }
    match schema {
        Value::Object(map) => map.values().for_each(assert_strict),
        Value::Array(items) => items.iter().for_each(assert_strict),
        _ => {}
    }
}

#[test]
fn questions_are_strict_and_complete() {
    let ontology = ontology().unwrap();
    let schema = ClassificationSchema::new(ontology.classifications()).to_json();
    assert_strict(&schema);
    let properties = schema["properties"].as_object().unwrap();
    assert_eq!(properties.keys().collect::<Vec<_>>(), ["weather_today", "seen", "gr_e"]);
    let branches = properties["weather_today"]["anyOf"].as_array().unwrap();
    assert_eq!(branches.len(), 2, "a required radio has no null");
    assert_eq!(branches[1]["properties"]["millimetres"]["type"], "number");
    assert_eq!(branches[1]["properties"]["remark"]["type"], json!(["string", "null"]));
    // Two options of one label must stay apart.
    assert_eq!(properties["seen"]["items"]["enum"], json!(["car", "tram", "car_2"]));

    let schema = ObjectSchema::new(ontology.objects()).to_json();
    assert_strict(&schema);
    let car = &schema["properties"]["object"]["anyOf"][0]["properties"];
    assert_eq!(car["class"]["enum"], json!(["Car"]));
    assert_eq!(car["class_2"]["enum"], json!(["red", "blue"]));
    assert_eq!(car.as_object().unwrap().len(), 2, "dynamic attributes are not asked");
}

#[test]
fn answers_become_instances() {
    let ontology = ontology().unwrap();
    let schema = ClassificationSchema::new(ontology.classifications());
    let answer = r#"{"weather_today": {"choice": "rain", "millimetres": 3.5, "remark": null},
                     "seen": ["car_2", "tram", "tram"], "gr_e": null}"#;
    let instances = schema.parse(answer).unwrap();
    assert_eq!(instances.len(), 2, "null gives no classification");
    let weather = instances[0].answered("Weather (today)").unwrap().unwrap();
    assert_eq!(weather.as_label(), Some("rain"));
    assert_eq!(instances[0].answered("Millimetres").unwrap().unwrap().as_number(), Some(3.5));
    assert!(instances[0].answered("Remark").unwrap().is_none());
    let Some(Answer::Checklist(ticked)) = instances[1].answered("Seen").unwrap() else {
        panic!("not a checklist")
    };
    let third = ontology.classification("Seen").unwrap().attributes()[0].options()[2].feature_hash().clone();
    assert_eq!(ticked.len(), 2);
    assert!(ticked.iter().any(|choice| choice.feature_hash == third));

    let object = ObjectSchema::new(ontology.objects())
        .parse(r#"{"object": {"class": "Car", "class_2": "blue"}}"#)
        .unwrap();
    assert_eq!(object.class().name(), "Car");
    assert_eq!(object.answered("class").unwrap().unwrap().as_label(), Some("blue"));
}

#[test]
fn errors_name_the_place() {
    let ontology = ontology().unwrap();
    let schema = ClassificationSchema::new(ontology.classifications());
    let failure = |answer: &str| schema.parse(answer).unwrap_err().to_string();
    let rest = r#""seen": [], "gr_e": null"#;
    let cases = [
        ("{", "malformed JSON"),
        ("[]", "expected an object, found a list"),
        (r#"{"weather": "sun"}"#, "$.weather: there is no question"),
        (r#"{"seen": null}"#, "$.weather_today: expected an answer"),
        (
            &format!(r#"{{"weather_today": {{"choice": "snow"}}, {rest}}}"#),
            "$.weather_today.choice: there is no option",
        ),
        (
            &format!(r#"{{"weather_today": {{"choice": "rain", "millimetres": "much"}}, {rest}}}"#),
            "$.weather_today.millimetres: expected a number",
        ),
        (
            r#"{"weather_today": {"choice": "sun"}, "seen": ["car", 3]}"#,
            "$.seen[1]: expected the name of an option",
        ),
    ];
    for (answer, expected) in cases {
        assert!(failure(answer).starts_with(expected), "{answer}: {}", failure(answer));
    }
    let objects = ObjectSchema::new(ontology.objects());
    let failure = objects.parse(r#"{"object": {"class": "Cart"}}"#).unwrap_err().to_string();
    assert!(
        failure.starts_with("$.object.class: there is no object class \"Cart\"; did you mean \"Car\""),
        "{failure}"
    );
    assert!(objects.parse(r#"{"object": {"class": "Car"}}"#).is_err(), "the colour is required");
}
