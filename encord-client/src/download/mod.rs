//! From a signed link to a file: streamed, resumed after a broken connection, complete or not there at all.
//!
//! Bytes go to a temporary file beside the target, which is renamed at the end and removed in every other case
//! (error, panic, cancellation). Files come from storage servers, not from the platform, so no credentials are
//! sent along.

mod sink;

use std::fmt;
use std::path::Path;

use futures::StreamExt;
use futures::future::BoxFuture;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_RANGE, LOCATION, RANGE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tempfile::NamedTempFile;

use self::sink::Sink;
use crate::call::stalled;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::redact::SignedUrl;
use crate::retry;
use crate::transport::{HttpBody, HttpRequest, HttpResponse, TransportError, TransportErrorKind};

/// So many redirects within one server are followed.
const MAX_REDIRECTS: u32 = 5;

/// Makes a new link when the old one has expired.
type Resign<'a> = Box<dyn FnMut() -> BoxFuture<'a, Result<SignedUrl>> + Send + 'a>;

/// What to download, and within which limits.
///
/// ```no_run
/// # async fn example(client: encord_client::Client, item: encord_labels::id::ItemUuid) -> encord_client::Result<()> {
/// use encord_client::Download;
///
/// let url = client.sign_item(item).await?.expect("this item has a file");
/// let download = Download::new(url)
///     .with_limit(2 << 30)
///     .with_resign(|| async { client.sign_item(item).await.map(|url| url.expect("this item has a file")) });
/// let bytes = client.download(download, "clip.mp4").await?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct Download<'a> {
    url: SignedUrl,
    limit: u64,
    length: Option<u64>,
    resign: Option<Resign<'a>>,
}

impl<'a> Download<'a> {
    /// Bytes of the largest file that is downloaded unless another limit is set: 100 GiB. Without any, a server that
    /// never ends its answer would fill the disk.
    pub const DEFAULT_LIMIT: u64 = 100 << 30;

    /// Downloads from a signed link, up to [`Download::DEFAULT_LIMIT`].
    pub fn new(url: SignedUrl) -> Self {
        Self { url, limit: Self::DEFAULT_LIMIT, length: None, resign: None }
    }

    /// Refuses files of more bytes than this, as soon as their length is known.
    pub fn with_limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Refuses files of any other length than this, in bytes.
    pub fn with_length(mut self, bytes: u64) -> Self {
        self.length = Some(bytes);
        self
    }

    /// Asks for a new link when the storage server no longer accepts the old one.
    pub fn with_resign<F, Fut>(mut self, mut resign: F) -> Self
    where
        F: FnMut() -> Fut + Send + 'a,
        Fut: Future<Output = Result<SignedUrl>> + Send + 'a,
    {
        self.resign = Some(Box::new(move || Box::pin(resign())));
        self
    }
}

impl fmt::Debug for Download<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Client {
    /// Downloads a file to `path`, replacing what is there, and returns its length in bytes.
    ///
    /// Only silence is limited (see [`Timeouts::stall`](crate::Timeouts)), not the total time. A broken
    /// connection is resumed where the server supports it; the file appears only when it is complete.
    ///
    /// # Errors
    /// [`Error::Transfer`] if the storage server refuses or keeps failing, [`Error::TooLarge`] above the limit,
    /// [`Error::Io`] if the file cannot be written.
    pub async fn download(&self, download: Download<'_>, path: impl AsRef<Path>) -> Result<u64> {
        let path = path.as_ref();
        let failed = |source| Error::Io { path: path.to_owned(), source };
        let directory =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let part = NamedTempFile::with_suffix_in(".part", directory).map_err(failed)?;
        let file = part.as_file().try_clone().map_err(failed)?;
        let mut transfer = Transfer {
            client: self,
            url: download.url,
            limit: download.limit,
            length: download.length,
            file: Sink::new(file),
            path,
            written: 0,
            total: None,
            etag: None,
            stale: false,
        };
        transfer.run(download.resign).await?;
        transfer.file.finish().await.map_err(failed)?;
        let written = transfer.written;
        drop(transfer);
        part.persist(path).map_err(|error| failed(error.error))?;
        Ok(written)
    }
}

/// A download under way.
struct Transfer<'a> {
    client: &'a Client,
    url: SignedUrl,
    limit: u64,
    length: Option<u64>,
    file: Sink,
    path: &'a Path,
    written: u64,
    total: Option<u64>,
    etag: Option<HeaderValue>,
    /// The file holds bytes that are no longer wanted.
    stale: bool,
}

/// How an attempt ended that did not end well, and what may help.
enum Trouble {
    /// Nothing will help.
    Final(Box<Error>),
    /// Trying again may help, perhaps after a pause the server asked for.
    Passing(Box<Error>, Option<std::time::Duration>),
    /// A new link may help.
    Expired(Box<Error>),
}

