//! What reviewers said of the labels in a document, for readers who ask for it.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::store::{Row, Store};

/// Gives every label of the document the list of its reviews.
pub(crate) fn add_reviews(store: &Store, row: &Row, document: &mut Value) {
    let task = store.task_of_data(row.key.project, row.key.data);
    let reviews = task.and_then(|task| store.reviews.get(&task.uuid)).into_iter().flatten();
    let reviews: HashMap<&str, Value> = reviews
        .map(|review| (review.label.as_str(), json!({"reviewUuid": review.uuid, "status": review.status})))
        .collect();
    mark(document, &reviews);
}

/// Labels lie at several places, but always with a hash of their own.
fn mark(value: &mut Value, reviews: &HashMap<&str, Value>) {
    match value {
        Value::Object(map) => {
            let label = ["objectHash", "classificationHash"].iter().find_map(|key| map.get(*key)?.as_str());
            let is_label = map.contains_key("featureHash");
            let found = label.filter(|_| is_label).map(|label| reviews.get(label).cloned());
            map.values_mut().for_each(|value| mark(value, reviews));
            if let Some(review) = found {
                map.insert("reviews".into(), Vec::from_iter(review).into());
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| mark(value, reviews)),
        _ => {}
    }
}
