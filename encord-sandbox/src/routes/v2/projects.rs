//! Projects: reading, listing, and what hangs directly on one.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::listed::Listed;
use super::tags::tags_of;
use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};
use crate::routes::rights::managed;
use crate::routes::{Caller, JsonBody, Query, UuidPath, page};
use crate::store::{Project, Role, Store};
use crate::workflow::{Stage, StageKind};

pub(super) fn router() -> Router<Arc<Platform>> {
    Router::new()
        .route("/projects", get(list))
        .route("/projects/{project}", get(read))
        .route("/projects/{project}/datasets", get(datasets))
        .route("/projects/{project}/branches", get(branches))
        .route("/projects/{project}/users", get(users))
        .route("/projects/{project}/users/bulk-delete", post(remove_users))
        .route("/projects/{project}/status", put(set_status))
        .route("/projects/{project}/priorities", post(set_priorities))
}

async fn read(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([hash]): UuidPath<1>,
) -> Answer<Json<Value>> {
    platform.read(|store| {
        let (project, role) = store.project(hash, &caller.who)?;
        show(store, project, role).map(Json)
    })
}

async fn list(State(platform): State<Arc<Platform>>, caller: Caller, query: Query) -> Answer<Json<Value>> {
    platform.read(|store| {
        let mine = store.projects.values();
        let mut mine: Vec<(&Project, Role)> = mine
            .filter_map(|project| Some((project, *project.members.get(&caller.who.0)?)))
            .filter(|(project, _)| wanted(store, &query, project))
            .collect();
        mine.sort_by_key(|(project, _)| (project.created_at, project.hash));
        let mut shown = Vec::with_capacity(mine.len());
        for (project, role) in mine {
            shown.push(show(store, project, role)?);
        }
        page::cut(&query, 100, shown, |project| project).map(Json)
    })
}

fn wanted(store: &Store, query: &Query, project: &Project) -> bool {
    let listed = Listed {
        title: &project.title,
        description: &project.description,
        created_at: project.created_at,
        last_edited_at: project.last_edited_at,
    };
    let mut tags = query.all("tagsAnyof").peekable();
    let is_tagged = |wanted: &str| tags_of(store, project).any(|tag| tag.name == wanted);
    listed.passes(query) && (tags.peek().is_none() || tags.any(is_tagged))
}

fn show(store: &Store, project: &Project, role: Role) -> Answer<Value> {
    let kind = if project.workflow.is_some() { "workflow" } else { "manual_qa" };
    // Clients break on router stages, and the platform does not list them.
    let stages = project.stages().iter().filter(|stage| !matches!(stage.kind, StageKind::Router { .. }));
    let workflow =
        project.workflow.as_ref().map(|_| json!({"stages": stages.map(show_stage).collect::<Vec<_>>()}));
    Ok(json!({
        "projectHash": project.hash,
        "projectType": kind,
        "status": project.status,
        "title": project.title,
        "description": project.description,
        "createdAt": project.created_at.iso(),
        "creatorEmail": project.creator,
        "lastEditedAt": project.last_edited_at.iso(),
        "ontologyHash": project.ontology,
        "editorOntology": store.ontologies.get(&project.ontology).map(|ontology| &ontology.structure),
        "userRole": role.wire(),
        "sourceProjects": null,
        "workflowManagerUuid": project.template,
        "workflow": workflow,
    }))
}

fn show_stage(stage: &Stage) -> Value {
    let mut shown = json!({"stageType": stage.kind.wire(), "uuid": stage.uuid, "title": stage.title});
    if let StageKind::Agent { pathways } = &stage.kind {
        let pathways = pathways.iter().map(|pathway| {
            json!({"uuid": pathway.uuid, "title": pathway.name, "destinationUuid": pathway.destination})
        });
        shown["pathways"] = pathways.collect();
    }
    shown
}

