//! Many parts in one request, and what becomes of each part when the request fails.

use std::slice;

use encord_client::Error;
use futures::future::{BoxFuture, join_all};
use tracing::warn;

use crate::execute::Failure;

/// How many parts of a failed bundle are sent at the same time.
pub(super) const REPLAY_WIDTH: usize = 8;

/// Why a part was not done.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) failure: Failure,
    /// The platform looked at this part alone and declined it, as it will again.
    pub(super) is_final: bool,
}

impl Refused {
    /// The failure of a request that was about this part only.
    fn alone(error: &Error) -> Self {
        let is_final = match error {
            Error::InvalidArguments(_)
            | Error::InvalidInput(_)
            | Error::InvalidLabels(_)
            | Error::Labels { .. }
            | Error::NotFound(_)
            | Error::NotAllowed(_)
            | Error::AlreadyExists(_)
            | Error::PayloadTooLarge(_) => true,
            Error::Unexpected(refusal) => {
                let declined = (400..500).contains(&refusal.status()) || refusal.code().is_some();
                declined && !error.is_retryable()
            }
            _ => false,
        };
        Refused { failure: Failure::from(error), is_final }
    }
}

/// Sends all parts at once. If that fails, sends each alone and gives every part its own result.
pub(super) async fn in_bundle<T, F>(parts: &[T], send: F) -> Vec<Result<(), Refused>>
where
    F: for<'a> Fn(&'a [T]) -> BoxFuture<'a, Result<(), Error>>,
{
    let Err(error) = send(parts).await else { return vec![Ok(()); parts.len()] };
    let (done, error) = applied_before(error);
    let mut results = vec![Ok(()); done.min(parts.len())];
    let open = &parts[results.len()..];
    if open.len() == 1 {
        results.push(Err(Refused::alone(&error)));
        return results;
    }
    let together = Refused { failure: Failure::from(&error), is_final: false };
    if error.is_access_denied() {
        results.resize(parts.len(), Err(together));
        return results;
    }
    warn!(parts = open.len(), "a bundle failed, its parts are sent one by one: {}", together.failure.message);
    for chunk in open.chunks(REPLAY_WIDTH) {
        let answers = join_all(chunk.iter().map(|part| send(slice::from_ref(part)))).await;
        let unreachable = answers.iter().all(|answer| answer.as_ref().is_err_and(Error::is_retryable));
        results.extend(answers.into_iter().map(|answer| answer.map_err(|error| Refused::alone(&error))));
        if unreachable {
            // The platform is down or refuses to be asked; asking for each of the others would not help.
            break;
        }
    }
    results.resize(parts.len(), Err(together));
    results
}

/// A bundle that does not fit into one request goes out as several: how many parts were dealt with before the one
/// that failed, and why it failed.
pub(super) fn applied_before(error: Error) -> (usize, Error) {
    match error {
        Error::Incomplete { done, source } => (done, *source),
        error => (0, error),
    }
}
