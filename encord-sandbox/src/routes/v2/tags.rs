//! Tags of the organisation, which projects can carry.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{delete, get, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};
use crate::routes::rights::managed;
use crate::routes::{Caller, JsonBody, UuidPath, page};
use crate::store::{OrganisationTag, Project, Store};

pub(super) fn router() -> Router<Arc<Platform>> {
    const TAGS: &str = "/organisation/organisation-tags";
    Router::new()
        .route(TAGS, get(list).post(create))
        .route(&format!("{TAGS}/{{tag}}"), delete(remove))
        .route("/projects/{project}/tags", get(of_project))
        .route("/projects/{project}/tags/{tag}", put(attach).delete(detach))
}

async fn list(State(platform): State<Arc<Platform>>, _caller: Caller) -> Json<Value> {
    let mut tags: Vec<OrganisationTag> = platform.read(|store| store.tags.values().cloned().collect());
    tags.sort_by(|one, other| one.name.cmp(&other.name));
    Json(page::answer(tags.iter().map(|tag| json!(tag)).collect(), None))
}

#[derive(Debug, Deserialize)]
struct NewTag {
    name: String,
}

async fn create(
    State(platform): State<Arc<Platform>>,
    _caller: Caller,
    JsonBody(wanted): JsonBody<NewTag>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        if store.tags.values().any(|tag| tag.name == wanted.name) {
            return Err(Refusal::Exists(format!("there is a tag \"{}\" already", wanted.name)));
        }
        let tag = OrganisationTag { uuid: Uuid::new_v4(), name: wanted.name };
        let shown = json!(tag);
        store.tags.insert(tag.uuid, tag);
        Ok(Json(shown))
    })
}

async fn remove(
    State(platform): State<Arc<Platform>>,
    _caller: Caller,
    UuidPath([tag]): UuidPath<1>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        store.tags.remove(&tag).ok_or_else(|| unknown(tag))?;
        let tagged = store.projects.values().filter(|project| project.tags.contains(&tag));
        for project in tagged.map(|project| project.hash).collect::<Vec<_>>() {
            if let Some(project) = store.projects.get_mut(&project) {
                project.tags.retain(|other| *other != tag);
            }
        }
        Ok(Json(Value::Null))
    })
}

async fn of_project(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project]): UuidPath<1>,
) -> Answer<Json<Value>> {
    platform.read(|store| {
        let (project, _) = store.project(project, &caller.who)?;
        Ok(Json(page::answer(tags_of(store, project).map(|tag| json!(tag)).collect(), None)))
    })
}

/// The tags that a project carries.
pub(super) fn tags_of<'a>(
    store: &'a Store,
    project: &'a Project,
) -> impl Iterator<Item = &'a OrganisationTag> {
    project.tags.iter().filter_map(|tag| store.tags.get(tag))
}

async fn attach(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project, tag]): UuidPath<2>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        managed(store, project, &caller.who, "tag the project")?;
        if !store.tags.contains(&tag) {
            return Err(unknown(tag));
        }
        if let Some(project) = store.projects.get_mut(&project)
            && !project.tags.contains(&tag)
        {
            project.tags.push(tag);
        }
        Ok(Json(Value::Null))
    })
}

async fn detach(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([project, tag]): UuidPath<2>,
) -> Answer<Json<Value>> {
    platform.write(|store| {
        managed(store, project, &caller.who, "tag the project")?;
        if let Some(project) = store.projects.get_mut(&project) {
            project.tags.retain(|other| *other != tag);
        }
        Ok(Json(Value::Null))
    })
}

fn unknown(tag: Uuid) -> Refusal {
    Refusal::NotFound(format!("the organisation has no tag {tag}"))
}
