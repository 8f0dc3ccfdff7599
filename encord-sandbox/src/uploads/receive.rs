//! `PUT /_blobs/{object}`: a file arrives.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;
use tokio::io::AsyncWriteExt as _;

use crate::blobs::refuse;
use crate::clock::Moment;
use crate::platform::Platform;
use crate::routes::UuidPath;

/// Stores the body under the name that the URL was signed for.
pub(crate) async fn receive(
    State(platform): State<Arc<Platform>>,
    UuidPath([object]): UuidPath<1>,
    RawQuery(query): RawQuery,
    body: Body,
) -> Response {
    let now = Moment::now().unix_seconds();
    if let Err(code) = platform.urls.check(&query.unwrap_or_default(), "PUT", object, now) {
        return refuse(StatusCode::FORBIDDEN, code);
    }
    // The file has a name of ours, so no name of the client reaches the disk.
    let path = platform.files.path_of(object);
    match write(&path, body, platform.limits.upload, platform.limits.stall_time).await {
        Ok(()) => {
            platform.write(|store| {
                if let Some(upload) = store.uploads.get_mut(&object) {
                    upload.received = true;
                }
            });
            StatusCode::OK.into_response()
        }
        Err(Broken::TooLarge) => refuse(StatusCode::PAYLOAD_TOO_LARGE, "EntityTooLarge"),
        Err(Broken::Interrupted) => refuse(StatusCode::BAD_REQUEST, "IncompleteBody"),
        Err(Broken::Disk(error)) => {
            tracing::error!(%error, "an upload cannot be stored");
            refuse(StatusCode::INTERNAL_SERVER_ERROR, "InternalError")
        }
    }
}

enum Broken {
    TooLarge,
    Interrupted,
    Disk(std::io::Error),
}

impl From<std::io::Error> for Broken {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error)
    }
}

/// Writes to a temporary name first: a broken upload leaves nothing behind, and
/// nobody reads half a file.
async fn write(path: &Path, body: Body, limit: u64, stall: Duration) -> Result<(), Broken> {
    let folder = path.parent().unwrap_or(Path::new(".")).to_path_buf();
    let part = tempfile::NamedTempFile::new_in(folder)?;
    let (file, part) = part.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    let mut stream = body.into_data_stream();
    let mut size = 0;
    loop {
        let chunk = tokio::time::timeout(stall, stream.next()).await.map_err(|_| Broken::Interrupted)?;
        let Some(chunk) = chunk else { break };
        let chunk = chunk.map_err(|_| Broken::Interrupted)?;
        size += chunk.len() as u64;
        if size > limit {
            return Err(Broken::TooLarge);
        }
        file.write_all(&chunk).await?;
    }
    file.flush().await?;
    drop(file);
    part.persist(path).map_err(|error| Broken::Disk(error.error))?;
    Ok(())
}
