//! The new generation: one URL per resource, JSON in camel case.

mod items;
mod ontologies;
mod projects;
mod users;
mod workflow;

use std::sync::Arc;

use axum::Router;

use crate::platform::Platform;

pub(super) fn router() -> Router<Arc<Platform>> {
    Router::new()
        .merge(projects::router())
        .merge(ontologies::router())
        .merge(workflow::router())
        .merge(items::router())
        .merge(users::router())
}
