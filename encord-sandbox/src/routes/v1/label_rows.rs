//! `labelrowmetadata`: the listing of label rows, which makes up an entry for
//! every data unit whether it was labelled or not.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Call;
use crate::clock::Moment;
use crate::labels;
use crate::pattern::like;
use crate::refusal::{Answer, Refusal};
use crate::store::{DataUnit, Item, ItemKind, MAIN_BRANCH, Project, Row, RowKey, Store};
use crate::workflow::{StageKind, Task, TaskStatus};

/// The filters and includes of a listing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Filter {
    edited_before: Option<String>,
    edited_after: Option<String>,
    label_statuses: Option<Vec<String>>,
    shadow_data_state: Option<String>,
    include_uninitialised_labels: Option<bool>,
    data_hashes: Option<Vec<String>>,
    label_hashes: Option<HashSet<String>>,
    data_title_eq: Option<String>,
    data_title_like: Option<String>,
    workflow_graph_node_title_eq: Option<String>,
    workflow_graph_node_title_like: Option<String>,
    include_client_metadata: bool,
    include_images_data: bool,
    include_children: bool,
    include_workflow_graph_node: Option<bool>,
    include_all_label_branches: bool,
    branch_name: Option<String>,
    client_metadata_as_signed_url: bool,
}

/// The same with its texts understood.
struct Wanted {
    filter: Filter,
    before: Option<Moment>,
    after: Option<Moment>,
}

pub(super) fn list(call: &Call<'_>, project: Uuid) -> Answer<Value> {
    let filter: Filter = call.payload()?;
    let moment = |text: &Option<String>| {
        let parse = |text: &String| {
            Moment::parse(text).ok_or_else(|| Refusal::Invalid(format!("\"{text}\" is not a date and time")))
        };
        text.as_ref().map(parse).transpose()
    };
    let wanted =
        Wanted { before: moment(&filter.edited_before)?, after: moment(&filter.edited_after)?, filter };
    call.platform.read(|store| {
        let (project, _) = store.project(project, call.who)?;
        let mut rows = Vec::new();
        for hash in wanted.candidates(store, project)? {
            wanted.rows_of(call, store, project, hash, &mut rows)?;
        }
        Ok(Value::Array(rows))
    })
}

/// Where people stand with a data unit, in the words of the listing.
pub(crate) fn annotation_status(store: &Store, project: Uuid, data: Uuid) -> &'static str {
    let Some(task) = store.task_of_data(project, data) else { return "QUEUED" };
    let workflow = store.projects.get(&project).and_then(|project| project.workflow.as_ref());
    let kind = workflow.and_then(|workflow| workflow.stage(task.stage)).map(|stage| &stage.kind);
    match (kind, task.status) {
        (Some(StageKind::Done), _) => "COMPLETED",
        (Some(StageKind::Review { .. } | StageKind::ConsensusReview { .. }), _) => "IN_REVIEW",
        (_, TaskStatus::Reopened) => "RETURNED",
        (_, TaskStatus::Assigned) => "ASSIGNED",
        _ => "QUEUED",
    }
}

impl Wanted {
    /// Data hashes in the order of the datasets, or those that were asked for.
    fn candidates(&self, store: &Store, project: &Project) -> Answer<Vec<Uuid>> {
        let Some(asked) = &self.filter.data_hashes else {
            let units = project.datasets.iter().filter_map(|dataset| store.datasets.get(dataset));
            return Ok(units.flat_map(|dataset| dataset.units.iter().copied()).collect());
        };
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for text in asked {
            let Ok(hash) = text.parse::<Uuid>() else { continue };
            let here = store.units.get(&hash).is_some_and(|unit| project.datasets.contains(&unit.dataset));
            if here && seen.insert(hash) {
                found.push(hash);
            }
        }
        Ok(found)
    }

    /// The rows of one data unit on every wanted branch, then of its members.
    fn rows_of(
        &self,
        call: &Call<'_>,
        store: &Store,
        project: &Project,
        data: Uuid,
        rows: &mut Vec<Value>,
    ) -> Answer<()> {
        let Some(unit) = store.units.get(&data) else { return Ok(()) };
        let branches: Vec<Arc<str>> = if self.filter.include_all_label_branches {
            let branches = store.branches(project.hash).into_iter();
            let exists = |branch: &Arc<str>| store.row(&key(project, data, branch)).is_some();
            branches.filter(|branch| &**branch == MAIN_BRANCH || exists(branch)).collect()
        } else {
            vec![self.filter.branch_name.as_deref().unwrap_or(MAIN_BRANCH).into()]
        };
        for branch in &branches {
            let row = store.row(&key(project, data, branch));
            if let Some(entry) = self.entry(call, store, project, unit, branch, row)? {
                rows.push(entry);
            }
        }
        if self.filter.include_children {
            for member in &unit.members {
                self.rows_of(call, store, project, *member, rows)?;
            }
        }
        Ok(())
    }

