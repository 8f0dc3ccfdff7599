//! From a file on disk to an item of the storage.
//!
//! Three steps: ask for a place to put the file, put it there, tell the platform to take it in. The last one is a
//! job of the platform that is asked about until it ends.

use std::path::Path;
use std::time::{Duration, Instant};

use encord_labels::id::{FolderUuid, ItemUuid};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::folder_path;
use super::series::SeriesKind;
use crate::call::stalled;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::query::Target;
use crate::redact::SignedUrl;
use crate::retry::{self, Safety};
use crate::transport::{HttpBody, HttpRequest};

/// How long the platform may think about one question; well below the stall timeout.
const LONG_POLL: Duration = Duration::from_secs(30);

/// Pause between two questions that were answered at once.
const POLL_PAUSE: Duration = Duration::from_millis(500);

/// What kind of file is uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UploadKind {
    /// A picture.
    Image,
    /// A video.
    Video,
    /// A sound file.
    Audio,
    /// A text.
    PlainText,
    /// A PDF document.
    Pdf,
    /// A NIfTI volume.
    Nifti,
    /// A DICOM file; on its own it becomes a series of one file.
    DicomFile,
}

impl UploadKind {
    /// Item type, list of the job, type of the element in it.
    const fn wire(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Image => ("image", "images", "IMAGE"),
            Self::Video => ("video", "videos", "VIDEO"),
            Self::Audio => ("audio", "audio", "AUDIO"),
            Self::PlainText => ("plainText", "text", "PLAIN_TEXT"),
            Self::Pdf => ("pdf", "pdf", "PDF"),
            Self::Nifti => ("nifti", "nifti", "NIFTI"),
            Self::DicomFile => ("dicomFile", "dicomSeries", "DICOM"),
        }
    }

    /// The content type the file is stored with.
    fn content_type(self, path: &Path) -> &'static str {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        match (self, extension.as_deref().unwrap_or_default()) {
            (Self::Pdf, _) => "application/pdf",
            (Self::Nifti, _) => "application/nifti",
            (Self::DicomFile, _) => "application/dicom",
            (Self::Image, "png") => "image/png",
            (Self::Image, "jpg" | "jpeg") => "image/jpeg",
            (Self::Image, "gif") => "image/gif",
            (Self::Image, "bmp") => "image/bmp",
            (Self::Image, "webp") => "image/webp",
            (Self::Image, "tif" | "tiff") => "image/tiff",
            (Self::PlainText, "html" | "htm") => "text/html",
            (Self::PlainText, "md") => "text/markdown",
            (Self::PlainText, "csv") => "text/csv",
            (Self::PlainText, "json") => "application/json",
            (Self::PlainText, "xml") => "application/xml",
            (Self::PlainText, _) => "text/plain",
            _ => "application/octet-stream",
        }
    }
}

#[derive(Deserialize)]
struct Places {
    results: Vec<Place>,
}

/// Where to put a file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place {
    #[serde(alias = "item_uuid")]
    pub(super) item_uuid: ItemUuid,
    #[serde(alias = "object_key")]
    pub(super) object_key: String,
    #[serde(alias = "signed_url")]
    signed_url: SignedUrl,
    #[serde(default, alias = "upload_headers", deserialize_with = "crate::lenient::or_default")]
    upload_headers: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    status: String,
    #[serde(default, alias = "items_with_names")]
    items_with_names: Vec<NamedItem>,
    #[serde(default)]
    errors: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NamedItem {
    #[serde(alias = "item_uuid")]
    item_uuid: ItemUuid,
}

impl Client {
    /// Uploads a file into a folder and returns the item, once the platform has taken it in.
    ///
    /// The title is the file name unless one is given. Only silence is limited, not the total time, but the
    /// platform must have taken the file in within the budget of [`Timeouts`](crate::Timeouts).
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read, [`Error::Transfer`] if it cannot be put into place or the
    /// platform does not accept it.
    pub async fn upload(
        &self,
        folder: FolderUuid,
        kind: UploadKind,
        path: impl AsRef<Path>,
        title: Option<&str>,
        client_metadata: Map<String, Value>,
    ) -> Result<ItemUuid> {
        let path = path.as_ref();
        if kind == UploadKind::DicomFile {
            let name = file_name(path);
            let series = SeriesKind::DicomSeries;
            return self
                .upload_series(folder, series, &[path], title.unwrap_or(&name), client_metadata)
                .await;
        }
        length(path).await?;
        let (_, list, element_type) = kind.wire();
        let places = self.upload_places(folder, kind, 1).await?;
        let [place] = places.as_slice() else { return Err(no_place()) };
        let name = self.put_file(place, kind, path).await?;
        let element = json!({
            "objectUrl": place.object_key,
            "title": title.unwrap_or(&name),
            "clientMetadata": client_metadata,
            "externalFileType": element_type,
            "placeholderItemUuid": place.item_uuid,
        });
        self.take_in(folder, &job(list, element), &name).await
    }