async fn datasets(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([hash]): UuidPath<1>,
) -> Answer<Json<Value>> {
    platform.read(|store| {
        let (project, _) = store.project(hash, &caller.who)?;
        let datasets = project.datasets.iter().filter_map(|dataset| store.datasets.get(dataset));
        let datasets: Vec<Value> = datasets
            .map(|dataset| {
                json!({"datasetHash": dataset.hash, "title": dataset.title, "description": dataset.description})
            })
            .collect();
        Ok(Json(json!({"results": datasets})))
    })
}

async fn branches(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([hash]): UuidPath<1>,
    query: Query,
) -> Answer<Json<Value>> {
    platform.read(|store| {
        store.project(hash, &caller.who)?;
        page::cut(&query, 100, store.branches(hash), |branch| json!({"name": &*branch})).map(Json)
    })
}

async fn users(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([hash]): UuidPath<1>,
    query: Query,
) -> Answer<Json<Value>> {
    platform.read(|store| {
        let (project, _) = store.project(hash, &caller.who)?;
        let members: Vec<_> = project.members.iter().collect();
        let show = |(email, role): (&String, &Role)| json!({"userEmail": email, "userRole": role.wire()});
        page::cut(&query, 100, members, show).map(Json)
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Leavers {
    user_emails: Vec<String>,
}

async fn remove_users(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([hash]): UuidPath<1>,
    JsonBody(body): JsonBody<Leavers>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        managed(store, hash, &caller.who, "remove users")?;
        if let Some(project) = store.projects.get_mut(&hash) {
            project.members.retain(|email, _| !body.user_emails.contains(email));
        }
        Ok(Json(Value::Null))
    })
}

#[derive(Debug, Deserialize)]
struct NewStatus {
    status: String,
}

const STATUSES: [&str; 7] =
    ["notStarted", "inProgress", "inReview", "paused", "completed", "cancelled", "archived"];

async fn set_status(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([hash]): UuidPath<1>,
    JsonBody(body): JsonBody<NewStatus>,
) -> Answer<Json<Value>> {
    if !STATUSES.contains(&body.status.as_str()) {
        return Err(Refusal::Unprocessable(format!("unknown status \"{}\"", body.status)));
    }
    platform.write(|store| {
        managed(store, hash, &caller.who, "change the status")?;
        if let Some(project) = store.projects.get_mut(&hash) {
            project.status = body.status;
        }
        Ok(Json(Value::Null))
    })
}

#[derive(Debug, Deserialize)]
struct Priorities {
    priorities: Vec<(Uuid, f64)>,
}

async fn set_priorities(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([hash]): UuidPath<1>,
    JsonBody(body): JsonBody<Priorities>,
) -> Answer<Json<Value>> {
    let limit = platform.limits.bundle;
    if body.priorities.len() > limit {
        return Err(Refusal::TooManyLabels(limit));
    }
    let outside = body.priorities.iter().find(|(_, priority)| !(0.0..=1.0).contains(priority));
    if let Some((data, priority)) = outside {
        return Err(Refusal::Invalid(format!("priority {priority} of {data} is not between 0 and 1")));
    }
    platform.write(|store| {
        managed(store, hash, &caller.who, "set priorities")?;
        let mut tasks = Vec::with_capacity(body.priorities.len());
        for (data, priority) in &body.priorities {
            let task = store.task_of_data(hash, *data);
            let task =
                task.ok_or_else(|| Refusal::Invalid(format!("project {hash} has no data unit {data}")))?;
            tasks.push((task.uuid, *priority));
        }
        for (task, priority) in tasks {
            if let Some(task) = store.task_mut(task) {
                task.priority = Some(priority);
            }
        }
        Ok(())
    })?;
    let details: BTreeSet<_> =
        body.priorities.iter().map(|(data, priority)| format!("{data} {priority}")).collect();
    platform.journal.record(&caller.who.0, "priorities", json!({"project": hash, "priorities": details}));
    Ok(Json(Value::Null))
}
