//! The calling user.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::clock::Moment;
use crate::platform::Platform;
use crate::routes::Caller;

pub(super) fn router() -> Router<Arc<Platform>> {
    Router::new().route("/user/bearer-token", get(bearer_token))
}

async fn bearer_token(State(platform): State<Arc<Platform>>, caller: Caller) -> Json<Value> {
    let token = platform.tokens.issue(&caller.who, Moment::now().unix_seconds());
    Json(json!({"token": token}))
}
