//! One call from start to end: build, sign, send, watch the clocks, retry, and turn the answer into bytes or an
//! error.
//!
//! Each attempt is signed anew with a fresh time stamp, so that a late retry is not refused as stale. The whole
//! answer is held in memory up to a limit; files go through `download` instead.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use tokio::time::timeout;

use crate::client::{Client, Credentials};
use crate::error::{Error, Result};
use crate::query::Target;
use crate::refusal::{self, Context};
use crate::retry::{self, Safety};
use crate::sign;
use crate::transport::{HttpBody, HttpRequest, HttpResponse, TransportError, TransportErrorKind};

/// Largest answer held in memory unless set otherwise: a thousand label rows of a megabyte each, and some.
pub(crate) const MAX_ANSWER: u64 = 1 << 30;

/// So much of a refusal is read; what it has to say is at its beginning.
const MAX_REFUSAL: u64 = 1 << 20;

/// One request of either generation, before signing.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) body: Bytes,
    pub(crate) safety: Safety,
    pub(crate) scope: Scope,
    /// What to call the request in messages, when method and path do not tell.
    pub(crate) label: &'static str,
}

/// Which generation of the interface a call belongs to, and for the older one, whose data it is about.
#[derive(Debug, Clone)]
pub(crate) enum Scope {
    /// The newer interface.
    V2,
    /// The older interface; kind (`project`, `dataset` or empty) and hash of the entity.
    V1 { kind: &'static str, id: String },
}

/// A successful answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    pub(crate) context: Context,
}

/// What one attempt came to.
enum Attempt {
    Answered { status: StatusCode, headers: HeaderMap, body: Bytes },
    Failed(TransportError),
}

impl Client {
    /// Sends the call until it succeeds, is refused for good, or the budget is used up.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer> {
        let started = Instant::now();
        let url = format!("{}{}", self.inner.domain, call.target.as_str());
        let trace_id = self.trace_id();
        let mut retries = 0;
        loop {
            let context = Context {
                endpoint: call.endpoint(),
                domain: self.inner.domain.clone(),
                trace_id: trace_id.clone(),
                attempts: retries + 1,
            };
            let remaining = self.inner.timeouts.budget.saturating_sub(started.elapsed());
            let attempt = self.attempt(call, &url, &trace_id, remaining).await?;
            let (may_repeat, wait) = match &attempt {
                Attempt::Answered { status, headers, body } if status.is_success() => {
                    if !call.is_rate_limited(body) {
                        return Ok(Answer { status: *status, body: body.clone(), context });
                    }
                    (true, retry::retry_after(headers, SystemTime::now()))
                }
                Attempt::Answered { status, headers, .. } => {
                    let repeat = retry::is_transient(*status)
                        && (call.safety == Safety::Idempotent || retry::is_untouched(*status));
                    (repeat, retry::retry_after(headers, SystemTime::now()))
                }
                Attempt::Failed(failure) => {
                    let safe = call.safety == Safety::Idempotent || failure.is_before_send();
                    (safe && failure.is_retryable() && failure.kind() != TransportErrorKind::Budget, None)
                }
            };
            let pause = wait.unwrap_or_else(|| self.inner.retry.pause(retries));
            let in_time = started.elapsed().saturating_add(pause) < self.inner.timeouts.budget;
            if !may_repeat || retries >= self.inner.retry.max_retries || !in_time {
                return call.conclude(attempt, wait, context);
            }
            tracing::debug!(endpoint = %context.endpoint, attempt = retries + 1, ?pause, "request failed, repeating it");
            tokio::time::sleep(pause).await;
            retries += 1;
        }
    }

    async fn attempt(&self, call: &Call, url: &str, trace_id: &str, remaining: Duration) -> Result<Attempt> {
        let request = HttpRequest {
            method: call.method.clone(),
            url: url.to_owned(),
            headers: self.headers(call, trace_id)?,
            body: HttpBody::Bytes(call.body.clone()),
        };
        let stall = self.inner.timeouts.stall;
        let exchange = async {
            let response = stalled(stall, self.inner.transport.send(request)).await?;
            let HttpResponse { status, headers, mut body } = response;
            let most = self.inner.answer_limit;
            let limit = if status.is_success() { most } else { most.min(MAX_REFUSAL) };
            let mut whole = BytesMut::new();
            while let Some(piece) = stalled(stall, async { body.next().await.transpose() }).await? {
                let length = (whole.len() + piece.len()) as u64;
                if length > limit {
                    if !status.is_success() {
                        break;
                    }
                    let text = format!(
                        "more than {limit} bytes; ask for less at once, or raise ClientBuilder::answer_limit"
                    );
                    return Err(TransportError::new(TransportErrorKind::Oversized, text));
                }
                whole.extend_from_slice(&piece);
            }
            Ok(Attempt::Answered { status, headers, body: whole.freeze() })
        };
        Ok(match timeout(remaining, exchange).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(failure)) => Attempt::Failed(failure),
            Err(_) => Attempt::Failed(TransportError::new(
                TransportErrorKind::Budget,
                format!("no answer within {} s", self.inner.timeouts.budget.as_secs_f32()),
            )),
        })
    }

    fn headers(&self, call: &Call, trace_id: &str) -> Result<HeaderMap> {
        let mut headers = HeaderMap::with_capacity(10);
        headers.insert(USER_AGENT, self.inner.user_agent.clone());
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(
            HeaderName::from_static("x-cloud-trace-context"),
            header_value(&format!("{trace_id}/{};o=1", self.span_id()))?,
        );
        if !call.body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Scope::V1 { kind, id } = &call.scope {
            headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
            headers.insert(HeaderName::from_static("resourcetype"), HeaderValue::from_static(kind));
            headers.insert(HeaderName::from_static("resourceid"), header_value(id)?);
        }
        match (&self.inner.credentials, &call.scope) {
            (Credentials::Bearer(token), _) => {
                let mut value = header_value(&format!("Bearer {}", token.expose()))?;
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
            (Credentials::Key(key), Scope::V1 { .. }) => {
                let mut value = header_value(&sign::v1_authorization(key, &call.body))?;
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
            (Credentials::Key(key), Scope::V2) => {
                let created = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
                let target = self.signed_target(call);
                let signed = sign::v2_signature(key, call.method.as_str(), &target, &call.body, created);
                headers
                    .insert(HeaderName::from_static("content-digest"), header_value(&signed.content_digest)?);
                headers.insert(
                    HeaderName::from_static("signature-input"),
                    header_value(&signed.signature_input)?,
                );
                headers.insert(HeaderName::from_static("signature"), header_value(&signed.signature)?);
            }
        }
        Ok(headers)
    }

    /// Path and query as the server sees them: with the path prefix of the domain, if it has one.
    fn signed_target<'a>(&self, call: &'a Call) -> std::borrow::Cow<'a, str> {
        let target = call.target.as_str();
        match self.inner.path_prefix.as_str() {
            "" => target.into(),
            prefix => format!("{prefix}{target}").into(),
        }
    }
}

