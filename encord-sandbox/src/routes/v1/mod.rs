//! The old generation: one URL, one method, and what is wanted in the body.

mod datasets;
mod label_rows;
mod labels;
mod logs;
mod projects;
mod reencode;
mod uploads;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) use self::label_rows::metadata_of;
use super::Caller;
use crate::auth::Principal;
use crate::blobs::Links;
use crate::clock::Moment;
use crate::platform::Platform;
use crate::refusal::{Answer, Refusal};

/// The body of every v1 request.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope {
    pub(crate) query_type: String,
    pub(crate) query_method: String,
    values: Values,
}

#[derive(Debug, Deserialize)]
struct Values {
    #[serde(default)]
    uid: Value,
    #[serde(default)]
    payload: Value,
}

pub(super) fn router() -> Router<Arc<Platform>> {
    Router::new().route("/public", post(entity)).route("/public/user", post(user))
}

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Project(Uuid),
    Dataset(Uuid),
    User,
}

/// One request, taken apart.
struct Call<'a> {
    platform: &'a Arc<Platform>,
    who: &'a Principal,
    base: &'a str,
    now: Moment,
    uid: &'a Value,
    payload: &'a Value,
}

impl<'a> Call<'a> {
    /// The uid as a list of UUIDs, or a single one as a list of one.
    fn uids(&self) -> Answer<Vec<Uuid>> {
        let one = std::slice::from_ref(self.uid);
        let list = self.uid.as_array().map_or(one, Vec::as_slice);
        if list.len() > self.platform.limits.bundle {
            return Err(Refusal::TooManyLabels(self.platform.limits.bundle));
        }
        list.iter().map(uuid).collect()
    }

    /// The payload in the shape the operation wants.
    fn payload<T: Deserialize<'a>>(&self) -> Answer<T> {
        T::deserialize(self.payload)
            .map_err(|error| Refusal::Invalid(format!("the payload does not fit: {error}")))
    }

    fn links(&self) -> Links<'a> {
        Links { signer: &self.platform.urls, base: self.base, now: self.now.unix_seconds() }
    }
}

async fn entity(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    headers: HeaderMap,
    envelope: Option<Extension<Arc<Envelope>>>,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = header("resourcetype");
    let scope = match (kind, header("resourceid").parse()) {
        ("project", Ok(hash)) => Ok(Scope::Project(hash)),
        ("dataset", Ok(hash)) => Ok(Scope::Dataset(hash)),
        ("project" | "dataset", Err(_)) => Err(Refusal::Forbidden(format!("no access to this {kind}"))),
        _ => Err(Refusal::Invalid(format!("unknown ResourceType \"{kind}\""))),
    };
    answer(&platform, &caller, scope, envelope).await
}

async fn user(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    envelope: Option<Extension<Arc<Envelope>>>,
) -> Response {
    answer(&platform, &caller, Ok(Scope::User), envelope).await
}

async fn answer(
    platform: &Arc<Platform>,
    caller: &Caller,
    scope: Answer<Scope>,
    envelope: Option<Extension<Arc<Envelope>>>,
) -> Response {
    let Some(Extension(envelope)) = envelope else {
        let message = json!({"message": "the body is not a query envelope"});
        return (StatusCode::BAD_REQUEST, Json(message)).into_response();
    };
    let call = Call {
        platform,
        who: &caller.who,
        base: &caller.base,
        now: Moment::now(),
        uid: &envelope.values.uid,
        payload: &envelope.values.payload,
    };
    let answer = match (scope, &*envelope.query_type, &*envelope.query_method) {
        (Ok(Scope::Project(project)), "labelrowmetadata", "GET") => label_rows::list(&call, project),
        (Ok(Scope::Dataset(dataset)), "datasetdatalongpolling", "POST") => {
            uploads::start(&call, dataset).await.map(success)
        }
        (Ok(Scope::Dataset(dataset)), "datasetdatalongpolling", "GET") => {
            uploads::poll(&call, dataset).await.map(success)
        }
        (Ok(scope), entity, method) => dispatch(&call, scope, entity, method).map(success),
        (Err(refusal), _, _) => Err(refusal),
    };
    answer.unwrap_or_else(Refusal::into_v1)
}

fn success(response: Value) -> Response {
    Json(json!({"status": 200, "response": response})).into_response()
}

fn dispatch(call: &Call<'_>, scope: Scope, entity: &str, method: &str) -> Answer<Value> {
    match (scope, entity, method) {
        (Scope::Project(project), "labelrow", "GET") => labels::get(call, project),
        (Scope::Project(project), "labelrow", "PUT") => labels::create(call, project),
        (Scope::Project(project), "labelrow", "POST") => labels::save(call, project),
        (Scope::Project(project), "labelworkflowgraphnode", "POST") => labels::change_stage(call, project),
        (Scope::Project(project), "datasetdata", "GET") => datasets::data_of_project(call, project),
        (Scope::Project(project), "project", "GET") => projects::legacy(call, project),
        (Scope::Project(project), "projectdataset", "POST") => projects::attach(call, project),
        (Scope::Project(project), "projectdataset", "DELETE") => projects::detach(call, project),
        (Scope::Project(project), "projectcopy", "POST") => projects::copy(call, project),
        (Scope::Project(project), "projectusers", "POST") => projects::add_users(call, project),
        (Scope::Project(project), "labellog", "GET") => logs::list(call, project),
        (Scope::Dataset(dataset), "reencodevideotask", "PUT") => reencode::start(call, dataset),
        (Scope::Dataset(dataset), "reencodevideotask", "GET") => reencode::status(call, dataset),
        (Scope::User, "project", "POST") => projects::create(call),
        (Scope::User, "project", "DELETE") => projects::delete(call),
        (Scope::User, "projectwithuserrole", "GET") => projects::list(call),
        (Scope::Dataset(dataset), "dataset", "GET") => datasets::get(call, dataset),
        (Scope::Dataset(dataset), "datasetusers", "POST") => datasets::add_users(call, dataset),
        (Scope::Dataset(dataset), "datarows", "GET") => datasets::rows(call, dataset),
        (Scope::Dataset(dataset), "datarow", "GET") => datasets::row(call, dataset),
        (Scope::Dataset(dataset), "datasetlinkitems", "POST") => datasets::link(call, dataset),
        (Scope::Dataset(dataset), "video", "DELETE") => datasets::remove(call, dataset),
        _ => Err(Refusal::MethodNotAllowed(format!("{entity} has no {method} here"))),
    }
}

fn uuid(value: &Value) -> Answer<Uuid> {
    let parsed = value.as_str().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| Refusal::Invalid(format!("{value} is not a hash")))
}
