//! `labelrow`: initialising and saving label documents.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Call;
use crate::labels::{self, FeatureFilter};
use crate::refusal::{Answer, Refusal};
use crate::routes::rights::{managed, writable};
use crate::store::{LabelStatus, MAIN_BRANCH, RowKey};
use crate::workflow::StageKind;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReadPayload {
    get_signed_url: bool,
    include_object_feature_hashes: Option<HashSet<String>>,
    include_classification_feature_hashes: Option<HashSet<String>>,
    include_reviews: bool,
    include_archived: bool,
    branch_name: Option<String>,
    multi_request: bool,
}

impl ReadPayload {
    /// One document on its own, or a list of them.
    fn wrap(&self, call: &Call<'_>, mut documents: Vec<Value>) -> Value {
        let single = !self.multi_request && !call.uid.is_array();
        if single { documents.pop().unwrap_or(Value::Null) } else { Value::Array(documents) }
    }
}

/// Documents of rows that have a label hash.
pub(super) fn get(call: &Call<'_>, project: Uuid) -> Answer<Value> {
    let payload: ReadPayload = call.payload()?;
    let labels = call.uids()?;
    let links = call.links();
    let links = payload.get_signed_url.then_some(&links);
    let documents = call.platform.read(|store| {
        let ontology = store.ontologies.get(&store.project(project, call.who)?.0.ontology);
        let archived = ontology.map(|ontology| labels::archived_features(&ontology.structure));
        let filter = FeatureFilter {
            objects: payload.include_object_feature_hashes.clone(),
            classifications: payload.include_classification_feature_hashes.clone(),
            hidden: archived.filter(|_| !payload.include_archived).unwrap_or_default(),
        };
        let read = |label: &Uuid| {
            let row = store.row_of_label(project, *label)?;
            let mut document = labels::read(store, row, links)?;
            filter.apply(&mut document);
            if payload.include_reviews {
                labels::add_reviews(store, row, &mut document);
            }
            Ok(document)
        };
        labels.iter().map(read).collect::<Answer<Vec<_>>>()
    })?;
    Ok(payload.wrap(call, documents))
}

/// Documents by data hash; rows that have no label hash get one.
pub(super) fn create(call: &Call<'_>, project: Uuid) -> Answer<Value> {
    let payload: ReadPayload = call.payload()?;
    let data = call.uids()?;
    let branch: Arc<str> = payload.branch_name.as_deref().unwrap_or(MAIN_BRANCH).into();
    let links = call.links();
    let links = payload.get_signed_url.then_some(&links);
    let documents = call.platform.write(|store| {
        writable(store, project, call.who, "change labels")?;
        let datasets = &store.project(project, call.who)?.0.datasets;
        let foreign = data
            .iter()
            .find(|hash| !store.units.get(*hash).is_some_and(|unit| datasets.contains(&unit.dataset)));
        if let Some(foreign) = foreign {
            return Err(Refusal::NotFound(format!(
                "data unit {foreign} does not belong to project {project}"
            )));
        }
        let keys = data.iter().map(|data| RowKey { project, data: *data, branch: branch.clone() });
        let keys: Vec<RowKey> = keys.collect();
        for key in &keys {
            store.initialise_row(key, call.now);
        }
        let rows = keys.iter().filter_map(|key| store.row(key));
        rows.map(|row| labels::read(store, row, links)).collect::<Answer<Vec<_>>>()
    })?;
    Ok(payload.wrap(call, documents))
}

/// Saves whole documents, all or none of the request.
pub(super) fn save(call: &Call<'_>, project: Uuid) -> Answer<Value> {
    let labels = call.uids()?;
    let one = std::slice::from_ref(call.payload);
    let documents = call.payload.get("labels").and_then(Value::as_array).map_or(one, Vec::as_slice);
    if documents.len() != labels.len() {
        return Err(Refusal::Invalid(format!(
            "{} label hashes but {} documents",
            labels.len(),
            documents.len()
        )));
    }
    // Of a single document this is a key of its own.
    let validate = call.payload.get("validate_before_saving").and_then(Value::as_bool).unwrap_or(false);
    // Checking the documents takes long for large bundles, so others may read meanwhile.
    let stored = call.platform.read(|store| {
        writable(store, project, call.who, "change labels")?;
        let ontology = store.project(project, call.who)?.0.ontology;
        let ontology = store.seen_by(call.who).ontology(ontology)?;
        let features = labels::feature_hashes(&ontology.structure);
        let by_hash: HashMap<&str, &Value> =
            documents.iter().filter_map(|one| Some((one.get("label_hash")?.as_str()?, one))).collect();
        let mut stored = Vec::with_capacity(labels.len());
        for label in &labels {
            let row = store.row_of_label(project, *label)?;
            let document = by_hash.get(label.to_string().as_str()).copied();
            let document = document.ok_or_else(|| {
                Refusal::CorruptedLabel(format!("there is no document for label row {label}"))
            })?;
            stored.push((*label, labels::checked(store, row, document, &features, validate)?));
        }
        Ok(stored)
    })?;
    let saved = call.platform.write(|store| {
        // A project that was deleted meanwhile takes its rows with it.
        let mut saved = Vec::with_capacity(stored.len());
        for (label, document) in stored {
            if let Some(row) = store.row_of_label_mut(label) {
                (row.document, row.errors) = (Some(document.text), document.errors);
                row.saves += 1;
                row.last_edited_at = call.now;
                saved.push((label, row.key.clone()));
            }
        }
        saved
    });
    for (label, key) in saved {
        let details = json!({"project": project, "label": label, "data": key.data, "branch": &*key.branch});
        call.platform.journal.record(&call.who.0, "save", details);
    }
    Ok(Value::Bool(true))
}

/// `complete` sends the task to the end of the workflow, `reopen` to its start.
pub(super) fn change_stage(call: &Call<'_>, project: Uuid) -> Answer<Value> {
    let labels = call.uids()?;
    let action = call.payload.get("action").and_then(Value::as_str).unwrap_or_default();
    let complete = match action {
        "complete" => true,
        "reopen" => false,
        other => {
            return Err(Refusal::Invalid(format!("unknown action \"{other}\": expected complete or reopen")));
        }
    };
    let moved = call.platform.write(|store| {
        managed(store, project, call.who, "complete and reopen tasks")?;
        let stages = store.project(project, call.who)?.0.stages();
        let end = stages.iter().find(|stage| matches!(stage.kind, StageKind::Done));
        let target = if complete { end } else { stages.first() };
        let target = target.ok_or_else(|| Refusal::Invalid("the workflow has no such stage".into()))?.uuid;
        let keys = labels.iter().map(|label| Ok(store.row_of_label(project, *label)?.key.clone()));
        let mut moved = Vec::new();
        for (key, label) in keys.collect::<Answer<Vec<_>>>()?.into_iter().zip(&labels) {
            if let Some(row) = store.row_of_label_mut(*label) {
                row.status = if complete { LabelStatus::Labelled } else { LabelStatus::LabelInProgress };
            }
            let task = store.task_of_data(project, key.data).map(|task| (task.uuid, task.stage));
            if let Some((task, stage)) = task
                && stage != target
                && let Some(to) = store.move_task(task, target, &call.who.0, call.now)
            {
                moved.push((task, stage, to));
            }
        }
        Ok(moved)
    })?;
    for (task, from, to) in moved {
        call.platform.journal.moved(&call.who.0, project, task, from, to);
    }
    Ok(Value::Bool(true))
}
