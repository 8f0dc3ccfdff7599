//! Every HTTP route, one file per resource, and what they share: how ids,
//! queries and bodies are read.

mod control;
mod extract;
mod page;
mod rights;
mod status;
pub(crate) mod v1;
mod v2;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::get;

pub(crate) use self::extract::{Caller, JsonBody, Query, UuidPath};
pub(crate) use self::v1::Envelope;
use crate::blobs;
use crate::gate::gate;
use crate::platform::Platform;
use crate::refusal::Refusal;
use crate::uploads;

/// The router of one sandbox.
pub(crate) fn router(platform: Arc<Platform>) -> Router {
    Router::new()
        .merge(v1::router())
        .nest("/v2/public", v2::router())
        .route("/_blobs/{object}", get(blobs::download).put(uploads::receive))
        .route("/_blobs/{object}/client-metadata", get(blobs::client_metadata))
        .merge(control::router())
        .merge(status::router())
        .fallback(async || Refusal::NotFound("there is no such endpoint".into()))
        .method_not_allowed_fallback(async || {
            Refusal::MethodNotAllowed("this endpoint has no such method".into())
        })
        // The gate and the uploads have limits of their own.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(platform.clone(), gate))
        .with_state(platform)
}
