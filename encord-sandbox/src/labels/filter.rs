//! Leaving out labels of classes that a reader does not want to see.

use std::collections::HashSet;

use serde_json::Value;

/// Classes a reader wants to see; `None` means all but the hidden ones.
#[derive(Debug, Default)]
pub(crate) struct FeatureFilter {
    pub(crate) objects: Option<HashSet<String>>,
    pub(crate) classifications: Option<HashSet<String>>,
    /// Classes that are not shown even if they are wanted.
    pub(crate) hidden: HashSet<String>,
}

/// The classes of an ontology that were archived.
pub(crate) fn archived_features(structure: &Value) -> HashSet<String> {
    let classes = ["objects", "classifications"].into_iter().flat_map(|part| structure[part].as_array());
    let archived = classes.flatten().filter(|class| class["archived"] == true);
    archived.filter_map(|class| class["featureNodeHash"].as_str().map(Into::into)).collect()
}

impl FeatureFilter {
    /// Leaves only the wanted objects and classifications in a document.
    pub(crate) fn apply(&self, document: &mut Value) {
        if self.objects.is_none() && self.classifications.is_none() && self.hidden.is_empty() {
            return;
        }
        let mut dropped = HashSet::new();
        for part in ["data_units", "spaces"] {
            for part in members(document.get_mut(part)) {
                if let Some(labels) = part.get_mut("labels") {
                    self.keep(labels, &mut dropped);
                }
            }
        }
        let parts = [
            ("object_answers", &self.objects),
            ("object_actions", &self.objects),
            ("classification_answers", &self.classifications),
        ];
        for (part, wanted) in parts {
            if let Some(entries) = document.get_mut(part).and_then(Value::as_object_mut) {
                // Answers of objects that are on frames do not say of which class they are.
                entries.retain(|hash, entry| match feature(entry) {
                    Some(feature) => self.shows(wanted.as_ref(), feature),
                    None => !dropped.contains(hash),
                });
            }
        }
    }

    fn shows(&self, wanted: Option<&HashSet<String>>, feature: &str) -> bool {
        wanted.is_none_or(|wanted| wanted.contains(feature)) && !self.hidden.contains(feature)
    }

    /// Drops unwanted labels of either form, flat or per frame.
    fn keep(&self, labels: &mut Value, dropped: &mut HashSet<String>) {
        let is_flat =
            ["objects", "classifications"].iter().any(|part| labels.get(part).is_some_and(Value::is_array));
        if !is_flat {
            members(Some(labels)).for_each(|frame| self.keep(frame, dropped));
            return;
        }
        let parts = [
            ("objects", "objectHash", &self.objects),
            ("classifications", "classificationHash", &self.classifications),
        ];
        for (part, key, wanted) in parts {
            let Some(entries) = labels.get_mut(part).and_then(Value::as_array_mut) else { continue };
            entries.retain(|entry| {
                let stays = feature(entry).is_some_and(|feature| self.shows(wanted.as_ref(), feature));
                if !stays && let Some(hash) = entry.get(key).and_then(Value::as_str) {
                    dropped.insert(hash.to_owned());
                }
                stays
            });
        }
    }
}

fn feature(entry: &Value) -> Option<&str> {
    entry.get("featureHash").and_then(Value::as_str)
}

fn members(value: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    value.and_then(Value::as_object_mut).into_iter().flat_map(|map| map.values_mut())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::json;

    use super::{FeatureFilter, archived_features};

    #[test]
    fn hidden_and_unwanted_labels_go_with_their_answers() {
        let ontology = json!({
            "objects": [{"featureNodeHash": "old", "archived": true}, {"featureNodeHash": "car"}],
            "classifications": [{"featureNodeHash": "sky", "archived": false}],
        });
        let labels = json!({"0": {
            "objects": [{"objectHash": "o1", "featureHash": "old"}, {"objectHash": "o2", "featureHash": "car"}],
            "classifications": [{"classificationHash": "c1", "featureHash": "sky"}],
        }});
        let document = json!({
            "data_units": {"u": {"labels": labels}},
            "object_answers": {"o1": {"classifications": []}, "o2": {"classifications": []}},
            "classification_answers": {"c1": {"featureHash": "sky"}},
        });
        let mut shown = document.clone();
        FeatureFilter::default().apply(&mut shown);
        assert_eq!(shown, document);
        FeatureFilter { hidden: archived_features(&ontology), ..FeatureFilter::default() }.apply(&mut shown);
        let objects = &shown["data_units"]["u"]["labels"]["0"]["objects"];
        assert_eq!(*objects, json!([{"objectHash": "o2", "featureHash": "car"}]));
        assert_eq!(shown["object_answers"], json!({"o2": {"classifications": []}}));
        let none = FeatureFilter { classifications: Some(HashSet::new()), ..FeatureFilter::default() };
        none.apply(&mut shown);
        assert_eq!(shown["classification_answers"], json!({}));
        assert_eq!(shown["data_units"]["u"]["labels"]["0"]["classifications"], json!([]));
    }
}