impl Trouble {
    fn last(error: Error) -> Self {
        Self::Final(Box::new(error))
    }

    fn passing(error: Error, wait: Option<std::time::Duration>) -> Self {
        let error = match error {
            Error::Transfer { file, problem, status, .. } => {
                Error::Transfer { file, problem, status, retryable: true }
            }
            other => other,
        };
        Self::Passing(Box::new(error), wait)
    }
}

impl Transfer<'_> {
    async fn run(&mut self, mut resign: Option<Resign<'_>>) -> Result<()> {
        let policy = self.client.inner.retry;
        let (mut failures, mut signed_at) = (0, None);
        // A file that changes again and again is never further on than before, however much of it arrives.
        let mut furthest = 0;
        loop {
            let trouble = match self.attempt().await {
                Ok(()) => return Ok(()),
                Err(trouble) => trouble,
            };
            if self.written > furthest {
                furthest = self.written;
                failures = 0;
            }
            match (trouble, &mut resign) {
                (Trouble::Final(error), _) | (Trouble::Expired(error), None) => return Err(*error),
                // A link that was made just now and is refused will not get better by making another.
                (Trouble::Expired(error), Some(_)) if signed_at == Some(self.written) => return Err(*error),
                (Trouble::Expired(_), Some(resign)) => {
                    signed_at = Some(self.written);
                    self.url = resign().await?;
                }
                (Trouble::Passing(error, wait), _) => {
                    if failures >= policy.max_retries {
                        return Err(*error);
                    }
                    let pause = wait.unwrap_or_else(|| policy.pause(failures));
                    if pause > self.client.inner.timeouts.budget {
                        return Err(*error);
                    }
                    tracing::debug!(file = %self.url, written = self.written, %error, "download interrupted, resuming");
                    tokio::time::sleep(pause).await;
                    failures += 1;
                }
            }
        }
    }

    /// One connection: asks for what is missing and writes what comes.
    async fn attempt(&mut self) -> Result<(), Trouble> {
        let response = self.open().await?;
        let start = self.accept(&response)?;
        if start != self.written || self.stale {
            self.restart(start).await?;
        }
        if response.status == StatusCode::RANGE_NOT_SATISFIABLE {
            return Ok(());
        }
        let stall = self.client.inner.timeouts.stall;
        let mut body = response.body;
        loop {
            let piece = stalled(stall, async { body.next().await.transpose() }).await;
            let Some(piece) = piece.map_err(|error| self.interrupted(&error))? else { break };
            let written = self.written + piece.len() as u64;
            self.check_size(written).map_err(Trouble::last)?;
            self.file.write(piece).await.map_err(|source| self.unwritable(source))?;
            self.written = written;
        }
        match self.total {
            Some(total) if total != self.written => {
                let text = format!("the connection ended after {} of {total} bytes", self.written);
                Err(Trouble::passing(self.problem(text, None), None))
            }
            _ => match self.length.filter(|length| *length != self.written) {
                Some(length) => Err(Trouble::last(self.wrong_length(length, self.written))),
                None => Ok(()),
            },
        }
    }

    /// Sends the request, following redirects within the same server only.
    async fn open(&self) -> Result<HttpResponse, Trouble> {
        let mut url = self.url.expose().to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let request = HttpRequest {
                method: Method::GET,
                url: url.clone(),
                headers: self.request_headers(),
                body: HttpBody::Bytes(bytes::Bytes::new()),
            };
            let sent = stalled(self.client.inner.timeouts.stall, self.client.inner.transport.send(request));
            let response = sent.await.map_err(|error| self.interrupted(&error))?;
            if !response.status.is_redirection() {
                return Ok(response);
            }
            url = self.redirect(&url, &response.headers).map_err(Trouble::last)?;
        }
        Err(Trouble::last(self.problem("too many redirects".to_owned(), None)))
    }

    fn request_headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(3);
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if self.written > 0 {
            if let Ok(range) = HeaderValue::from_str(&format!("bytes={}-", self.written)) {
                headers.insert(RANGE, range);
            }
            if let Some(etag) = &self.etag {
                headers.insert(IF_RANGE, etag.clone());
            }
        }
        headers
    }

    fn redirect(&self, from: &str, headers: &HeaderMap) -> Result<String> {
        let refuse = |text: &str| self.problem(text.to_owned(), None);
        let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.ok_or_else(|| refuse("redirected without saying where to"))?;
        let from = url::Url::parse(from).map_err(|_| refuse("the link is no address"))?;
        let to = from.join(location).map_err(|_| refuse("redirected to something that is no address"))?;
        if to.origin() != from.origin() {
            return Err(self.problem(
                format!(
                    "redirected to another server ({}), which is refused",
                    to.origin().ascii_serialization()
                ),
                None,
            ));
        }
        Ok(to.into())
    }

    /// Judges the head of an answer; returns the position its body starts at.
    fn accept(&mut self, response: &HttpResponse) -> Result<u64, Trouble> {
        let status = response.status;
        let headers = &response.headers;
        match status {
            StatusCode::OK => {
                self.learn(number(headers.get(CONTENT_LENGTH)), headers)?;
                Ok(0)
            }
            StatusCode::PARTIAL_CONTENT => {
                let (start, total) = content_range(headers).ok_or_else(|| {
                    let text = "the server sent a part without saying which".to_owned();
                    Trouble::last(self.problem(text, Some(status)))
                })?;
                if start != self.written || (self.total.is_some() && total.is_some() && total != self.total) {
                    self.forget();
                    let text = "the file changed while it was downloaded".to_owned();
                    return Err(Trouble::passing(self.problem(text, Some(status)), None));
                }
                self.learn(total, headers)?;
                Ok(start)
            }
            // Everything was there already, only the end of the answer had been lost.
            StatusCode::RANGE_NOT_SATISFIABLE if self.total == Some(self.written) => Ok(self.written),
            StatusCode::RANGE_NOT_SATISFIABLE => {
                self.forget();
                let text = "the server cannot resume the download".to_owned();
                Err(Trouble::passing(self.problem(text, Some(status)), None))
            }
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let text = "the storage server refuses the link; it may have expired".to_owned();
                Err(Trouble::Expired(Box::new(self.problem(text, Some(status)))))
            }
            _ => {
                let wait = retry::retry_after(headers, std::time::SystemTime::now());
                let error = self.problem("the storage server failed".to_owned(), Some(status));
                if retry::is_transient(status) {
                    Err(Trouble::passing(error, wait))
                } else {
                    let text = match status {
                        StatusCode::NOT_FOUND | StatusCode::GONE => "the file does not exist",
                        _ => "the storage server refuses",
                    };
                    Err(Trouble::last(self.problem(text.to_owned(), Some(status))))
                }
            }
        }
    }

    fn learn(&mut self, total: Option<u64>, headers: &HeaderMap) -> Result<(), Trouble> {
        self.total = total.or(self.total);
        // Weak tags promise the same meaning, not the same bytes.
        self.etag = headers.get(ETAG).filter(|tag| !tag.as_bytes().starts_with(b"W/")).cloned();
        if let Some(total) = self.total {
            self.check_size(total).map_err(Trouble::last)?;
            if let Some(length) = self.length.filter(|length| *length != total) {
                return Err(Trouble::last(self.wrong_length(length, total)));
            }
        }
        Ok(())
    }

    /// The next attempt starts from nothing.
    fn forget(&mut self) {
        self.total = None;
        self.etag = None;
        self.written = 0;
        self.stale = true;
    }

    async fn restart(&mut self, position: u64) -> Result<(), Trouble> {
        self.file.restart(position).await.map_err(|source| self.unwritable(source))?;
        self.written = position;
        self.stale = false;
        Ok(())
    }

    /// Refuses more bytes than are allowed or expected.
    fn check_size(&self, size: u64) -> Result<()> {
        if size > self.limit {
            return Err(Error::TooLarge { file: self.url.location(), size, limit: self.limit });
        }
        match self.length {
            Some(length) if size > length => Err(self.wrong_length(length, size)),
            _ => Ok(()),
        }
    }

    fn wrong_length(&self, expected: u64, found: u64) -> Error {
        self.problem(format!("expected {expected} bytes, but the server has {found}"), None)
    }

    fn interrupted(&self, error: &TransportError) -> Trouble {
        let problem = self.problem(error.to_string(), None);
        match error.kind() {
            TransportErrorKind::Local => Trouble::last(problem),
            _ => Trouble::passing(problem, None),
        }
    }

    fn unwritable(&self, source: std::io::Error) -> Trouble {
        Trouble::last(Error::Io { path: self.path.to_owned(), source })
    }

    fn problem(&self, problem: String, status: Option<StatusCode>) -> Error {
        let problem = match status {
            Some(status) => format!("{problem} (status {})", status.as_u16()),
            None => problem,
        };
        Error::Transfer {
            file: self.url.location(),
            problem,
            status: status.map(|status| status.as_u16()),
            retryable: false,
        }
    }
}

fn number(value: Option<&HeaderValue>) -> Option<u64> {
    value?.to_str().ok()?.trim().parse().ok()
}

/// Start and total of `bytes 10-99/100`; the total may be unknown (`*`).
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?.trim().strip_prefix("bytes")?.trim_start();
    let (range, total) = text.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()))
}