    /// As many places for files as are needed.
    pub(super) async fn upload_places(
        &self,
        folder: FolderUuid,
        kind: UploadKind,
        count: usize,
    ) -> Result<Vec<Place>> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wish<'a> {
            item_type: &'a str,
            count: usize,
        }
        let target = format!("{}/upload-signed-urls", folder_path(folder));
        let wish = Wish { item_type: kind.wire().0, count };
        // A place that is asked for and never used costs nothing, so asking twice is fine.
        let places: Places = self.v2_call(Method::POST, target, &wish, Safety::Idempotent).await?;
        if places.results.len() < count {
            return Err(no_place());
        }
        Ok(places.results)
    }

    /// Asks the platform to make an item of files that were put into place, and waits for it.
    pub(super) async fn take_in(&self, folder: FolderUuid, job: &Value, name: &str) -> Result<ItemUuid> {
        let target = format!("{}/data-upload-jobs", folder_path(folder));
        let started: Uuid = self.v2_call(Method::POST, target.clone(), job, Safety::Once).await?;
        self.finish(&format!("{target}/{started}"), name).await
    }

    /// Puts a file into its place and returns its name. Doing so again replaces it, so this may be repeated.
    pub(super) async fn put_file(&self, place: &Place, kind: UploadKind, path: &Path) -> Result<String> {
        let length = length(path).await?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind.content_type(path)));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=86400"));
        for (name, value) in &place.upload_headers {
            let name = HeaderName::try_from(name.as_str()).ok();
            let value = value.as_str().and_then(|value| HeaderValue::from_str(value).ok());
            if let (Some(name), Some(value)) = (name, value) {
                headers.insert(name, value);
            }
        }
        let mut retries = 0;
        loop {
            let request = HttpRequest {
                method: Method::PUT,
                url: place.signed_url.expose().to_owned(),
                headers: headers.clone(),
                body: HttpBody::File { path: path.to_owned(), length },
            };
            // The answer comes after the whole file, so the time for it grows with the file: 100 kB/s at least.
            let patience = self.inner.timeouts.stall + Duration::from_secs(length / 100_000);
            let (problem, status, transient) = match stalled(patience, self.inner.transport.send(request))
                .await
            {
                Ok(response) if response.status.is_success() => return Ok(file_name(path)),
                Ok(response) => {
                    let status = response.status;
                    let text = format!("the storage server refuses the file (status {})", status.as_u16());
                    (text, Some(status.as_u16()), retry::is_transient(status))
                }
                Err(error) => (error.to_string(), None, error.is_retryable()),
            };
            if !transient || retries >= self.inner.retry.max_retries {
                let file = place.signed_url.location();
                return Err(Error::Transfer { file, problem, status, retryable: transient });
            }
            tokio::time::sleep(self.inner.retry.pause(retries)).await;
            retries += 1;
        }
    }

    /// Asks about the job until it ends.
    async fn finish(&self, path: &str, file: &str) -> Result<ItemUuid> {
        let failed = |problem: String| Error::Transfer {
            file: file.to_owned(),
            problem,
            status: None,
            retryable: false,
        };
        let started = Instant::now();
        while started.elapsed() < self.inner.timeouts.budget {
            let patience = LONG_POLL.min(self.inner.timeouts.stall / 2).as_secs().max(1);
            let job: Job = self.v2_get(Target::new(path).with("timeoutSeconds", patience)).await?;
            match job.status.as_str() {
                "DONE" => {
                    let item = job.items_with_names.first().map(|item| item.item_uuid);
                    return item.ok_or_else(|| failed("the platform took in nothing".to_owned()));
                }
                "ERROR" => {
                    let errors = Value::Array(job.errors).to_string();
                    return Err(failed(format!(
                        "the platform refuses it: {}",
                        crate::refusal::clean(&errors)
                    )));
                }
                "CANCELLED" => return Err(failed("taking it in was cancelled".to_owned())),
                _ => tokio::time::sleep(POLL_PAUSE).await,
            }
        }
        let budget = self.inner.timeouts.budget.as_secs();
        Err(failed(format!("the platform has not taken it in within {budget} s; it may still do so")))
    }
}

/// Bytes of the file; tells early that there is none.
pub(super) async fn length(path: &Path) -> Result<u64> {
    let unreadable = |source| Error::Io { path: path.to_owned(), source };
    Ok(tokio::fs::metadata(path).await.map_err(unreadable)?.len())
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn no_place() -> Error {
    Error::MissingResults { operation: "upload", missing: vec!["a place for the file".to_owned()] }
}

/// The body of a job with one element in one of its lists; the platform wants all lists to be there.
pub(super) fn job(list: &str, element: Value) -> Value {
    const LISTS: [&str; 11] = [
        "videos",
        "imageGroups",
        "dicomSeries",
        "images",
        "imageGroupsFromItems",
        "audio",
        "timeSeries",
        "nifti",
        "text",
        "pdf",
        "scenes",
    ];
    let mut items: Map<String, Value> = LISTS.iter().map(|name| ((*name).to_owned(), json!([]))).collect();
    items.insert(list.to_owned(), json!([element]));
    items.insert("skipDuplicateUrls".to_owned(), false.into());
    items.insert("upsertMetadata".to_owned(), false.into());
    json!({ "dataItems": items, "ignoreErrors": false })
}
