//! Reading request bodies within limits of size and time.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::refusal::{Answer, Refusal};

/// The whole body, if it is not too large and arrives in time.
pub(super) async fn read(body: Body, limit: usize, time: Duration) -> Answer<Bytes> {
    match tokio::time::timeout(time, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Refusal::TooLarge(format!("the body is larger than {limit} bytes")))
        }
        Ok(Err(_)) => Err(Refusal::Unprocessable("the body ended early".into())),
        Err(_) => Err(Refusal::Unprocessable("the body took too long to arrive".into())),
    }
}

/// Bytes of a refused request that are taken in.
const DRAINED: usize = 1 << 20;

/// Throws a body away that nobody needs. A client that is still sending reads its
/// refusal only when it is through, so a small body is taken in to its end.
pub(super) async fn drain(body: Body, time: Duration) {
    let mut stream = body.into_data_stream();
    let mut left = DRAINED;
    let all = async {
        while let Some(Ok(chunk)) = stream.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(time, all).await;
}