    fn entry(
        &self,
        call: &Call<'_>,
        store: &Store,
        project: &Project,
        unit: &DataUnit,
        branch: &str,
        row: Option<&Row>,
    ) -> Answer<Option<Value>> {
        let item = store.backing(unit)?;
        let task = store.task_of_data(project.hash, unit.hash);
        let stage = task.and_then(|task| project.workflow.as_ref()?.stage(task.stage));
        let status = annotation_status(store, project.hash, unit.hash);
        let stage_title = stage.map(|stage| stage.title.as_str());
        if !self.lets_through(item, row, stage_title, status) {
            return Ok(None);
        }
        let dataset = store.dataset(unit.dataset)?;
        let facts = &item.facts;
        let node = stage.map(|stage| json!({"uuid": stage.uuid, "title": stage.title}));
        let metadata = item.client_metadata.as_deref().filter(|_| self.filter.include_client_metadata);
        let mut entry = json!({
            "label_hash": row.map(|row| row.label_hash),
            "branch_name": branch,
            "created_at": row.map(|row| row.created_at.long()),
            "last_edited_at": row.map(|row| row.last_edited_at.long()),
            "data_hash": unit.hash,
            "group_hash": unit.group,
            "dataset_hash": unit.dataset,
            "dataset_title": dataset.title,
            "data_title": item.name,
            "data_type": item.kind.data_type().to_uppercase(),
            "data_link": format!("encord-store/{}", item.uuid),
            "label_status": row.map_or("NOT_LABELLED", |row| row.status.wire()),
            "annotation_task_status": status,
            "workflow_graph_node": node.filter(|_| self.filter.include_workflow_graph_node != Some(false)),
            "is_shadow_data": false,
            "frames_per_second": facts.fps,
            "number_of_frames": frames(item),
            "duration": facts.duration,
            "height": facts.height,
            "width": facts.width,
            "audio_sample_rate": facts.sample_rate,
            "audio_codec": facts.codec,
            "audio_bit_depth": facts.bit_depth,
            "audio_num_channels": facts.channels,
            "spaces": labels::spaces(store, unit, item, None)?,
            "task_uuid": task.map(|task| task.uuid),
            "priority": task.map(priority),
            "client_metadata": metadata.and_then(|text| serde_json::from_str::<Value>(text).ok()),
            "images_data": self.filter.include_images_data.then(|| images(store, item)).flatten(),
            "file_type": facts.mime,
            "is_valid": true,
            "backing_item_uuid": item.uuid,
            "assigned_user_email": task.and_then(|task| task.assignee.as_deref()),
            "last_actioned_by_user_email": task.and_then(|task| task.last_actioned_by.as_deref()),
        });
        if self.filter.client_metadata_as_signed_url && item.client_metadata.is_some() {
            entry["client_metadata_signed_url"] = call.links().client_metadata(item.uuid).into();
        }
        Ok(Some(entry))
    }

    fn lets_through(&self, item: &Item, row: Option<&Row>, stage: Option<&str>, status: &str) -> bool {
        let filter = &self.filter;
        let edited = row.map(|row| row.last_edited_at);
        let label = row.map(|row| row.label_hash.to_string());
        let statuses = filter.label_statuses.as_deref();
        (filter.include_uninitialised_labels != Some(false) || row.is_some())
            && filter.shadow_data_state.as_deref() != Some("SHADOW_DATA")
            && self.before.is_none_or(|before| edited.is_some_and(|at| at < before))
            && self.after.is_none_or(|after| edited.is_some_and(|at| at > after))
            && statuses.is_none_or(|statuses| statuses.iter().any(|wanted| wanted == status))
            && filter
                .label_hashes
                .as_ref()
                .is_none_or(|wanted| label.is_some_and(|label| wanted.contains(&label)))
            && filter.data_title_eq.as_deref().is_none_or(|wanted| wanted == item.name)
            && filter.data_title_like.as_deref().is_none_or(|wanted| like(wanted, &item.name))
            && filter.workflow_graph_node_title_eq.as_deref().is_none_or(|wanted| Some(wanted) == stage)
            && filter
                .workflow_graph_node_title_like
                .as_deref()
                .is_none_or(|wanted| stage.is_some_and(|stage| like(wanted, stage)))
    }
}

fn key(project: &Project, data: Uuid, branch: &Arc<str>) -> RowKey {
    RowKey { project: project.hash, data, branch: branch.clone() }
}

fn frames(item: &Item) -> Option<u64> {
    match item.kind {
        ItemKind::ImageGroup | ItemKind::DicomSeries => Some(item.children.len() as u64),
        ItemKind::Image | ItemKind::Group => Some(1),
        _ => item.facts.frames,
    }
}

/// Rows always have a priority; it is 0.5 until somebody sets it.
fn priority(task: &Task) -> f64 {
    task.priority.unwrap_or(0.5)
}

fn images(store: &Store, item: &Item) -> Option<Vec<Value>> {
    if item.kind != ItemKind::ImageGroup {
        return None;
    }
    let frames = item.children.iter().filter_map(|child| store.items.get(child)).enumerate();
    let image = |(index, frame): (usize, &Item)| {
        json!({
            "index": index,
            "title": frame.name,
            "file_type": frame.facts.mime,
            "height": frame.facts.height,
            "width": frame.facts.width,
            "image_hash": frame.uuid,
        })
    };
    Some(frames.map(image).collect())
}
