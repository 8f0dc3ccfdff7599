//! The new generation: one URL per resource, JSON in camel case.

mod clouds;
mod collections;
mod datasets;
mod folders;
mod issues;
mod items;
mod labels;
mod listed;
mod ontologies;
mod patch;
mod project_collections;
mod projects;
mod reencode;
mod reviews;
mod schema;
mod tags;
mod uploads;
mod users;
mod workflow;

use std::sync::Arc;

use axum::Router;

use crate::platform::Platform;

pub(super) fn router() -> Router<Arc<Platform>> {
    Router::new()
        .merge(projects::router())
        .merge(labels::router())
        .merge(reviews::router())
        .merge(ontologies::router())
        .merge(workflow::router())
        .merge(clouds::router())
        .merge(collections::router())
        .merge(datasets::router())
        .merge(folders::router())
        .merge(issues::router())
        .merge(items::router())
        .merge(project_collections::router())
        .merge(reencode::router())
        .merge(schema::router())
        .merge(tags::router())
        .merge(uploads::router())
        .merge(users::router())
}