impl Call {
    fn endpoint(&self) -> String {
        let path = crate::redact::without_query(self.target.as_str());
        if self.label.is_empty() {
            format!("{} {path}", self.method)
        } else {
            format!("{} {path} {}", self.method, self.label)
        }
    }

    /// The older interface also puts its rate limit into an envelope with status 200. Only short answers that
    /// mention it are looked at.
    fn is_rate_limited(&self, body: &[u8]) -> bool {
        #[derive(serde::Deserialize)]
        struct Refused {
            status: i64,
            response: Vec<String>,
        }
        const CODE: &[u8] = b"RATE_LIMIT_ERROR";
        matches!(self.scope, Scope::V1 { .. })
            && body.len() < 4096
            && body.windows(CODE.len()).any(|window| window == CODE)
            && serde_json::from_slice::<Refused>(body).is_ok_and(|refused| {
                refused.status != 200 && refused.response.iter().any(|code| code.as_bytes() == CODE)
            })
    }

    /// What comes of the last attempt; an operation that must not be repeated may have taken effect.
    fn conclude(&self, attempt: Attempt, wait: Option<Duration>, context: Context) -> Result<Answer> {
        let (error, maybe_applied) = match attempt {
            // An envelope with an error in it, which whoever reads it will find.
            Attempt::Answered { status, body, .. } if status.is_success() => {
                return Ok(Answer { status, body, context });
            }
            Attempt::Answered { status, headers, body } => {
                let applied = status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT;
                (answer_error(status, &headers, wait, &body, context), applied)
            }
            Attempt::Failed(source) => {
                let applied = !source.is_before_send();
                let endpoint = format!("{} on {}", context.endpoint, context.domain);
                (Error::Transport { endpoint, attempts: context.attempts, source }, applied)
            }
        };
        Err(match self.safety {
            Safety::Once if maybe_applied => Error::OutcomeUnknown(Box::new(error)),
            _ => error,
        })
    }
}

impl Answer {
    /// An error about an answer that is not what the protocol promises.
    pub(crate) fn protocol_error(&self, problem: impl Into<String>) -> Error {
        let mut problem = problem.into();
        if self.body.is_empty() {
            problem.push_str(" (the answer is empty)");
        } else if looks_like_html(&self.body) {
            problem.push_str(" (the answer is an HTML page: is the domain right, or is a proxy in the way?)");
        }
        Error::Protocol {
            endpoint: format!(
                "{} on {} (trace_id={})",
                self.context.endpoint, self.context.domain, self.context.trace_id
            ),
            problem,
        }
    }
}

/// The error for a finished answer that is no success.
fn answer_error(
    status: StatusCode,
    headers: &HeaderMap,
    wait: Option<Duration>,
    body: &[u8],
    context: Context,
) -> Error {
    if status.is_redirection() {
        let to =
            headers.get(LOCATION).and_then(|value| value.to_str().ok()).map(crate::redact::without_query);
        return Error::Protocol {
            endpoint: format!("{} on {}", context.endpoint, context.domain),
            problem: format!(
                "the server redirects to {}, which signed requests do not follow; check the domain",
                refusal::clean(to.unwrap_or("nowhere"))
            ),
        };
    }
    refusal::from_status(status, wait, body, context)
}

pub(crate) async fn stalled<T>(
    limit: Duration,
    step: impl Future<Output = Result<T, TransportError>>,
) -> Result<T, TransportError> {
    timeout(limit, step).await.unwrap_or_else(|_| {
        Err(TransportError::new(
            TransportErrorKind::Stalled,
            format!("nothing arrived for {} s", limit.as_secs_f32()),
        ))
    })
}

fn looks_like_html(body: &[u8]) -> bool {
    body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
}

fn header_value(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text)
        .map_err(|_| Error::invalid("an id or token contains characters that cannot be sent in a header"))
}
