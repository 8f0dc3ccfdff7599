//! `labelrowmetadata`: the listing of label rows, which makes up an entry for
//! every data unit whether it was labelled or not.

use std::collections::HashSet;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes as Buffer;
use futures::StreamExt as _;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Call;
use crate::auth::Principal;
use crate::blobs::Links;
use crate::clock::Moment;
use crate::labels;
use crate::pattern::like;
use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};
use crate::store::{DataUnit, Item, ItemKind, MAIN_BRANCH, Project, Row, RowKey, Store};
use crate::workflow::Task;

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
    label_hashes: Option<Vec<String>>,
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

/// The same with its texts understood, and who asks.
struct Listing {
    filter: Filter,
    before: Option<Moment>,
    after: Option<Moment>,
    labels: Option<HashSet<Uuid>>,
    project: Uuid,
    who: Principal,
    base: String,
    now: Moment,
}

/// Data units whose rows are put together at once. A longer listing is sent in
/// parts, so that it never is in memory as a whole.
const PART: usize = 1000;

pub(super) fn list(call: &Call<'_>, project: Uuid) -> Answer<Response> {
    let listing = Listing::new(call, project)?;
    let data = call.platform.read(|store| {
        let (project, _) = store.project(project, call.who)?;
        Ok(listing.candidates(store, project))
    })?;
    if data.len() <= PART {
        return Ok(super::success(Value::Array(listing.part(call.platform, &data)?)));
    }
    Ok(in_parts(Arc::clone(call.platform), listing, data))
}

/// The rows of these data units as the listing shows them, in the order of the data units.
pub(crate) fn metadata_of(
    platform: &Platform,
    who: &Principal,
    base: &str,
    project: Uuid,
    data: &[Uuid],
) -> Answer<Vec<Value>> {
    let listing = Listing {
        filter: Filter::default(),
        before: None,
        after: None,
        labels: None,
        project,
        who: who.clone(),
        base: base.to_owned(),
        now: Moment::now(),
    };
    listing.part(platform, data)
}

/// The same answer as [`super::success`] gives, written piece by piece. What
/// goes away meanwhile is left out; what breaks it off breaks the connection.
fn in_parts(platform: Arc<Platform>, listing: Listing, data: Vec<Uuid>) -> Response {
    let (mut next, mut separator) = (0, "");
    let parts = std::iter::from_fn(move || {
        let part = data.get(next..data.len().min(next + PART)).filter(|part| !part.is_empty())?;
        next += part.len();
        let write = || -> Result<Buffer, Refusal> {
            let mut text = String::new();
            for row in listing.part(&platform, part)? {
                text.push_str(separator);
                text.push_str(&row.to_string());
                separator = ", ";
            }
            Ok(text.into())
        };
        let mut write = write;
        Some(write().map_err(|refusal| std::io::Error::other(format!("{refusal:?}"))))
    });
    let whole = std::iter::once(Ok(Buffer::from_static(b"{\"status\": 200, \"response\": [")))
        .chain(parts)
        .chain(std::iter::once(Ok(Buffer::from_static(b"]}"))));
    let fair = futures::stream::iter(whole).then(async |part| {
        // Making a part takes a while, so others get their turn between two.
        tokio::task::yield_now().await;
        part
    });
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(fair)).into_response()
}

impl Listing {
    fn new(call: &Call<'_>, project: Uuid) -> Answer<Self> {
        let filter: Filter = call.payload()?;
        let moment = |text: &Option<String>| {
            let parse = |text: &String| {
                Moment::parse(text)
                    .ok_or_else(|| Refusal::Invalid(format!("\"{text}\" is not a date and time")))
            };
            text.as_ref().map(parse).transpose()
        };
        let labels = filter.label_hashes.as_ref();
        Ok(Self {
            before: moment(&filter.edited_before)?,
            after: moment(&filter.edited_after)?,
            labels: labels.map(|labels| labels.iter().filter_map(|label| label.parse().ok()).collect()),
            project,
            who: call.who.clone(),
            base: call.base.to_owned(),
            now: call.now,
            filter,
        })
    }

