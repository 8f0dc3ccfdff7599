//! Ontologies: read, create, replace, list.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::listed::Listed;
use crate::clock::Moment;
use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};
use crate::routes::{Caller, JsonBody, Query, UuidPath};
use crate::store::Ontology;

pub(super) fn router() -> Router<Arc<Platform>> {
    Router::new()
        .route("/ontologies", get(list).post(create))
        .route("/ontologies/{ontology}", get(read).put(replace))
}

#[derive(Debug, Deserialize)]
struct Body {
    title: String,
    #[serde(default)]
    description: String,
    editor: Value,
}

impl Body {
    fn check(&self) -> Answer<()> {
        let lists = ["objects", "classifications"];
        match lists.iter().find(|key| !self.editor.get(**key).is_some_and(Value::is_array)) {
            Some(key) => Err(Refusal::Unprocessable(format!("editor.{key} must be a list"))),
            None => Ok(()),
        }
    }
}

async fn read(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([hash]): UuidPath<1>,
) -> Answer<Json<Value>> {
    platform.read(|store| Ok(Json(show(store.seen_by(&caller.who).ontology(hash)?, &caller))))
}

async fn create(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    JsonBody(body): JsonBody<Body>,
) -> Answer<Json<Value>> {
    body.check()?;
    let now = Moment::now();
    let ontology = Ontology {
        hash: Uuid::new_v4(),
        title: body.title,
        description: body.description,
        structure: body.editor,
        owner: caller.who.0.clone(),
        readers: vec![caller.who.0.clone()],
        created_at: now,
        last_edited_at: now,
    };
    let shown = show(&ontology, &caller);
    platform.write(|store| store.ontologies.insert(ontology.hash, ontology));
    Ok(Json(shown))
}

async fn replace(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    UuidPath([hash]): UuidPath<1>,
    JsonBody(body): JsonBody<Body>,
) -> Answer<Json<Value>> {
    body.check()?;
    platform.write(|store| {
        let found = store.seen_by(&caller.who).ontology(hash)?;
        if !found.is_admin(&caller.who.0) {
            return Err(Refusal::Forbidden(format!("no right to change ontology {hash}")));
        }
        if let Some(ontology) = store.ontologies.get_mut(&hash) {
            ontology.title = body.title;
            ontology.description = body.description;
            ontology.structure = body.editor;
            ontology.last_edited_at = Moment::now();
        }
        Ok(Json(Value::Null))
    })
}

async fn list(State(platform): State<Arc<Platform>>, caller: Caller, query: Query) -> Json<Value> {
    let mut found: Vec<Value> = platform.read(|store| {
        let wanted = |ontology: &&Ontology| {
            let listed = Listed {
                title: &ontology.title,
                description: &ontology.description,
                created_at: ontology.created_at,
                last_edited_at: ontology.last_edited_at,
            };
            store.seen_by(&caller.who).sees_ontology(ontology) && listed.passes(&query)
        };
        store.ontologies.values().filter(wanted).map(|ontology| show(ontology, &caller)).collect()
    });
    found.sort_by_cached_key(|ontology| {
        (ontology["createdAt"].to_string(), ontology["ontologyUuid"].to_string())
    });
    Json(json!({"results": found}))
}

fn show(ontology: &Ontology, caller: &Caller) -> Value {
    json!({
        "ontologyUuid": ontology.hash,
        "title": ontology.title,
        "description": ontology.description,
        "editor": ontology.structure,
        "createdAt": ontology.created_at.iso(),
        "lastEditedAt": ontology.last_edited_at.iso(),
        "userRole": if ontology.is_admin(&caller.who.0) { 0 } else { 1 },
    })
}