    /// The rows of these data units that the filter lets through.
    fn part(&self, platform: &Platform, data: &[Uuid]) -> Answer<Vec<Value>> {
        let links = Links { signer: &platform.urls, base: &self.base, now: self.now.unix_seconds() };
        platform.read(|store| {
            let (project, _) = store.project(self.project, &self.who)?;
            let mut rows = Vec::with_capacity(data.len());
            for hash in data {
                self.rows_of(&links, store, project, *hash, &mut rows)?;
            }
            Ok(rows)
        })
    }

    /// Data hashes in the order of the datasets, or those that were asked for.
    fn candidates(&self, store: &Store, project: &Project) -> Vec<Uuid> {
        let hash = |text: &String| text.parse::<Uuid>().ok();
        let asked: Vec<Uuid> = match (&self.filter.data_hashes, &self.filter.label_hashes) {
            (Some(data), _) => data.iter().filter_map(hash).collect(),
            (None, Some(labels)) => {
                let rows = labels.iter().filter_map(hash);
                let rows = rows.filter_map(|label| store.row_of_label(project.hash, label).ok());
                rows.map(|row| row.key.data).collect()
            }
            (None, None) => {
                let sets = project.datasets.iter().filter_map(|dataset| store.datasets.get(dataset));
                return sets.flat_map(|dataset| dataset.units.iter().copied()).collect();
            }
        };
        let here = |hash: &Uuid| {
            store.units.get(hash).is_some_and(|unit| {
                // Members of groups are rows on request only.
                let wanted = unit.group.is_none() || self.filter.include_children;
                wanted && project.datasets.contains(&unit.dataset)
            })
        };
        let mut seen = HashSet::new();
        asked.into_iter().filter(|hash| here(hash) && seen.insert(*hash)).collect()
    }

    /// The rows of one data unit on every wanted branch, then of its members.
    fn rows_of(
        &self,
        links: &Links<'_>,
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
            if let Some(entry) = self.entry(links, store, project, unit, branch, row)? {
                rows.push(entry);
            }
        }
        // A group that was named does not bring its members along.
        let named = self.filter.data_hashes.is_some() || self.filter.label_hashes.is_some();
        if self.filter.include_children && !named {
            for member in &unit.members {
                self.rows_of(links, store, project, *member, rows)?;
            }
        }
        Ok(())
    }

    fn entry(
        &self,
        links: &Links<'_>,
        store: &Store,
        project: &Project,
        unit: &DataUnit,
        branch: &str,
        row: Option<&Row>,
    ) -> Answer<Option<Value>> {
        let item = store.backing(unit)?;
        let task = store.task_of_data(project.hash, unit.hash);
        let stage = task.and_then(|task| project.workflow.as_ref()?.stage(task.stage));
        let status = labels::annotation_status(store, project.hash, unit.hash);
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
            "data_link": item.plain_link(),
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
            "is_valid": row.is_none_or(|row| row.errors.is_none()),
            "backing_item_uuid": item.uuid,
            "assigned_user_email": task.and_then(|task| task.assignee.as_deref()),
            "last_actioned_by_user_email": task.and_then(|task| task.last_actioned_by.as_deref()),
        });
        if self.filter.client_metadata_as_signed_url && item.client_metadata.is_some() {
            entry["client_metadata_signed_url"] = links.client_metadata(item.uuid).into();
        }
        Ok(Some(entry))
    }

    fn lets_through(&self, item: &Item, row: Option<&Row>, stage: Option<&str>, status: &str) -> bool {
        let filter = &self.filter;
        let edited = row.map(|row| row.last_edited_at);
        let statuses = filter.label_statuses.as_deref();
        (filter.include_uninitialised_labels != Some(false) || row.is_some())
            && filter.shadow_data_state.as_deref() != Some("SHADOW_DATA")
            && self.before.is_none_or(|before| edited.is_some_and(|at| at < before))
            && self.after.is_none_or(|after| edited.is_some_and(|at| at > after))
            && statuses.is_none_or(|statuses| statuses.iter().any(|wanted| wanted == status))
            && self
                .labels
                .as_ref()
                .is_none_or(|wanted| row.is_some_and(|row| wanted.contains(&row.label_hash)))
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
